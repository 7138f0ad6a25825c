use mosaic_geo::{Category, Cell, Place, PlaceIndex, PlaceRef, PlaceTag, Resolution, distance_m, offset_m};
use mosaic_types::LatLng;

use crate::shared::shared;

/// An extract, what its README counts (relations included, which this reader leaves out), and what is found.
struct Extract {
    file: &'static str,
    objects: usize,
    relations: usize,
    named: usize,
    with_hours: usize,
    day: u64,
}

const EXTRACTS: [Extract; 4] = [
    Extract { file: "porto", objects: 5_106, relations: 41, named: 3_266, with_hours: 353, day: 18_463 },
    Extract { file: "manhattan-midtown", objects: 8_752, relations: 31, named: 5_369, with_hours: 2_114, day: 20_113 },
    Extract { file: "helsinki-centre", objects: 1_991, relations: 9, named: 1_429, with_hours: 629, day: 18_007 },
    Extract { file: "monaco", objects: 1_158, relations: 9, named: 583, with_hours: 110, day: 18_738 },
];

fn read(file: &str) -> Option<PlaceIndex> {
    Some(PlaceIndex::from_osm_pbf(&shared(&format!("osm-extracts/{file}.osm.pbf"))?).unwrap())
}

#[test]
fn every_node_and_way_with_a_place_tag_is_found() {
    for extract in EXTRACTS {
        let Some(index) = read(extract.file) else { return };
        assert_eq!(index.len() + extract.relations, extract.objects, "{}", extract.file);
        let named = index.all().iter().filter(|place| !place.name().is_empty()).count();
        let with_hours = index.all().iter().filter(|place| place.hours().is_some()).count();
        assert_eq!((named, with_hours), (extract.named, extract.with_hours), "{}", extract.file);
        let provenance = index.provenance();
        assert!(provenance.attribution.contains("OpenStreetMap") && provenance.attribution.contains("ODbL"));
        assert_eq!(provenance.as_of.map(|stamp| stamp.as_secs() / 86_400), Some(extract.day), "{}", extract.file);
    }
}

#[test]
fn writing_and_reading_an_index_changes_nothing() {
    for extract in EXTRACTS {
        let Some(index) = read(extract.file) else { return };
        let bytes = index.encode();
        let names: usize = index.all().iter().map(|place| place.name().len()).sum();
        let fixed = 64 * index.len() + 512;
        assert!(bytes.len() <= fixed + names, "{} bytes for {} places", bytes.len(), index.len());
        let again = PlaceIndex::decode(&bytes).unwrap();
        assert_eq!((again.all(), again.provenance()), (index.all(), index.provenance()));
        assert_eq!(again.encode(), bytes);
    }
}

#[test]
fn porto_has_what_porto_has() {
    let Some(index) = read("porto") else { return };
    let sao_bento = LatLng::new(41.1456, -8.6109).unwrap();
    let around = index.within(sao_bento, 500.0);
    let cafes = around.iter().filter(|(place, _)| place.kind.to_string() == "amenity=cafe").count();
    assert!(cafes > 20, "{cafes} cafés around the station");
    assert!(index.all().iter().any(|place| place.kind.tag() == PlaceTag::Shop && place.name().contains("Lello")));
    let venues = index.all().iter().filter(|place| place.kind.category().is_venue()).count();
    assert!(venues > 1_000 && index.all().iter().all(|place| place.kind.category() != Category::Home));
    let bounds = index.bounds().unwrap();
    assert!(bounds.south > 41.1 && bounds.north < 41.2 && bounds.west > -8.7 && bounds.east < -8.5);
}

#[test]
fn searches_equal_brute_force() {
    let Some(index) = read("manhattan-midtown") else { return };
    assert_searches_equal_brute_force(&index, LatLng::new(40.75, -73.985).unwrap());
}

/// The same around a pole and across the antimeridian, where degrees are no help.
#[test]
fn searches_equal_brute_force_at_the_corners_of_the_world() {
    let Some(porto) = read("helsinki-centre") else { return };
    let middle = porto.center().unwrap();
    for (lat, lng) in [(90.0, 0.0), (-90.0, 50.0), (10.0, 179.9999), (0.0, 0.0)] {
        let here = LatLng::new(lat, lng).unwrap();
        let moved = porto.all().iter().map(|place| {
            let (east, north) = mosaic_geo::displacement_m(middle, place.position);
            Place { position: offset_m(here, east, north), ..place.to_place() }
        });
        let index = PlaceIndex::from_places(moved.collect(), porto.provenance().clone());
        assert_eq!(PlaceIndex::decode(&index.encode()).unwrap().all(), index.all());
        assert_searches_equal_brute_force(&index, here);
    }
}

fn assert_searches_equal_brute_force(index: &PlaceIndex, middle: LatLng) {
    for (east, north) in [(0.0, 0.0), (150.0, -80.0), (-700.0, 400.0), (30_000.0, 5_000.0), (9e6, 1e6)] {
        let from = offset_m(middle, east, north);
        let mut metres: Vec<f64> = index.all().iter().map(|place| distance_m(from, place.position)).collect();
        metres.sort_by(f64::total_cmp);
        let found = |list: Vec<(PlaceRef<'_>, f64)>| list.into_iter().map(|(_, metres)| metres).collect::<Vec<f64>>();
        assert_eq!(found(index.nearest(from, 25)), metres[..25]);
        for radius in [0.0, 120.0, 900.0] {
            let near: Vec<f64> = metres.iter().copied().filter(|&metres| metres <= radius).collect();
            assert_eq!(found(index.within(from, radius)), near);
        }
    }
    assert!(index.nearest(middle, 0).is_empty());
    assert_eq!(index.nearest(middle, usize::MAX).len(), index.len());
}

/// L3-33: the lookup by cell equals asking every place for its cell.
#[test]
fn cells_hold_their_places() {
    let Some(index) = read("monaco") else { return };
    for resolution in Resolution::ALL {
        let cells = index.cells(resolution);
        assert!(cells.is_sorted_by_key(|(cell, _)| *cell));
        assert_eq!(cells.iter().map(|&(_, count)| count as usize).sum::<usize>(), index.len());
        assert!(cells.iter().all(|&(cell, count)| index.in_cell(cell).len() == count as usize));
    }
    for place in index.all().iter() {
        assert!(index.in_cell(Cell::at(place.position, Resolution::R9)).iter().any(|other| other == place));
    }
    let elsewhere = Cell::at(LatLng::new(0.0, 0.0).unwrap(), Resolution::R7);
    assert!(index.in_cell(elsewhere).is_empty());
}
