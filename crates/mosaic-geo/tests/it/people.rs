use std::collections::BTreeMap;

use mosaic_geo::{
    Category, Fix, PlaceIndex, Provenance, Resident, Residents, city_center, distance_m,
    movement::{Travel, validate_trajectory},
    residents::{NoPlaces, Purpose},
    synthetic_city,
};
use mosaic_types::Timestamp;

use crate::shared::shared;

/// Friday 2026-11-20, 00:00 UTC; local time in the city.
const FRIDAY: u64 = 1_795_132_800;
const HOUR: u64 = 3_600;

fn people(count: usize) -> Residents {
    Residents::generate(&synthetic_city(1), count, 7).unwrap()
}

#[test]
fn the_city_is_a_city() {
    let city = synthetic_city(1);
    assert!((1_400..=1_600).contains(&city.len()), "{} places", city.len());
    assert!(city.all().iter().all(|place| distance_m(place.position, city_center()) < 4_000.0 * 1.42));
    let count = |category| city.all().iter().filter(|place| place.kind.category() == category).count();
    assert!(count(Category::Home) == 520 && count(Category::Food) > 150 && count(Category::Park) > 40);
    assert!(city.all().iter().all(|place| place.kind.category() != Category::Other));
    assert!(city.bounds().unwrap().west < 0.0 && city.bounds().unwrap().east > 0.0, "it straddles the meridian");
    assert_eq!(city.encode(), synthetic_city(1).encode());
    assert_ne!(city.encode(), synthetic_city(2).encode());
}

#[test]
fn the_same_seed_gives_the_same_people() {
    assert_eq!(people(50), people(50));
    let city = synthetic_city(1);
    assert_ne!(Residents::generate(&city, 50, 8).unwrap(), people(50));
    let nowhere = PlaceIndex::from_places(Vec::new(), Provenance::new("nothing", None));
    assert_eq!(Residents::generate(&nowhere, 1, 1), Err(NoPlaces));
    assert!(nowhere.nearest(city_center(), 3).is_empty() && nowhere.bounds().is_none());
}

/// Everybody sleeps at home, most are at work on a Friday morning, and nobody is ever faster than a bus.
#[test]
fn days_can_be_lived() {
    let residents = people(60);
    let at = |resident: &Resident, hour: u64| resident.position_at(Timestamp::from_secs(FRIDAY + hour * HOUR));
    assert!(residents.all().iter().all(|resident| distance_m(at(resident, 4), resident.home()) < 1.0));
    let working = residents.all().iter().filter(|resident| resident.work().is_some());
    let present = working.clone().filter(|resident| resident.work() == Some(at(resident, 11))).count();
    assert!(present * 10 >= working.count() * 9, "{present} at work at eleven");
    for resident in residents.all() {
        let fixes: Vec<Fix> = (0..4 * 24 * 60)
            .map(|minute| Timestamp::from_secs(FRIDAY + minute * 60))
            .map(|at| Fix { at, position: resident.position_at(at), category: None })
            .collect();
        assert_eq!(validate_trajectory(&fixes, Travel::Transit), []);
    }
}

#[test]
fn days_join_without_a_gap() {
    for resident in people(20).all() {
        let friday = resident.day(Timestamp::from_secs(FRIDAY + 12 * HOUR));
        let saturday = resident.day(Timestamp::from_secs(FRIDAY + 36 * HOUR));
        let (last, first) = (friday.stops().last().unwrap(), saturday.stops().first().unwrap());
        assert_eq!((last.leave, last.position), (first.arrive, first.position));
        assert!(friday.stops().is_sorted_by_key(|stop| stop.arrive));
        assert!(friday.stops().iter().all(|stop| stop.arrive <= stop.leave));
        assert_eq!(friday.position_at(Timestamp::from_secs(0)), Some(resident.home()));
    }
}

/// In the evening people are at shared venues: most of those who are out have company.
#[test]
fn people_meet_in_the_evening() {
    let evening = Timestamp::from_secs(FRIDAY + 21 * HOUR);
    let mut venues: BTreeMap<String, usize> = BTreeMap::new();
    for resident in people(120).all() {
        let plan = resident.day(evening);
        let here = plan.stops().iter().find(|stop| stop.arrive <= evening && evening <= stop.leave);
        if let Some(stop) = here.filter(|stop| stop.purpose == Purpose::Outing) {
            *venues.entry(format!("{:?}", stop.position)).or_default() += 1;
        }
    }
    let out: usize = venues.values().sum();
    let together: usize = venues.values().filter(|&&people| people > 1).sum();
    assert!(out >= 40, "{out} of 120 are out at nine");
    assert!(together * 10 >= out * 8, "{together} of {out} have company");
}

/// On a real map, which knows no homes, people live, travel and meet just as well.
#[test]
fn porto_can_be_lived_in() {
    let Some(bytes) = shared("osm-extracts/porto.osm.pbf") else { return };
    let porto = PlaceIndex::from_osm_pbf(&bytes).unwrap();
    let residents = Residents::generate(&porto, 120, 7).unwrap();
    let evening = Timestamp::from_secs(FRIDAY + 22 * HOUR);
    let mut out = Vec::new();
    for resident in residents.all() {
        assert!(porto.nearest(resident.home(), 1)[0].1 <= 200.0);
        let plan = resident.day(evening);
        let hops =
            plan.stops().windows(2).map(|pair| (pair[0].position, pair[0].leave, pair[1].position, pair[1].arrive));
        for (from, leave, to, arrive) in hops {
            let reach = arrive.since(leave).as_secs_f64() * Travel::Transit.speed_mps() + 10.0;
            assert!(distance_m(from, to) <= reach);
        }
        let here = plan.stops().iter().find(|stop| stop.arrive <= evening && evening <= stop.leave);
        out.extend(here.filter(|stop| stop.purpose == Purpose::Outing).map(|stop| stop.position));
    }
    let accompanied = out.iter().filter(|&&a| out.iter().filter(|&&b| distance_m(a, b) <= 500.0).count() > 1).count();
    assert!(out.len() >= 30 && accompanied * 10 >= out.len() * 8, "{accompanied} of {} near somebody", out.len());
}

#[test]
fn interests_differ_and_some_are_popular() {
    let residents = people(400);
    let mut favourites = [0_u32; 16];
    for resident in residents.all() {
        let [a, b, c] = resident.interests();
        assert!(a != b && b != c && a != c);
        favourites[usize::from(a.get())] += 1;
    }
    assert!(favourites[0] > 2 * favourites[8] && favourites.iter().all(|&count| count > 0), "{favourites:?}");
}
