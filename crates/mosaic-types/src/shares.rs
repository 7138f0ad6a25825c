use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ClassId;

/// How popular the classes are in a region: sixteen shares of all wishes, in millionths, every one positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClassShares([u32; ClassShares::CLASSES]);

/// Numbers of which no shares can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the popularity of classes is sixteen numbers from 0 on, not all of them 0")]
pub struct InvalidShares;

impl ClassShares {
    const CLASSES: usize = ClassId::COUNT as usize;
    /// The whole, in millionths.
    const WHOLE: f64 = 1e6;
    /// The least share of a class, in millionths: what nobody is said to want would be a sure sign of who wants it.
    const LEAST: f64 = 1e3;

    /// Shares in proportion to `weights`, in order of the classes; none below a thousandth.
    ///
    /// # Errors
    /// [`InvalidShares`] for a negative or infinite weight, or none above 0.
    pub fn new(weights: [f64; Self::CLASSES]) -> Result<Self, InvalidShares> {
        let all: f64 = weights.iter().sum();
        if !all.is_finite() || all <= 0.0 || weights.iter().any(|weight| *weight < 0.0) {
            return Err(InvalidShares);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between a thousand and a million")]
        let millionths = |weight: f64| (Self::WHOLE * weight / all).max(Self::LEAST).round() as u32;
        Ok(Self(weights.map(millionths)))
    }

    /// How much of all wishes names the class: 0.001 to 1.
    pub fn of(&self, class: ClassId) -> f64 {
        f64::from(self.0.get(usize::from(class.get())).copied().unwrap_or_default()) / Self::WHOLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_positive_and_in_proportion() {
        let mut weights = [0.0; 16];
        (weights[0], weights[5]) = (30.0, 10.0);
        let shares = ClassShares::new(weights).unwrap();
        let of = |class| shares.of(ClassId::new(class).unwrap());
        assert_eq!([of(0), of(5), of(15)], [0.75, 0.25, 0.001]);
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(ClassShares::new([bad; 16]), Err(InvalidShares));
        }
        weights[1] = -1.0;
        assert_eq!((ClassShares::new(weights), ClassShares::new([0.0; 16])), (Err(InvalidShares), Err(InvalidShares)));
    }
}
