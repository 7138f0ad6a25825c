//! Modes, haunts, what is around, and motion sensors.

use std::time::Duration;

use mosaic_geo::{
    Fix, PlaceIndex, Provenance, distance_m,
    movement::{
        Reason, Surroundings, Travel, haunts,
        imu::{Agreement, Motion, MotionSummary, cross_check},
        legs, stay_points, validate_in,
    },
    offset_m, synthetic_city,
};
use mosaic_types::{LatLng, Timestamp};
use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fn here() -> LatLng {
    LatLng::new(-45.0, 0.0).unwrap()
}

fn fix(seconds: u64, east: f64, north: f64) -> Fix {
    Fix { at: Timestamp::from_secs(1_780_272_000 + seconds), position: offset_m(here(), east, north), category: None }
}

/// L3-42: the table, and the way back from a speed.
#[test]
fn speeds_are_those_of_the_table() {
    let table = [("walk", 1.4), ("run", 3.0), ("cycle", 5.5), ("transit", 8.3), ("drive", 13.9), ("hovercraft", 1.4)];
    for (word, mps) in table {
        assert_eq!(Travel::from_word(word).speed_mps(), mps);
    }
    for travel in Travel::ALL {
        assert_eq!(Travel::of_speed(travel.speed_mps()), travel);
    }
    assert_eq!((Travel::of_speed(0.0), Travel::of_speed(90.0)), (Travel::Walk, Travel::Drive));
}

/// L3-51: each of the four reasons, and a clean walk.
#[test]
fn impossible_movement_is_found_with_its_reason() {
    let city = synthetic_city(1);
    let around = Surroundings::new(&city);
    let walk = [fix(0, 0.0, 0.0), fix(60, 80.0, 0.0), fix(120, 160.0, 0.0)];
    assert!(validate_in(&walk, Travel::Walk, &around).is_empty());
    let reason = |fixes: &[Fix], around: &Surroundings<'_>| {
        let found = validate_in(fixes, Travel::Walk, around);
        assert_eq!((found.len(), found[0].index), (1, fixes.len() - 1));
        found[0].reason
    };
    assert!(matches!(reason(&[fix(0, 0.0, 0.0), fix(60, 3e6, 0.0)], &around), Reason::Teleport { .. }));
    assert!(matches!(reason(&[fix(0, 0.0, 0.0), fix(60, 600.0, 0.0)], &around), Reason::Speed { .. }));
    let away = [fix(0, 0.0, 0.0), fix(9_000, 12_000.0, 0.0)];
    assert!(matches!(reason(&away, &around), Reason::EmptyArea { metres } if metres > 5_000.0));
    assert!(validate_in(&away, Travel::Walk, &around.empty_beyond(50_000.0)).is_empty());
    let sea = |position: LatLng| distance_m(here(), position) > 150.0;
    assert_eq!(reason(&walk, &around.with_sea(&sea)), Reason::Sea);
    let nowhere = PlaceIndex::from_places(Vec::new(), Provenance::new("nothing", None));
    assert_eq!(validate_in(&walk, Travel::Walk, &Surroundings::new(&nowhere)).len(), 3);
}

/// Home, a walk, work, a drive, home: two haunts and the ways between.
#[test]
fn a_day_has_haunts_and_ways() {
    let mut fixes: Vec<Fix> = (0..30).map(|minute| fix(minute * 60, 0.0, 0.0)).collect();
    fixes.extend((1..=10).map(|minute| fix((29 + minute) * 60, 80.0 * minute as f64, 0.0)));
    fixes.extend((0..60).map(|minute| fix((40 + minute) * 60, 800.0, 0.0)));
    fixes.extend(
        (1..=10).map(|step| {
            fix(100 * 60 + step * 60, 800.0 - 80.0 * step as f64, 700.0 * (5.0 - (step as f64 - 5.0).abs()))
        }),
    );
    fixes.extend((0..45).map(|minute| fix((111 + minute) * 60, 0.0, 0.0)));
    let stays = stay_points(&fixes, 50.0, Duration::from_mins(10));
    let haunts = haunts(&stays, 100.0);
    assert_eq!(haunts.iter().map(|haunt| haunt.visits).collect::<Vec<_>>(), [2, 1]);
    assert!(distance_m(haunts[0].position, here()) < 20.0 && haunts[0].dwell > haunts[1].dwell);
    let ways: Vec<Travel> = legs(&fixes, &stays).iter().map(|leg| leg.travel).collect();
    assert_eq!(ways, [Travel::Walk, Travel::Drive]);
}

proptest! {
    /// L3-43: a hop is accepted exactly when it is no longer than speed times time times 1.2.
    #[test]
    fn accepted_hops_are_within_the_buffer(metres in 0.0_f64..40_000.0, seconds in 1_u64..3_000, way in 0_usize..5) {
        let travel = Travel::ALL[way];
        let (from, to) = (fix(0, 0.0, 0.0), fix(seconds, metres, 0.0));
        let reach = travel.speed_mps() * seconds as f64 * 1.2;
        let length = distance_m(from.position, to.position);
        prop_assume!((length - reach).abs() > 1e-6);
        let found = mosaic_geo::movement::validate_trajectory(&[from, to], travel);
        prop_assert_eq!(found.is_empty(), length <= reach);
    }

    /// Whatever sensors say, nothing panics.
    #[test]
    fn any_reading_is_judged(readings in prop::collection::vec(any::<[f64; 3]>(), 0..400), rate: f64, mps: f64) {
        let readings: Vec<Motion> = readings.into_iter().map(|axis| Motion { acceleration: axis, turning: axis }).collect();
        let _either = (cross_check(&readings, rate, mps), cross_check(&readings, 50.0, mps));
    }
}

/// Ten seconds at 50 Hz: sensor noise of a phone, and what the movement adds.
fn trace(travel: Option<Travel>, rng: &mut ChaCha20Rng) -> Vec<Motion> {
    // The sum of twelve uniform numbers: near enough to a normal one.
    let mut normal = |scale: f64| ((0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0) * scale;
    let (pace, bounce, shake, turn) = match travel {
        None => (0.0, 0.0, 0.03, 0.005),
        Some(Travel::Walk) => (1.9 + normal(0.1), 1.8 + normal(0.3), 0.4, 0.5),
        Some(Travel::Run) => (2.7 + normal(0.1), 5.0 + normal(0.8), 1.0, 1.0),
        Some(_) => (0.0, 0.0, 0.35 + normal(0.05), 0.08),
    };
    let reading = |number: u32| {
        let phase = f64::from(number) / 50.0 * pace * std::f64::consts::TAU;
        let up = 9.81 + bounce * phase.sin() + normal(shake);
        Motion { acceleration: [normal(shake), normal(shake), up], turning: [normal(turn), normal(turn), normal(turn)] }
    };
    (0..500).map(reading).collect()
}

/// L1-24: a still device is never taken for one that walks or drives. Seed 24, 300 traces of each kind; the area under
/// the receiver operating characteristic is printed.
#[test]
fn a_still_device_is_not_believed_to_move() {
    let mut rng = ChaCha20Rng::seed_from_u64(24);
    let mut many = |travel| -> Vec<Vec<Motion>> { (0..300).map(|_| trace(travel, &mut rng)).collect() };
    let (still, walks, drives) = (many(None), many(Some(Travel::Walk)), many(Some(Travel::Drive)));
    for claimed in [Travel::Walk, Travel::Run, Travel::Drive] {
        let believed = still.iter().filter(|trace| cross_check(trace, 50.0, claimed.speed_mps()) != Agreement::Still);
        assert_eq!(believed.count(), 0, "{claimed:?}");
    }
    let agreeing = |traces: &[Vec<Motion>], mps| {
        traces.iter().filter(|trace| cross_check(trace, 50.0, mps) == Agreement::Agrees).count()
    };
    assert!(agreeing(&walks, 1.4) >= 294 && agreeing(&drives, 13.9) >= 294);
    assert_eq!(agreeing(&still, 0.0), 300, "nothing is claimed");
    assert!(agreeing(&drives, 1.4) <= 15, "a vehicle knows no steps");
    let scores = |traces: &[Vec<Motion>], of: &dyn Fn(MotionSummary) -> f64| -> Vec<f64> {
        traces.iter().filter_map(|trace| MotionSummary::of(trace, 50.0)).map(of).collect()
    };
    let shaking = |summary: MotionSummary| summary.shaking;
    let steps = |summary: MotionSummary| summary.steps;
    say(&format!(
        "area under the ROC: still against walking {:.4}, still against driving {:.4}, driving against walking {:.4}",
        area(&scores(&still, &shaking), &scores(&walks, &shaking)),
        area(&scores(&still, &shaking), &scores(&drives, &shaking)),
        area(&scores(&drives, &steps), &scores(&walks, &steps)),
    ));
}

/// The probability that one of `high` scores above one of `low`.
fn area(low: &[f64], high: &[f64]) -> f64 {
    let wins: usize = high.iter().map(|score| low.iter().filter(|other| *other < score).count()).sum();
    wins as f64 / (low.len() * high.len()) as f64
}

#[expect(clippy::print_stderr, reason = "the requirement asks for the figure")]
fn say(text: &str) {
    eprintln!("{text}");
}

#[test]
fn too_little_is_said_to_be_too_little() {
    let rest = vec![Motion { acceleration: [0.0, 0.0, 9.81], turning: [0.0; 3] }; 100];
    assert_eq!(cross_check(&rest, 50.0, 5.0), Agreement::TooShort);
    assert_eq!(cross_check(&rest, 30.0, 5.0), Agreement::Still);
    assert_eq!(cross_check(&[], 50.0, 5.0), Agreement::TooShort);
}
