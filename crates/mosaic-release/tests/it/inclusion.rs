use std::{collections::BTreeSet, time::Duration};

use mosaic_obfuscate::PersonaId;
use mosaic_release::{Broadcast, Draft, ReleasedEvent, Releaser, SlotTruth};
use mosaic_types::{LatLng, Mode, Sensitive, Timestamp};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::world::{NOW, Oracle, draft, releaser, table};

const TOMORROW: Duration = Duration::from_hours(24);

fn truth(event: &ReleasedEvent) -> [SlotTruth; 10] {
    event.slot_truth().clone().into_exposed()
}

/// What is shown of an event that would leave now: class, cell and whose it is.
fn shown(releaser: &mut Releaser, at: Timestamp) -> BTreeSet<(u8, u64, bool)> {
    let preview = releaser.preview(at, 8, &table(at.period()), |_| None).unwrap();
    let whose = preview.truth.into_exposed();
    let bundles = preview.bundles.into_iter().zip(whose);
    bundles.map(|(bundle, truth)| (bundle.class.get(), bundle.cell.raw(), truth.is_real())).collect()
}

/// Theorem 3, maximum mode, seed 41: 200 days of one wish. It is in every event of its round or in none; where it is not,
/// its understudy is; five standard errors around one half are 0.18. The reply tells which, and the bound.
#[test]
fn maximum_mode_shows_half_the_days() {
    let (mut releaser, mut oracle) = (releaser(41), Oracle::new());
    let (mut rng, mut days) = (ChaCha20Rng::seed_from_u64(41), 0);
    for day in 0..200_u32 {
        let at = NOW.after(TOMORROW * day);
        let accepted = releaser.draft(at, draft("coffee meetup", 0.8, Mode::Maximum)).unwrap();
        assert!((accepted.inclusion.probability - 0.5).abs() < 1e-12);
        assert!((8.0..14.0).contains(&accepted.inclusion.epsilon), "{}", accepted.inclusion.epsilon);
        for resolution in [8, 7] {
            let truth = truth(&oracle.event(&mut releaser, at, resolution, &mut rng));
            let real = truth.contains(&SlotTruth::Broadcast(accepted.id));
            let understudy = SlotTruth::Persona(PersonaId { company: 0, member: 9 });
            assert_eq!((real, truth.contains(&understudy)), (accepted.inclusion.shown, !accepted.inclusion.shown));
            assert!(
                truth
                    .iter()
                    .all(|slot| slot.is_real() || matches!(slot, SlotTruth::Persona(PersonaId { company: 0, .. })))
            );
        }
        days += u32::from(accepted.inclusion.shown);
        releaser.withdraw(accepted.id);
    }
    assert!((f64::from(days) / 200.0 - 0.5).abs() < 0.18, "{days} of 200");
}

#[test]
fn every_other_mode_shows_always() {
    for mode in [Mode::Balanced, Mode::Emergency] {
        let mut releaser = releaser(42);
        for day in 0..30_u32 {
            let accepted = releaser.draft(NOW.after(TOMORROW * day), draft("tea", 0.5, mode)).unwrap();
            assert!(accepted.inclusion.shown && accepted.inclusion.epsilon == f64::INFINITY);
            releaser.withdraw(accepted.id);
        }
    }
}

/// PRIVACY 1.2, in each mode: whoever takes a wish back and sends it again, also after a restart, is seen with the same nine
/// others, so that an intersection of the two events removes nobody; and what maximum mode left out it leaves out again.
#[test]
fn a_wish_sent_again_is_seen_with_the_same_nine() {
    for (seed, mode) in [(43, Mode::Balanced), (44, Mode::Maximum), (45, Mode::Maximum), (46, Mode::Emergency)] {
        let mut device = releaser(seed);
        let first = device.draft(NOW, draft("looking for jazz musicians", 0.5, mode)).unwrap();
        let before = shown(&mut device, NOW);
        device.withdraw(first.id);
        // another wish in between, elsewhere
        let place = Sensitive::new(LatLng::new(41.19, -8.57).unwrap());
        let other = device.draft(NOW, Draft { place, ..draft("chess", 0.5, mode) }).unwrap();
        device.withdraw(other.id);
        let mut device = Releaser::new([seed; 32], crate::world::town(), device.state().clone());
        let later = NOW.after(Duration::from_mins(50));
        let again = device.draft(later, draft("looking for jazz musicians", 0.5, mode)).unwrap();
        assert_eq!(again.inclusion, first.inclusion);
        assert_eq!((before.len(), shown(&mut device, later)), (10, before), "{mode}");
        assert!(device.broadcasts().map(Broadcast::inclusion).all(|drawn| drawn.probability() <= 1.0));
    }
}
