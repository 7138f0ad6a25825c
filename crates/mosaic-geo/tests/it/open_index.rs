//! The open index beside looking at everybody.

use std::collections::BTreeSet;

use mosaic_geo::{EARTH_RADIUS_M, EmptyWindow, Entry, InvalidSide, Near, OpenIndex, distance_m, offset_m};
use mosaic_types::{LatLng, Timestamp};
use proptest::prelude::*;

fn at(lat: f64, lng: f64) -> LatLng {
    LatLng::new(lat, lng).unwrap()
}

fn time(seconds: u64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

fn entry(id: u64, position: LatLng) -> Entry {
    Entry { id, position, from: time(0), until: time(100) }
}

fn filled(side_m: f64, entries: &[Entry]) -> OpenIndex {
    let mut index = OpenIndex::new(side_m).unwrap();
    entries.iter().for_each(|entry| index.insert(*entry).unwrap());
    index
}

/// Chords and haversines round differently: a millimetre, near an antipode ten metres.
fn unsure(metres: f64) -> f64 {
    if metres > 0.999 * EARTH_RADIUS_M * std::f64::consts::PI { 10.0 } else { 1e-3 }
}

/// Asks both questions and looks at everybody.
fn assert_equals_brute_force(entries: &[Entry], side_m: f64, from: LatLng, reach_m: f64, now: Timestamp, most: usize) {
    let index = filled(side_m, entries);
    let here = entries.iter().filter(|entry| entry.from <= now && now < entry.until);
    let mut all: Vec<(f64, u64)> = here.map(|entry| (distance_m(from, entry.position), entry.id)).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let sure = all.iter().filter(|(metres, _)| *metres < reach_m - unsure(*metres)).count();
    let possible = all.iter().filter(|(metres, _)| *metres <= reach_m + unsure(*metres)).count();

    let mut found = vec![Near { id: 77_777, metres: 0.0 }];
    index.nearest(from, reach_m, now, most, &mut found);
    assert!((sure.min(most)..=possible.min(most)).contains(&found.len()), "{} of {sure}..={possible}", found.len());
    assert!(found.is_sorted_by(|a, b| a.metres <= b.metres));
    for (near, (metres, _)) in found.iter().zip(&all) {
        assert!((near.metres - metres).abs() <= 2.0 * unsure(*metres), "{near:?} is not the one at {metres} m");
    }

    index.any(from, reach_m, now, most, &mut found);
    assert!((sure.min(most)..=possible.min(most)).contains(&found.len()), "{} of {sure}..={possible}", found.len());
    let distinct: BTreeSet<u64> = found.iter().map(|near| near.id).collect();
    assert_eq!(distinct.len(), found.len(), "nobody is found twice");
    for near in &found {
        let truth = all.iter().find(|(_, id)| *id == near.id).expect("it is here now");
        assert!((near.metres - truth.0).abs() <= 2.0 * unsure(truth.0) && truth.0 <= reach_m + unsure(truth.0));
    }
}

/// Poles, both sides of the antimeridian, the equator and ordinary places.
fn corners_of_the_world() -> impl Strategy<Value = LatLng> {
    let corners =
        [(90.0, 0.0), (-90.0, 77.0), (89.999, 179.99), (-17.8, 180.0), (-17.8, -179.999), (0.0, 0.0), (41.15, -8.62)];
    let anywhere = (-1.0_f64..=1.0, -180.0_f64..=180.0).prop_map(|(sine, lng)| at(sine.asin().to_degrees(), lng));
    prop_oneof![prop::sample::select(corners.to_vec()).prop_map(|(lat, lng)| at(lat, lng)), anywhere]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// People around a place, at all distances from centimetres to the far side of the Earth.
    #[test]
    fn both_questions_equal_looking_at_everybody(
        middle in corners_of_the_world(),
        people in prop::collection::vec((0.0_f64..7.0, 0.0_f64..1.0, 0_u64..60, 1_u64..60), 0..120),
        spread in 0.0_f64..7.3, reach in 0.0_f64..7.4, away in 0.0_f64..1.0, side in 1.0_f64..5.0, most in 0_usize..60, now in 0_u64..120,
    ) {
        let spread_m = 10_f64.powf(spread);
        let place = |id: usize, (angle, share, from, length): (f64, f64, u64, u64)| {
            let metres = spread_m * share;
            let position = offset_m(middle, metres * angle.cos(), metres * angle.sin());
            Entry { id: id as u64, position, from: time(from), until: time(from + length) }
        };
        let entries: Vec<Entry> = people.into_iter().enumerate().map(|(id, person)| place(id, person)).collect();
        let from = offset_m(middle, spread_m * away, 0.0);
        // wide circles over small squares are many squares, and no other question
        let reach_m = 10_f64.powf(reach);
        let side_m = 10_f64.powf(side).max(reach_m / 300.0).min(100_000.0);
        assert_equals_brute_force(&entries, side_m, from, reach_m, time(now), most);
    }
}

#[test]
fn half_the_circumference_is_everybody() {
    let entries = [entry(1, at(-41.15, 171.38)), entry(2, at(90.0, 0.0)), entry(3, at(41.15, -8.62))];
    let index = filled(50_000.0, &entries);
    let mut found = Vec::new();
    index.nearest(at(41.15, -8.62), f64::INFINITY, time(1), 10, &mut found);
    assert_eq!(found.iter().map(|near| near.id).collect::<Vec<_>>(), [3, 2, 1]);
}

#[test]
fn no_reach_finds_nobody_else_and_a_bad_one_nobody() {
    let index = filled(100.0, &[entry(1, at(1.0, 2.0)), entry(2, at(1.0, 2.1))]);
    let mut found = Vec::new();
    for (reach, count) in [(0.0, 1), (-1.0, 0), (f64::NAN, 0)] {
        index.nearest(at(1.0, 2.0), reach, time(1), 10, &mut found);
        assert_eq!(found.len(), count, "{reach}");
        index.any(at(1.0, 2.0), reach, time(1), 10, &mut found);
        assert_eq!(found.len(), count, "{reach}");
    }
}

#[test]
fn entries_begin_end_move_and_go() {
    let here = at(41.15, -8.62);
    let mut index = OpenIndex::new(100.0).unwrap();
    let ids = |index: &OpenIndex, now: u64| {
        let mut found = Vec::new();
        index.nearest(here, 500.0, time(now), 10, &mut found);
        found.into_iter().map(|near| near.id).collect::<Vec<_>>()
    };
    for (id, from, until) in [(1, 10, 20), (2, 15, 30), (3, 0, 15)] {
        index.insert(Entry { id, position: here, from: time(from), until: time(until) }).unwrap();
    }
    assert_eq!(
        [ids(&index, 9), ids(&index, 10), ids(&index, 15), ids(&index, 20)],
        [vec![3], vec![1, 3], vec![1, 2], vec![2]]
    );
    assert_eq!((index.expire(time(15)), index.len()), (1, 2));
    assert_eq!((index.expire(time(15)), ids(&index, 16)), (0, vec![1, 2]));

    // the same name again: moved away, and for longer
    index.insert(Entry { id: 1, position: at(0.0, 180.0), from: time(0), until: time(90) }).unwrap();
    assert_eq!((index.len(), ids(&index, 16)), (2, vec![2]));
    assert_eq!(index.get(1).map(|entry| entry.until), Some(time(90)));
    assert_eq!((index.expire(time(30)), index.len()), (1, 1));
    assert!(index.remove(1) && !index.remove(1) && index.is_empty());

    let never = Entry { id: 4, position: here, from: time(5), until: time(5) };
    assert_eq!((index.insert(never), index.len()), (Err(EmptyWindow), 0));
    assert_eq!(OpenIndex::new(1.0).err(), Some(InvalidSide));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes and goes, the index holds what a plain list holds.
    #[test]
    fn coming_and_going_leaves_what_a_list_leaves(
        steps in prop::collection::vec((0_u8..4, 0_u64..12, -300.0_f64..300.0, -300.0_f64..300.0, 1_u64..50), 0..200),
    ) {
        let middle = at(-17.8, 179.999_5);
        let (mut index, mut list, mut now) = (OpenIndex::new(50.0).unwrap(), Vec::<Entry>::new(), 0);
        for (kind, id, east, north, length) in steps {
            match kind {
                0 => {
                    prop_assert_eq!(index.remove(id), list.iter().any(|entry| entry.id == id));
                    list.retain(|entry| entry.id != id);
                }
                1 => {
                    now += length / 10;
                    let ended = list.iter().filter(|entry| entry.until <= time(now)).count();
                    prop_assert_eq!(index.expire(time(now)), ended);
                    list.retain(|entry| entry.until > time(now));
                }
                _ => {
                    let entry = Entry { id, position: offset_m(middle, east, north), from: time(now), until: time(now + length) };
                    index.insert(entry).unwrap();
                    list.retain(|other| other.id != id);
                    list.push(entry);
                }
            }
            prop_assert_eq!(index.len(), list.len());
        }
        let mut found = Vec::new();
        index.any(middle, 1_000.0, time(now), 100, &mut found);
        let found: BTreeSet<u64> = found.iter().map(|near| near.id).collect();
        let held: BTreeSet<u64> = list.iter().filter(|entry| entry.until > time(now)).map(|entry| entry.id).collect();
        prop_assert_eq!(found, held);
    }
}
