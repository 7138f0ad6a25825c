use rand::CryptoRng;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeLess};

/// Bits of one axis: offsets lie within ±(2^15 - 1) m.
const AXIS_BITS: usize = 15;
/// Fraction bits of the acceptance exponent.
const EXPONENT_FRACTION: u32 = 24;
/// Bits of the acceptance exponent; it never exceeds 2^10.
const EXPONENT_BITS: usize = 34;
/// Proposals drawn, always all of them. One is accepted with probability π/4, so all fail with
/// probability (1 - π/4)^32 < 2^-70.
const TRIALS: usize = 32;

/// A whole number of metres east and north.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Displacement {
    /// Metres east; negative is west.
    pub east_m: i32,
    /// Metres north; negative is south.
    pub north_m: i32,
}

/// Discrete planar Laplace on the one-metre grid: mass proportional to `exp(-ε·√(x² + y²))`.
///
/// **Discretisation.** The law is defined on the grid itself, by exact rejection, instead of rounding a
/// continuous draw, so there is no floating-point lattice (Mironov 2012). A proposal takes both axes
/// from the two-sided geometric law with `q = exp(-ε/√2)`, whose bits are independent, and is kept with
/// probability `exp(-ε(√(x²+y²) - (|x|+|y|)/√2))`, at most 1 because `(|x|+|y|)/√2 ≤ √(x²+y²)`. That
/// exponent is rounded to 2^-24, which moves any log-ratio by less than 2^-22.
///
/// **Truncation.** Each axis stops at 2^15 - 1 m; at the widest scale in use (500 m) the mass outside
/// is below 10^-26.
///
/// **Constant time.** Sampling uses integers only, draws a fixed number of words, and neither branches
/// on nor indexes by them. Floating point serves only to set the public thresholds from the public scale.
#[derive(Clone, Debug)]
pub struct PlanarLaplace {
    bits: [u64; AXIS_BITS],
    decay: [u64; EXPONENT_BITS],
    epsilon: u64,
}

impl PlanarLaplace {
    /// The law under which points `scale_m` apart (10 to 2,000 m) differ by at most a factor 4.
    pub fn with_scale(scale_m: f64) -> Self {
        let epsilon = 4.0_f64.ln() / scale_m.clamp(10.0, 2_000.0);
        let bits = std::array::from_fn(|bit| {
            let odds = (-epsilon * std::f64::consts::FRAC_1_SQRT_2 * power_of_two(bit)).exp();
            threshold(odds / (1.0 + odds))
        });
        let unit = (-f64::from(EXPONENT_FRACTION)).exp2();
        let decay = std::array::from_fn(|bit| threshold((-power_of_two(bit) * unit).exp()));
        Self { bits, decay, epsilon: fixed_point(epsilon, 32) }
    }

    /// Draws one displacement; always the same number of words of `rng`.
    pub fn sample(&self, rng: &mut impl CryptoRng) -> Displacement {
        let (mut east, mut north, mut found) = (0_u64, 0_u64, Choice::from(0));
        let (mut west, mut south) = (Choice::from(0), Choice::from(0));
        for _ in 0..TRIALS {
            let (x, x_negative, x_valid) = self.axis(rng);
            let (y, y_negative, y_valid) = self.axis(rng);
            let kept = x_valid & y_valid & self.keeps(x, y, rng);
            let take = kept & !found;
            east.conditional_assign(&x, take);
            north.conditional_assign(&y, take);
            west.conditional_assign(&x_negative, take);
            south.conditional_assign(&y_negative, take);
            found |= kept;
        }
        Displacement { east_m: signed(east, west), north_m: signed(north, south) }
    }

    /// One two-sided geometric coordinate: magnitude, sign, and whether it is not the second zero.
    fn axis(&self, rng: &mut impl CryptoRng) -> (u64, Choice, Choice) {
        let magnitude = self.bits.iter().enumerate().fold(0_u64, |sum, (bit, limit)| {
            let set = rng.next_u64().ct_lt(limit);
            sum | (u64::from(set.unwrap_u8()) << bit)
        });
        let negative = Choice::from((rng.next_u64() >> 63) as u8);
        (magnitude, negative, !(negative & magnitude.ct_eq(&0)))
    }

    /// True with probability `exp(-ε(√(x²+y²) - (x+y)/√2))`: one draw for each bit of the exponent.
    fn keeps(&self, x: u64, y: u64, rng: &mut impl CryptoRng) -> Choice {
        // Both terms in 2^-16 m; the factor is 2^32/√2.
        let radius = square_root((x * x + y * y) << 32);
        let diagonal = ((x + y) * 3_037_000_499) >> 16;
        let exponent = (radius.saturating_sub(diagonal) * self.epsilon) >> (48 - EXPONENT_FRACTION);
        self.decay.iter().enumerate().fold(Choice::from(1), |kept, (bit, limit)| {
            let absent = !Choice::from(((exponent >> bit) & 1) as u8);
            kept & (absent | rng.next_u64().ct_lt(limit))
        })
    }
}

fn signed(magnitude: u64, negative: Choice) -> i32 {
    let plain = i32::try_from(magnitude).unwrap_or(i32::MAX);
    i32::conditional_select(&plain, &-plain, negative)
}

fn power_of_two(bit: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "at most 2^34, exact")]
    let value = (1_u64 << bit) as f64;
    value
}

/// `probability · 2^64`, the limit below which a uniform word counts.
fn threshold(probability: f64) -> u64 {
    fixed_point(probability, 64)
}

fn fixed_point(value: f64, fraction: i32) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "non-negative; the cast saturates")]
    let fixed = (value * f64::from(fraction).exp2()) as u64;
    fixed
}

/// Integer square root, rounded down, in a fixed number of steps without branches.
fn square_root(value: u64) -> u64 {
    (0..32).rev().fold(0_u64, |root, bit| {
        let larger = root | (1 << bit);
        let too_large = value.ct_lt(&(larger * larger));
        u64::conditional_select(&larger, &root, too_large)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn square_roots_are_exact() {
        for value in [0, 1, 2, 3, 4, 99, 100, 1 << 40, (1 << 62) - 1, 1 << 62, u64::MAX] {
            assert_eq!(square_root(value), value.isqrt());
        }
    }

    #[test]
    fn the_factor_of_the_diagonal_rounds_down() {
        assert_eq!(3_037_000_499, (std::f64::consts::FRAC_1_SQRT_2 * 32_f64.exp2()) as u64);
    }
}
