//! Did this person act in this window? From times and sizes of packets alone (PRIVACY 6, scoreboard
//! 16), and the same for any other event clock.

use rand::Rng;

use crate::ranking::mean;
use crate::{Distinction, Learner, Observation, distinguish, kolmogorov_smirnov};

/// Packets of one window of a host, as the network sees them.
#[derive(Clone, Debug)]
pub struct PacketWindow {
    /// Host.
    pub user: u32,
    /// Seconds from the start of the window and bytes, ascending in time; what the host receives has
    /// negative bytes.
    pub packets: Vec<(f64, f64)>,
    /// Whether something real happened.
    pub active: bool,
}

/// What the packets gave away.
#[derive(Clone, Copy, Debug)]
pub struct TimingReport {
    /// A trained classifier on counts, volumes, gaps and phases.
    pub classifier: Distinction,
    /// Kolmogorov-Smirnov distance of the gaps between packets, active against idle, and its p-value
    /// (too small where gaps depend on each other).
    pub gaps: (f64, f64),
    /// The same for packets a window.
    pub counts: (f64, f64),
}

/// Judges activity detection; trains, tunes and judges on disjoint hosts.
pub fn activity_attack(
    windows: &[PacketWindow],
    learner: Learner,
    resamples: usize,
    rng: &mut impl Rng,
) -> TimingReport {
    let observe = |window: &PacketWindow| {
        let features = timing_features(&window.packets);
        Observation { user: window.user, features, positive: window.active }
    };
    let observations: Vec<Observation> = windows.iter().map(observe).collect();
    let of = |active: bool, value: &dyn Fn(&PacketWindow) -> Vec<f64>| -> Vec<f64> {
        windows.iter().filter(|window| window.active == active).flat_map(value).collect()
    };
    let compare = |value: &dyn Fn(&PacketWindow) -> Vec<f64>| kolmogorov_smirnov(&of(true, value), &of(false, value));
    TimingReport {
        classifier: distinguish(&observations, learner, resamples, rng),
        gaps: compare(&|window| gaps(&window.packets)),
        counts: compare(&|window| vec![window.packets.len() as f64]),
    }
}

fn gaps(packets: &[(f64, f64)]) -> Vec<f64> {
    packets.windows(2).map(|pair| pair[1].0 - pair[0].0).collect()
}

/// Count, bytes out and in, distinct sizes, mean, deviation, least and most of the gaps, first and
/// last time.
pub fn timing_features(packets: &[(f64, f64)]) -> Vec<f64> {
    let gaps = gaps(packets);
    let average = mean(&gaps);
    let deviation = mean(&gaps.iter().map(|gap| (gap - average).powi(2)).collect::<Vec<_>>()).sqrt();
    let bytes = |sign: f64| packets.iter().map(|packet| (sign * packet.1).max(0.0)).sum::<f64>();
    let sizes = packets.iter().map(|packet| packet.1.to_bits()).collect::<std::collections::BTreeSet<_>>();
    let edge = |packet: Option<&(f64, f64)>| packet.map_or(-1.0, |packet| packet.0);
    vec![
        packets.len() as f64,
        bytes(1.0),
        bytes(-1.0),
        sizes.len() as f64,
        average,
        deviation,
        gaps.iter().copied().fold(1e9, f64::min),
        gaps.iter().copied().fold(0.0, f64::max),
        edge(packets.first()),
        edge(packets.last()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BoostingPlan;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    type Sender<'a> = &'a dyn Fn(&mut ChaCha20Rng, bool) -> Vec<(f64, f64)>;

    /// Seed 141, 60 hosts × 60 windows of 10 s, 1,200 judged. A host that sends only when something
    /// happens is read completely; a clock that ticks regardless (with jitter) tells nothing
    /// (±0.12, four standard errors); a clock that is 40 ms late under load falls, although its
    /// count is constant.
    #[test]
    fn silence_betrays_and_a_clock_does_not() {
        let mut rng = ChaCha20Rng::seed_from_u64(141);
        let trees = Learner::Trees(BoostingPlan::default());
        let mut judged = |packets: Sender<'_>| {
            let window = |at: u32| {
                let active = rng.random_bool(0.3);
                PacketWindow { user: at % 60, packets: packets(&mut rng, active), active }
            };
            let windows: Vec<PacketWindow> = (0..3_600).map(window).collect();
            activity_attack(&windows, trees, 40, &mut rng)
        };
        let tick = |late: f64| {
            move |rng: &mut ChaCha20Rng, active: bool| {
                let offset = if active { late } else { 0.0 };
                let time = |at: i32, rng: &mut ChaCha20Rng| f64::from(at) + offset + rng.random_range(0.0..0.02);
                (0..10).map(|at| (time(at, rng), 4_096.0)).collect::<Vec<_>>()
            }
        };
        let naive = judged(&|rng, active| match active {
            true => vec![(rng.random_range(0.0..10.0), 2_048.0)],
            false => Vec::new(),
        });
        assert!(naive.classifier.advantage.low > 0.99 && naive.counts.0 == 1.0, "{naive:?}");
        let clock = judged(&tick(0.0));
        assert!(clock.classifier.advantage.value.abs() < 0.12 && clock.gaps.1 > 1e-3, "{clock:?}");
        let loaded = judged(&tick(0.04));
        assert!(loaded.classifier.advantage.low > 0.95 && loaded.counts.0 == 0.0, "{loaded:?}");
    }
}
