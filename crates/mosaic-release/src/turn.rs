use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use mosaic_geo::Resolution;
use mosaic_obfuscate::{Granularity, Round, RoundId};

use crate::state::{Slate, Source};

/// What was written so far in the window of an occasion: decides whose turn it is.
pub(crate) struct Turns {
    resolution: Resolution,
    here: BTreeSet<RoundId>,
    writes: BTreeMap<RoundId, u32>,
}

impl Turns {
    pub(crate) fn new(written: &BTreeMap<Slate, Vec<Source>>, slate: Slate, resolution: Resolution) -> Self {
        let rounds = |sources: &[Source]| sources.iter().map(|source| source.round()).collect::<BTreeSet<_>>();
        let mut writes = BTreeMap::new();
        let window = written.iter().filter(|(other, _)| other.window == slate.window);
        window.flat_map(|(_, sources)| rounds(sources)).for_each(|round| *writes.entry(round).or_default() += 1);
        Self { resolution, here: written.get(&slate).map(|sources| rounds(sources)).unwrap_or_default(), writes }
    }

    /// Of standing rounds, the one that is due: not yet written here, the least written in this window first, then
    /// the newest. A zone appears at resolution 6 only. The rule is the same for the person's rounds and for quiet
    /// ones, so that where a round turns up in a window tells little about whose it is.
    pub(crate) fn due(&self, standing: impl Iterator<Item = Round>) -> Option<Round> {
        let writes = |round: &Round| self.writes.get(&round.id).copied().unwrap_or_default();
        let open = standing.filter(|round| self.is_open(round));
        open.min_by_key(|round| (writes(round), Reverse(round.life.since()), Reverse(round.id)))
    }

    /// Whether a round may still be written here.
    fn is_open(&self, round: &Round) -> bool {
        let shown = round.granularity == Granularity::Fine || self.resolution == Resolution::R6;
        shown && !self.here.contains(&round.id)
    }
}
