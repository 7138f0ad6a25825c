//! What several released places tell together: the filter check and the pace of a trajectory (PRIVACY 2.3, L3-65).
//!
//! The [`crate::Ledger`] adds up the worst case over anchors. A [`Trail`] beside it asks what an attacker who links all
//! of a device's fine cells, who knows the public places, the noise and how people move, would conclude: a forward
//! filter over r8 cells. A new fine cell that would tell too much *together with the earlier ones* is withheld.
//!
//! **What the check looks at.** The device's released cells, their modes and times, the candidate cell, the public
//! places. Never the true place: the candidate is what the paid-for noise gave, so a decision is post-processing of it.
//!
//! **What it leaves out.** Zones, earlier weeks, returns to a known place (they only say when), what later cells say of
//! earlier places, and whatever an attacker knows of the person in particular.

mod noise;
mod walk;

use std::{fmt, time::Duration};

use mosaic_geo::Cell;
use mosaic_types::{Epoch, Mode, Timestamp, Week};
use serde::{Deserialize, Serialize};

use crate::blur::Anchor;

pub use walk::{Belief, Seen, believed};

/// Above this no single r8 cell may be believed in, unless one release alone says so much (PRIVACY 2.3).
pub const MOST_BELIEVED: f64 = 0.5;
/// Where one release alone says more than that, by how much the earlier ones may raise the odds that it gives (ADR 10).
pub const ODDS_RAISED: f64 = 2.0;

/// The highest belief in one cell that an attacker may reach, where one release alone gives `alone`.
pub fn limit(alone: f64) -> f64 {
    if alone <= MOST_BELIEVED { MOST_BELIEVED } else { ODDS_RAISED * alone / (1.0 + (ODDS_RAISED - 1.0) * alone) }
}

/// A new fine cell as it would be released. It prints nothing: it may be withheld.
#[derive(Clone, Copy)]
pub struct Candidate {
    /// Whose noise it is.
    pub anchor: Anchor,
    /// With which noise.
    pub mode: Mode,
    /// The snapped cell, at resolution 8.
    pub cell: Cell,
    /// When it would be released.
    pub at: Timestamp,
}

/// What an attacker would believe at most of any r8 cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suspicion {
    /// From this release alone.
    pub alone: f64,
    /// Together with the earlier ones.
    pub together: f64,
}

impl Suspicion {
    /// Whether the cell must be withheld.
    pub fn is_too_much(&self) -> bool {
        self.together > limit(self.alone)
    }
}

/// A week's fine releases, as strangers saw them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    week: Week,
    steps: Vec<Step>,
    /// The step of the last release, new or repeated, and when that was.
    last: Option<(u16, Timestamp)>,
    /// What was published last, and by which broadcast: the one before this epoch and those in it.
    published: Vec<Published>,
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Candidate([hidden])")
    }
}

impl fmt::Debug for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trail([hidden])")
    }
}

/// One new fine cell.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Step {
    anchor: Anchor,
    mode: Mode,
    cell: Cell,
    /// The step it followed, and after how many seconds.
    after: Option<(u16, u32)>,
    /// The broadcast that first carried it.
    by: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Published {
    epoch: Epoch,
    anchor: Anchor,
    broadcast: u64,
    /// Whether an event carried it.
    seen: bool,
}

impl Trail {
    /// Nothing released yet in `week`.
    pub const fn new(week: Week) -> Self {
        Self { week, steps: Vec::new(), last: None, published: Vec::new() }
    }

    /// Begins anew in another week, when places are blurred anew.
    pub fn turn_to(&mut self, week: Week) {
        if week != self.week {
            *self = Self::new(week);
        }
    }

    /// Whether a fine release of `anchor` keeps the pace: at most one change of anchor is published in a 30-minute
    /// epoch (PRIVACY 2.3). The first release of a week is no change.
    pub fn keeps_pace(&self, anchor: Anchor, at: Timestamp) -> bool {
        let Some(last) = self.published.last() else { return true };
        let changes = self.published.windows(2).filter(
            |pair| matches!(pair, [before, after] if after.epoch == at.epoch() && after.anchor != before.anchor),
        );
        last.anchor == anchor || changes.count() == 0
    }

    /// What an attacker would believe after this release; `weight` is how much goes on in a cell, zero where no release
    /// can name it.
    pub fn suspicion(&self, candidate: &Candidate, weight: &impl Fn(Cell) -> u32) -> Suspicion {
        let seen = Seen { cell: candidate.cell, mode: candidate.mode };
        let alone = believed(&[(seen, 0)], weight).highest();
        let mut story = self.story(self.last.map(|(number, _)| number));
        if story.is_empty() {
            return Suspicion { alone, together: alone };
        }
        story.push((seen, self.gap(candidate.at)));
        Suspicion { alone, together: believed(&story, weight).highest() }
    }

    /// Whether the candidate must be withheld. The first of a week never is: it is alone.
    pub fn withholds(&self, candidate: &Candidate, weight: &impl Fn(Cell) -> u32) -> bool {
        self.last.is_some() && self.suspicion(candidate, weight).is_too_much()
    }

    /// Notes a new fine cell that was released, by the broadcast that carries it.
    pub fn released(&mut self, candidate: &Candidate, broadcast: u64) {
        let after = self.last.map(|(number, _)| (number, self.gap(candidate.at)));
        let Candidate { anchor, mode, cell, at } = *candidate;
        // a week's budget covers some twenty
        if let Ok(number) = u16::try_from(self.steps.len()) {
            self.steps.push(Step { anchor, mode, cell, after, by: broadcast });
            self.last = Some((number, at));
        }
        self.publish(anchor, at, broadcast);
    }

    /// Notes that a known anchor was released again: no new noise, but it says when.
    pub fn repeated(&mut self, anchor: Anchor, mode: Mode, at: Timestamp, broadcast: u64) {
        let known = self.steps.iter().position(|step| (step.anchor, step.mode) == (anchor, mode));
        if let Some(number) = known.and_then(|number| u16::try_from(number).ok()) {
            self.last = Some((number, at));
        }
        self.publish(anchor, at, broadcast);
    }

    fn publish(&mut self, anchor: Anchor, at: Timestamp, broadcast: u64) {
        let epoch = at.epoch();
        let earlier = self.published.iter().rposition(|published| published.epoch != epoch).unwrap_or_default();
        self.published.drain(..earlier);
        self.published.push(Published { epoch, anchor, broadcast, seen: false });
    }

    /// An event carries a broadcast: from now on it was seen.
    pub fn shown(&mut self, broadcast: u64) {
        self.published.iter_mut().filter(|known| known.broadcast == broadcast).for_each(|known| known.seen = true);
    }

    /// A broadcast was withdrawn. If no event carried it, nobody saw it: neither the change of anchor nor, where nothing
    /// followed it, the cell, which is then new when it is released again.
    pub fn withdrawn(&mut self, broadcast: u64) {
        let unseen = |published: &Published| !published.seen && published.broadcast == broadcast;
        if !self.published.iter().any(unseen) {
            return;
        }
        self.published.retain(|published| !unseen(published));
        let published = &self.published;
        let elsewhere = |step: &Step| published.iter().any(|other| other.anchor == step.anchor);
        if let Some(step) = self.steps.pop_if(|step| step.by == broadcast && !elsewhere(step))
            && let Some((number, at)) = self.last
            && usize::from(number) == self.steps.len()
        {
            let before = |gap: u32| at.before(Duration::from_secs(gap.into()));
            self.last = step.after.map(|(number, gap)| (number, before(gap)));
        }
    }

    /// Whether a release of `anchor` would repeat a cell that strangers may have seen.
    pub fn knows(&self, anchor: Anchor, mode: Mode) -> bool {
        self.steps.iter().any(|step| (step.anchor, step.mode) == (anchor, mode))
    }

    /// How many new fine cells were released this week.
    pub const fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether none was.
    pub const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Seconds since the last release.
    fn gap(&self, at: Timestamp) -> u32 {
        let since = self.last.map_or(0, |(_, last)| at.since(last).as_secs());
        u32::try_from(since).unwrap_or(u32::MAX)
    }

    /// The releases that led to a step, each with the seconds since the one before. A return to a known anchor goes on
    /// from what was believed there.
    fn story(&self, from: Option<u16>) -> Vec<(Seen, u32)> {
        let mut story = Vec::new();
        let mut next = from;
        while let Some(step) = next.and_then(|number| self.steps.get(usize::from(number))) {
            story.push((Seen { cell: step.cell, mode: step.mode }, step.after.map_or(0, |(_, gap)| gap)));
            // a step follows an earlier one, so this ends
            next = step.after.map(|(number, _)| number).filter(|number| Some(*number) < next);
        }
        story.reverse();
        story
    }
}
