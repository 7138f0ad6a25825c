//! The index against brute force everywhere on the globe, and its file against damage.

use mosaic_geo::{
    Cell, Place, PlaceIndex, PlaceKind, PlaceRef, PlaceTag, Provenance, Resolution, distance_m,
    places::DecodePlacesError, synthetic_city,
};
use mosaic_types::{LatLng, Timestamp};
use proptest::prelude::*;

fn at(lat: f64, lng: f64) -> LatLng {
    LatLng::new(lat, lng).unwrap()
}

/// Positions that are awkward in degrees (around the poles and the antimeridian), crowded, or anywhere.
fn position() -> impl Strategy<Value = LatLng> {
    let anywhere = (-90.0_f64..=90.0, -180.0_f64..=180.0);
    let pole = (89.99_f64..=90.0, -180.0_f64..=180.0);
    let antimeridian = (-1.0_f64..=1.0, prop_oneof![179.9_f64..=180.0, -180.0_f64..=-179.9]);
    let town = (41.14_f64..=41.16, -8.63_f64..=-8.60);
    prop_oneof![anywhere, pole.clone(), pole.prop_map(|(lat, lng)| (-lat, lng)), antimeridian, town]
        .prop_map(|(lat, lng)| at(lat, lng))
}

fn place() -> impl Strategy<Value = Place> {
    let kind = prop::sample::select(vec!["cafe", "bar", "bench"]);
    let hours = prop::option::of(prop::sample::select(vec!["24/7", "Mo-Fr 08:00-18:00"]));
    (position(), kind, "[a-zé]{0,4}", hours).prop_map(|(position, kind, name, hours)| Place {
        position,
        kind: PlaceKind::new(PlaceTag::Amenity, kind),
        name,
        hours: hours.map(str::to_owned),
    })
}

fn index(places: Vec<Place>) -> PlaceIndex {
    PlaceIndex::from_places(places, Provenance::new("made for tests", Some(Timestamp::from_secs(1_595_203_200))))
}

/// All places with their distance, nearest first, among equals in the order of the index.
fn by_distance(index: &PlaceIndex, from: LatLng) -> Vec<(u32, f64)> {
    let mut all: Vec<(u32, f64)> =
        index.all().iter().map(|place| (place.number(), distance_m(from, place.position))).collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    all
}

fn numbered(found: Vec<(PlaceRef<'_>, f64)>) -> Vec<(u32, f64)> {
    found.into_iter().map(|(place, metres)| (place.number(), metres)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// L3-33: k-nearest, circles and rings equal brute force, ties included, wherever they are asked.
    #[test]
    fn searches_equal_brute_force_everywhere(
        places in prop::collection::vec(place(), 0..300),
        from in position(), k in 0_usize..40, reach in prop_oneof![0.0_f64..3_000.0, 0.0_f64..2.1e7],
    ) {
        let index = index(places);
        for from in index.all().iter().step_by(97).map(|place| place.position).chain([from]) {
            let all = by_distance(&index, from);
            prop_assert_eq!(&numbered(index.nearest(from, k))[..], &all[..k.min(all.len())]);
            let near: Vec<_> = all.iter().copied().filter(|(_, metres)| *metres <= reach).collect();
            prop_assert_eq!(numbered(index.within(from, reach)), near.clone());
            let ring: Vec<_> = near.into_iter().filter(|(_, metres)| *metres >= reach / 2.0).collect();
            prop_assert_eq!(numbered(index.in_ring(from, reach / 2.0, reach)), ring);
            let odd = |place: PlaceRef<'_>| place.number() % 2 == 1;
            let nearest_odd: Vec<_> = all.into_iter().filter(|(number, _)| number % 2 == 1).take(k).collect();
            prop_assert_eq!(numbered(index.nearest_where(from, k, odd)), nearest_odd);
        }
    }

    /// L3-33: the lookup by cell equals asking every place for its cell.
    #[test]
    fn cells_equal_brute_force(places in prop::collection::vec(place(), 1..200)) {
        let index = index(places);
        for resolution in Resolution::ALL {
            let cells = index.cells(resolution);
            prop_assert!(cells.is_sorted_by_key(|(cell, _)| *cell));
            for (cell, count) in cells {
                let inside = index.all().iter().filter(|place| place.cell().parent(resolution) == Some(cell));
                prop_assert!(index.in_cell(cell).iter().eq(inside));
                prop_assert_eq!(index.in_cell(cell).len(), count as usize);
            }
        }
    }

    /// Equal places give equal bytes, in whatever order; the file reads back to the same places.
    #[test]
    fn equal_places_give_equal_bytes(mut places in prop::collection::vec(place(), 0..60), turn in 0_usize..60) {
        let first = index(places.clone());
        let turn = turn % places.len().max(1);
        places.rotate_left(turn);
        let turned = index(places);
        prop_assert_eq!(turned.as_bytes(), first.as_bytes());
        let again = PlaceIndex::decode(first.as_bytes()).unwrap();
        prop_assert_eq!(again.all(), first.all());
        prop_assert_eq!(again.provenance(), first.provenance());
        prop_assert_eq!(again.encode(), first.encode());
    }
}

/// The statement is about every byte: none can be changed without being noticed, and none can be left out.
#[test]
fn every_byte_counts() {
    let good = index(vec![
        Place {
            position: at(41.15, -8.62),
            kind: PlaceKind::new(PlaceTag::Amenity, "cafe"),
            name: "Café".into(),
            hours: Some("24/7".into()),
        },
        Place {
            position: at(-89.0, 180.0),
            kind: PlaceKind::new(PlaceTag::Shop, "books"),
            name: String::new(),
            hours: None,
        },
    ]);
    let good = good.encode();
    for number in 0..good.len() {
        let mut damaged = good.clone();
        damaged[number] ^= 0x10;
        assert!(PlaceIndex::decode(&damaged).is_err(), "byte {number}");
        assert!(PlaceIndex::decode(&good[..number]).is_err(), "cut at {number}");
    }
    let longer = [&good[..], &[0]].concat();
    assert_eq!(PlaceIndex::decode(&longer).unwrap_err(), DecodePlacesError::Damaged);
}

/// A checksum that fits is no permission: whatever the bytes say, nothing panics and no answer is out of bounds.
#[test]
fn wrong_values_under_a_right_checksum_never_panic() {
    let good = synthetic_city(3).encode();
    let (mut refused, mut tried) = (0, 0);
    for number in (16..good.len()).step_by(211) {
        for flip in [0x01, 0x80, 0xFF] {
            let mut forged = good.clone();
            forged[number] ^= flip;
            let mut crc = flate2::Crc::new();
            crc.update(&forged[16..]);
            forged[12..16].copy_from_slice(&crc.sum().to_le_bytes());
            tried += 1;
            match PlaceIndex::decode(&forged) {
                Err(_) => refused += 1,
                Ok(index) => {
                    index.all().iter().for_each(|place| drop(place.to_place()));
                    let from = at(-45.0, 0.0);
                    assert_eq!(numbered(index.nearest(from, 9)), by_distance(&index, from)[..9]);
                    index
                        .cells(Resolution::R7)
                        .into_iter()
                        .for_each(|(cell, _)| assert!(index.in_cell(cell).len() <= index.len()));
                }
            }
        }
    }
    assert!(refused > tried / 10, "{refused} of {tried} were refused");
}

#[test]
fn an_index_without_places_answers_nothing() {
    let empty = index(Vec::new());
    assert_eq!(PlaceIndex::decode(empty.as_bytes()).unwrap().len(), 0);
    assert!(empty.nearest(at(0.0, 0.0), 3).is_empty() && empty.within(at(0.0, 0.0), 1e9).is_empty());
    assert!(empty.in_cell(Cell::at(at(0.0, 0.0), Resolution::R9)).is_empty() && empty.bounds().is_none());
    assert!(empty.all().first().is_none() && empty.get(0).is_none() && empty.cells(Resolution::R6).is_empty());
}

/// L3-34, L3-36: regions joined name every source, are as old as their oldest part, and keep what they share once.
#[test]
fn regions_join_into_one_index() {
    let city = synthetic_city(1);
    let cafe = |name: &str| Place {
        position: at(41.15, -8.62),
        kind: PlaceKind::new(PlaceTag::Amenity, "cafe"),
        name: name.into(),
        hours: None,
    };
    let dated =
        |places, secs| PlaceIndex::from_places(places, Provenance::openstreetmap(Some(Timestamp::from_secs(secs))));
    let (one, two) = (dated(vec![cafe("A"), cafe("B")], 2_000), dated(vec![cafe("B"), cafe("C")], 1_000));
    let joined = PlaceIndex::joined([&one, &city, &two]);
    assert_eq!(joined.len(), city.len() + 3);
    assert_eq!(joined.provenance().as_of, Some(Timestamp::from_secs(1_000)));
    let named = &joined.provenance().attribution;
    assert_eq!(named.matches("OpenStreetMap").count(), 1, "{named}");
    assert!(named.contains("Tessera") && named.contains("ODbL"));
    assert_eq!(PlaceIndex::joined([&two, &one, &city]).as_bytes(), joined.as_bytes());
}

/// L3-36: data is stale after a quarter; undated data is never called stale.
#[test]
fn data_older_than_a_quarter_is_overdue() {
    let taken = Timestamp::from_secs(1_595_203_200);
    let provenance = Provenance::openstreetmap(Some(taken));
    assert_eq!(provenance.overdue(taken.after(Provenance::FRESH_FOR)), None);
    let day = std::time::Duration::from_hours(24);
    assert_eq!(provenance.overdue(taken.after(Provenance::FRESH_FOR + day)), Some(day));
    assert_eq!(provenance.overdue(taken.before(day)), None, "a clock that is behind");
    assert_eq!(Provenance::openstreetmap(None).overdue(taken), None);
}

/// The most kinds there can be are told apart; beyond them the rarest lose their value and nothing else.
#[test]
fn more_kinds_than_numbers_lose_the_rarest_values() {
    let place = |number: u32| Place {
        position: at(f64::from(number % 1_000) / 100.0, f64::from(number / 1_000) / 100.0),
        kind: PlaceKind::new(PlaceTag::Shop, format!("kind {number}")),
        name: number.to_string(),
        hours: None,
    };
    let index = index((0..66_000).chain(0..1_000).map(place).collect());
    assert_eq!(index.len(), 67_000);
    let merged = index.all().iter().filter(|place| place.kind.value().is_empty());
    let (lost, total) =
        (merged.clone().count(), merged.filter(|place| place.name().parse::<u32>().unwrap() >= 1_000).count());
    assert_eq!((lost, total), (66_000 - (65_536 - 9), lost));
}
