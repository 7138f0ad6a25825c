use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use mosaic_geo::Resolution;
use mosaic_obfuscate::{Granularity, Lifetime, Wish};

use crate::{
    Broadcast,
    state::{Slate, Source},
};

/// A wish that may enter an event: a broadcast of the person, or a wish of a persona.
#[derive(Clone, Copy)]
pub(crate) enum Candidate<'a> {
    Broadcast(&'a Broadcast),
    Persona { persona: u8, wish: Wish },
}

impl Candidate<'_> {
    pub(crate) fn source(&self) -> Source {
        match self {
            Self::Broadcast(broadcast) => Source::Broadcast(broadcast.id),
            Self::Persona { persona, wish } => Source::Persona { persona: *persona, wish: wish.id },
        }
    }

    fn life(&self) -> Lifetime {
        match self {
            Self::Broadcast(broadcast) => broadcast.life(),
            Self::Persona { wish, .. } => wish.life,
        }
    }

    const fn granularity(&self) -> Granularity {
        match self {
            Self::Broadcast(broadcast) => broadcast.granularity,
            Self::Persona { wish, .. } => wish.granularity,
        }
    }
}

/// What was written so far in the window of an occasion: decides whose turn it is.
pub(crate) struct Turns {
    resolution: Resolution,
    here: BTreeSet<Source>,
    writes: BTreeMap<Source, u32>,
}

impl Turns {
    pub(crate) fn new(written: &BTreeMap<Slate, Vec<Source>>, slate: Slate, resolution: Resolution) -> Self {
        let mut writes = BTreeMap::new();
        let window = written.iter().filter(|(other, _)| other.window == slate.window);
        window.flat_map(|(_, sources)| sources).for_each(|source| *writes.entry(*source).or_default() += 1);
        Self { resolution, here: written.get(&slate).into_iter().flatten().copied().collect(), writes }
    }

    /// Of one list of standing wishes, those not yet written here, in the order in which they are due: the
    /// least written in this window first, then the newest. A zone appears at resolution 6 only. The rule is
    /// the same for the person's list and each of a persona's, so that where a bundle turns up in a window
    /// tells nothing about whose it is.
    pub(crate) fn due<'a>(&self, list: impl Iterator<Item = Candidate<'a>>) -> Vec<Candidate<'a>> {
        let shown = |granularity| granularity == Granularity::Fine || self.resolution == Resolution::R6;
        let open =
            |candidate: &Candidate<'_>| shown(candidate.granularity()) && !self.here.contains(&candidate.source());
        let mut due: Vec<_> = list.filter(open).collect();
        let writes = |candidate: &Candidate<'_>| self.writes.get(&candidate.source()).copied().unwrap_or_default();
        due.sort_by_key(|candidate| {
            (writes(candidate), Reverse(candidate.life().since()), Reverse(candidate.source()))
        });
        due
    }
}
