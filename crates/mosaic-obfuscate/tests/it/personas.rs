use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use mosaic_geo::{Cell, Place, PlaceIndex, PlaceKind, PlaceTag, Provenance, Resolution};
use mosaic_obfuscate::{
    Cast, Granularity, Lifetime, PersonaBundle, PersonaId, Round, RoundId, Vocabulary, Whereabouts,
};
use mosaic_types::{LatLng, Timestamp, TtlHours};

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

/// A round of the person's that began then.
fn own(number: u64, since: Timestamp) -> Round {
    let life = Lifetime::whole(since, TtlHours::default());
    Round { id: RoundId::Own(number), life, granularity: Granularity::Fine }
}

/// What everybody says in a round.
fn said(cast: &Cast, round: &Round) -> Vec<(PersonaId, Round, PersonaBundle)> {
    let members = cast.members(round).into_iter();
    members.map(|persona| (persona, *round, cast.bundle(persona, round, 0).unwrap())).collect()
}

/// Everything that is said at `at` by the first `companies` quiet companies.
fn standing(cast: &Cast, companies: u16, at: Timestamp) -> Vec<(PersonaId, Round, PersonaBundle)> {
    let rounds = (1..=companies).flat_map(|company| cast.quiet(company, at));
    rounds.flat_map(|round| said(cast, &round)).collect()
}

#[test]
fn personas_are_the_same_people_always() {
    assert_eq!(standing(&cast(1), 3, NOW), standing(&cast(1), 3, NOW));
    assert_ne!(standing(&cast(1), 3, NOW), standing(&cast(2), 3, NOW));
    assert!(cast(1).quiet(0, NOW).is_empty() && cast(1).quiet(Cast::QUIET + 1, NOW).is_empty());
    let (first, second) = (own(1, NOW), own(2, NOW));
    assert_eq!(said(&cast(1), &first), said(&cast(1), &first));
    assert_ne!(said(&cast(1), &first), said(&cast(1), &second));
    let nobody = PersonaId { company: 0, member: 9 };
    assert_eq!(cast(1).bundle(nobody, &first, 0), None);
}

/// Nine beside the person, ten in a quiet company, each once, in an order that each round has for itself.
#[test]
fn everybody_of_a_company_speaks() {
    let cast = cast(2);
    let quiet = (1..=20).find_map(|company| cast.quiet(company, NOW).into_iter().next()).unwrap();
    for (round, many) in [(own(5, NOW), 9), (quiet, 10)] {
        let members = cast.members(&round);
        let distinct: BTreeSet<_> = members.iter().copied().collect();
        assert_eq!((members.len(), distinct.len()), (many, many));
        assert!(members.iter().all(|persona| persona.company == round.id.company()));
    }
    assert_ne!(cast.members(&own(5, NOW)), cast.members(&own(6, NOW)));
}

/// A café opens, one closes: nobody moves who need not, and what stands stands on. Seed 8, cafés in 400 cells; a tenth
/// of the wishes name any cell, so that one more cell changes about one in 4,000.
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
        |cast: &Cast| standing(cast, 8, NOW).into_iter().map(|(.., bundle)| bundle.cell).collect::<Vec<_>>();

    places.push(Place { position: LatLng::new(42.0, -8.62).unwrap(), ..cafes()[0].clone() });
    let after = of(&places, &home);
    assert_eq!((after.cells().len(), after.whereabouts()), (before.cells().len() + 1, home.clone()), "nobody moves");
    let (then, now) = (standing(&before, 8, NOW), standing(&after, 8, NOW));
    let changed = then.iter().zip(&now).filter(|(then, now)| then != now).count();
    assert!(then.len() == now.len() && then.len() > 60 && changed <= 2, "{changed} of {}", then.len());
    let fresh = of(&places, &Whereabouts::default());
    assert_ne!(fresh.whereabouts(), home, "drawn anew, most of them would move");

    // where somebody is closes
    let gone = standing(&before, 8, NOW)[0].2.cell;
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
        let own = said(&cast, &own(day, at));
        for (_, round, bundle) in standing(&cast, 20, at).into_iter().chain(own) {
            assert!((1..=41).contains(&bundle.text.len()), "{:?}", bundle.text);
            assert!((1..=4).contains(&bundle.topics.len()));
            assert!(bundle.topics.iter().all(|topic| vocabulary.topic(*topic).unwrap().class == bundle.class));
            assert_eq!(bundle.cell.resolution(), Resolution::R8);
            assert!(cast.may_name(bundle.cell));
            assert!(round.life.stands(at) && bundle.ttl == round.life.ttl());
        }
    }
}

/// A quiet round stands without a gap from its start to its end, everybody always saying the same, and nowhere else. Seed
/// 4, nine companies, minute by minute over two days.
#[test]
fn a_round_stands_once_and_does_not_change() {
    let cast = cast(4);
    let mut known = BTreeMap::new();
    for minute in 0..2 * 1_440 {
        let at = NOW.after(Duration::from_mins(minute));
        for (persona, round, bundle) in standing(&cast, 9, at) {
            let key = (persona, round.id);
            let (first, count, life, content) = known.entry(key).or_insert((at, 0_u64, round.life, bundle.clone()));
            assert_eq!((*life, &*content), (round.life, &bundle));
            *count += 1;
            assert_eq!(at.since(*first), Duration::from_mins(*count - 1));
        }
    }
    let edges = known.values().filter(|(_, _, life, _)| life.since() > NOW && life.since().as_secs() % 7_200 == 0);
    assert!(edges.count() <= 10 && known.len() > 200, "starts lie anywhere, not at the edges of windows");
}

/// Every key a person may have must be possible for a decoy: every class in every occupied cell. Seed 5, 14,000 rounds of
/// the person's with nine companions, 126,000 bundles; the uniform tenth alone gives each of the 16 × 64-odd keys more than
/// 10 expected hits, so one stays away with probability below 5 % in all.
#[test]
fn every_class_and_cell_and_topic_occurs() {
    let cast = cast(5);
    let all: Vec<_> = (0..14_000).flat_map(|number| said(&cast, &own(number, NOW))).collect();
    let keys: BTreeSet<(u8, Cell)> = all.iter().map(|(.., bundle)| (bundle.class.get(), bundle.cell)).collect();
    let topics: BTreeSet<u16> = all.iter().flat_map(|(.., b)| b.topics.iter().map(|topic| topic.0)).collect();
    assert_eq!(keys.len(), 16 * cast.cells().len());
    assert_eq!(topics.len(), Vocabulary::builtin().topics().len());
}

/// A quarter of the quiet rounds are zones. Seed 5, all companies at 40 instants eight days apart, five standard errors.
#[test]
fn a_quarter_of_the_quiet_rounds_are_zones() {
    let cast = cast(5);
    let instants = (0..40).map(|number| NOW.after(Duration::from_hours(192 * number)));
    let rounds: Vec<Round> = instants
        .flat_map(|at| (1..=Cast::QUIET).flat_map(|company| cast.quiet(company, at)).collect::<Vec<_>>())
        .collect();
    let zones = rounds.iter().filter(|round| round.granularity == Granularity::Zone).count() as f64;
    let share = zones / rounds.len() as f64;
    assert!((share - 0.25).abs() < 5.0 * (0.1875 / rounds.len() as f64).sqrt(), "{share} of {}", rounds.len());
}

#[test]
fn a_region_of_one_cell_is_widened_until_rows_can_differ() {
    let cast = Cast::new(&[6; 32], &index(cafes()[..1].to_vec()), &Whereabouts::default());
    assert!(cast.cells().len() >= 64);
    let groups = BTreeMap::from([(Resolution::R8, 1), (Resolution::R7, 4), (Resolution::R6, 16)]);
    let all: Vec<_> = (0..30).flat_map(|number| said(&cast, &own(number, NOW))).collect();
    for (resolution, groups) in groups {
        let key = |bundle: &PersonaBundle| (bundle.cell.parent(resolution).unwrap(), bundle.class.get() % groups);
        let rows: BTreeSet<(Cell, u8)> = all.iter().map(|(.., bundle)| key(bundle)).collect();
        assert!(rows.len() >= 20, "{resolution}: {}", rows.len());
    }
}

#[test]
fn without_places_there_are_no_bundles() {
    let nowhere = Cast::new(&[7; 32], &index(Vec::new()), &Whereabouts::default());
    assert!(nowhere.quiet(1, NOW).is_empty() && nowhere.whereabouts().is_empty());
    assert!(nowhere.members(&own(1, NOW)).is_empty());
}
