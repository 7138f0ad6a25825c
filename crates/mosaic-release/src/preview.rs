use std::{collections::BTreeSet, fmt};

use mosaic_geo::Cell;
use mosaic_obfuscate::RoundId;
use mosaic_types::{ClassId, Sensitive, Timestamp, TtlHours};
use mosaic_wire::TableDescriptor;

use crate::{
    ReleaseError, Releaser, SlotTruth,
    discovery::{MOST_EXCHANGES, MOST_REAL, Occasion, PassedOver, Pick, truth},
    state::{Slate, Source},
};

/// What strangers who open a bundle's outer layer will see of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownBundle {
    /// Its class.
    pub class: ClassId,
    /// Its cell, at the event's resolution.
    pub cell: Cell,
    /// Its time to live.
    pub ttl: TtlHours,
    /// Whether it was written in an earlier window of the same table at this resolution.
    pub earlier: bool,
}

/// The bundles that a discovery event would carry, before sealing: nothing of it can be encoded. Slots that are
/// sent again because their row was full are not in it; they were shown before.
pub struct Preview {
    /// As strangers would see them, in no order that strangers see.
    pub bundles: Vec<ShownBundle>,
    /// Whose each of them is.
    pub truth: Sensitive<Vec<SlotTruth>>,
    /// How many rounds gave way before.
    pub exchanges: usize,
}

impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Preview([hidden])")
    }
}

/// The rounds that stay out of the next event of a table, window and resolution.
#[derive(Default)]
pub(crate) struct GivingWay(Option<(Slate, BTreeSet<RoundId>)>);

impl GivingWay {
    pub(crate) fn at(&self, slate: Slate) -> PassedOver {
        let rounds = self.0.as_ref().filter(|(known, _)| *known == slate).map(|(_, rounds)| rounds.clone());
        PassedOver { rounds: rounds.unwrap_or_default(), rows: BTreeSet::new() }
    }
}

impl Releaser {
    /// Shows what the discovery event leaving at `at` would carry to `judge`, who may name a bundle that is to
    /// give way: then another round takes the place of its round and `judge` is asked again, at most 32 times. The
    /// next event built for the same window and resolution keeps to it. Whoever's the bundle is, the same happens,
    /// to all ten; the event has ten slots and leaves when it would have left.
    ///
    /// # Errors
    /// [`ReleaseError`] when the table does not serve `at`, or too few places are known.
    pub fn preview(
        &mut self,
        at: Timestamp,
        resolution: u8,
        table: &TableDescriptor,
        mut judge: impl FnMut(&Preview) -> Option<usize>,
    ) -> Result<Preview, ReleaseError> {
        let occasion = Occasion::new(at, resolution, table)?;
        let retried = self.retries.fitting(occasion.fit(), at, MOST_REAL as usize);
        let mut out = PassedOver::default();
        let mut picks = self.picks(occasion, &retried, &out)?;
        let mut exchanges = 0;
        let preview = loop {
            let preview = self.shown(&picks, occasion.slate(), exchanges);
            let objection = judge(&preview).and_then(|at| picks.get(at)).filter(|_| exchanges < MOST_EXCHANGES);
            let Some(round) = objection.map(|pick| pick.source.round()) else { break preview };
            exchanges += 1;
            out.rounds.insert(round);
            if let Ok(others) = self.picks(occasion, &retried, &out) {
                picks = others;
                continue;
            }
            // too few places for so much choice: of all objections those to the person's own rounds stay
            out.rounds.retain(|round| matches!(round, RoundId::Own(_)));
            picks = self.picks(occasion, &retried, &out)?;
            break self.shown(&picks, occasion.slate(), exchanges);
        };
        self.giving_way = GivingWay(Some((occasion.slate(), out.rounds)));
        Ok(preview)
    }

    fn shown(&self, picks: &[Pick], slate: Slate, exchanges: usize) -> Preview {
        let period = slate.window.start().period();
        let before = |other: &Slate| {
            other.resolution == slate.resolution
                && other.window < slate.window
                && other.window.start().period() == period
        };
        let earlier: BTreeSet<Source> =
            self.state.written.iter().filter(|(other, _)| before(other)).flat_map(|(_, own)| own).copied().collect();
        let show = |pick: &Pick| {
            let cell = Cell::from_raw(pick.cell).ok()?;
            Some(ShownBundle { class: pick.class, cell, ttl: pick.ttl, earlier: earlier.contains(&pick.source) })
        };
        Preview {
            bundles: picks.iter().filter_map(show).collect(),
            truth: Sensitive::new(picks.iter().map(|pick| truth(pick.source)).collect()),
            exchanges,
        }
    }
}
