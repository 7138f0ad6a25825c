//! Ten sources for every event (S-36), and when a broadcast enters its first (L3-11).

use std::{collections::BTreeSet, time::Duration};

use mosaic_release::SlotTruth;
use mosaic_types::Mode;
use mosaic_wire::{EventFields, encode};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::world::{NOW, Oracle, draft, releaser};

/// S-36 asks for ten plausible sources, or else the missing number or delay: none is ever missing. Seed 41, forty events
/// over eight hours with and without something to say: ten bundles, no two from one source, in ten rows.
#[test]
fn every_event_has_ten_bundles_of_ten_sources() {
    let (mut releaser, mut oracle) = (releaser(41), Oracle::new());
    let mut rng = ChaCha20Rng::seed_from_u64(41);
    let mut with_ours = 0;
    for step in 0..40_u32 {
        if step % 13 == 5 {
            releaser.draft(NOW, draft("coffee meetup", 0.3, Mode::Emergency)).unwrap();
        }
        let at = NOW.after(Duration::from_mins(u64::from(step) * 12));
        let event = oracle.event(&mut releaser, at, [8, 7, 8, 6, 8][step as usize % 5], &mut rng);
        let fields = EventFields::decode(&encode(&event)).unwrap();
        let rows: BTreeSet<u32> = fields.rows.iter().map(|row| row.row()).collect();
        event.slot_truth().expose(|truth| {
            let sources: BTreeSet<String> = truth.iter().map(|source| format!("{source:?}")).collect();
            assert_eq!((sources.len(), rows.len()), (10, 10), "step {step}");
            with_ours += truth.iter().filter(|source| matches!(source, SlotTruth::Broadcast(_))).count();
        });
    }
    assert!(with_ours >= 5, "{with_ours} events held something of the person");
}

/// A broadcast that waits is in no event that leaves before, and is in the first one after; the nine who begin with it
/// do so too. Seed 42.
#[test]
fn what_waits_enters_no_event_before_its_moment() {
    let (mut releaser, mut oracle) = (releaser(42), Oracle::new());
    let mut rng = ChaCha20Rng::seed_from_u64(42);
    let wait = Duration::from_mins(25);
    let accepted = releaser.draft_after(NOW, draft("coffee meetup", 0.5, Mode::Balanced), wait).unwrap();
    let begins = NOW.after(wait);
    assert_eq!(releaser.broadcasts().next().map(|broadcast| broadcast.created), Some(begins));
    // a second draft must not drop the one that waits
    let second = releaser.draft(NOW, draft("chess", 0.5, Mode::Balanced)).unwrap();
    releaser.withdraw(second.id);
    for step in 0..5_u64 {
        let at = NOW.after(Duration::from_mins(step * 12));
        let event = oracle.event(&mut releaser, at, [8, 7, 8, 6, 8][step as usize], &mut rng);
        let holds = event.slot_truth().expose(|truth| {
            let companion = |source: &SlotTruth| matches!(source, SlotTruth::Persona(persona) if persona.company == 0);
            (truth.contains(&SlotTruth::Broadcast(accepted.id)), truth.iter().any(companion))
        });
        assert_eq!(holds, (at >= begins, at >= begins), "event {step}");
    }
}
