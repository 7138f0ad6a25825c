//! Tiles are read back by a decoder of the tests' own, written from the specification (version 2.1).

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{city_center, synthetic_city};

/// A feature as a reader has it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Feature {
    kind: u64,
    points: Vec<(i64, i64)>,
    tags: BTreeMap<String, String>,
}

/// Fields of a message: number, and a number or bytes.
fn fields(mut bytes: &[u8]) -> Vec<(u64, u64, &[u8])> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        match tag & 7 {
            0 => found.push((tag >> 3, varint(&mut bytes), &bytes[..0])),
            2 => {
                let length = usize::try_from(varint(&mut bytes)).unwrap();
                let (content, rest) = bytes.split_at(length);
                found.push((tag >> 3, 0, content));
                bytes = rest;
            }
            other => panic!("wire type {other}"),
        }
    }
    found
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(byte & 127) << shift;
        if byte & 128 == 0 {
            return value;
        }
    }
    panic!("a number without an end")
}

fn numbers(mut bytes: &[u8]) -> Vec<u64> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        all.push(varint(&mut bytes));
    }
    all
}

/// Positions of a geometry's commands (section 4.3).
fn points(geometry: &[u64]) -> Vec<(i64, i64)> {
    let signed = |value: u64| i64::try_from(value >> 1).unwrap() ^ -i64::try_from(value & 1).unwrap();
    let (mut at, mut all, mut left) = ((0, 0), Vec::new(), geometry.iter());
    while let Some(command) = left.next() {
        for _ in 0..if command & 7 == 7 { 0 } else { command >> 3 } {
            at.0 += signed(*left.next().unwrap());
            at.1 += signed(*left.next().unwrap());
            all.push(at);
        }
    }
    all
}

/// Layers by their names.
fn decode(tile: &[u8]) -> BTreeMap<String, Vec<Feature>> {
    let layers = fields(tile).into_iter().map(|(number, _, layer)| {
        assert_eq!(number, 3);
        let layer = fields(layer);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let all = |wanted: u64| layer.iter().filter(move |(number, ..)| *number == wanted);
        assert!(all(15).all(|(_, version, _)| *version == 2) && all(5).all(|(_, extent, _)| *extent == 4_096));
        let keys: Vec<_> = all(3).map(|(.., key)| text(key)).collect();
        let values: Vec<_> = all(4).map(|(.., value)| text(fields(value)[0].2)).collect();
        let features = all(2).map(|(.., feature)| {
            let mut read = Feature::default();
            for (number, value, content) in fields(feature) {
                match number {
                    2 => {
                        let pairs = numbers(content);
                        let name = |index: u64| usize::try_from(index).unwrap();
                        read.tags = pairs
                            .chunks(2)
                            .map(|pair| (keys[name(pair[0])].clone(), values[name(pair[1])].clone()))
                            .collect();
                    }
                    3 => read.kind = value,
                    4 => read.points = points(&numbers(content)),
                    _ => {}
                }
            }
            read
        });
        (text(all(1).next().unwrap().2), features.collect())
    });
    layers.collect()
}

fn tile_of(position: LatLng, z: u8) -> TileAddress {
    let tiles = f64::from(1_u32 << z);
    let number = |share: f64| (share * tiles).floor() as u32;
    TileAddress::new(z.into(), number(mercator_x(position.lng())), number(mercator_y(position.lat()))).unwrap()
}

#[test]
fn addresses_have_bounds() {
    for (z, x, y) in [(0, 0, 0), (1, 1, 1), (16, 65_535, 65_535)] {
        assert!(TileAddress::new(z, x, y).is_ok(), "{z}/{x}/{y}");
    }
    for (z, x, y) in [(0, 1, 0), (0, 0, 1), (1, 2, 0), (16, 65_536, 0), (17, 0, 0), (300, 0, 0), (u32::MAX, 0, 0)] {
        assert_eq!(TileAddress::new(z, x, y), Err(NoTile), "{z}/{x}/{y}");
    }
}

/// The worked example of the OpenStreetMap wiki ("Slippy map tilenames"): Tokyo's Shibuya at zoom 18 is 232798/103246, so
/// at 16 it is a fourth of that.
#[test]
fn the_grid_is_the_usual_one() {
    let shibuya = LatLng::new(35.6590699, 139.7006793).unwrap();
    assert_eq!(tile_of(shibuya, 16), TileAddress::new(16, 232_798 / 4, 103_246 / 4).unwrap());
}

/// At the finest zoom every place of the city stands in exactly one tile, where it is and as what it is.
#[test]
fn places_are_drawn_where_they_are() {
    let index = synthetic_city(1);
    let place = index.nearest_where(city_center(), 1, |place| !place.name().is_empty()).remove(0).0;
    let address = tile_of(place.position, TileAddress::FINEST);
    let drawn = decode(&draw(address, &index, &[]).unwrap());
    let (x, y) = address.project(place.position);
    let found =
        drawn["places"].iter().find(|feature| feature.tags.get("name").is_some_and(|name| name == place.name()));
    let found = found.unwrap_or_else(|| panic!("{} is not drawn", place.name()));
    assert_eq!((found.kind, &found.points[..]), (1, &[(x.floor() as i64, y.floor() as i64)][..]));
    assert_eq!(found.tags["type"], place.kind.category().name());
    assert_eq!(found.tags["kind"], place.kind.to_string());
}

/// One place a square at most, and a tile of the whole world is small.
#[test]
fn close_places_are_thinned_out() {
    let index = synthetic_city(1);
    for z in [0, 5, 11, 12, 14] {
        let tile = draw(tile_of(city_center(), z), &index, &[]).unwrap();
        let places = &decode(&tile)["places"];
        assert!((1..=4_096).contains(&places.len()), "{} places at zoom {z}", places.len());
        assert!(
            places
                .iter()
                .flat_map(|place| &place.points)
                .all(|(x, y)| (0..4_096).contains(x) && (0..4_096).contains(y))
        );
    }
    let nowhere = decode(&draw(TileAddress::new(14, 0, 0).unwrap(), &index, &[]).unwrap());
    assert!(nowhere["places"].is_empty());
}

proptest! {
    /// A released cell is drawn as its corners, in every tile that it touches and in no other; its inside is on the right
    /// of its ring, as the specification has outer rings. Antimeridian and high latitudes included.
    #[test]
    fn cells_are_drawn_as_their_corners(lat in -80.0..80.0_f64, lng in -180.0..180.0_f64, z in 3_u8..=16) {
        let position = LatLng::new(lat, lng).unwrap();
        let cell = Cell::at(position, Resolution::R7);
        let patch = Patch { kind: "card", id: "x".to_owned(), cell };
        let index = PlaceIndex::from_places(Vec::new(), crate::Provenance::new("none", None));
        let drawn = decode(&draw(tile_of(position, z), &index, std::slice::from_ref(&patch)).unwrap());
        let [feature] = &drawn["cells"][..] else { return Err(TestCaseError::fail("not drawn once")) };
        prop_assert_eq!(&feature.tags["id"], "x");
        let ring = &feature.points;
        if ring.len() > 2 {
            let pairs = ring.iter().zip(ring.iter().cycle().skip(1));
            let area: i64 = pairs.map(|((ax, ay), (bx, by))| ax * by - bx * ay).sum();
            prop_assert!(area >= 0, "{:?}", ring);
            let width = 3.0 * 4_096.0 * f64::from(1_u32 << z) / 4_096.0;
            prop_assert!(ring.iter().all(|(x, _)| (*x as f64).abs() < 4_096.0 * width.max(2.0)));
        }
        let opposite = tile_of(LatLng::new(-lat, if lng > 0.0 { lng - 180.0 } else { lng + 179.9 }).unwrap(), z);
        prop_assert!(decode(&draw(opposite, &index, &[patch]).unwrap())["cells"].is_empty());
    }
}
