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

/// A share of independent cases with its 95 % interval by Wilson's score (1927): also where all hold, or none, it is not a
/// point. Without a case it says nothing: 0 to 1.
pub fn share_interval(hold: u64, of: u64) -> Estimate {
    /// The 97.5 % quantile of the normal law.
    const Z: f64 = 1.959_963_985;
    if of == 0 {
        return Estimate { value: 0.0, low: 0.0, high: 1.0 };
    }
    let (n, share) = (of as f64, hold as f64 / of as f64);
    let middle = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let end = |side: f64| ((middle + side * half) / (1.0 + Z * Z / n)).clamp(0.0, 1.0);
    Estimate { value: share, low: end(-1.0).min(share), high: end(1.0).max(share) }
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

    /// Wilson's interval of 0, 5 and 10 of 10, worked out by hand, and of nothing.
    #[test]
    fn a_share_has_an_interval_even_where_all_hold() {
        let near =
            |found: Estimate, low: f64, high: f64| (found.low - low).abs() < 1e-3 && (found.high - high).abs() < 1e-3;
        assert!(near(share_interval(0, 10), 0.0, 0.2775), "{:?}", share_interval(0, 10));
        assert!(near(share_interval(5, 10), 0.2366, 0.7634), "{:?}", share_interval(5, 10));
        assert!(near(share_interval(10, 10), 0.7225, 1.0), "{:?}", share_interval(10, 10));
        assert_eq!((share_interval(0, 0).low, share_interval(0, 0).high), (0.0, 1.0));
    }
}
