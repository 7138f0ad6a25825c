use thiserror::Error;

/// A privacy parameter ε in whole thousandths, from 0.001 to 10: exact for the samplers, which know no fractions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epsilon(u32);

/// A number that is no ε of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("ε lies between 0.001 and 10")]
pub struct InvalidEpsilon;

impl Epsilon {
    /// The default, 1 (L3-58).
    pub const ONE: Self = Self(1_000);
    /// The widest that is taken.
    const MOST: u32 = 10_000;

    /// From whole thousandths.
    ///
    /// # Errors
    /// [`InvalidEpsilon`] outside `1..=10_000`.
    pub const fn from_thousandths(thousandths: u32) -> Result<Self, InvalidEpsilon> {
        if thousandths == 0 || thousandths > Self::MOST {
            return Err(InvalidEpsilon);
        }
        Ok(Self(thousandths))
    }

    /// In whole thousandths.
    pub const fn thousandths(self) -> u32 {
        self.0
    }

    /// As a number.
    pub fn get(self) -> f64 {
        f64::from(self.0) / 1_000.0
    }
}

impl Default for Epsilon {
    fn default() -> Self {
        Self::ONE
    }
}
