//! What the evening was worth, judged against the truth that only the demo knows.

use mosaic_geo::distance_m;
use mosaic_types::{Timestamp, Window};
use serde::Serialize;

use crate::demo::{
    plan::{FINDING, Plan},
    records::{Record, Said},
};

/// How far apart two wishes may be to count as near.
const NEAR_M: f64 = 500.0;

/// Median and 95th percentile; absent without a single case.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Quantiles {
    /// Median.
    pub(crate) p50: Option<f64>,
    /// 95th percentile.
    pub(crate) p95: Option<f64>,
}

/// A share of cases; absent without a single case.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Share {
    /// How many hold.
    pub(crate) hold: usize,
    /// Of how many.
    pub(crate) of: usize,
}

impl Share {
    fn count(&mut self, holds: bool) {
        self.of += 1;
        self.hold += usize::from(holds);
    }

    /// As a number.
    #[expect(clippy::cast_precision_loss, reason = "counts of people")]
    pub(crate) fn value(self) -> Option<f64> {
        (self.of > 0).then(|| self.hold as f64 / self.of as f64)
    }
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Findings {
    /// Ordered pairs of near wishes of one class that were found in time; coarsened and withheld ones included.
    pub(crate) recall: Share,
    /// The same, where the one to be found had spent their ledger.
    pub(crate) recall_exhausted: Share,
    /// Of the real wishes that people were shown, those that were truly near.
    pub(crate) precision: Share,
    /// Cards shown, and real people among them.
    pub(crate) cards: usize,
    /// Real people among the cards shown.
    pub(crate) people: usize,
    /// Minutes from the later wish to the first sight.
    pub(crate) to_discovery: Quantiles,
    /// Minutes from the later wish to the contact.
    pub(crate) to_contact: Quantiles,
    /// Near pairs whose contact came.
    pub(crate) contacts: Share,
    /// Whether every contact that came is one that was given, unchanged.
    pub(crate) contacts_equal: bool,
    /// Token associations that ended with the right contact on this side.
    pub(crate) tokens: Share,
}

/// Judges the evening.
pub(crate) fn measure(plan: &Plan, records: &[Record]) -> Findings {
    let mut findings = Findings {
        recall: Share::default(),
        recall_exhausted: Share::default(),
        precision: Share::default(),
        cards: 0,
        people: 0,
        to_discovery: Quantiles { p50: None, p95: None },
        to_contact: Quantiles { p50: None, p95: None },
        contacts: Share::default(),
        contacts_equal: contacts_equal(plan, records),
        tokens: Share::default(),
    };
    let (mut discovery, mut contact) = (Vec::new(), Vec::new());
    for (me, record) in records.iter().enumerate() {
        for mine in &record.said {
            findings.cards += mine.seen.len();
            for (other, theirs) in others(me, records) {
                let seen = first_sight(mine, theirs);
                let near = are_near(mine, theirs);
                if seen.is_some() {
                    findings.people += 1;
                    findings.precision.count(near);
                }
                let later = mine.at.max(theirs.at);
                if near && later.after(FINDING) <= plan.end {
                    let found = seen.filter(|at| *at <= later.after(FINDING));
                    findings.recall.count(found.is_some());
                    if theirs.zone {
                        findings.recall_exhausted.count(found.is_some());
                    }
                    discovery.extend(found.map(|at| minutes(later, at)));
                    let came = plan.people.get(other).and_then(|person| record.contacts.get(&person.contact));
                    findings.contacts.count(came.is_some());
                    contact.extend(came.map(|at| minutes(later, *at)));
                }
            }
        }
        if let Some(met) = record.token_met {
            findings.tokens.count(met);
        }
    }
    findings.to_discovery = quantiles(discovery);
    findings.to_contact = quantiles(contact);
    findings
}

fn others(me: usize, records: &[Record]) -> impl Iterator<Item = (usize, &Said)> {
    let everybody = records.iter().enumerate().filter(move |(number, _)| *number != me);
    everybody.flat_map(|(number, record)| record.said.iter().map(move |said| (number, said)))
}

/// Same class, at most 500 m apart, and windows that overlap: a wish is out in its own window and the next.
fn are_near(a: &Said, b: &Said) -> bool {
    let out = |said: &Said| [said.at.window(), said.at.window().next()];
    let overlap = out(a).iter().any(|window: &Window| out(b).contains(window));
    a.class == b.class && overlap && distance_m(a.place, b.place) <= NEAR_M
}

fn first_sight(mine: &Said, theirs: &Said) -> Option<Timestamp> {
    theirs.cards.iter().filter_map(|card| mine.seen.get(card)).min().copied()
}

/// Nothing but what somebody gave may arrive, byte for byte.
fn contacts_equal(plan: &Plan, records: &[Record]) -> bool {
    records.iter().enumerate().all(|(me, record)| {
        let given = |contact: &String| {
            plan.people.iter().enumerate().any(|(number, person)| number != me && person.contact == *contact)
        };
        record.contacts.keys().all(given)
    })
}

fn minutes(from: Timestamp, to: Timestamp) -> f64 {
    to.since(from).as_secs_f64() / 60.0
}

/// Nearest-rank quantiles.
fn quantiles(mut values: Vec<f64>) -> Quantiles {
    values.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        let rank = (values.len() * percent).div_ceil(100).max(1);
        values.get(rank - 1).map(|value| (value * 10.0).round() / 10.0)
    };
    Quantiles { p50: at(50), p95: at(95) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_ranks() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantiles(values), Quantiles { p50: Some(50.0), p95: Some(95.0) });
        assert_eq!(quantiles(vec![]), Quantiles { p50: None, p95: None });
        assert_eq!(quantiles(vec![3.0]), Quantiles { p50: Some(3.0), p95: Some(3.0) });
    }

    #[test]
    fn no_case_is_no_success() {
        assert_eq!(Share::default().value(), None);
    }
}
