use std::{collections::BTreeMap, time::Duration};

use mosaic_types::{ProviderId, Timestamp};
use rand::{CryptoRng, RngExt};

/// How messages travel: a uniform delay per hop, and a share of them that never arrive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// Shortest and longest delay of one hop.
    pub latency: (Duration, Duration),
    /// Probability that a request or its reply is lost, `0..=1`.
    pub loss: f64,
    /// After how long a caller gives up.
    pub patience: Duration,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            latency: (Duration::from_millis(20), Duration::from_millis(180)),
            loss: 0.0,
            patience: Duration::from_secs(10),
        }
    }
}

impl Link {
    /// Draws the delay of `hops` hops.
    pub fn delay(&self, hops: u32, rng: &mut impl CryptoRng) -> Duration {
        let (least, most) = self.latency;
        (0..hops).map(|_| rng.random_range(least..=most.max(least))).sum()
    }

    /// Draws whether a message is lost.
    pub fn loses(&self, rng: &mut impl CryptoRng) -> bool {
        self.loss > 0.0 && rng.random::<f64>() < self.loss
    }
}

/// When which provider is down: planned ahead, or until further notice.
#[derive(Clone, Debug, Default)]
pub struct Outages {
    planned: BTreeMap<ProviderId, Vec<(Timestamp, Timestamp)>>,
}

impl Outages {
    /// Takes a provider down from `from` until `until`.
    pub fn plan(&mut self, provider: ProviderId, from: Timestamp, until: Timestamp) {
        self.planned.entry(provider).or_default().push((from, until));
    }

    /// Ends whatever outage of the provider is running at `now`.
    pub fn end(&mut self, provider: ProviderId, now: Timestamp) {
        for (_, until) in self.planned.entry(provider).or_default() {
            *until = (*until).min(now);
        }
    }

    /// Whether the provider answers at `at`.
    pub fn is_up(&self, provider: ProviderId, at: Timestamp) -> bool {
        let outages = self.planned.get(&provider).map_or(&[][..], Vec::as_slice);
        !outages.iter().any(|(from, until)| (*from..*until).contains(&at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outages_begin_and_end_where_they_should() {
        let (one, at) = (ProviderId::new(1).unwrap(), Timestamp::from_secs);
        let mut outages = Outages::default();
        outages.plan(one, at(10), at(20));
        outages.plan(one, at(30), Timestamp::from_millis(u64::MAX));
        let up = |outages: &Outages| [9, 10, 19, 20, 30, 99].map(|seconds| outages.is_up(one, at(seconds)));
        assert_eq!(up(&outages), [true, false, false, true, false, false]);
        outages.end(one, at(50));
        assert_eq!(up(&outages), [true, false, false, true, false, true]);
        assert!(outages.is_up(ProviderId::new(2).unwrap(), at(15)));
    }
}
