use std::{sync::Arc, time::Duration};

use mosaic_geo::{Place, PlaceIndex, PlaceKind, PlaceTag, Provenance};
use mosaic_obfuscate::{Granularity, Whereabouts};
use mosaic_types::{LatLng, Mode, Period, TileId, Window};
use mosaic_wire::{Groups, LaneShape};

use super::*;
use crate::{BroadcastId, ReleaserState};

/// The resolutions of discovery events, in their public order (DESIGN section 4).
const ORDER: [u8; 5] = [8, 7, 8, 6, 8];

/// 400 cafés over some 50 km, so that rows seldom meet.
fn region() -> Arc<PlaceIndex> {
    let place = |number: i32| Place {
        position: LatLng::new(41.0 + f64::from(number % 20) * 0.023, -8.6 + f64::from(number / 20) * 0.03).unwrap(),
        kind: PlaceKind::new(PlaceTag::Amenity, "cafe"),
        name: String::new(),
        hours: None,
    };
    Arc::new(PlaceIndex::from_places((0..400).map(place).collect(), Provenance::new("test", None)))
}

fn table(period: Period) -> TableDescriptor {
    let lane = LaneShape { rows: 1 << 14, capacity: 64 };
    TableDescriptor {
        tile: TileId(1),
        period,
        valid_from: period.start(),
        threshold: 2,
        public_key: [0; 32],
        shares: Vec::new(),
        transcript: [0; 32],
        discovery: lane,
        rendezvous: lane,
        generation_s: [5, 60, 600],
        groups: Groups::DEFAULT,
    }
}

/// Chooses what an event would carry and marks it as written, without sealing.
fn write(releaser: &mut Releaser, at: Timestamp, resolution: u8) -> Vec<Source> {
    let table = table(at.period());
    let occasion = Occasion::new(at, resolution, &table).unwrap();
    let picks = releaser.picks(occasion, &[], &BTreeSet::new()).unwrap();
    let rows: BTreeSet<_> = picks.iter().map(|pick| pick.row).collect();
    assert_eq!((picks.len(), rows.len()), (SLOTS, SLOTS));
    let sources: Vec<Source> = picks.iter().map(|pick| pick.source).collect();
    releaser.mark_written(occasion.slate(), sources.iter().copied());
    sources
}

fn is_own(source: &Source) -> bool {
    matches!(source, Source::Broadcast(_))
}

fn broadcast(number: u64, created: Timestamp, granularity: Granularity, cell: mosaic_geo::Cell) -> Broadcast {
    Broadcast {
        id: BroadcastId(number),
        class: ClassId::new((number % 16) as u8).unwrap(),
        topics: vec![TopicId(1)],
        text: "tea".to_owned(),
        cell,
        granularity,
        created,
        mode: Mode::Balanced,
        ttl_hours: 168,
        requested_thousandths: 500,
    }
}

/// Nothing is written twice for one window and resolution, whoever's it is: balanced mode for a day, then two hours of
/// an open door, which needs the most decoys. Seed 41, five broadcasts standing.
#[test]
fn no_bundle_repeats_for_one_window_and_resolution() {
    let start = Window(245_000).start();
    let mut releaser = Releaser::new([41; 32], region(), ReleaserState::default());
    let cell = releaser.cast.cells().next().unwrap();
    for number in 1..=5 {
        let kind = if number == 3 { Granularity::Zone } else { Granularity::Fine };
        releaser.state.broadcasts.insert(BroadcastId(number), broadcast(number, start, kind, cell));
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

/// How one wish turned up: the event of its first window in which it was first seen, the event of the next window,
/// and how often it was written in that one.
struct Appearance {
    first: usize,
    then: Option<usize>,
    writes: usize,
}

/// Lives half a week of one device, whose person wishes as the first persona of a stranger's device does, and tells
/// how each wish that began meanwhile turned up: the person's, and those of the personas' first lists.
fn half_a_week(seed: u8, places: &Arc<PlaceIndex>, own: &mut Vec<Appearance>, personas: &mut Vec<Appearance>) {
    const EVENTS: u64 = 420;
    let start = Window(245_000 + 42 * u32::from(seed)).start();
    let at = |event| start.after(Duration::from_mins(12 * event));
    let mut releaser = Releaser::new([seed; 32], Arc::clone(places), ReleaserState::default());
    let stranger = Cast::new(&[seed + 100; 32], places, &Whereabouts::default());
    let cells: Vec<_> = releaser.cast.cells().collect();
    let mut names: Vec<_> = Vec::new();
    let mut begins: BTreeMap<Source, Timestamp> = BTreeMap::new();
    let mut log: BTreeMap<Source, Vec<u64>> = BTreeMap::new();
    for event in 0..EVENTS {
        let now = at(event);
        releaser.state.broadcasts.clear();
        for wish in stranger.standing(0, 0, now) {
            let name = names.iter().position(|known| *known == wish.id).unwrap_or_else(|| {
                names.push(wish.id);
                names.len() - 1
            });
            let cell = cells[(name * 37 + usize::from(seed) * 11) % cells.len()];
            let own = broadcast(name as u64, wish.life.since(), wish.granularity, cell);
            begins.insert(Source::Broadcast(own.id), own.created);
            releaser.state.broadcasts.insert(own.id, own);
        }
        for persona in 0..Cast::MEMBERS {
            let wishes = releaser.cast.standing(persona, 0, now).into_iter();
            begins.extend(wishes.map(|wish| (Source::Persona { persona, wish: wish.id }, wish.life.since())));
        }
        for source in write(&mut releaser, now, ORDER[event as usize % 5]) {
            log.entry(source).or_default().push(event);
        }
    }
    for (source, events) in log {
        if begins.get(&source).is_none_or(|begin| *begin < start) {
            continue;
        }
        let window = |event: u64| event / 10;
        let next = window(events[0]) + 1;
        let then: Vec<u64> = events.iter().copied().filter(|event| window(*event) == next).collect();
        let appearance = Appearance {
            first: (events[0] % 10) as usize,
            then: then.first().map(|event| (event % 10) as usize),
            writes: then.len(),
        };
        if is_own(&source) { own.push(appearance) } else { personas.push(appearance) }
    }
}

/// Two-sample chi-square over `bins`, and its degrees of freedom: bins that nobody fell into do not count.
fn chi_square(one: &[usize], other: &[usize], bins: usize) -> (f64, usize) {
    let count = |sample: &[usize], bin| sample.iter().filter(|value| **value == bin).count() as f64;
    let (n, m) = (one.len() as f64, other.len() as f64);
    let terms = (0..bins).map(|bin| (count(one, bin), count(other, bin))).filter(|(a, b)| a + b > 0.0);
    let terms: Vec<f64> = terms.map(|(a, b)| ((m / n).sqrt() * a - (n / m).sqrt() * b).powi(2) / (a + b)).collect();
    (terms.iter().sum(), terms.len() - 1)
}

/// Where a bundle turns up in a window tells nothing about whose it is: the person's and the personas' first lists have
/// one law. Seeds 0 to 27, half a week each, about 90 wishes of persons and 800 of personas that began meanwhile;
/// two-sample chi-square of the event in which a wish was first seen, of the event in the next window, and of the writes
/// in that window, each at level 0.001 (27.9 for 9 degrees of freedom).
#[test]
fn persons_and_personas_turn_up_alike() {
    let places = region();
    let (mut own, mut personas) = (Vec::new(), Vec::new());
    (0..28).for_each(|seed| half_a_week(seed, &places, &mut own, &mut personas));
    assert!(own.len() > 60 && personas.len() > 500, "{} {}", own.len(), personas.len());
    let compare = |what: fn(&Appearance) -> Option<usize>, bins, critical: &[f64]| {
        let sample = |of: &[Appearance]| of.iter().filter_map(what).collect::<Vec<_>>();
        let (statistic, freedom) = chi_square(&sample(&own), &sample(&personas), bins);
        assert!(statistic < critical[freedom], "{statistic} with {freedom} degrees of freedom");
    };
    let critical = [0.1, 10.8, 13.8, 16.3, 18.5, 20.5, 22.5, 24.3, 26.1, 27.9];
    compare(|seen| Some(seen.first), 10, &critical);
    compare(|seen| seen.then, 10, &critical);
    compare(|seen| Some(seen.writes), 10, &critical);
    let mid_window = personas.iter().filter(|seen| seen.first >= 2).count();
    assert!(mid_window * 2 > personas.len(), "personas too turn up in the middle of a window");
}
