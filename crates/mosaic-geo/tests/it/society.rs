use std::collections::BTreeSet;

use mosaic_geo::{
    Fix, Society, city, distance_m,
    movement::{Travel, validate_trajectory},
    residents::Purpose,
    synthetic_city, synthetic_city_for,
};
use mosaic_types::Timestamp;

/// Friday 2026-11-20, noon UTC; local time in the city.
const FRIDAY: Timestamp = Timestamp::from_secs(1_795_132_800 + 12 * 3_600);

fn society(people: usize) -> Society {
    Society::generate(&synthetic_city(1), people, 7).unwrap()
}

#[test]
fn a_larger_city_is_as_dense() {
    let (small, large) = (synthetic_city(3), synthetic_city_for(3, 9_000));
    assert_eq!(synthetic_city_for(3, 2_000).encode(), small.encode());
    assert_eq!(large.len(), 5 * small.len());
    let farthest = large.all().iter().map(|place| distance_m(place.position, city::city_center())).fold(0.0, f64::max);
    assert!((8_000.0..4_000.0 * 5.0_f64.sqrt() * 1.42).contains(&farthest), "{farthest}");
}

#[test]
fn friendships_are_mutual_and_repeatable() {
    let society = society(800);
    assert_eq!(society, self::society(800));
    assert_ne!(society.friends(), Society::generate(&synthetic_city(1), 800, 8).unwrap().friends());
    let friends = society.friends();
    let pairs: BTreeSet<(u32, u32)> = friends.pairs().collect();
    assert!(pairs.iter().all(|(a, b)| a < b && friends.of(*a).contains(b) && friends.of(*b).contains(a)));
    let sides: usize = (0..800).map(|person| friends.of(person).len()).sum();
    assert_eq!(sides, 2 * pairs.len());
    assert!((3 * 800..6 * 800).contains(&sides), "{sides} friends of 800");
    assert!(friends.of(800).is_empty() && society.day(800, FRIDAY).is_none());
}

/// On the evenings on which two friends meet, both are at one venue for an hour at least. Strangers at random are not.
#[test]
fn friends_are_together_when_they_meet() {
    let society = society(400);
    let (mut met, mut together) = (0, 0);
    for day in 0..5 {
        let noon = Timestamp::from_secs(FRIDAY.as_secs() + day * 86_400);
        for person in 0..400 {
            let Some(friend) = society.meets(person, noon).filter(|friend| *friend > person) else { continue };
            assert_eq!(society.meets(friend, noon), Some(person));
            assert!(society.friends().of(person).contains(&friend));
            met += 1;
            let out = |number| {
                society.day(number, noon).unwrap().stops().iter().rfind(|stop| stop.purpose == Purpose::Outing).copied()
            };
            let (Some(a), Some(b)) = (out(person), out(friend)) else { continue };
            let shared = a.leave.min(b.leave).since(a.arrive.max(b.arrive)).as_secs();
            together += usize::from(a.position == b.position && shared >= 3_600);
        }
    }
    assert!(met > 100, "{met} evenings");
    assert!(together * 100 >= met * 95, "{together} of {met}");
}

#[test]
fn days_with_friends_can_be_lived_too() {
    let society = society(80);
    for person in 0..80 {
        let at = |minute: u64| Timestamp::from_secs(FRIDAY.as_secs() + minute * 60);
        let position = |at| society.day(person, at).unwrap().position_at(at).unwrap();
        let fixes: Vec<Fix> =
            (0..3 * 24 * 60).step_by(5).map(at).map(|at| Fix { at, position: position(at), category: None }).collect();
        assert_eq!(validate_trajectory(&fixes, Travel::Transit), []);
    }
}
