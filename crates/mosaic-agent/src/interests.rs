use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mosaic_discovery::{Interest, Reach, plan};
use mosaic_release::BroadcastId;
use mosaic_types::Timestamp;
use mosaic_wire::{Groups, OprfInput};

/// How long after a query its rows are still read.
const QUERY_LIFE: Duration = Duration::from_mins(30);
/// The most searches read at a time besides the person's own broadcasts.
const MOST_QUERIES: usize = 64;

/// What this device looks for: around its own broadcasts, and where the person asked lately.
#[derive(Default)]
pub(crate) struct Interests {
    broadcasts: BTreeMap<BroadcastId, Interest>,
    /// Of broadcasts that do not stand yet.
    later: BTreeMap<BroadcastId, Interest>,
    queries: Vec<(Timestamp, Interest)>,
    planned: BTreeSet<OprfInput>,
}

impl Interests {
    pub(crate) fn follow(&mut self, id: BroadcastId, interest: Interest) {
        self.broadcasts.insert(id, interest);
    }

    /// Keeps it until the broadcast stands.
    pub(crate) fn follow_later(&mut self, id: BroadcastId, interest: Interest) {
        self.later.insert(id, interest);
    }

    /// Follows what was kept, or else `interest`.
    pub(crate) fn follow_now(&mut self, id: BroadcastId, interest: impl FnOnce() -> Interest) {
        let interest = self.later.remove(&id).unwrap_or_else(interest);
        self.follow(id, interest);
    }

    pub(crate) fn unfollow(&mut self, id: BroadcastId) {
        self.later.remove(&id);
        self.broadcasts.remove(&id);
    }

    pub(crate) fn of_broadcasts(&self) -> impl Iterator<Item = (BroadcastId, &Interest)> {
        self.broadcasts.iter().map(|(id, interest)| (*id, interest))
    }

    /// Takes searches up, or keeps equal ones alive. `true` when one is new.
    pub(crate) fn ask(&mut self, now: Timestamp, asked: Vec<Interest>) -> bool {
        let until = now.after(QUERY_LIFE);
        let mut new = false;
        for interest in asked {
            match self.queries.iter_mut().find(|(_, known)| same(known, &interest)) {
                Some((end, _)) => *end = until,
                None => {
                    self.queries.push((until, interest));
                    new = true;
                }
            }
        }
        let surplus = self.queries.len().saturating_sub(MOST_QUERIES);
        self.queries.drain(..surplus);
        new
    }

    /// Whether all of these are searched for already.
    pub(crate) fn knows(&self, asked: &[Interest]) -> bool {
        asked.iter().all(|interest| self.queries.iter().any(|(_, known)| same(known, interest)))
    }

    pub(crate) fn expire(&mut self, now: Timestamp) {
        self.queries.retain(|(until, _)| *until > now);
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Interest> {
        self.broadcasts.values().chain(self.queries.iter().map(|(_, interest)| interest))
    }

    /// Plans anew; the inputs now watched.
    pub(crate) fn replan(&mut self, now: Timestamp, reach: Reach, groups: Groups) -> &BTreeSet<OprfInput> {
        self.planned = self.all().flat_map(|interest| plan(interest, now, reach, groups)).collect();
        &self.planned
    }

    pub(crate) const fn planned(&self) -> &BTreeSet<OprfInput> {
        &self.planned
    }
}

fn same(a: &Interest, b: &Interest) -> bool {
    a.class == b.class && a.topics == b.topics && a.place == b.place && a.radius == b.radius && a.window == b.window
}
