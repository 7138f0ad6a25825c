use std::{collections::BTreeSet, time::Duration};

use mosaic_release::{Draft, Granularity, Refusal, Releaser, ReleaserState, WhyZone, Withdrawal};
use mosaic_types::{LatLng, Mode, Sensitive};

use crate::world::{NOW, draft, releaser, town};

#[test]
fn floors_raise_and_both_ratios_are_reported() {
    for (mode, requested, discovery, rendezvous) in [
        (Mode::Emergency, 0.30, 0.60, 0.30),
        (Mode::Balanced, 0.30, 0.60, 0.50),
        (Mode::Balanced, 0.70, 0.70, 0.70),
        (Mode::Maximum, 0.30, 0.80, 0.80),
    ] {
        let accepted = releaser(1).draft(NOW, draft("coffee meetup", requested, mode)).unwrap();
        let got = [accepted.requested, accepted.effective_discovery, accepted.effective_rendezvous];
        assert_eq!(
            got.map(|ratio| (ratio.get() * 100.0).round()),
            [requested, discovery, rendezvous].map(|r| (r * 100.0).round())
        );
        assert!(!accepted.topics.is_empty() && accepted.confidence > 0.3);
    }
}

/// L3-01 successor, scoreboard row 7: a hundred releases at one place name one cell and cost one charge, so
/// whoever averages them has what one release gave.
#[test]
fn a_hundred_releases_at_one_place_are_one() {
    let mut releaser = releaser(2);
    let mut cells = BTreeSet::new();
    for hour in 0..100 {
        let at = NOW.after(Duration::from_mins(hour));
        let accepted = releaser.draft(at, draft("coffee", 0.5, Mode::Balanced)).unwrap();
        cells.insert(releaser.broadcasts().next().unwrap().cell);
        assert!((accepted.ledger_left - (10.0 - 4.0_f64.ln())).abs() < 1e-6);
        assert_eq!(releaser.withdraw(accepted.id), Withdrawal::Withdrawn);
        assert_eq!(releaser.withdraw(accepted.id), Withdrawal::Unknown);
    }
    assert_eq!(cells.len(), 1);
}

/// Averaging over 100 simulated devices (seeds 0 to 99): the error of the mean of a device's 30 releases is the error
/// of one.
#[test]
fn averaging_gains_nothing() {
    let truth = LatLng::new(41.171, -8.595).unwrap();
    let mut ratio = Vec::new();
    for seed in 0..100 {
        let mut releaser = releaser(seed);
        let centers: Vec<LatLng> = (0..30)
            .map(|_| {
                let accepted = releaser.draft(NOW, draft("coffee", 0.5, Mode::Balanced)).unwrap();
                let center = releaser.broadcasts().next().unwrap().cell.center();
                releaser.withdraw(accepted.id);
                center
            })
            .collect();
        let mean = |pick: fn(LatLng) -> f64| centers.iter().map(|center| pick(*center)).sum::<f64>() / 30.0;
        let averaged = LatLng::new(mean(LatLng::lat), mean(LatLng::lng)).unwrap();
        ratio.push(mosaic_geo::distance_m(truth, averaged) / mosaic_geo::distance_m(truth, centers[0]));
    }
    let mean = ratio.iter().sum::<f64>() / 100.0;
    assert!((mean - 1.0).abs() < 1e-6, "{mean}");
}

#[test]
fn a_spent_ledger_coarsens_and_never_refuses() {
    let mut releaser = releaser(3);
    for step in 0..9_u32 {
        let place = LatLng::new(41.155 + f64::from(step) * 0.004, -8.6).unwrap();
        let moved = Draft { place: Sensitive::new(place), ..draft("chess", 0.5, Mode::Balanced) };
        // hours apart, so that neither the pace nor the filter check coarsens anything
        let accepted = releaser.draft(NOW.after(Duration::from_hours(u64::from(4 * step))), moved).unwrap();
        let why = if step < 7 { None } else { Some(WhyZone::LedgerSpent) };
        assert_eq!(accepted.why_zone, why);
        let expected = if step < 7 { Granularity::Fine } else { Granularity::Zone };
        assert_eq!(accepted.granularity, expected);
        let resolution = releaser.broadcasts().last().unwrap().cell.resolution().number();
        assert_eq!(resolution, if step < 7 { 8 } else { 6 });
        assert!(accepted.ledger_left >= 0.0);
    }
}

#[test]
fn refusals_say_why() {
    let nowhere =
        std::sync::Arc::new(mosaic_geo::PlaceIndex::from_places(Vec::new(), mosaic_geo::Provenance::new("t", None)));
    let mut empty = Releaser::new([1; 32], nowhere, ReleaserState::default());
    assert_eq!(empty.draft(NOW, draft("tea", 0.5, Mode::Balanced)), Err(Refusal::NoPlaces));
    let mut full = releaser(4);
    (0..10).for_each(|_| drop(full.draft(NOW, draft("tea", 0.5, Mode::Balanced)).unwrap()));
    let left = full.ledger_left(NOW);
    let elsewhere =
        Draft { place: Sensitive::new(LatLng::new(41.19, -8.6).unwrap()), ..draft("tea", 0.5, Mode::Balanced) };
    assert_eq!(full.draft(NOW, elsewhere), Err(Refusal::TooMany { most: 10 }));
    assert!((full.ledger_left(NOW) - left).abs() < 1e-12, "a refusal costs nothing");
    let later = NOW.after(Duration::from_hours(49));
    assert!(full.draft(later, draft("tea", 0.5, Mode::Balanced)).is_ok(), "ended broadcasts make room");
}

#[test]
fn the_state_survives_a_restart_and_prints_nothing() {
    let mut before = releaser(5);
    before.draft(NOW, draft("wine tasting with secret words", 0.6, Mode::Balanced)).unwrap();
    let bytes = postcard::to_allocvec(before.state()).unwrap();
    let state: ReleaserState = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(format!("{state:?}"), "ReleaserState([hidden])");
    let mut after = Releaser::new([5; 32], town(), state);
    assert!((after.ledger_left(NOW) - before.ledger_left(NOW)).abs() < 1e-12);
    let broadcast = after.broadcasts().next().unwrap();
    assert_eq!(format!("{broadcast:?}"), "Broadcast(b1)");
    assert_eq!(broadcast.text, "wine tasting with secret words");
    let again = after.draft(NOW, draft("wine tasting", 0.6, Mode::Balanced)).unwrap();
    assert!((again.ledger_left - before.ledger_left(NOW)).abs() < 1e-12, "the same anchor stays free");
    assert_eq!(again.id.to_string(), "b2");
}

/// Far from every place a decoy may name, a released cell would be certainly true: refused, and free.
#[test]
fn outside_the_known_area_nothing_is_released() {
    let mut releaser = releaser(6);
    for north_m in [10_000.0, 200_000.0] {
        let place = mosaic_geo::offset_m(LatLng::new(41.171, -8.595).unwrap(), 0.0, north_m);
        let far = Draft { place: Sensitive::new(place), ..draft("tea", 0.5, Mode::Balanced) };
        assert_eq!(releaser.draft(NOW, far), Err(Refusal::OutsideArea { within_km: 3 }));
    }
    assert!((releaser.ledger_left(NOW) - 10.0).abs() < 1e-12 && releaser.broadcasts().next().is_none());
    let accepted = releaser.draft(NOW, draft("tea", 0.5, Mode::Balanced)).unwrap();
    assert_eq!(accepted.granularity, Granularity::Fine);
}

/// With the ledger spent, moving a little and changing modes draws no new zone: 3 devices (seeds 0 to 2), 60 drafts.
#[test]
fn a_spent_ledger_gives_one_zone_for_a_coarse_square() {
    for seed in 0..3 {
        let mut releaser = releaser(seed);
        let mut zones = BTreeSet::new();
        for step in 0..60_u32 {
            let (east, north) = (f64::from(step % 8) * 300.0, f64::from(step / 8) * 300.0);
            let place = mosaic_geo::offset_m(LatLng::new(41.16, -8.61).unwrap(), east, north);
            let mode = if step < 8 {
                Mode::Emergency
            } else {
                [Mode::Balanced, Mode::Maximum, Mode::Emergency][step as usize % 3]
            };
            let accepted =
                releaser.draft(NOW, Draft { place: Sensitive::new(place), ..draft("tea", 0.5, mode) }).unwrap();
            if accepted.granularity == Granularity::Zone {
                zones.insert(releaser.broadcasts().next().unwrap().cell);
            }
            releaser.withdraw(accepted.id);
        }
        // An area of 2 km touches at most four squares of 6 km.
        assert!((1..=4).contains(&zones.len()), "{}", zones.len());
    }
}

/// Personas name four topics at most, so must a person's bundle.
#[test]
fn at_most_four_topics_are_released() {
    let words = "coffee tea cake bakery wine beer pizza sushi brunch ice cream burger ramen";
    let accepted = releaser(7).draft(NOW, draft(words, 0.5, Mode::Balanced)).unwrap();
    assert!((1..=4).contains(&accepted.topics.len()));
}
