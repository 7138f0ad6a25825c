use std::fmt;

use mosaic_noise::{accounting::Epsilon, choice};
use mosaic_types::{ClassId, Sensitive};
use rand::CryptoRng;

use crate::ANSWERS;

/// A quarter of a day by the sun: when something was wished for, as coarse as it is counted. Times are counted in bins and
/// not blurred one by one (replaces L3-60 for what is published).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartOfDay {
    /// From midnight to six.
    Night,
    /// From six to noon.
    Morning,
    /// From noon to six.
    Afternoon,
    /// From six to midnight.
    Evening,
}

impl PartOfDay {
    /// All, in order of the day.
    pub const ALL: [Self; 4] = [Self::Night, Self::Morning, Self::Afternoon, Self::Evening];

    /// The part in which a local hour lies; hours beyond 23 begin again.
    pub const fn of_hour(hour: u8) -> Self {
        match hour % 24 {
            0..6 => Self::Night,
            6..12 => Self::Morning,
            12..18 => Self::Afternoon,
            _ => Self::Evening,
        }
    }

    /// Its public name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Night => "night",
            Self::Morning => "morning",
            Self::Afternoon => "afternoon",
            Self::Evening => "evening",
        }
    }
}

/// What a person wished for on a day: one answer of [`ANSWERS`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Answer(u8);

impl Answer {
    /// Nothing was wished for.
    pub const NOTHING: Self = Self(64);

    /// Something of a class in a part of the day.
    pub const fn wish(class: ClassId, part: PartOfDay) -> Self {
        Self(class.get() * 4 + part as u8)
    }

    /// Its number, from 0: class by class, part after part, nothing last.
    pub(crate) const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer([hidden])")
    }
}

/// An answer after randomised response: the only kind that is ever cut into shares, so that whoever puts both shares of a
/// report together learns this and not the truth.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NoisedAnswer(u8);

impl NoisedAnswer {
    /// ε of the exponential mechanism it is drawn by. Its odds change by the square root of e to the ε (L3-61), so two
    /// aggregators who put their shares together gain odds of e⁴, about 55 to 1, and no more.
    pub const EPSILON_THOUSANDTHS: u32 = 8_000;
    /// The most by which the logarithm of the odds changes, for whoever sees the noised answer: 4.
    pub const LOSS: f64 = Self::EPSILON_THOUSANDTHS as f64 / 2_000.0;

    /// Draws: the truth with probability e⁴ / (e⁴ + 64), about 0.46, every other answer with 1 / (e⁴ + 64).
    pub fn draw(truth: &Sensitive<Answer>, rng: &mut impl CryptoRng) -> Self {
        let epsilon = Epsilon::from_thousandths(Self::EPSILON_THOUSANDTHS).unwrap_or_default();
        let drawn = truth.expose(|truth| choice(u32::from(truth.number()), ANSWERS as u32, epsilon, rng));
        // a choice is one of its options
        Self(u8::try_from(drawn).unwrap_or(Answer::NOTHING.0))
    }

    pub(crate) const fn number(self) -> u8 {
        self.0
    }

    /// How likely the truth is drawn, and any one other answer.
    pub(crate) fn probabilities() -> (f64, f64) {
        let (weight, others) = (Self::LOSS.exp(), (ANSWERS - 1) as f64);
        (weight / (weight + others), 1.0 / (weight + others))
    }
}

impl fmt::Debug for NoisedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoisedAnswer([hidden])")
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    #[test]
    fn every_answer_has_a_number_of_its_own() {
        let classes = (0..ClassId::COUNT).map(|class| ClassId::new(class).unwrap());
        let wishes = classes.flat_map(|class| PartOfDay::ALL.map(|part| Answer::wish(class, part).number()));
        let numbers: Vec<u8> = wishes.chain([Answer::NOTHING.number()]).collect();
        assert_eq!(numbers, (0..65).collect::<Vec<_>>());
        let parts: Vec<PartOfDay> = [0, 5, 6, 11, 12, 17, 18, 23, 24].map(PartOfDay::of_hour).to_vec();
        let [night, morning, afternoon, evening] = PartOfDay::ALL;
        assert_eq!(parts, [night, night, morning, morning, afternoon, afternoon, evening, evening, night]);
    }

    /// The truth is drawn as often as is stated and everything else alike, so that the odds of no answer change by more than
    /// e⁴ from one truth to another. Seed 81, 40,000 draws; chi-square with 64 degrees of freedom, level 0.001 at 104.7.
    #[test]
    fn the_truth_is_kept_as_often_as_stated() {
        let mut rng = ChaCha20Rng::seed_from_u64(81);
        let (mut counts, truth, n) = ([0_u32; ANSWERS], Sensitive::new(Answer(17)), 40_000);
        for _ in 0..n {
            counts[usize::from(NoisedAnswer::draw(&truth, &mut rng).number())] += 1;
        }
        let (kept, other) = NoisedAnswer::probabilities();
        assert!((kept / other).ln() - NoisedAnswer::LOSS < 1e-9 && (kept + 64.0 * other - 1.0).abs() < 1e-12);
        let expected = |answer: usize| f64::from(n) * if answer == 17 { kept } else { other };
        let statistic: f64 =
            (0..ANSWERS).map(|answer| (f64::from(counts[answer]) - expected(answer)).powi(2) / expected(answer)).sum();
        assert!(statistic < 104.7, "{statistic}");
    }
}
