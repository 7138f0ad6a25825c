use std::collections::BTreeMap;

use mosaic_geo::Cell;
use mosaic_obfuscate::{Ledger, Whereabouts};
use serde::{Deserialize, Serialize};

use super::{Blurred, Broadcast, BroadcastId, MemoKey, ReleaserState, Slate, Source};

/// The formats of a stored state. Version 1 had no number: it began with an optional ledger, whose first byte
/// is 0 or 1 in the vault's encoding, just as the number of a variant is. So version 1 reads as either of the
/// first two, and what is written now is the third.
#[derive(Serialize, Deserialize)]
pub(super) enum Stored {
    WithoutLedger(First),
    WithLedger(Ledger, First),
    Second(Box<Second>),
}

/// What version 1 held besides its ledger.
#[derive(Serialize, Deserialize)]
pub(super) struct First {
    memo: BTreeMap<MemoKey, Cell>,
    broadcasts: BTreeMap<BroadcastId, Broadcast>,
    last_id: u64,
    written: BTreeMap<Slate, Vec<FirstSource>>,
}

#[derive(Serialize, Deserialize)]
enum FirstSource {
    Broadcast(BroadcastId),
    Persona { persona: u8, index: u16 },
}

#[derive(Serialize, Deserialize)]
pub(super) struct Second {
    ledger: Option<Ledger>,
    memo: BTreeMap<MemoKey, Blurred>,
    whereabouts: Whereabouts,
    broadcasts: BTreeMap<BroadcastId, Broadcast>,
    last_id: u64,
    written: BTreeMap<Slate, Vec<Source>>,
}

impl From<ReleaserState> for Stored {
    fn from(state: ReleaserState) -> Self {
        let ReleaserState { ledger, memo, whereabouts, broadcasts, last_id, written } = state;
        Self::Second(Box::new(Second { ledger, memo, whereabouts, broadcasts, last_id, written }))
    }
}

impl From<Stored> for ReleaserState {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::WithoutLedger(first) => upgraded(None, first),
            Stored::WithLedger(ledger, first) => upgraded(Some(ledger), first),
            Stored::Second(second) => {
                let Second { ledger, memo, whereabouts, broadcasts, last_id, written } = *second;
                Self { ledger, memo, whereabouts, broadcasts, last_id, written }
            }
        }
    }
}

/// Of a remembered cell its middle is kept, which snaps to that cell again. The personas' bundles of the
/// last windows are forgotten, their wishes have other names now; the person's stay written.
fn upgraded(ledger: Option<Ledger>, first: First) -> ReleaserState {
    let memo = first.memo.into_iter().map(|(key, cell)| (key, cell.center().into())).collect();
    let own = |source| match source {
        FirstSource::Broadcast(id) => Some(Source::Broadcast(id)),
        FirstSource::Persona { .. } => None,
    };
    let kept = |(slate, sources): (Slate, Vec<FirstSource>)| (slate, sources.into_iter().filter_map(own).collect());
    let written = first.written.into_iter().map(kept).collect();
    let (broadcasts, last_id) = (first.broadcasts, first.last_id);
    ReleaserState { ledger, memo, whereabouts: Whereabouts::default(), broadcasts, last_id, written }
}

#[cfg(test)]
mod tests {
    use mosaic_geo::Resolution;
    use mosaic_obfuscate::blur::Anchor;
    use mosaic_types::{LatLng, Mode, Week, Window};

    use super::*;

    /// The layout of version 1, field by field.
    #[derive(Serialize)]
    struct Version1 {
        ledger: Option<Ledger>,
        rest: First,
    }

    fn version_1(ledger: Option<Ledger>) -> Vec<u8> {
        let place = LatLng::new(41.17, -8.6).unwrap();
        let anchor = Anchor::of(place, &[1; 32]);
        let key = MemoKey { week: Week(2_900), anchor, mode: Mode::Balanced as u8, zone: 0 };
        let slate = Slate { window: Window(7), resolution: 8 };
        let sources = vec![FirstSource::Persona { persona: 3, index: 9 }, FirstSource::Broadcast(BroadcastId(4))];
        let rest = First {
            memo: BTreeMap::from([(key, Cell::at(place, Resolution::R8))]),
            broadcasts: BTreeMap::new(),
            last_id: 4,
            written: BTreeMap::from([(slate, sources)]),
        };
        postcard::to_allocvec(&Version1 { ledger, rest }).unwrap()
    }

    #[test]
    fn version_1_is_read_and_version_2_written() {
        let place = LatLng::new(41.17, -8.6).unwrap();
        let mut spent = Ledger::new(Week(2_900));
        spent.charge(Week(2_900), Anchor::of(place, &[1; 32]), Mode::Balanced);
        for ledger in [None, Some(spent)] {
            let old: ReleaserState = postcard::from_bytes(&version_1(ledger.clone())).unwrap();
            assert_eq!((&old.ledger, old.last_id), (&ledger, 4));
            assert_eq!(old.written.values().next(), Some(&vec![Source::Broadcast(BroadcastId(4))]));
            let point: LatLng = (*old.memo.values().next().unwrap()).into();
            assert_eq!(Cell::at(point, Resolution::R8), Cell::at(place, Resolution::R8));
            let bytes = postcard::to_allocvec(&old).unwrap();
            assert_eq!(bytes[0], 2);
            let again: ReleaserState = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(postcard::to_allocvec(&again).unwrap(), bytes);
        }
    }
}
