use std::time::Duration;

use mosaic_types::Timestamp;

/// Where an index came from, under which licence, and how old it is. Travels with every copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// Whom to name and which licence holds, to be shown wherever places are.
    pub attribution: String,
    /// The date of the data; `None` where nothing tells it.
    pub as_of: Option<Timestamp>,
}

impl Provenance {
    /// What has to be said about OpenStreetMap data, derived databases included.
    pub const OPENSTREETMAP: &'static str = "© OpenStreetMap contributors, Open Database License (ODbL) 1.0";

    /// Names a source.
    pub fn new(attribution: impl Into<String>, as_of: Option<Timestamp>) -> Self {
        Self { attribution: attribution.into(), as_of }
    }

    /// OpenStreetMap data of that date.
    pub fn openstreetmap(as_of: Option<Timestamp>) -> Self {
        Self::new(Self::OPENSTREETMAP, as_of)
    }

    /// Places older than this are stale: they are updated every quarter (L3-36).
    pub const FRESH_FOR: Duration = Duration::from_hours(92 * 24);

    /// How much too old the data is, if it is: by how long it is past [`Self::FRESH_FOR`]. `None` also where nothing
    /// tells the date.
    pub fn overdue(&self, now: Timestamp) -> Option<Duration> {
        let age = now.since(self.as_of?);
        age.checked_sub(Self::FRESH_FOR).filter(|late| !late.is_zero())
    }
}
