use std::{collections::BTreeMap, time::Duration};

use mosaic_geo::{
    Category, Cell, LocalTime, Place, PlaceIndex, PlaceKind, PlaceRef, PlaceTag, Provenance, Resolution, cover,
    distance_m,
    movement::Travel,
    offset_m,
    plausibility::{HourTables, Journey, Profile, Verdict, check, composite_score, destination, score, temporal_score},
    synthetic_city,
};
use mosaic_types::{LatLng, Radius, Timestamp};
use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

/// In the South Atlantic, where the default tables hold.
fn here() -> LatLng {
    LatLng::new(-45.0, 0.0).unwrap()
}

/// Monday, the 1st of June 2026.
fn oclock(hour: u64) -> LocalTime {
    LocalTime::at(Timestamp::from_secs(1_780_272_000 + hour * 3_600), 0)
}

fn place(kind: &str, east: f64, hours: Option<&str>) -> Place {
    Place {
        position: offset_m(here(), east, 0.0),
        kind: PlaceKind::new(PlaceTag::Amenity, kind),
        name: format!("{kind} {east}"),
        hours: hours.map(str::to_owned),
    }
}

fn index(places: Vec<Place>) -> PlaceIndex {
    PlaceIndex::from_places(places, Provenance::new("made for tests", None))
}

/// L3-40: the golden table, hour by hour.
#[test]
fn every_hour_of_every_kind_scores_as_the_table_says() {
    let golden = [
        ("cafe", "522222599955559955555522"),
        ("bar", "995555222225555555559999"),
        ("restaurant", "555222255555995555999555"),
        ("pharmacy", "555555555555555555555555"),
    ];
    for (kind, scores) in golden {
        for (hour, digit) in (0_u8..).zip(scores.chars()) {
            let expected = f64::from(digit.to_digit(10).unwrap()) / 10.0;
            let kind = PlaceKind::new(PlaceTag::Amenity, kind);
            assert_eq!(HourTables::DEFAULT.score(&kind, hour), expected, "{kind} at {hour}");
        }
    }
}

/// L3-49: dinner in Porto is later than in Helsinki, and neither is the default.
#[test]
fn regions_have_habits_of_their_own() {
    let dinner = PlaceKind::new(PlaceTag::Amenity, "restaurant");
    let at = |lat, lng, hour| HourTables::at(LatLng::new(lat, lng).unwrap()).score(&dinner, hour);
    assert_eq!((at(41.15, -8.62, 21), at(60.17, 24.94, 21), at(40.75, -73.98, 21)), (0.9, 0.5, 0.5));
    assert_eq!((at(41.15, -8.62, 18), at(60.17, 24.94, 17), at(40.75, -73.98, 17)), (0.5, 0.9, 0.5));
}

#[test]
fn opening_hours_correct_the_habit() {
    let index = index(vec![
        place("bar", 0.0, Some("10:00-24:00")),
        place("bar", 10.0, Some("Mo off; Tu-Su 18:00-24:00")),
        place("bar", 20.0, Some("sunset-02:00")),
        place("bench", 30.0, Some("24/7")),
    ]);
    let score_of = |name: &str, hour| {
        let place = index.all().iter().find(|place| place.name() == name).unwrap();
        temporal_score(place, oclock(hour))
    };
    assert_eq!((score_of("bar 0", 10), score_of("bar 0", 21), score_of("bar 0", 8)), (0.5, 0.9, 0.2));
    assert_eq!((score_of("bar 10", 21), score_of("bar 10", 10)), (0.2, 0.2), "closed on Mondays");
    assert_eq!((score_of("bar 20", 21), score_of("bar 20", 8)), (0.9, 0.2), "not understood: the table");
}

/// L3-37: nothing in the cell; a bench is no venue.
#[test]
fn an_empty_cell_names_the_nearest_venue() {
    let index = index(vec![place("bench", 0.0, None), place("cafe", 2_000.0, None), place("bar", 3_000.0, None)]);
    let found = check(&index, here(), oclock(8), &Profile::neutral());
    assert_eq!((found.verdict, found.score), (Verdict::NoVenue, 0.1));
    let (suggested, metres) = found.suggestion.unwrap();
    assert!(suggested.name() == "cafe 2000" && (metres - 2_000.0).abs() < 1.0 && found.venue.is_none());
}

/// L3-38: a bar at eight in the morning.
#[test]
fn the_wrong_time_names_a_place_that_fits_it() {
    let index = index(vec![place("bar", 0.0, None), place("bar", 2_000.0, None), place("cafe", 3_000.0, None)]);
    let found = check(&index, here(), oclock(8), &Profile::neutral());
    assert_eq!((found.verdict, found.score), (Verdict::WrongTime, 0.3));
    assert_eq!(found.suggestion.unwrap().0.name(), "cafe 3000");
    let evening = check(&index, here(), oclock(21), &Profile::neutral());
    assert_eq!((evening.verdict, evening.score, evening.venue.unwrap().name()), (Verdict::Fits, 0.9, "bar 0"));
}

/// L3-41: ordered by the profile, at most three alternatives, and the same as sorting everything.
#[test]
fn the_best_venues_are_those_of_a_full_sort() {
    let city = synthetic_city(4);
    let profile = Profile::neutral().with(Category::Food, 0.9).with(Category::Shopping, 0.1);
    let mut fitting = 0;
    for (number, spot) in city.all().iter().enumerate().step_by(5) {
        let at = oclock(number as u64 % 24);
        let found = check(&city, spot.position, at, &profile);
        let mut all: Vec<PlaceRef<'_>> = city.in_cell(spot.cell()).iter().collect();
        all.retain(|place| place.kind.category().is_visited() && temporal_score(*place, at) > 0.3);
        all.sort_by(|a, b| {
            let score = |place: &PlaceRef<'_>| composite_score(*place, at, &profile);
            score(b).total_cmp(&score(a)).then(a.number().cmp(&b.number()))
        });
        let named: Vec<u32> = found.venue.into_iter().chain(found.alternatives).map(PlaceRef::number).collect();
        let expected: Vec<u32> = all.into_iter().take(4).map(PlaceRef::number).collect();
        assert_eq!(named, expected);
        fitting += usize::from(found.verdict == Verdict::Fits);
    }
    assert!(fitting > 100, "{fitting}");
}

/// L3-44: pick frequencies follow the weights. Seed 44, 40,000 draws; chi-square at the level 0.001.
#[test]
fn destinations_are_drawn_by_their_score() {
    let index = index(vec![
        place("cafe", 100.0, None),
        place("bar", 200.0, None),
        place("restaurant", -300.0, None),
        place("bench", 50.0, None),
        place("library", 400.0, Some("24/7")),
        place("cafe", 5_000.0, None),
    ]);
    let profile = Profile::neutral().with(Category::Culture, 1.0);
    let journey = Journey { from: here(), travel: Travel::Walk, time: Duration::from_mins(10) };
    let (at, mut rng, mut counts) = (oclock(8), ChaCha20Rng::seed_from_u64(44), BTreeMap::new());
    for _ in 0..40_000 {
        let found = destination(&index, &journey, at, &profile, &mut rng).unwrap();
        assert!(found.metres <= journey.reach_m() && found.score > 0.0);
        *counts.entry(found.place.number()).or_insert(0_u32) += 1;
    }
    let within: Vec<PlaceRef<'_>> =
        index.within(here(), journey.reach_m()).into_iter().map(|(place, _)| place).collect();
    let weights: Vec<f64> = within.iter().map(|place| composite_score(*place, at, &profile)).collect();
    let total: f64 = weights.iter().sum();
    let mut chi = 0.0;
    for (place, weight) in within.iter().zip(weights).filter(|(_, weight)| *weight > 0.0) {
        let expected = 40_000.0 * weight / total;
        chi += (f64::from(counts.remove(&place.number()).unwrap_or(0)) - expected).powi(2) / expected;
    }
    assert!(counts.is_empty(), "drawn without weight: {counts:?}");
    // 16.27 is the 0.999 quantile for three degrees of freedom.
    assert!(chi < 16.27, "{chi}");
}

/// When nearly everything in reach is impossible, all is weighed: the one possible venue is found every time.
#[test]
fn one_venue_among_thousands_of_benches_is_found() {
    let mut places: Vec<Place> = (0..4_000).map(|number| place("bench", f64::from(number), None)).collect();
    let journey = Journey { from: here(), travel: Travel::Drive, time: Duration::from_hours(1) };
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let none = index(places.clone());
    assert!(destination(&none, &journey, oclock(8), &Profile::neutral(), &mut rng).is_none());
    places.push(place("cafe", 10_000.0, None));
    let one = index(places);
    for _ in 0..20 {
        let found = destination(&one, &journey, oclock(8), &Profile::neutral(), &mut rng).unwrap();
        assert_eq!(found.place.name(), "cafe 10000");
    }
}

/// L3-44: the disc of cells with this ring covers everything within reach, at any latitude and around a pentagon.
#[test]
fn the_ring_covers_the_disc() {
    let pentagon = Cell::from_raw(0x088e_a000_001f_ffff).unwrap().center();
    for from in [here(), LatLng::new(89.9, 5.0).unwrap(), LatLng::new(0.0, 179.999).unwrap(), pentagon] {
        let journey = Journey { from, travel: Travel::Walk, time: Duration::from_mins(20) };
        let disc = Cell::at(from, Resolution::R9).disk(journey.ring_cells());
        let radius = Radius::new(2_016).unwrap();
        assert!(journey.reach_m() <= 2_016.0);
        assert!(cover(from, radius, Resolution::R9).iter().all(|cell| disc.binary_search(cell).is_ok()));
    }
}

proptest! {
    /// L3-43: no destination is farther than speed times time times 1.2, nor is one missed.
    #[test]
    fn no_destination_is_out_of_reach(
        east in -6e3_f64..6e3, north in -6e3_f64..6e3, minutes in 0_u64..70, way in 0_usize..5, seed: u64,
    ) {
        let city = synthetic_city(1);
        let journey = Journey {
            from: offset_m(city.center().unwrap(), east, north),
            travel: Travel::ALL[way],
            time: Duration::from_mins(minutes),
        };
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let found = destination(&city, &journey, oclock(12), &Profile::neutral(), &mut rng);
        let possible = city.within(journey.from, journey.reach_m());
        let any = possible.iter().any(|(place, _)| composite_score(*place, oclock(12), &Profile::neutral()) > 0.0);
        prop_assert_eq!(found.is_some(), any);
        if let Some(found) = found {
            prop_assert!(found.metres <= journey.travel.speed_mps() * journey.time.as_secs_f64() * 1.2);
            prop_assert_eq!(distance_m(journey.from, found.place.position), found.metres);
        }
    }
}

#[test]
fn scores_are_those_of_the_requirements() {
    assert_eq!((score::PEAK, score::LOW, score::OTHERWISE, score::COUNTS_ABOVE), (0.9, 0.2, 0.5, 0.3));
    assert_eq!((score::NO_VENUE, score::WRONG_TIME), (0.1, 0.3));
}
