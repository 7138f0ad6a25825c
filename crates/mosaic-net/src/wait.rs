use std::time::Duration;

use mosaic_types::Risk;
use rand::CryptoRng;

use crate::draw;

/// How long a broadcast waits before it may enter any event: uniform below 1,800 s at high risk (L3-11), else nothing.
///
/// Drawn once for a broadcast and kept, so that asking again shows nothing. No event leaves earlier or later for it:
/// what waits is only which round an event carries, so the network sees nothing of it.
pub fn wait_before_first(risk: Risk, rng: &mut (impl CryptoRng + ?Sized)) -> Duration {
    draw::below(risk.longest_wait(), rng)
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    use super::*;

    /// Range and evenness of the wait (L3-11, L6-47). Seed 31, 36,000 draws in 30 bins of a minute: Pearson's statistic
    /// has 29 degrees of freedom and stays below 66.2 with probability 1 - 10⁻⁴.
    #[test]
    fn high_risk_waits_evenly_within_half_an_hour() {
        let mut rng = ChaCha20Rng::seed_from_u64(31);
        let mut bins = [0_u32; 30];
        for _ in 0..36_000 {
            let wait = wait_before_first(Risk::High, &mut rng);
            bins[usize::try_from(wait.as_secs() / 60).unwrap()] += 1;
        }
        let statistic: f64 = bins.iter().map(|count| (f64::from(*count) - 1_200.0).powi(2) / 1_200.0).sum();
        assert!(statistic < 66.2, "{statistic}: {bins:?}");
        assert!((0..100).all(|_| wait_before_first(Risk::Normal, &mut rng).is_zero()));
    }
}
