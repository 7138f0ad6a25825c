use std::{fmt, sync::LazyLock};

use thiserror::Error;

/// A region out of the public list `data/regions.txt`: a continent, a state or a large city.
///
/// It borrows from the list and holds nothing else, so it cannot carry a person's words or a place of theirs that
/// is not public and large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionName(&'static str);

/// A name that is not in the list; it is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("that region is not in the list; name a continent, a state or a large city in English")]
pub struct UnknownRegion;

impl RegionName {
    /// The region of that name, in any case.
    ///
    /// # Errors
    /// [`UnknownRegion`] for a name that is not in the list.
    pub fn named(name: &str) -> Result<Self, UnknownRegion> {
        Self::all().find(|region| region.0.eq_ignore_ascii_case(name.trim())).ok_or(UnknownRegion)
    }

    /// The list, sorted.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        static LIST: LazyLock<Vec<&str>> = LazyLock::new(|| {
            let lines = include_str!("../../data/regions.txt").lines();
            lines.filter(|line| !line.starts_with('#') && !line.is_empty()).collect()
        });
        LIST.iter().map(|name| Self(name))
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for RegionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_regions_have_a_name() {
        assert_eq!(RegionName::named(" portugal ").map(RegionName::as_str), Ok("Portugal"));
        for name in ["", "coffee at my place", "Portugal, rua 5", "Bolhao"] {
            assert_eq!(RegionName::named(name), Err(UnknownRegion));
        }
        let all: Vec<RegionName> = RegionName::all().collect();
        assert!(all.len() > 200 && all.is_sorted());
        let plain = |c: char| c.is_ascii_alphabetic() || " -".contains(c);
        assert!(all.iter().all(|region| region.as_str().chars().all(plain)));
    }
}
