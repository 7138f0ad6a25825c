use std::collections::BTreeSet;

use mosaic_discovery::{Interest, Reach, plan};
use mosaic_geo::offset_m;
use mosaic_release::{Draft, Granularity, Releaser, ReleaserState};
use mosaic_types::{LatLng, Mode, Radius, SearchWindow, Sensitive};
use mosaic_wire::OprfInput;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::world::{NOW, draft, table, town};

/// Somewhere in the middle of the town.
fn somewhere(rng: &mut ChaCha20Rng) -> LatLng {
    offset_m(
        LatLng::new(41.171, -8.592).unwrap(),
        rng.random_range(-1_500.0..1_500.0),
        rng.random_range(-1_500.0..1_500.0),
    )
}

/// Of `count` pairs 450 to 500 m apart, the share whose reader plans a row of the publisher's bundle at one of
/// `resolutions`. The publisher was a little further on when it first released here this week, as people are.
fn share_planned(count: u32, seed: u64, modes: [Mode; 2], granularity: Granularity, resolutions: &[u8]) -> f64 {
    let [publishes, reads] = modes;
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut planned = 0;
    for _ in 0..count {
        let mut key = [0; 32];
        rng.fill(&mut key[..]);
        let mut releaser = Releaser::new(key, town(), ReleaserState::default());
        let place = somewhere(&mut rng);
        let at = |releaser: &mut Releaser, place| {
            let accepted =
                releaser.draft(NOW, Draft { place: Sensitive::new(place), ..draft("tea", 0.5, publishes) }).unwrap();
            let cell = releaser.broadcasts().last().unwrap().cell;
            releaser.withdraw(accepted.id);
            (accepted, cell)
        };
        if granularity == Granularity::Zone {
            // eight places spend any week's budget
            let around = (0..8)
                .map(|step| offset_m(LatLng::new(41.152, -8.592).unwrap(), 400.0 * f64::from(step) - 1_400.0, 0.0));
            around.for_each(|place| drop(at(&mut releaser, place)));
        }
        at(&mut releaser, offset_m(place, rng.random_range(-40.0..40.0), rng.random_range(-40.0..40.0)));
        let (accepted, cell) = at(&mut releaser, place);
        assert_eq!(accepted.granularity, granularity);
        let (away, angle) = (rng.random_range(450.0..500.0), rng.random_range(0.0..std::f64::consts::TAU));
        let interest = Interest {
            class: accepted.class,
            topics: accepted.topics,
            place: Sensitive::new(offset_m(place, away * f64::cos(angle), away * f64::sin(angle))),
            radius: Radius::new(500).unwrap(),
            window: SearchWindow::default(),
        };
        let table = table(NOW.period());
        let wanted: BTreeSet<OprfInput> =
            plan(&interest, NOW, Reach::of(&reads.profile()), table.groups).into_iter().collect();
        let row = |resolution: u8| {
            let cell = cell.parent(mosaic_geo::Resolution::from_number(resolution).unwrap())?;
            table.row_input(resolution, cell.raw(), NOW.window(), accepted.class)
        };
        planned += u32::from(resolutions.iter().filter_map(|number| row(*number)).any(|row| wanted.contains(&row)));
    }
    f64::from(planned) / f64::from(count)
}

/// True neighbours are planned for, whatever mode either of them is in: 400 pairs each (seeds 61 and on), real releases;
/// the promise is 95 %, and two standard errors below it are 92.8 %. At r8 alone that holds for publishers in emergency
/// and balanced mode; who blurs more, or whose ledger is spent, is found at r6.
#[test]
fn true_neighbours_are_planned_for() {
    use Mode::{Balanced, Emergency, Maximum};
    for (seed, modes) in [[Emergency, Emergency], [Balanced, Emergency], [Balanced, Balanced]].into_iter().enumerate() {
        let share = share_planned(400, 61 + seed as u64, modes, Granularity::Fine, &[8]);
        println!("{modes:?} at r8: {share:.3}");
        assert!(share >= 0.928, "{modes:?}: {share}");
    }
    for (seed, modes) in [[Maximum, Emergency], [Maximum, Balanced], [Balanced, Maximum]].into_iter().enumerate() {
        let share = share_planned(400, 71 + seed as u64, modes, Granularity::Fine, &[8, 7, 6]);
        println!("{modes:?} at any resolution: {share:.3}");
        assert!(share >= 0.928, "{modes:?}: {share}");
    }
    // whose ledger is spent is found at r6, in whichever part of the square's zone
    for (seed, modes) in [[Balanced, Emergency], [Emergency, Balanced]].into_iter().enumerate() {
        let share = share_planned(400, 81 + seed as u64, modes, Granularity::Zone, &[6]);
        println!("{modes:?} as a zone: {share:.3}");
        assert!(share >= 0.928, "{modes:?}: {share}");
    }
}
