//! How many a second, and how long they took.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

/// What one client did: how long each took, when the last was done, and why others were refused.
pub(crate) struct Done {
    pub(crate) waits: Vec<Duration>,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) refused: Vec<String>,
}

/// All clients together.
pub(crate) struct Pace {
    pub(crate) done: usize,
    pub(crate) a_second: f64,
    /// Half, 95 % and 99 % of them took at most so long.
    within_ms: [f64; 3],
    refused: BTreeMap<String, usize>,
}

impl Pace {
    /// `count` things that came in so many pieces.
    pub(crate) fn of(pieces: impl Iterator<Item = Done>, count: usize) -> Self {
        let mut pace = Self::together(pieces.collect());
        pace.a_second *= count as f64 / pace.done.max(1) as f64;
        pace.done = count;
        pace
    }

    pub(crate) fn together(clients: Vec<Done>) -> Self {
        let began = clients.iter().map(|done| done.began).min().unwrap();
        let ended = clients.iter().map(|done| done.ended).max().unwrap();
        let mut refused = BTreeMap::new();
        let mut waits = Vec::new();
        for done in clients {
            waits.extend(done.waits);
            done.refused.into_iter().for_each(|why| *refused.entry(why).or_insert(0) += 1);
        }
        waits.sort();
        let within =
            |of: usize| waits.get(waits.len().saturating_sub(1) * of / 100).map_or(f64::NAN, |w| w.as_secs_f64() * 1e3);
        let a_second = waits.len() as f64 / (ended - began).as_secs_f64().max(1e-9);
        Self { done: waits.len(), a_second, within_ms: [50, 95, 99].map(within), refused }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "done": self.done, "a_second": self.a_second, "within_ms": self.within_ms, "refused": self.refused,
        })
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [half, most, all] = self.within_ms;
        let Self { done, a_second, .. } = self;
        write!(f, "{a_second:.0} a second ({done}); half within {half:.1} ms, 95 % {most:.1} ms, 99 % {all:.1} ms")?;
        if self.refused.is_empty() { Ok(()) } else { write!(f, "; refused: {:?}", self.refused) }
    }
}
