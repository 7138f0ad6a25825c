//! Bootstrap particle filter (Gordon, Salmond and Smith 1993) for dense reports.

use rand::{Rng, RngExt};

use super::{Blur, Metres, apart, normal};

/// How people move: a velocity that forgets itself (Ornstein-Uhlenbeck) on each axis.
#[derive(Clone, Copy, Debug)]
pub struct SpeedModel {
    /// Root mean square speed on one axis in metres a second; 1 for walking, 7 for cars in a city.
    pub axis_mps: f64,
    /// Seconds after which a direction is forgotten by 63 %.
    pub memory_s: f64,
}

/// How many hypotheses the filter carries, and what it believes about movement.
#[derive(Clone, Copy, Debug)]
pub struct ParticlePlan {
    /// Particles; 500 suffice for one person in the open.
    pub particles: usize,
    /// The speed model.
    pub speed: SpeedModel,
}

#[derive(Clone, Copy)]
struct Particle {
    at: Metres,
    velocity: Metres,
}

/// Estimated position after each report, from it and those before. `seconds` ascend, one a report.
pub fn particle_filter(
    seconds: &[f64],
    reports: &[Metres],
    blur: Blur,
    plan: ParticlePlan,
    rng: &mut impl Rng,
) -> Vec<Metres> {
    let Some(first) = reports.first() else { return Vec::new() };
    let count = plan.particles.max(1);
    let start = |rng: &mut _| velocity(plan.speed, rng);
    let mut particles: Vec<Particle> = Vec::with_capacity(count);
    for _ in 0..count {
        particles.push(Particle { at: blur.sample(*first, rng), velocity: start(rng) });
    }
    let mut logs = vec![0.0; count];
    let mut estimates = vec![centre(&particles, &weights(&logs))];
    for (pair, report) in seconds.windows(2).zip(&reports[1..]) {
        for (particle, log) in particles.iter_mut().zip(&mut logs) {
            advance(particle, pair[1] - pair[0], plan.speed, rng);
            *log += blur.log_density(apart(particle.at, *report));
        }
        let shares = weights(&logs);
        estimates.push(centre(&particles, &shares));
        if shares.iter().map(|share| share * share).sum::<f64>() * count as f64 > 2.0 {
            particles = resampled(&particles, &shares, rng);
            logs.fill(0.0);
        }
    }
    estimates
}

fn velocity(speed: SpeedModel, rng: &mut impl Rng) -> Metres {
    [speed.axis_mps * normal(rng), speed.axis_mps * normal(rng)]
}

fn advance(particle: &mut Particle, seconds: f64, speed: SpeedModel, rng: &mut impl Rng) {
    let kept = (-seconds / speed.memory_s).exp();
    for (axis, fresh) in velocity(speed, rng).into_iter().enumerate() {
        let before = particle.velocity[axis];
        let after = kept * before + (1.0 - kept * kept).sqrt() * fresh;
        particle.at[axis] += seconds * (before + after) / 2.0;
        particle.velocity[axis] = after;
    }
}

fn weights(logs: &[f64]) -> Vec<f64> {
    let total = crate::ranking::log_sum_exp(logs);
    logs.iter().map(|log| (log - total).exp()).collect()
}

fn centre(particles: &[Particle], shares: &[f64]) -> Metres {
    particles
        .iter()
        .zip(shares)
        .fold([0.0; 2], |sum, (particle, share)| [sum[0] + share * particle.at[0], sum[1] + share * particle.at[1]])
}

/// Systematic resampling: one random offset, equal strides.
fn resampled(particles: &[Particle], shares: &[f64], rng: &mut impl Rng) -> Vec<Particle> {
    let stride = 1.0 / particles.len() as f64;
    let mut mark = rng.random_range(0.0..stride);
    let (mut drawn, mut sum) = (Vec::with_capacity(particles.len()), 0.0);
    for (particle, share) in particles.iter().zip(shares) {
        sum += share;
        while mark < sum && drawn.len() < particles.len() {
            drawn.push(*particle);
            mark += stride;
        }
    }
    // rounding may leave the last mark above the sum
    while let (Some(last), true) = (particles.last(), drawn.len() < particles.len()) {
        drawn.push(*last);
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::super::{Track, judge_particles};
    use super::*;
    use crate::ranking::mean;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    const WALK: SpeedModel = SpeedModel { axis_mps: 1.0, memory_s: 300.0 };
    const BLUR: Blur = Blur::Gaussian { sigma_m: 200.0 };

    fn way(rng: &mut ChaCha20Rng, steps: usize) -> Vec<Metres> {
        let mut walker = Particle { at: [0.0; 2], velocity: velocity(WALK, rng) };
        let step = |_| {
            advance(&mut walker, 60.0, WALK, rng);
            walker.at
        };
        (0..steps).map(step).collect()
    }

    /// The optimum for linear Gaussian movement, one axis: a Kalman filter over position and speed,
    /// started by the first report.
    fn kalman(reports: &[f64]) -> Vec<f64> {
        let (kept, variance) = ((-60.0_f64 / WALK.memory_s).exp(), 200.0_f64.powi(2));
        let fresh = (1.0 - kept * kept) * WALK.axis_mps.powi(2);
        let (mut state, mut cov) = ([reports[0], 0.0], [[variance, 0.0], [0.0, WALK.axis_mps.powi(2)]]);
        let mut estimates = vec![reports[0]];
        for report in &reports[1..] {
            let reach = 30.0 * (1.0 + kept);
            state = [state[0] + reach * state[1], kept * state[1]];
            let cross = kept * (cov[0][1] + reach * cov[1][1]) + 30.0 * fresh;
            let place = cov[0][0] + 2.0 * reach * cov[0][1] + reach * reach * cov[1][1] + 900.0 * fresh;
            cov = [[place, cross], [cross, kept * kept * cov[1][1] + fresh]];
            let (gain, miss) = ([cov[0][0], cov[0][1]].map(|c| c / (cov[0][0] + variance)), report - state[0]);
            state = [state[0] + gain[0] * miss, state[1] + gain[1] * miss];
            cov = [
                [(1.0 - gain[0]) * cov[0][0], (1.0 - gain[0]) * cov[0][1]],
                [(1.0 - gain[0]) * cov[0][1], cov[1][1] - gain[1] * cov[0][1]],
            ];
            estimates.push(state[0]);
        }
        estimates
    }

    /// Seed 94, 20 ways of 40 minutes: with 2,000 particles the estimates lie on average within 15 m of
    /// the exact filter, whose own error is about ten times that.
    #[test]
    fn particles_approach_the_exact_filter() {
        let mut rng = ChaCha20Rng::seed_from_u64(94);
        let seconds: Vec<f64> = (0..40).map(|minute| f64::from(minute) * 60.0).collect();
        let (mut sum, mut count) = (0.0, 0.0);
        for _ in 0..20 {
            let reports: Vec<Metres> = way(&mut rng, 40).iter().map(|point| BLUR.sample(*point, &mut rng)).collect();
            let plan = ParticlePlan { particles: 2_000, speed: WALK };
            let estimates = particle_filter(&seconds, &reports, BLUR, plan, &mut rng);
            let exact = kalman(&reports.iter().map(|report| report[0]).collect::<Vec<_>>());
            sum += estimates.iter().zip(&exact).map(|(point, exact)| (point[0] - exact).abs()).sum::<f64>();
            count += 40.0;
        }
        assert!(sum / count < 15.0, "{}", sum / count);
    }

    fn exact_errors(track: &Track) -> Vec<f64> {
        let [east, north] = [0, 1].map(|axis| kalman(&track.reports.iter().map(|at| at[axis]).collect::<Vec<_>>()));
        track.truth.iter().zip(east.iter().zip(&north)).map(|(truth, (x, y))| apart(*truth, [*x, *y])).collect()
    }

    /// Seed 95, 40 walkers for an hour, a report a minute: fresh noise is filtered as
    /// well as the exact filter does it, to 1.03 of its error; noise that stays the same all the way (memoised) cannot be filtered (ratio at least 0.95).
    #[test]
    fn fresh_noise_is_filtered_and_a_constant_offset_is_not() {
        let mut rng = ChaCha20Rng::seed_from_u64(95);
        for memoised in [false, true] {
            let track = |user| {
                let truth = way(&mut rng, 60);
                let offset = BLUR.sample([0.0; 2], &mut rng);
                let noisy = |point: &Metres| match memoised {
                    true => [point[0] + offset[0], point[1] + offset[1]],
                    false => BLUR.sample(*point, &mut rng),
                };
                let reports = truth.iter().map(noisy).collect();
                Track { user, at: (0..60).map(|minute| f64::from(minute) * 60.0).collect(), truth, reports }
            };
            let tracks: Vec<Track> = (0..40).map(track).collect();
            let plan = ParticlePlan { particles: 500, speed: WALK };
            let report = judge_particles(&tracks, BLUR, plan, 40, &mut rng);
            if memoised {
                assert!(report.ratio.low > 0.95, "{report:?}");
            } else {
                let best = mean(&tracks.iter().flat_map(exact_errors).collect::<Vec<_>>());
                let filtered = report.filtered_m.value;
                assert!(
                    report.ratio.high < 0.7 && filtered < 1.03 * best && filtered > 0.97 * best,
                    "{report:?} {best}"
                );
            }
        }
    }
}
