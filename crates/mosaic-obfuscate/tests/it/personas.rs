use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mosaic_geo::{Cell, Place, PlaceIndex, PlaceKind, PlaceTag, Provenance, Resolution};
use mosaic_obfuscate::{Cast, Vocabulary};
use mosaic_types::{LatLng, Window};

/// 400 cafés on a grid of about 5 km around the origin of the test.
fn town() -> Arc<PlaceIndex> {
    let place = |number: i32| Place {
        position: LatLng::new(41.15 + f64::from(number % 20) * 0.0023, -8.62 + f64::from(number / 20) * 0.003).unwrap(),
        kind: PlaceKind::new(PlaceTag::Amenity, "cafe"),
        name: String::new(),
        hours: None,
    };
    Arc::new(PlaceIndex::from_places((0..400).map(place).collect(), Provenance::new("test", None)))
}

#[test]
fn personas_are_the_same_people_always() {
    let (one, two) = (Cast::new(&[1; 32], &town()), Cast::new(&[1; 32], &town()));
    let other = Cast::new(&[2; 32], &town());
    let all =
        |cast: &Cast| -> Vec<_> { (0..9).map(|persona| cast.bundle(persona, 3, Window(240_000)).unwrap()).collect() };
    assert_eq!(all(&one), all(&two));
    assert_ne!(all(&one), all(&other));
    assert!(one.bundle(9, 0, Window(1)).is_none());
}

#[test]
fn bundles_look_like_a_persons() {
    let cast = Cast::new(&[3; 32], &town());
    let vocabulary = Vocabulary::builtin();
    for (persona, index, window) in
        (0..9).flat_map(|p| (0..20).flat_map(move |i| (0..6).map(move |w| (p, i, w * 5 + 240_000))))
    {
        let bundle = cast.bundle(persona, index, Window(window)).unwrap();
        assert!((1..=41).contains(&bundle.text.len()), "{:?}", bundle.text);
        assert!((1..=4).contains(&bundle.topics.len()));
        assert!(bundle.topics.iter().all(|topic| vocabulary.topic(*topic).unwrap().class == bundle.class));
        assert_eq!(bundle.cell.resolution(), Resolution::R8);
        assert!(cast.cells().any(|cell| cell == bundle.cell));
    }
}

#[test]
fn a_wish_stands_for_a_while_and_then_another_comes() {
    let cast = Cast::new(&[4; 32], &town());
    let mut kept = 0;
    let mut changed = 0;
    for persona in 0..9 {
        for window in 240_000..240_100 {
            let pair = [window, window + 1].map(|window| cast.bundle(persona, 0, Window(window)));
            if pair[0] == pair[1] { kept += 1 } else { changed += 1 }
        }
    }
    assert!(kept > changed && changed > 0, "kept {kept}, changed {changed}");
}

/// Every key a person may have must be possible for a decoy: every class in every occupied cell. Seed 5, 9
/// personas × 6,000 bundles; the uniform fifth alone gives each of the 16 × 64-odd keys about 10 expected hits,
/// so one stays away with probability below 5 % in all.
#[test]
fn every_class_and_cell_and_topic_occurs() {
    let cast = Cast::new(&[5; 32], &town());
    let (mut keys, mut topics): (BTreeSet<(u8, Cell)>, BTreeSet<u16>) = (BTreeSet::new(), BTreeSet::new());
    for persona in 0..9 {
        for number in 0..6_000 {
            let bundle = cast.bundle(persona, number, Window(240_000)).unwrap();
            keys.insert((bundle.class.get(), bundle.cell));
            topics.extend(bundle.topics.iter().map(|topic| topic.0));
        }
    }
    assert_eq!(keys.len(), 16 * cast.cells().len());
    assert_eq!(topics.len(), Vocabulary::builtin().topics().len());
}

#[test]
fn a_region_of_one_cell_is_widened_until_rows_can_differ() {
    let place = town().all()[0].clone();
    let hamlet = Arc::new(PlaceIndex::from_places(vec![place], Provenance::new("test", None)));
    let cast = Cast::new(&[6; 32], &hamlet);
    assert!(cast.cells().len() >= 64);
    let groups = BTreeMap::from([(Resolution::R8, 1), (Resolution::R7, 4), (Resolution::R6, 16)]);
    for (resolution, groups) in groups {
        let rows: BTreeSet<(Cell, u8)> = (0..9)
            .flat_map(|persona| (0..40).map(move |index| (persona, index)))
            .filter_map(|(persona, index)| cast.bundle(persona, index, Window(9)))
            .map(|bundle| (bundle.cell.parent(resolution).unwrap(), bundle.class.get() % groups))
            .collect();
        assert!(rows.len() >= 20, "{resolution}: {}", rows.len());
    }
}

#[test]
fn without_places_there_are_no_bundles() {
    let nowhere = Arc::new(PlaceIndex::from_places(Vec::new(), Provenance::new("test", None)));
    assert!(Cast::new(&[7; 32], &nowhere).bundle(0, 0, Window(0)).is_none());
}
