use std::{sync::Arc, time::Duration};

use mosaic_geo::{Place, PlaceIndex, PlaceKind, PlaceTag, Provenance};
use mosaic_obfuscate::Granularity;
use mosaic_types::{LatLng, Mode, Window};

use super::*;
use crate::{BroadcastId, ReleaserState, fixtures::table};

/// The resolutions of discovery events, in their public order (DESIGN section 4).
const ORDER: [u8; 5] = [8, 7, 8, 6, 8];

/// 400 cafés over some 50 km, so that rows seldom meet.
fn region() -> Arc<PlaceIndex> {
    cafes(400, 1.0)
}

/// Up to 400 cafés in rows of twenty, some 2.5 km times `scale` apart.
fn cafes(many: i32, scale: f64) -> Arc<PlaceIndex> {
    let at = |number: i32| (f64::from(number % 20) * 0.023 * scale, f64::from(number / 20) * 0.03 * scale);
    let place = |(north, east): (f64, f64)| Place {
        position: LatLng::new(41.0 + north, -8.6 + east).unwrap(),
        kind: PlaceKind::new(PlaceTag::Amenity, "cafe"),
        name: String::new(),
        hours: None,
    };
    Arc::new(PlaceIndex::from_places((0..many).map(at).map(place).collect(), Provenance::new("test", None)))
}

/// Chooses what an event would carry and marks it as written, without sealing.
fn write(releaser: &mut Releaser, at: Timestamp, resolution: u8) -> Vec<Source> {
    let table = table(at.period());
    let occasion = Occasion::new(at, resolution, &table).unwrap();
    let picks = releaser.picks(occasion, &[], &PassedOver::default()).unwrap();
    let rows: BTreeSet<_> = picks.iter().map(|pick| pick.row).collect();
    assert_eq!((picks.len(), rows.len()), (SLOTS, SLOTS));
    let sources: Vec<Source> = picks.iter().map(|pick| pick.source).collect();
    releaser.mark_written(occasion.slate(), sources.iter().copied());
    sources
}

fn is_own(source: &Source) -> bool {
    matches!(source, Source::Broadcast(_))
}

/// Lets the person broadcast something that was released at `cell`.
fn stand(releaser: &mut Releaser, number: u64, created: Timestamp, granularity: Granularity, cell: mosaic_geo::Cell) {
    let class = ClassId::new((number % 16) as u8).unwrap();
    let echo = releaser.state.habits.show(class, cell, created.window(), Mode::Balanced, b"tea");
    releaser.cast.follow(&releaser.state.habits);
    let own = Broadcast {
        id: BroadcastId(number),
        class,
        topics: vec![TopicId(1)],
        text: "tea".to_owned(),
        cell,
        granularity,
        created,
        mode: Mode::Balanced,
        ttl_hours: 168,
        requested_thousandths: 500,
        echo,
        ends_early: None,
    };
    releaser.state.broadcasts.insert(own.id, own);
}

/// Nothing is written twice for one window and resolution, whoever's it is: balanced mode for a day, then two hours of
/// an open door, which needs the most rounds. Seed 41, five broadcasts standing.
#[test]
fn no_bundle_repeats_for_one_window_and_resolution() {
    let start = Window(245_000).start();
    let mut releaser = Releaser::new([41; 32], region(), ReleaserState::default());
    let cell = releaser.cast.cells().next().unwrap();
    for number in 1..=5 {
        let kind = if number == 3 { Granularity::Zone } else { Granularity::Fine };
        stand(&mut releaser, number, start, kind, cell);
    }
    let balanced = (0..120).map(|event| (start.after(Duration::from_mins(12 * event)), event));
    let door = Window(245_012).start();
    let door = (0..60).map(|event| (door.after(Duration::from_mins(2 * event)), event));
    let mut written: BTreeMap<(Window, u8), Vec<Source>> = BTreeMap::new();
    for (at, event) in balanced.chain(door) {
        let resolution = ORDER[event as usize % 5];
        let sources = write(&mut releaser, at, resolution);
        assert!(sources.iter().filter(|source| is_own(source)).count() <= 1);
        written.entry((at.window(), resolution)).or_default().extend(sources);
    }
    for (slate, sources) in &written {
        let distinct: BTreeSet<_> = sources.iter().collect();
        assert_eq!(distinct.len(), sources.len(), "{slate:?}");
        let own = sources.iter().filter(|source| is_own(source)).count();
        // balanced has room for 10 in a window: every broadcast is seen, the zone at r6 alone
        assert!(own <= if slate.1 == 6 { 5 } else { 4 } && own >= 2, "{slate:?}: {own}");
    }
    assert_eq!(written[&(Window(245_012), 8)].len(), 360);
}

/// Who said it, its time to live and class, and its cell at the coarsest resolution.
type Content = (Source, u8, ClassId, u64);

/// A person's bundle and its nine decoys are seen together or not at all: whenever, wherever and however often a
/// broadcast is written, the same nine companions are with it, each saying the same thing every time, with the same time
/// to live and as finely. Whatever an observer counts or times within an event, it counts or times for all ten. Seed 43,
/// four days, broadcasts that come, go and are taken back at all hours, one of them a zone.
#[test]
fn all_ten_of_a_round_turn_up_together() {
    let start = Window(245_000).start();
    let mut releaser = Releaser::new([43; 32], region(), ReleaserState::default());
    let cells: Vec<_> = releaser.cast.cells().collect();
    let begin = |number: u64| start.after(Duration::from_mins(number * 190));
    let end = |number: u64| begin(number).after(Duration::from_mins(70 + number * number % 11 * 400));
    let mut seen: BTreeMap<RoundId, (usize, BTreeSet<Content>)> = BTreeMap::new();
    for event in 0..480_usize {
        let at = start.after(Duration::from_mins(12 * event as u64));
        releaser.state.broadcasts.clear();
        for number in (0..30).filter(|number| begin(*number) <= at && at < end(*number)) {
            let kind = if number % 7 == 3 { Granularity::Zone } else { Granularity::Fine };
            stand(&mut releaser, number, begin(number), kind, cells[number as usize * 37 % cells.len()]);
        }
        let table = table(at.period());
        let occasion = Occasion::new(at, ORDER[event % 5], &table).unwrap();
        let picks = releaser.picks(occasion, &[], &PassedOver::default()).unwrap();
        let rounds: BTreeSet<RoundId> = picks.iter().map(|pick| pick.source.round()).collect();
        assert_eq!((picks.len(), rounds.len()), (SLOTS, 1), "an event shows one round");
        let said = |pick: &Pick| {
            let cell = mosaic_geo::Cell::from_raw(pick.cell).unwrap().parent(Resolution::R6).unwrap().raw();
            (pick.source, pick.ttl.hours(), pick.class, cell)
        };
        let ttls: BTreeSet<u8> = picks.iter().map(|pick| pick.ttl.hours()).collect();
        assert_eq!(ttls.len(), 1, "one time to live");
        let (events, all) = seen.entry(picks[0].source.round()).or_default();
        *events += 1;
        all.extend(picks.iter().map(said));
        releaser.mark_written(occasion.slate(), picks.iter().map(|pick| pick.source));
    }
    let own: Vec<_> = seen.iter().filter(|(id, _)| matches!(id, RoundId::Own(_))).collect();
    assert!(own.len() >= 25 && own.iter().any(|(_, (events, _))| *events > 30), "{}", own.len());
    for (id, (events, all)) in &seen {
        assert_eq!(all.len(), SLOTS, "{id:?}: ten things said in {events} events");
    }
}

/// In a village all ten cannot always be told apart at every resolution; events are full all the same, and what can
/// stay the same does. Seed 44, one café.
#[test]
fn a_village_fills_its_events() {
    let start = Window(245_000).start();
    let mut releaser = Releaser::new([44; 32], cafes(1, 1.0), ReleaserState::default());
    let cell = releaser.cast.cells().next().unwrap();
    stand(&mut releaser, 1, start, Granularity::Fine, cell);
    for event in 0..120_usize {
        write(&mut releaser, start.after(Duration::from_mins(12 * event as u64)), ORDER[event % 5]);
    }
}

/// A wish that stands leaves: whatever nine others have to say is found room for, also where rows are few. A round that
/// finds fewer than ten is passed on without a word, so nobody would notice. In a village, and in a town over few cells of
/// resolution 6, both at night, when nearly everybody is at home; 50 devices each (seeds 60 to 109), four wishes of one
/// person, an open door for one window. With the sixteen turns that there once were, 6 and 15 of 100 lost a wish.
#[test]
fn every_wish_leaves_at_every_resolution_also_where_rows_are_few() {
    let start = Window(245_005).start();
    for (places, name) in [(cafes(1, 1.0), "village"), (cafes(400, 0.1), "town")] {
        for seed in 60..110 {
            let mut releaser = Releaser::new([seed; 32], Arc::clone(&places), ReleaserState::default());
            let cells: Vec<_> = releaser.cast.cells().collect();
            for number in 0..4 {
                let cell = cells[(usize::from(seed) * 7 + number / 2 * 31) % cells.len()];
                stand(&mut releaser, number as u64 * 5, start, Granularity::Fine, cell);
            }
            let events =
                (0..60_usize).map(|event| (start.after(Duration::from_mins(2 * event as u64)), ORDER[event % 5]));
            let mut left: BTreeMap<Source, BTreeSet<u8>> = BTreeMap::new();
            for (at, resolution) in events {
                let own = write(&mut releaser, at, resolution).into_iter().filter(is_own);
                for source in own {
                    left.entry(source).or_default().insert(resolution);
                }
            }
            let everywhere = left.values().filter(|resolutions| resolutions.len() == 3).count();
            assert_eq!(everywhere, 4, "{name}, seed {seed}: {left:?}");
        }
    }
}
