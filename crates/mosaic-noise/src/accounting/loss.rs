use super::{
    Mechanism, Runs,
    fourier::{self, Complex},
    mechanism::{Atom, log_moment},
    outwards,
};

/// Points of the grid on which losses are added.
const POINTS: usize = 1 << 15;
/// Steps across one mechanism's losses when the window is sought.
const COARSE: f64 = 256.0;
/// A mechanism that may lose more than this counts as one that gives everything away.
const FURTHEST: f64 = 200.0;

/// ε at `delta` by the composed privacy loss distribution (Koskela et al. 2020, Gopi et al. 2021), from above.
///
/// Each loss is spread over the two grid points around it so that both the probability under P and that under Q stay
/// what they are ("connect the dots", Doroshenko et al. 2022): the pair becomes easier to tell apart, never harder.
/// What the window of the grid cuts off (a Chernoff bound), what lies beyond a mechanism's span and what the transform
/// may round are added to δ. Infinite when they use it up.
pub fn loss_distribution(runs: &Runs, delta: f64) -> f64 {
    let runs: Vec<(Mechanism, u32)> =
        runs.iter().filter(|(_, times)| **times > 0).map(|(mechanism, times)| (*mechanism, *times)).collect();
    if runs.is_empty() {
        return 0.0;
    }
    if runs.iter().any(|(mechanism, _)| mechanism.reach() > FURTHEST) {
        return f64::INFINITY;
    }
    let coarse: Vec<(Spread, u32)> =
        runs.iter().map(|(mechanism, times)| (Spread::of(mechanism, mechanism.reach() / COARSE), *times)).collect();
    let (low, high) = window(&coarse, (1e4 / delta).ln());
    let grid = Grid::over(low, high, runs.iter().map(|(_, times)| f64::from(*times)).sum());
    let fine: Vec<(Spread, u32)> =
        runs.iter().map(|(mechanism, times)| (Spread::of(mechanism, grid.step), *times)).collect();
    let cut = fine.iter().map(|(spread, times)| f64::from(*times) * spread.beyond).sum::<f64>();
    let lost = cut + above(&fine, grid.end()) + rounding(&fine);
    grid.epsilon(&composed(&grid, &fine), delta - lost)
}

/// One mechanism's losses on a grid.
struct Spread {
    step: f64,
    /// By number of the grid point: its loss is that many steps.
    masses: Vec<(i64, f64)>,
    /// What lies beyond the span, as if it gave everything away.
    beyond: f64,
}

impl Spread {
    fn of(mechanism: &Mechanism, step: f64) -> Self {
        let mut spread = Self { step, masses: Vec::new(), beyond: 0.0 };
        let steps = -(-step).exp_m1();
        for (loss, mass) in mechanism.atoms() {
            let from = (loss / step).floor();
            let upper = mass * -(-(loss - from * step)).exp_m1() / steps;
            spread.add(from, mass, upper);
        }
        if let Some((low, high)) = mechanism.span() {
            let points = (low / step).floor()..(high / step).ceil();
            let mut from = points.start;
            while from < points.end {
                let (p, q) = mechanism.between(from * step, (from + 1.0) * step);
                // few roundings of p, enlarged by the small denominator
                let upper = (p - q * (from * step).exp() + 16.0 * f64::EPSILON * p) / steps;
                spread.add(from, p, upper);
                from += 1.0;
            }
            if matches!(mechanism, Mechanism::Gaussian { .. }) {
                let (below, _) = mechanism.between(f64::NEG_INFINITY, points.start * step);
                spread.add(points.start, below, 0.0);
                spread.beyond = outwards(mechanism.between(points.end * step, f64::INFINITY).0);
            }
        }
        spread
    }

    /// `mass` between the grid point `from` and the next, `upper` of it to the next.
    fn add(&mut self, from: f64, mass: f64, upper: f64) {
        let upper = upper.clamp(0.0, mass);
        #[expect(clippy::cast_possible_truncation, reason = "a span has fewer than 2^40 steps; the cast saturates")]
        let from = from as i64;
        self.masses.extend([(from, mass - upper), (from + 1, upper)].into_iter().filter(|(_, mass)| *mass > 0.0));
    }

    fn atoms(&self) -> impl Iterator<Item = Atom> + Clone {
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^40 steps")]
        self.masses.iter().map(|(point, mass)| (*point as f64 * self.step, *mass))
    }
}

/// Exponents at which moments are taken.
fn exponents() -> impl Iterator<Item = f64> {
    (0..60_u32).map(|number| 0.01 * 1.2_f64.powf(f64::from(number)))
}

fn moments(spreads: &[(Spread, u32)], t: f64) -> f64 {
    spreads.iter().map(|(spread, times)| f64::from(*times) * log_moment(spread.atoms(), t)).sum()
}

/// Where all losses lie but for `e^-rarity` on each side (Chernoff), and no further out than they can reach.
fn window(spreads: &[(Spread, u32)], rarity: f64) -> (f64, f64) {
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    for t in exponents() {
        high = high.min((moments(spreads, t) + rarity) / t);
        low = low.max(-(moments(spreads, -t) + rarity) / t);
    }
    let ends = spreads.iter().map(|(spread, times)| {
        let losses = spread.atoms().map(|(loss, _)| loss);
        let (least, most) = (losses.clone().fold(0.0, f64::min), losses.fold(0.0, f64::max));
        (f64::from(*times) * least, f64::from(*times) * most)
    });
    let (least, most) = ends.fold((0.0, 0.0), |(least, most), (a, b)| (least + a, most + b));
    (low.max(least), high.min(most))
}

/// At most this much lies above `end`.
fn above(spreads: &[(Spread, u32)], end: f64) -> f64 {
    let most: f64 = spreads
        .iter()
        .map(|(spread, times)| f64::from(*times) * spread.atoms().map(|(loss, _)| loss).fold(0.0, f64::max))
        .sum();
    if most <= end {
        return 0.0;
    }
    exponents().map(|t| outwards((moments(spreads, t) - t * end).exp())).fold(1.0, f64::min)
}

/// What the transforms may have rounded, summed over the grid: each frequency is off by at most a few units for each
/// run and level, and by Parseval the sum over all points by at most the root of their number times that.
fn rounding(spreads: &[(Spread, u32)]) -> f64 {
    let runs: f64 = spreads.iter().map(|(_, times)| f64::from(*times)).sum();
    let points = POINTS as f64;
    8.0 * f64::EPSILON * (runs + 2.0) * points.log2() * points.sqrt()
}

/// Losses from `low` in equal steps.
struct Grid {
    step: f64,
    low: f64,
}

impl Grid {
    /// With room at both ends: spreading a loss moves it by up to a step, and so a sum by a step for each run.
    fn over(low: f64, high: f64, runs: f64) -> Self {
        let points = POINTS as f64;
        let room = runs.min(points / 8.0) + 2.0;
        let step = (high - low).max(1e-9) / (points - 2.0 * room);
        Self { step, low: low - room * step }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a window has fewer than 2^40 steps; the cast saturates")]
    fn first(&self) -> i64 {
        (self.low / self.step).floor() as i64
    }

    fn loss(&self, at: usize) -> f64 {
        (self.first() as f64 + at as f64) * self.step
    }

    fn end(&self) -> f64 {
        self.loss(POINTS - 1)
    }

    /// The least ε with `Σ p (1 − e^{ε − l})⁺ ≤ delta`, walking down from the highest loss.
    fn epsilon(&self, masses: &[f64], delta: f64) -> f64 {
        // the sums below have at most 2^15 terms, multiplied as often, and add up to about one
        let delta = delta - 4.0 * POINTS as f64 * f64::EPSILON;
        if delta <= 0.0 {
            return f64::INFINITY;
        }
        let fades = (-self.step).exp();
        // P of the losses above, and their Q times e to the loss at hand
        let (mut p, mut q) = (0.0_f64, 0.0_f64);
        for (at, mass) in masses.iter().enumerate().rev() {
            let loss = self.loss(at);
            q *= fades;
            if p - q > delta {
                return outwards((loss + ((p - delta) / q).ln()).max(0.0)) + 1e-12;
            }
            if loss < 0.0 {
                return 0.0;
            }
            p += mass;
            q += mass;
        }
        self.loss(0).max(0.0)
    }
}

/// The law of the sum, by point of the grid; what lies outside the window wraps around.
fn composed(grid: &Grid, spreads: &[(Spread, u32)]) -> Vec<f64> {
    let mut product = vec![Complex::ONE; POINTS];
    for (spread, times) in spreads {
        let mut masses = vec![0.0; POINTS];
        for (point, mass) in &spread.masses {
            if let Some(place) = masses.get_mut(wrapped(*point)) {
                *place += mass;
            }
        }
        let spectrum = fourier::transform(&masses);
        product.iter_mut().zip(spectrum).for_each(|(all, one)| *all = *all * one.power(*times));
    }
    let sums = fourier::inverse(&product);
    let first = grid.first();
    let at = |place: usize| sums.get(wrapped(first + place as i64)).copied().unwrap_or_default().max(0.0);
    (0..POINTS).map(at).collect()
}

fn wrapped(point: i64) -> usize {
    point.rem_euclid(POINTS as i64) as usize
}
