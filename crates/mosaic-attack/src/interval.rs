use rand::{Rng, RngExt};

/// A figure with its 95 % bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The statistic on all users.
    pub value: f64,
    /// Lower end of the 95 % percentile interval.
    pub low: f64,
    /// Upper end of the 95 % percentile interval.
    pub high: f64,
}

impl Estimate {
    /// Whether the whole interval lies within `low..=high`: a target is met only then (PRIVACY 0.2).
    pub fn lies_within(&self, low: f64, high: f64) -> bool {
        low <= self.low && self.high <= high
    }
}

/// Percentile bootstrap over users: resamples whole users with replacement, never single
/// observations, because one user's observations are not independent. `groups` holds one user's
/// observations each; `statistic` sees the drawn users.
pub fn bootstrap_by_user<T>(
    groups: &[T],
    resamples: usize,
    rng: &mut impl Rng,
    statistic: impl Fn(&[&T]) -> f64,
) -> Estimate {
    let everyone: Vec<&T> = groups.iter().collect();
    let value = statistic(&everyone);
    if groups.is_empty() || resamples == 0 {
        return Estimate { value, low: value, high: value };
    }
    let mut drawn: Vec<f64> = (0..resamples)
        .map(|_| {
            let sample: Vec<&T> = groups.iter().map(|_| &groups[rng.random_range(0..groups.len())]).collect();
            statistic(&sample)
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    let at = |share: f64| drawn[((drawn.len() - 1) as f64 * share).round() as usize];
    Estimate { value, low: at(0.025), high: at(0.975) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    /// Seed 5; 200 users with means uniform in 0..1; 400 resamples. The interval of the mean must
    /// hold the value and be about 4 standard errors (0.29 / sqrt(200)) wide.
    #[test]
    fn an_interval_surrounds_the_value() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let users: Vec<f64> = (0..200).map(|_| rng.random_range(0.0..1.0)).collect();
        let estimate =
            bootstrap_by_user(&users, 400, &mut rng, |drawn| drawn.iter().copied().sum::<f64>() / drawn.len() as f64);
        assert!(estimate.low < estimate.value && estimate.value < estimate.high);
        assert!((0.05..0.12).contains(&(estimate.high - estimate.low)));
    }
}
