use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How much two wishes share: a part of a whole, from 0 (nothing) to 1 (all of the smaller one), L5-04. Kept as the two
/// counts it is made of, so that three of ten is exactly 0.30 (L3-22).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Similarity {
    shared: u8,
    of: u8,
}

impl Similarity {
    /// Nothing in common.
    pub const NONE: Self = Self { shared: 0, of: 0 };

    /// `shared` of `of`. What is more than all counts as all, and a part of nothing as nothing.
    pub fn of(shared: u8, of: u8) -> Self {
        Self { shared: shared.min(of), of }
    }

    /// As a number, `0.0..=1.0`.
    pub fn get(self) -> f64 {
        if self.of == 0 { 0.0 } else { f64::from(self.shared) / f64::from(self.of) }
    }

    /// Whether it is a match: it lies on the threshold or above. Compared as whole numbers.
    pub fn reaches(self, threshold: MatchThreshold) -> bool {
        u32::from(self.shared) * 1_000 >= u32::from(threshold.0) * u32::from(self.of.max(1))
    }
}

/// From which similarity on a card is a match: 0 (every card of the class) to 1, in thousandths; 0.30 unless set (L5-05, C-19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct MatchThreshold(u16);

/// A threshold outside 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the threshold of a match is a number from 0.0 to 1.0")]
pub struct InvalidThreshold;

impl MatchThreshold {
    /// Checks the bounds; kept to thousandths.
    ///
    /// # Errors
    /// [`InvalidThreshold`] outside `0.0..=1.0`, and for what is no number.
    pub fn new(similarity: f64) -> Result<Self, InvalidThreshold> {
        if !(0.0..=1.0).contains(&similarity) {
            return Err(InvalidThreshold);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1,000")]
        let thousandths = (similarity * 1_000.0).round() as u16;
        Ok(Self(thousandths))
    }

    /// As a number, `0.0..=1.0`.
    pub fn get(self) -> f64 {
        f64::from(self.0) / 1_000.0
    }
}

impl Default for MatchThreshold {
    fn default() -> Self {
        Self(300)
    }
}

impl From<MatchThreshold> for u16 {
    fn from(threshold: MatchThreshold) -> Self {
        threshold.0
    }
}

impl TryFrom<u16> for MatchThreshold {
    type Error = InvalidThreshold;

    fn try_from(thousandths: u16) -> Result<Self, InvalidThreshold> {
        if thousandths <= 1_000 { Ok(Self(thousandths)) } else { Err(InvalidThreshold) }
    }
}

impl fmt::Display for MatchThreshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// L3-22 and L5-05: three of ten lies on the threshold and is a match; what is a thousandth below is none. As doubles,
    /// 0.1 + 0.2 would be above what 3 / 10 is.
    #[test]
    fn three_of_ten_is_a_match_and_less_is_none() {
        let threshold = MatchThreshold::default();
        assert_eq!(MatchThreshold::new(0.1 + 0.2), Ok(threshold));
        assert!(Similarity::of(3, 10).reaches(threshold) && Similarity::of(1, 3).reaches(threshold));
        for (shared, of) in [(2, 10), (1, 4), (0, 1), (29, 97)] {
            assert!(!Similarity::of(shared, of).reaches(threshold), "{shared} of {of}");
        }
        assert!(!Similarity::of(3, 10).reaches(MatchThreshold::new(0.301).unwrap()));
    }

    #[test]
    fn nothing_reaches_nothing_but_a_threshold_of_zero() {
        let (all, every) = (MatchThreshold::new(1.0).unwrap(), MatchThreshold::new(0.0).unwrap());
        for nothing in [Similarity::NONE, Similarity::of(0, 4), Similarity::of(9, 0)] {
            assert_eq!((nothing.get(), nothing.reaches(every)), (0.0, true));
            assert!(!nothing.reaches(MatchThreshold::new(0.001).unwrap()));
        }
        assert!(Similarity::of(200, 7).reaches(all) && !Similarity::of(254, 255).reaches(all));
        assert_eq!(Similarity::of(200, 7).get(), 1.0);
    }

    #[test]
    fn only_zero_to_one() {
        for bad in [f64::NAN, f64::INFINITY, -0.001, 1.001] {
            assert_eq!(MatchThreshold::new(bad), Err(InvalidThreshold));
        }
        for good in [0.0, 0.3, 1.0] {
            let threshold = MatchThreshold::new(good).unwrap();
            assert_eq!((threshold.get(), MatchThreshold::try_from(u16::from(threshold))), (good, Ok(threshold)));
        }
        assert_eq!(MatchThreshold::try_from(1_001), Err(InvalidThreshold));
    }
}
