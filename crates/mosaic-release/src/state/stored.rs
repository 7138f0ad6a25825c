use std::collections::BTreeMap;

use mosaic_geo::Cell;
use mosaic_obfuscate::{Granularity, Habits, Ledger, Whereabouts};
use mosaic_types::{ClassId, ClassShares, Mode, Timestamp, TopicId};
use serde::{Deserialize, Serialize};

use super::{Blurred, Broadcast, BroadcastId, Combined, MemoKey, ReleaserState, Slate, Source};
use crate::releaser::wording;

/// The formats of a stored state. Version 1 had no number: it began with an optional ledger, whose first byte
/// is 0 or 1 in the vault's encoding, just as the number of a variant is. So version 1 reads as either of the
/// first two variants and versions 2 to 5 as the third to sixth. What is written now is version 5, or 6 while some broadcast ends
/// before its time to live is over.
#[derive(Serialize, Deserialize)]
pub(super) enum Stored {
    WithoutLedger(First),
    WithLedger(Ledger, First),
    Second(Box<Held<SecondSource>>),
    Third(Box<Held<Source>>),
    Fourth(Box<ByHabit>),
    Fifth(Box<(ByHabit, Option<ClassShares>)>),
    Sixth(Box<(ByHabit, Option<ClassShares>, BTreeMap<BroadcastId, Timestamp>)>),
}

/// What is held since version 4; since version 5 beside it what was popular where the device began.
#[derive(Serialize, Deserialize)]
pub(super) struct ByHabit {
    ledger: Option<Ledger>,
    memo: BTreeMap<MemoKey, Blurred>,
    whereabouts: Whereabouts,
    habits: Habits,
    broadcasts: BTreeMap<BroadcastId, Broadcast>,
    last_id: u64,
    written: BTreeMap<Slate, Vec<Source>>,
    combined: Option<Combined>,
}

/// What version 1 held besides its ledger.
#[derive(Serialize, Deserialize)]
pub(super) struct First {
    memo: BTreeMap<MemoKey, Cell>,
    broadcasts: BTreeMap<BroadcastId, EarlyBroadcast>,
    last_id: u64,
    written: BTreeMap<Slate, Vec<FirstSource>>,
}

#[derive(Serialize, Deserialize)]
enum FirstSource {
    Broadcast(BroadcastId),
    Persona { persona: u8, index: u16 },
}

/// Version 2, whose personas wished each by itself: a list, a week, a number.
#[derive(Serialize, Deserialize)]
pub(super) enum SecondSource {
    Broadcast(BroadcastId),
    Persona { persona: u8, list: u16, block: u32, number: u8 },
}

/// What versions 2 and 3 held.
#[derive(Serialize, Deserialize)]
pub(super) struct Held<S> {
    ledger: Option<Ledger>,
    memo: BTreeMap<MemoKey, Blurred>,
    whereabouts: Whereabouts,
    broadcasts: BTreeMap<BroadcastId, EarlyBroadcast>,
    last_id: u64,
    written: BTreeMap<Slate, Vec<S>>,
}

/// A broadcast before version 4, which knew nothing of habits.
#[derive(Serialize, Deserialize)]
struct EarlyBroadcast {
    id: BroadcastId,
    class: ClassId,
    topics: Vec<TopicId>,
    text: String,
    cell: Cell,
    granularity: Granularity,
    created: Timestamp,
    mode: Mode,
    ttl_hours: u8,
    requested_thousandths: u16,
}

impl From<ReleaserState> for Stored {
    fn from(state: ReleaserState) -> Self {
        let ReleaserState { ledger, memo, whereabouts, habits, broadcasts, last_id, written, combined, liked } = state;
        let early = |broadcast: &Broadcast| Some((broadcast.id, broadcast.ends_early?));
        let ends_early: BTreeMap<_, _> = broadcasts.values().filter_map(early).collect();
        let held = ByHabit { ledger, memo, whereabouts, habits, broadcasts, last_id, written, combined };
        if ends_early.is_empty() {
            Self::Fifth(Box::new((held, liked)))
        } else {
            Self::Sixth(Box::new((held, liked, ends_early)))
        }
    }
}

impl From<Stored> for ReleaserState {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::WithoutLedger(first) => upgraded(None, first),
            Stored::WithLedger(ledger, first) => upgraded(Some(ledger), first),
            Stored::Second(held) => {
                let own = |source| match source {
                    SecondSource::Broadcast(id) => Some(Source::Broadcast(id)),
                    SecondSource::Persona { .. } => None,
                };
                let Held { ledger, memo, whereabouts, broadcasts, last_id, written } = *held;
                let (habits, broadcasts) = by_habit(broadcasts);
                Self {
                    ledger,
                    memo,
                    whereabouts,
                    habits,
                    broadcasts,
                    last_id,
                    written: kept(written, own),
                    combined: None,
                    liked: None,
                }
            }
            Stored::Third(held) => {
                let Held { ledger, memo, whereabouts, broadcasts, last_id, written } = *held;
                let (habits, broadcasts) = by_habit(broadcasts);
                Self { ledger, memo, whereabouts, habits, broadcasts, last_id, written, combined: None, liked: None }
            }
            Stored::Fourth(held) => by_region(*held, None),
            Stored::Fifth(held) => {
                let (held, liked) = *held;
                by_region(held, liked)
            }
            Stored::Sixth(held) => {
                let (held, liked, ends_early) = *held;
                let mut state = by_region(held, liked);
                for (id, broadcast) in &mut state.broadcasts {
                    broadcast.ends_early = ends_early.get(id).copied();
                }
                state
            }
        }
    }
}

fn by_region(held: ByHabit, liked: Option<ClassShares>) -> ReleaserState {
    let ByHabit { ledger, memo, whereabouts, habits, broadcasts, last_id, written, combined } = held;
    ReleaserState { ledger, memo, whereabouts, habits, broadcasts, last_id, written, combined, liked }
}

/// Of a remembered cell its middle is kept, which snaps to that cell again.
fn upgraded(ledger: Option<Ledger>, first: First) -> ReleaserState {
    let memo = first.memo.into_iter().map(|(key, cell)| (key, cell.center().into())).collect();
    let own = |source| match source {
        FirstSource::Broadcast(id) => Some(Source::Broadcast(id)),
        FirstSource::Persona { .. } => None,
    };
    let (last_id, written) = (first.last_id, kept(first.written, own));
    let (habits, broadcasts) = by_habit(first.broadcasts);
    ReleaserState {
        ledger,
        memo,
        whereabouts: Whereabouts::default(),
        habits,
        broadcasts,
        last_id,
        written,
        combined: None,
        liked: None,
    }
}

/// Habits begin with the broadcasts that stand, in the order in which they were made.
fn by_habit(early: BTreeMap<BroadcastId, EarlyBroadcast>) -> (Habits, BTreeMap<BroadcastId, Broadcast>) {
    let mut habits = Habits::default();
    let broadcast = |early: EarlyBroadcast| {
        let EarlyBroadcast { id, class, topics, text, cell, granularity, created, mode, ttl_hours, .. } = early;
        let requested_thousandths = early.requested_thousandths;
        let echo = habits.show(class, cell, created.window(), mode, &wording(&topics, &text));
        let base = Broadcast {
            id,
            class,
            topics,
            text,
            cell,
            granularity,
            created,
            mode,
            ttl_hours,
            requested_thousandths,
            echo,
            ends_early: None,
        };
        (id, base)
    };
    let broadcasts = early.into_values().map(broadcast).collect();
    (habits, broadcasts)
}

/// The personas' bundles of the last windows are forgotten, their wishes have other names now; the person's stay
/// written.
fn kept<S>(written: BTreeMap<Slate, Vec<S>>, own: fn(S) -> Option<Source>) -> BTreeMap<Slate, Vec<Source>> {
    written.into_iter().map(|(slate, sources)| (slate, sources.into_iter().filter_map(own).collect())).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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

    /// The personas of version 2 are forgotten, and nothing else; what stands has an echo.
    #[test]
    fn version_2_is_read() {
        let slate = Slate { window: Window(7), resolution: 8 };
        let persona = SecondSource::Persona { persona: 3, list: 1, block: 2_900, number: 9 };
        let old = Stored::Second(Box::new(Held {
            ledger: Some(Ledger::new(Week(2_900))),
            memo: BTreeMap::new(),
            whereabouts: Whereabouts::default(),
            broadcasts: BTreeMap::from([(BroadcastId(4), early())]),
            last_id: 4,
            written: BTreeMap::from([(slate, vec![persona, SecondSource::Broadcast(BroadcastId(4))])]),
        }));
        let bytes = postcard::to_allocvec(&old).unwrap();
        let read: ReleaserState = postcard::from_bytes(&bytes).unwrap();
        assert_eq!((bytes[0], read.last_id, read.ledger), (2, 4, Some(Ledger::new(Week(2_900)))));
        assert_eq!(read.written[&slate], [Source::Broadcast(BroadcastId(4))]);
        let (mut habits, early, read) = (Habits::default(), early(), &read.broadcasts[&BroadcastId(4)]);
        let echo =
            habits.show(early.class, early.cell, early.created.window(), early.mode, &wording(&early.topics, "tea"));
        assert_eq!(
            (read.echo, read.text.as_str(), read.ends()),
            (echo, "tea", early.created.after(Duration::from_hours(24)))
        );
    }

    fn early() -> EarlyBroadcast {
        EarlyBroadcast {
            id: BroadcastId(4),
            class: ClassId::new(0).unwrap(),
            topics: vec![TopicId(7)],
            text: "tea".to_owned(),
            cell: Cell::at(LatLng::new(41.17, -8.6).unwrap(), Resolution::R8),
            granularity: Granularity::Fine,
            created: Timestamp::from_secs(1_763_748_000),
            mode: Mode::Balanced,
            ttl_hours: 24,
            requested_thousandths: 600,
        }
    }

    /// Version 3 knew nothing of what releases tell together, and keeps all it had.
    #[test]
    fn version_3_is_read() {
        let old = Stored::Third(Box::new(Held {
            ledger: Some(Ledger::new(Week(2_900))),
            memo: BTreeMap::new(),
            whereabouts: Whereabouts::default(),
            broadcasts: BTreeMap::new(),
            last_id: 9,
            written: BTreeMap::from([(
                Slate { window: Window(7), resolution: 8 },
                vec![Source::Broadcast(BroadcastId(4))],
            )]),
        }));
        let bytes = postcard::to_allocvec(&old).unwrap();
        let read: ReleaserState = postcard::from_bytes(&bytes).unwrap();
        assert_eq!((bytes[0], read.last_id, read.written.len(), read.combined.is_none()), (3, 9, 1, true));
    }

    /// Version 4 knew nothing of the region, and its personas keep the tastes they had.
    #[test]
    fn version_4_is_read() {
        let held = ByHabit {
            ledger: Some(Ledger::new(Week(2_900))),
            memo: BTreeMap::new(),
            whereabouts: Whereabouts::default(),
            habits: Habits::default(),
            broadcasts: BTreeMap::new(),
            last_id: 9,
            written: BTreeMap::new(),
            combined: None,
        };
        let bytes = postcard::to_allocvec(&Stored::Fourth(Box::new(held))).unwrap();
        let read: ReleaserState = postcard::from_bytes(&bytes).unwrap();
        assert_eq!((bytes[0], read.last_id, read.ledger, read.liked), (4, 9, Some(Ledger::new(Week(2_900))), None));
        let liked = ClassShares::new([1.0; 16]).unwrap();
        let bytes = postcard::to_allocvec(&ReleaserState::where_popular(liked)).unwrap();
        assert_eq!(postcard::from_bytes::<ReleaserState>(&bytes).unwrap().liked, Some(liked));
    }

    /// Version 6 is written only while it is needed, so that an earlier program reads most states.
    #[test]
    fn an_early_end_is_kept() {
        let (habits, mut broadcasts) = by_habit(BTreeMap::from([(BroadcastId(4), early())]));
        let mut state = ReleaserState { habits, broadcasts: broadcasts.clone(), ..ReleaserState::default() };
        assert_eq!(postcard::to_allocvec(&state).unwrap()[0], 5);
        let end = early().created.after(Duration::from_hours(5));
        broadcasts.values_mut().for_each(|broadcast| broadcast.ends_early = Some(end));
        state.broadcasts = broadcasts;
        let bytes = postcard::to_allocvec(&state).unwrap();
        let read: ReleaserState = postcard::from_bytes(&bytes).unwrap();
        assert_eq!((bytes[0], read.broadcasts[&BroadcastId(4)].ends()), (6, end));
    }

    #[test]
    fn version_1_is_read_and_version_5_written() {
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
            assert_eq!(bytes[0], 5);
            let again: ReleaserState = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(postcard::to_allocvec(&again).unwrap(), bytes);
        }
    }
}
