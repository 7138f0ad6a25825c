use std::cmp::Ordering;

/// A found place; the greatest is the farthest, among equals the one with the higher number.
#[derive(PartialEq)]
pub(crate) struct Found {
    pub(crate) metres: f64,
    pub(crate) place: u32,
}

impl Eq for Found {}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Found {
    fn cmp(&self, other: &Self) -> Ordering {
        self.metres.total_cmp(&other.metres).then(self.place.cmp(&other.place))
    }
}
