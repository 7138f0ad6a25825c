use super::{Runs, outwards};

/// The orders at which Rényi divergences are looked at: dense from 1.01 to about 10,000.
pub fn orders() -> impl Iterator<Item = f64> {
    (0..160_u32).map(|number| 1.0 + 0.01 * 1.09_f64.powf(f64::from(number)))
}

/// ε at `delta` by Rényi differential privacy (Mironov 2017), the best of [`orders`].
pub fn renyi(runs: &Runs, delta: f64) -> f64 {
    renyi_at(runs, delta, orders())
}

/// The same for chosen orders, each above 1. A divergence becomes an ε by proposition 12 of Canonne, Kamath and Steinke
/// 2020: `D + ln((α − 1)/α) − (ln δ + ln α)/(α − 1)`.
pub fn renyi_at(runs: &Runs, delta: f64, orders: impl Iterator<Item = f64>) -> f64 {
    if runs.values().all(|times| *times == 0) {
        return 0.0;
    }
    let at = |order: f64| {
        let moments = runs.iter().map(|(mechanism, times)| f64::from(*times) * mechanism.log_moment(order));
        let less = order - 1.0;
        (moments.sum::<f64>() - delta.ln() - order.ln()) / less + (less / order).ln()
    };
    let best = orders.filter(|order| *order > 1.0).map(at).filter(|epsilon| !epsilon.is_nan());
    outwards(best.fold(f64::INFINITY, f64::min).max(0.0))
}
