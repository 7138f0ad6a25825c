//! What the evening was worth, judged against the truth that only the demo knows.

use mosaic_geo::distance_m;
use mosaic_types::{Timestamp, Window};
use serde::Serialize;

use crate::demo::{
    plan::{FINDING, Person, Plan},
    records::{Met, Record, Said},
};

#[cfg(test)]
mod tests;

/// How far apart two wishes may be to count as near.
const NEAR_M: f64 = 500.0;

/// Median and 95th percentile of minutes, over all cases: what never came counts as longer than anything, so a
/// quantile that falls among those is null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Quantiles {
    /// Median.
    pub(crate) p50: Option<f64>,
    /// 95th percentile.
    pub(crate) p95: Option<f64>,
    /// Over how many cases.
    pub(crate) cases: usize,
    /// In how many of them it never came.
    pub(crate) never: usize,
}

/// A share of cases; absent without a single case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

    /// Whether there is a case, and all hold.
    pub(crate) const fn is_whole(self) -> bool {
        self.of > 0 && self.hold == self.of
    }
}

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Ordered pairs of near wishes of one class that were found in time; coarsened and withheld ones included.
    pub(crate) recall: Share,
    /// The same, where the one to be found was released as a zone: the ledger was spent, or the filter check said so.
    pub(crate) recall_exhausted: Share,
    /// Pairs left out because the evening ends before their hour does.
    pub(crate) excluded: usize,
    /// Wishes the agents did not take.
    pub(crate) withheld: usize,
    /// Of the real wishes that people were shown, those that were truly near.
    pub(crate) precision: Share,
    /// Cards shown, and real people among them.
    pub(crate) cards: usize,
    /// Real people among the cards shown.
    pub(crate) people: usize,
    /// Minutes from the later wish to the first sight.
    pub(crate) to_discovery: Quantiles,
    /// Minutes from the later wish to the contact on the screen; without pairs that also share a token.
    pub(crate) to_contact: Quantiles,
    /// Near pairs, without those that share a token, whose contact came.
    pub(crate) met: Share,
    /// Contacts that came, and those that are byte for byte what their giver gave to this person.
    pub(crate) contacts: Share,
    /// Contacts that one side has and the other has not (yet).
    pub(crate) one_sided: usize,
    /// Sides of token associations that reached "connected" with exactly the partner's contact.
    pub(crate) tokens: Share,
}

/// Judges the evening.
pub(crate) fn measure(plan: &Plan, records: &[Record]) -> Findings {
    let mut findings = Findings::default();
    let (mut discovery, mut contact) = (Vec::new(), Vec::new());
    for (me, record) in records.iter().enumerate() {
        findings.withheld += record.said.iter().filter(|said| said.withheld()).count();
        for mine in &record.said {
            findings.cards += mine.seen.len();
            for (other, theirs) in others(me, records) {
                let seen = first_sight(mine, theirs);
                let near = are_near(mine, theirs);
                if seen.is_some() {
                    findings.people += 1;
                    findings.precision.count(near);
                }
                if !near {
                    continue;
                }
                let later = mine.at.max(theirs.at);
                if later.after(FINDING) > plan.end {
                    findings.excluded += 1;
                    continue;
                }
                let in_time = seen.is_some_and(|at| at <= later.after(FINDING));
                findings.recall.count(in_time);
                if spent(plan, other, theirs) {
                    findings.recall_exhausted.count(in_time);
                }
                discovery.push(seen.map(|at| minutes(later, at)));
                if plan.people.get(me).is_none_or(|person| person.partner != Some(other)) {
                    let came = arrival(plan, record, other);
                    findings.met.count(came.is_some());
                    contact.push(came.map(|at| minutes(later, at)));
                }
            }
        }
        judge_contacts(plan, records, me, &mut findings);
    }
    findings.to_discovery = quantiles(&discovery);
    findings.to_contact = quantiles(&contact);
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

/// Whether somebody's ledger had run out when they said this: it left as a zone, or not at all.
fn spent(plan: &Plan, person: usize, said: &Said) -> bool {
    let planned = plan.people.get(person).is_some_and(|person| !person.spent_at.is_empty());
    said.zone() || (said.withheld() && planned)
}

/// When the contact that somebody gives over their cards was there.
fn arrival(plan: &Plan, record: &Record, other: usize) -> Option<Timestamp> {
    let given = &plan.people.get(other)?.contact;
    record.contacts.values().filter(|met| met.contact == *given).map(|met| met.at).min()
}

/// Judges every contact that `me` got, and their side of a token.
fn judge_contacts(plan: &Plan, records: &[Record], me: usize, findings: &mut Findings) {
    let record = &records[me];
    for (association, met) in &record.contacts {
        let giver = giver(plan, records, me, association, met);
        findings.contacts.count(giver.is_some());
        let mine = plan.people.get(me);
        let back = giver.and_then(|other| Some((records.get(other)?, mine?))).is_some_and(|(other, mine)| {
            other.contacts.values().any(|met| met.contact == mine.contact || met.contact == mine.token_contact)
        });
        findings.one_sided += usize::from(giver.is_some() && !back);
    }
    if let Some(partner) = plan.people.get(me).and_then(|person| plan.people.get(person.partner?)) {
        let held = record.token.as_ref().is_some_and(|token| {
            let came = record.contacts.get(&token.id);
            token.connected && came.is_some_and(|met| met.contact == partner.token_contact)
        });
        findings.tokens.count(held);
    }
}

/// Who gave this contact, if it is exactly what they gave in this association: the partner of the token, the owner of
/// the card waved at, or somebody who waved at a card of one's own.
fn giver(plan: &Plan, records: &[Record], me: usize, association: &str, met: &Met) -> Option<usize> {
    let record = &records[me];
    let gave = |other: usize, given: fn(&Person) -> &String| {
        plan.people.get(other).is_some_and(|person| *given(person) == met.contact)
    };
    if record.token.as_ref().is_some_and(|token| token.id == association) {
        return plan.people.get(me)?.partner.filter(|partner| gave(*partner, |person| &person.token_contact));
    }
    let mut people = (0..records.len()).filter(|other| *other != me && gave(*other, |person| &person.contact));
    match record.waved.get(association) {
        Some(card) => {
            let noted = |other: usize| records[other].said.iter().any(|said| said.cards.contains(card));
            // a card that no owner saw listed when they looked is judged by its contact alone
            let unknown = !(0..records.len()).any(noted);
            people.find(|other| unknown || noted(*other))
        }
        None => people.find(|other| {
            let mut cards = records[*other].waved.values();
            cards.any(|card| record.said.iter().any(|said| said.cards.contains(card)))
        }),
    }
}

fn minutes(from: Timestamp, to: Timestamp) -> f64 {
    to.since(from).as_secs_f64() / 60.0
}

/// Nearest-rank quantiles; `None` is longer than anything.
fn quantiles(cases: &[Option<f64>]) -> Quantiles {
    let mut values: Vec<f64> = cases.iter().flatten().copied().collect();
    values.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        let rank = (cases.len() * percent).div_ceil(100).max(1);
        values.get(rank - 1).map(|value| (value * 10.0).round() / 10.0)
    };
    Quantiles { p50: at(50), p95: at(95), cases: cases.len(), never: cases.len() - values.len() }
}
