//! The averaging attacker: sees every report of one place and estimates the place from them.

use mosaic_geo::distance_m;
use mosaic_types::LatLng;
use rand::Rng;

use crate::{Estimate, bootstrap_by_user};

/// One user's place and what was reported of it.
#[derive(Clone, Debug)]
pub struct Reports {
    /// The place itself: the judge's, never the attacker's.
    pub truth: LatLng,
    /// The reports in the order they were seen.
    pub seen: Vec<LatLng>,
}

/// How a place is estimated from its reports, coordinate by coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estimator {
    /// The maximum-likelihood estimate for Laplace noise.
    Median,
    /// The maximum-likelihood estimate for Gaussian noise.
    Mean,
    /// The mean of the different reports: a memoised output that is repeated says nothing new, and a place
    /// on the edge of two memories is between their outputs however often each is used.
    MeanOfDistinct,
}

impl Estimator {
    /// What the attacker chooses from.
    pub const ALL: [Self; 3] = [Self::Median, Self::Mean, Self::MeanOfDistinct];

    /// The estimate; `None` without reports.
    pub fn estimate(self, seen: &[LatLng]) -> Option<LatLng> {
        let mut points: Vec<(f64, f64)> = seen.iter().map(|point| (point.lat(), point.lng())).collect();
        if self == Self::MeanOfDistinct {
            points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
            points.dedup();
        }
        let axis = if self == Self::Median { median } else { mean };
        let lat = axis(points.iter().map(|point| point.0).collect())?;
        let lng = axis(points.iter().map(|point| point.1).collect())?;
        LatLng::new(lat, lng).ok()
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some((values[last / 2] + values[last.div_ceil(2)]) / 2.0)
}

fn mean(values: Vec<f64>) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// How well `reports` reports of one place recover it.
#[derive(Clone, Copy, Debug)]
pub struct AveragingPoint {
    /// Reports used.
    pub reports: usize,
    /// The estimator that was best on the training users.
    pub estimator: Estimator,
    /// Mean distance in metres from the estimate to the true place, over the users judged.
    pub error_m: Estimate,
}

/// Mean error against the number of reports (PRIVACY 2.1).
#[derive(Clone, Debug)]
pub struct AveragingCurve {
    /// Points in the order they were asked for.
    pub points: Vec<AveragingPoint>,
    /// Error of the last point over error of the first: 1 means that repetition gained nothing.
    pub residual: Estimate,
    /// Users judged; as many others chose the estimators.
    pub users: usize,
}

/// Runs the attacker: for every number of reports in `counts` it takes the estimator that is best on the
/// users with an even place in `users`, and is judged on the others. Users with fewer reports than the
/// most of `counts` are left out, so that all points are of the same people.
pub fn averaging_curve(users: &[Reports], counts: &[usize], resamples: usize, rng: &mut impl Rng) -> AveragingCurve {
    let most = counts.iter().copied().max().unwrap_or(0);
    let able = || users.iter().filter(|user| user.seen.len() >= most);
    let (training, judged): (Vec<_>, Vec<_>) =
        able().enumerate().map(|(place, user)| (place % 2 == 0, user)).partition(|(training, _)| *training);
    let best = |&reports: &usize| {
        let total = |estimator| training.iter().map(|(_, user)| error_m(user, reports, estimator)).sum::<f64>();
        let errors = Estimator::ALL.map(|estimator| (total(estimator), estimator));
        errors.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).map_or(Estimator::Median, |(_, estimator)| estimator)
    };
    let chosen: Vec<Estimator> = counts.iter().map(best).collect();
    let errors_of = |user: &Reports| -> Vec<f64> {
        counts.iter().zip(&chosen).map(|(&reports, &estimator)| error_m(user, reports, estimator)).collect()
    };
    let errors: Vec<Vec<f64>> = judged.iter().map(|(_, user)| errors_of(user)).collect();
    let at = |drawn: &[&Vec<f64>], point: usize| {
        drawn.iter().map(|errors| errors[point]).sum::<f64>() / drawn.len().max(1) as f64
    };
    let points = counts.iter().zip(&chosen).enumerate().map(|(point, (&reports, &estimator))| {
        let error_m = bootstrap_by_user(&errors, resamples, &mut *rng, |drawn| at(drawn, point));
        AveragingPoint { reports, estimator, error_m }
    });
    let points: Vec<AveragingPoint> = points.collect();
    let residual = |drawn: &[&Vec<f64>]| {
        let (first, last) = (at(drawn, 0), at(drawn, counts.len().saturating_sub(1)));
        if first > 0.0 { last / first } else { 1.0 }
    };
    let residual = if counts.is_empty() {
        Estimate { value: 1.0, low: 1.0, high: 1.0 }
    } else {
        bootstrap_by_user(&errors, resamples, rng, residual)
    };
    AveragingCurve { points, residual, users: errors.len() }
}

fn error_m(user: &Reports, reports: usize, estimator: Estimator) -> f64 {
    estimator.estimate(&user.seen[..reports.min(user.seen.len())]).map_or(0.0, |place| distance_m(user.truth, place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mosaic_geo::offset_m;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    fn truth() -> LatLng {
        LatLng::new(41.15, -8.61).unwrap()
    }

    fn curve(seen: impl FnMut(usize) -> Vec<LatLng>) -> AveragingCurve {
        let users: Vec<Reports> = (0..600).map(seen).map(|seen| Reports { truth: truth(), seen }).collect();
        averaging_curve(&users, &[1, 100], 200, &mut ChaCha20Rng::seed_from_u64(3))
    }

    /// Seed 2, 300 users judged, uniform noise of ±300 m an axis: a hundred fresh reports must bring the
    /// attacker much closer, a hundred equal ones must not.
    #[test]
    fn averaging_defeats_fresh_noise_and_not_memoised_noise() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let mut noisy = || offset_m(truth(), rng.random_range(-300.0..300.0), rng.random_range(-300.0..300.0));
        let fresh = curve(|_| (0..100).map(|_| noisy()).collect());
        assert!(fresh.residual.high < 0.25 && fresh.residual.low < fresh.residual.value, "{fresh:?}");
        let memoised = curve(|_| vec![noisy(); 100]);
        assert!((0.999..1.001).contains(&memoised.residual.value), "{memoised:?}");
        assert_eq!(memoised.users, 300);
    }

    /// Seed 4, 300 users judged whose reports change between two memoised outputs, one of them seen nine
    /// times as often: only the mean of the different outputs uses the rare one, and the attacker finds out.
    #[test]
    fn the_attacker_chooses_the_estimator_that_fits() {
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let mut noisy = || offset_m(truth(), rng.random_range(-300.0..300.0), rng.random_range(-300.0..300.0));
        let edge = curve(|_| {
            let outputs = [noisy(), noisy()];
            (0..100).map(|number| outputs[usize::from(number % 10 == 9)]).collect()
        });
        assert_eq!(edge.points[1].estimator, Estimator::MeanOfDistinct);
        assert!(edge.residual.high < 0.85, "{edge:?}");
    }
}
