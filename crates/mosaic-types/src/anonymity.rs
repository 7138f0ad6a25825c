use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The fewest identities among which a person must stay hidden in one opened event: 1 (never acts) to 10
/// (all of them), in thousandths. An attacker who gives the person's bundle a probability `p` leaves `1 / p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct AnonymityFloor(u16);

/// A number of identities outside 1 to 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the anonymity floor is a number of identities from 1 to 10")]
pub struct InvalidAnonymity;

impl AnonymityFloor {
    /// The floor that nothing falls below.
    pub const NONE: Self = Self(1_000);

    /// Checks the bounds; kept to thousandths.
    ///
    /// # Errors
    /// [`InvalidAnonymity`] outside 1 to 10, and for what is no number.
    pub fn new(identities: f64) -> Result<Self, InvalidAnonymity> {
        if !(1.0..=10.0).contains(&identities) {
            return Err(InvalidAnonymity);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1,000 and 10,000")]
        let thousandths = (identities * 1_000.0).round() as u16;
        Ok(Self(thousandths))
    }

    pub(crate) const fn from_thousandths(thousandths: u16) -> Self {
        Self(thousandths)
    }

    /// How many identities.
    pub fn get(self) -> f64 {
        f64::from(self.0) / 1_000.0
    }

    /// The highest probability that an attacker may give to the person's bundle.
    pub fn highest(self) -> f64 {
        1_000.0 / f64::from(self.0)
    }
}

impl From<AnonymityFloor> for u16 {
    fn from(floor: AnonymityFloor) -> Self {
        floor.0
    }
}

impl TryFrom<u16> for AnonymityFloor {
    type Error = InvalidAnonymity;

    fn try_from(thousandths: u16) -> Result<Self, InvalidAnonymity> {
        if (1_000..=10_000).contains(&thousandths) { Ok(Self(thousandths)) } else { Err(InvalidAnonymity) }
    }
}

impl fmt::Display for AnonymityFloor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_to_ten_identities() {
        for bad in [f64::NAN, f64::INFINITY, 0.999, 10.001, -1.0] {
            assert_eq!(AnonymityFloor::new(bad), Err(InvalidAnonymity));
        }
        assert_eq!(AnonymityFloor::new(1.0), Ok(AnonymityFloor::NONE));
        let floor = AnonymityFloor::new(2.5).unwrap();
        assert_eq!((floor.get(), floor.highest()), (2.5, 0.4));
        assert_eq!(AnonymityFloor::try_from(u16::from(floor)), Ok(floor));
        assert!(AnonymityFloor::try_from(999).is_err() && AnonymityFloor::try_from(10_001).is_err());
    }
}
