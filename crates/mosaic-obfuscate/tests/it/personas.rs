use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use mosaic_geo::{Cell, Place, PlaceIndex, PlaceKind, PlaceTag, Provenance, Resolution};
use mosaic_obfuscate::{Cast, Granularity, PersonaBundle, Vocabulary, Whereabouts, Wish};
use mosaic_types::{LatLng, Timestamp};

const NOW: Timestamp = Timestamp::from_secs(1_763_748_000);

/// 400 cafés on a grid of about 5 km around the origin of the test.
fn cafes() -> Vec<Place> {
    let place = |number: i32| Place {
        position: LatLng::new(41.15 + f64::from(number % 20) * 0.0023, -8.62 + f64::from(number / 20) * 0.003).unwrap(),
        kind: PlaceKind::new(PlaceTag::Amenity, "cafe"),
        name: String::new(),
        hours: None,
    };
    (0..400).map(place).collect()
}

fn index(places: Vec<Place>) -> Arc<PlaceIndex> {
    Arc::new(PlaceIndex::from_places(places, Provenance::new("test", None)))
}

fn cast(seed: u8) -> Cast {
    Cast::new(&[seed; 32], &index(cafes()), &Whereabouts::default())
}

/// Everything that stands at `at` on the first `lists` lists of every persona.
fn standing(cast: &Cast, lists: u16, at: Timestamp) -> Vec<(u8, Wish, PersonaBundle)> {
    let all = (0..Cast::MEMBERS).flat_map(|persona| (0..lists).map(move |list| (persona, list)));
    all.flat_map(|(persona, list)| {
        let wishes = cast.standing(persona, list, at).into_iter();
        wishes.map(|wish| (persona, wish, cast.bundle(persona, &wish).unwrap())).collect::<Vec<_>>()
    })
    .collect()
}

#[test]
fn personas_are_the_same_people_always() {
    assert_eq!(standing(&cast(1), 3, NOW), standing(&cast(1), 3, NOW));
    assert_ne!(standing(&cast(1), 3, NOW), standing(&cast(2), 3, NOW));
    assert!(cast(1).standing(9, 0, NOW).is_empty());
}

/// A café opens, one closes: nobody moves who need not, and what stands stands on. Seed 8, cafés in 400 cells; a fifth
/// of the 800-odd wishes name any cell, so that one more cell changes about one in 2,000.
#[test]
fn personas_stay_when_the_index_changes() {
    let place = |number: i32| Place {
        position: LatLng::new(41.0 + f64::from(number % 20) * 0.023, -8.6 + f64::from(number / 20) * 0.03).unwrap(),
        ..cafes()[0].clone()
    };
    let mut places: Vec<Place> = (0..400).map(place).collect();
    let of = |places: &[Place], kept: &Whereabouts| Cast::new(&[8; 32], &index(places.to_vec()), kept);
    let before = of(&places, &Whereabouts::default());
    let home = before.whereabouts();
    let cells_named =
        |cast: &Cast| standing(cast, 60, NOW).into_iter().map(|(.., bundle)| bundle.cell).collect::<Vec<_>>();

    places.push(Place { position: LatLng::new(42.0, -8.62).unwrap(), ..cafes()[0].clone() });
    let after = of(&places, &home);
    assert_eq!((after.cells().len(), after.whereabouts()), (before.cells().len() + 1, home.clone()), "nobody moves");
    let (then, now) = (standing(&before, 60, NOW), standing(&after, 60, NOW));
    let changed = then.iter().zip(&now).filter(|(then, now)| then != now).count();
    assert!(then.len() == now.len() && then.len() > 500 && changed <= 5, "{changed} of {}", then.len());
    let fresh = of(&places, &Whereabouts::default());
    assert_ne!(fresh.whereabouts(), home, "drawn anew, most of them would move");

    // the first persona's home closes
    let gone = standing(&before, 60, NOW)[0].2.cell;
    places.retain(|place| !gone.contains(place.position));
    let shrunk = of(&places, &home);
    let pairs: Vec<_> = cells_named(&before).into_iter().zip(cells_named(&shrunk)).collect();
    assert!(!shrunk.may_name(gone) && pairs.iter().all(|(_, now)| shrunk.may_name(*now)));
    let moved = pairs.iter().filter(|(then, now)| then != now && *then != gone).count();
    // what the place far off drew to itself above may come back or not
    assert!(moved <= 5, "only who was there moves: {moved}");
}

#[test]
fn bundles_look_like_a_persons() {
    let cast = cast(3);
    let vocabulary = Vocabulary::builtin();
    for day in 0..6 {
        let at = NOW.after(Duration::from_hours(31 * day));
        for (_, wish, bundle) in standing(&cast, 20, at) {
            assert!((1..=41).contains(&bundle.text.len()), "{:?}", bundle.text);
            assert!((1..=4).contains(&bundle.topics.len()));
            assert!(bundle.topics.iter().all(|topic| vocabulary.topic(*topic).unwrap().class == bundle.class));
            assert_eq!(bundle.cell.resolution(), Resolution::R8);
            assert!(cast.may_name(bundle.cell));
            assert!(wish.life.stands(at) && bundle.ttl == wish.life.ttl());
        }
    }
}

/// A wish stands without a gap from its start to its end, always with the same content, and nowhere else. Seed 4,
/// nine personas, minute by minute over two days.
#[test]
fn a_wish_stands_once_and_does_not_change() {
    let cast = cast(4);
    let mut known = BTreeMap::new();
    for minute in 0..2 * 1_440 {
        let at = NOW.after(Duration::from_mins(minute));
        for (persona, wish, bundle) in standing(&cast, 1, at) {
            let key = (persona, wish.id.to_bytes());
            let (first, count, life, content) = known.entry(key).or_insert((at, 0_u64, wish.life, bundle.clone()));
            assert_eq!((*life, &*content), (wish.life, &bundle));
            *count += 1;
            assert_eq!(at.since(*first), Duration::from_mins(*count - 1));
        }
    }
    let edges = known.values().filter(|(_, _, life, _)| life.since() > NOW && life.since().as_secs() % 7_200 == 0);
    assert!(edges.count() <= 1 && known.len() > 20, "starts lie anywhere, not at the edges of windows");
}

/// Every key a person may have must be possible for a decoy: every class in every occupied cell. Seed 5, the
/// first 4,000 lists of nine personas, some 60,000 bundles; the uniform fifth alone gives each of the 16 × 64-odd
/// keys more than 10 expected hits, so one stays away with probability below 5 % in all. A quarter are zones.
#[test]
fn every_class_and_cell_and_topic_occurs() {
    let cast = cast(5);
    let all = standing(&cast, 4_000, NOW);
    let keys: BTreeSet<(u8, Cell)> = all.iter().map(|(.., bundle)| (bundle.class.get(), bundle.cell)).collect();
    let topics: BTreeSet<u16> = all.iter().flat_map(|(.., b)| b.topics.iter().map(|topic| topic.0)).collect();
    assert_eq!(keys.len(), 16 * cast.cells().len());
    assert_eq!(topics.len(), Vocabulary::builtin().topics().len());
    let zones = all.iter().filter(|(_, wish, _)| wish.granularity == Granularity::Zone).count() as f64;
    let share = zones / all.len() as f64;
    assert!((share - 0.25).abs() < 5.0 * (0.1875 / all.len() as f64).sqrt(), "{share}");
}

#[test]
fn a_region_of_one_cell_is_widened_until_rows_can_differ() {
    let cast = Cast::new(&[6; 32], &index(cafes()[..1].to_vec()), &Whereabouts::default());
    assert!(cast.cells().len() >= 64);
    let groups = BTreeMap::from([(Resolution::R8, 1), (Resolution::R7, 4), (Resolution::R6, 16)]);
    let all = standing(&cast, 30, NOW);
    for (resolution, groups) in groups {
        let key = |bundle: &PersonaBundle| (bundle.cell.parent(resolution).unwrap(), bundle.class.get() % groups);
        let rows: BTreeSet<(Cell, u8)> = all.iter().map(|(.., bundle)| key(bundle)).collect();
        assert!(rows.len() >= 20, "{resolution}: {}", rows.len());
    }
}

#[test]
fn without_places_there_are_no_bundles() {
    let nowhere = Cast::new(&[7; 32], &index(Vec::new()), &Whereabouts::default());
    assert!(nowhere.standing(0, 0, NOW).is_empty() && nowhere.whereabouts().is_empty());
}
