use rand::Rng;

use crate::{Estimate, bootstrap_by_user};
use mosaic_geo::distance_m;
use mosaic_types::LatLng;

/// How well averaging `reports` reports of one place recovers it.
#[derive(Clone, Copy, Debug)]
pub struct AveragingPoint {
    /// Reports averaged.
    pub reports: usize,
    /// Mean distance in metres from the estimate to the true place, over places.
    pub error_m: Estimate,
}

/// Mean error against the number of reports (PRIVACY 2.1).
#[derive(Clone, Debug)]
pub struct AveragingCurve(
    /// Points in the order they were asked for.
    pub Vec<AveragingPoint>,
);

impl AveragingCurve {
    /// Error of the last point over error of the first: 1 means that repetition gained nothing.
    pub fn residual(&self) -> f64 {
        match (self.0.first(), self.0.last()) {
            (Some(first), Some(last)) => last.error_m.value / first.error_m.value,
            _ => 1.0,
        }
    }
}

/// The averaging attacker: sees every report of one place, takes the coordinate-wise median (the
/// maximum-likelihood estimate for Laplace noise, and as good as the mean here for Gaussian noise).
/// `places` holds, per user, the true place and the reports in the order they were seen.
pub fn averaging_curve(
    places: &[(LatLng, Vec<LatLng>)],
    counts: &[usize],
    resamples: usize,
    rng: &mut impl Rng,
) -> AveragingCurve {
    let point = |&reports: &usize| {
        let errors: Vec<f64> = places
            .iter()
            .filter(|(_, seen)| seen.len() >= reports && reports > 0)
            .filter_map(|(truth, seen)| Some(distance_m(*truth, median(&seen[..reports])?)))
            .collect();
        let mean = |drawn: &[&f64]| drawn.iter().copied().sum::<f64>() / drawn.len().max(1) as f64;
        AveragingPoint { reports, error_m: bootstrap_by_user(&errors, resamples, &mut *rng, mean) }
    };
    AveragingCurve(counts.iter().map(point).collect())
}

fn median(points: &[LatLng]) -> Option<LatLng> {
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
    };
    let lat = middle(points.iter().map(|point| point.lat()).collect());
    let lng = middle(points.iter().map(|point| point.lng()).collect());
    LatLng::new(lat, lng).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mosaic_geo::offset_m;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// Seed 2, 300 places, uniform noise of ±300 m an axis: a hundred fresh reports must bring the
    /// attacker much closer, a hundred equal ones must not.
    #[test]
    fn averaging_defeats_fresh_noise_and_not_memoised_noise() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let truth = LatLng::new(41.15, -8.61).unwrap();
        let mut noisy = || offset_m(truth, rng.random_range(-300.0..300.0), rng.random_range(-300.0..300.0));
        let fresh: Vec<_> = (0..300).map(|_| (truth, (0..100).map(|_| noisy()).collect::<Vec<_>>())).collect();
        let memoised: Vec<_> = (0..300).map(|_| (truth, vec![noisy(); 100])).collect();
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        assert!(averaging_curve(&fresh, &[1, 100], 50, &mut rng).residual() < 0.25);
        assert!((0.999..1.001).contains(&averaging_curve(&memoised, &[1, 100], 50, &mut rng).residual()));
    }
}
