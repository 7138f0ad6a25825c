use std::{collections::BTreeSet, time::Duration};

use mosaic_crypto::record;
use mosaic_release::{FrameId, ReleaseError, Releaser, RendezvousFloor, SlotTruth, Withdrawal};
use mosaic_types::{ContactText, Mode, NoiseRatio, Stream};
use mosaic_wire::{ContactCard, EvaluateFields, EventFields, OprfInput, encode};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::world::{NOW, draft, frame, releaser, table};

const MODES: [Mode; 3] = [Mode::Emergency, Mode::Balanced, Mode::Maximum];

/// L3-02 over 10,000 random inputs (seed 1): however many frames wait, whatever the mode and the requests, no event
/// has more real slots than its floor allows, rows always differ, the size never changes.
#[test]
fn no_event_ever_exceeds_its_floor() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut releaser = releaser(1);
    let table = table(NOW.period());
    for round in 0..10_000_u32 {
        if round % 500 == 0 {
            let requested = rng.random_range(0.30..=0.80);
            releaser
                .broadcasts()
                .map(|b| b.id)
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|id| assert_eq!(releaser.withdraw(id), Withdrawal::Withdrawn));
            releaser.draft(NOW, draft("tea", requested, MODES[rng.random_range(0..3_usize)])).unwrap();
        }
        let mode = MODES[rng.random_range(0..3_usize)];
        let offered = rng.random_range(0..=20_u64);
        let frames = (0..offered).map(|number| frame(number, rng.random_range(0..100_000) / 50)).collect();
        let most = releaser.rendezvous_ratio(NOW, mode).most_real_of(10) as usize;
        assert!(most <= mode.profile().rendezvous_floor.most_real_of(10) as usize);
        let event = releaser.rendezvous_event(NOW, &table, Stream::Steady, mode, frames, &mut rng).unwrap();
        let real = event.slot_truth().expose(|truth| truth.iter().filter(|truth| truth.is_real()).count());
        assert!(real <= most && event.frames().len() == real);
        assert!(event.floor().measured() >= 1.0 - most as f64 / 10.0 - 1e-9);
        let bytes = encode(&event);
        assert_eq!(bytes.len(), 2_048);
        assert!(EventFields::decode(&bytes).unwrap().has_distinct_rows());
        if round % 7 == 0 {
            drop(releaser.retry(&event, rng.random_range(0..1_024)));
        }
    }
}

/// Records, rows and head of an event with no frame and one with as many as may go: byte values of each are
/// uniform alike. Seed 2, 300 events each, chi-square over 256 values with 255 degrees of freedom, level 0.001 at 330.5.
#[test]
fn real_and_decoy_events_have_one_shape() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let table = table(NOW.period());
    for offered in [0, 5] {
        let mut releaser = releaser(2);
        let mut counts = [0_f64; 256];
        for round in 0..300_u64 {
            let frames = (0..offered)
                .map(|number| frame(round * 10 + number, number as u32 * 20_000 + rng.random_range(0..20_000)))
                .collect();
            let event =
                releaser.rendezvous_event(NOW, &table, Stream::Steady, Mode::Balanced, frames, &mut rng).unwrap();
            assert_eq!(event.frames().len(), offered as usize);
            let bytes = encode(&event);
            assert_eq!(bytes[..10], [&[1, 1, 0, 0, 0, 7][..], &event.fields().table.0.to_be_bytes()].concat());
            bytes[128..].iter().for_each(|byte| counts[usize::from(*byte)] += 1.0);
        }
        let expected = counts.iter().sum::<f64>() / 256.0;
        let statistic: f64 = counts.iter().map(|count| (count - expected).powi(2) / expected).sum();
        assert!(statistic < 330.5, "{offered}: {statistic}");
    }
}

/// Where the only frame lies is uniform: seed 3, 5,000 events, 9 degrees of freedom, level 0.001 at 27.9.
#[test]
fn a_frame_may_lie_anywhere() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let (mut releaser, table) = (releaser(3), table(NOW.period()));
    let mut counts = [0_f64; 10];
    for number in 0..5_000_u64 {
        let frames = vec![frame(number, 77)];
        let event = releaser.rendezvous_event(NOW, &table, Stream::Steady, Mode::Balanced, frames, &mut rng).unwrap();
        let at = event.slot_truth().expose(|truth| truth.iter().position(|truth| truth.is_real()));
        counts[at.unwrap()] += 1.0;
    }
    let statistic: f64 = counts.iter().map(|count| (count - 500.0).powi(2) / 500.0).sum();
    assert!(statistic < 27.9, "{statistic} {counts:?}");
}

#[test]
fn frames_leave_in_order_and_open_for_their_reader() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let (mut releaser, table) = (releaser(4), table(NOW.period()));
    let frames = vec![frame(1, 10), frame(2, 10), frame(3, 11), frame(4, u32::MAX - 9_000), frame(5, 12)];
    let event = releaser.rendezvous_event(NOW, &table, Stream::Fast, Mode::Maximum, frames, &mut rng).unwrap();
    let left: BTreeSet<FrameId> = event.frames().into_iter().collect();
    assert_eq!(left, BTreeSet::from([FrameId(1), FrameId(3)]), "two at most, one a row, none outside the table");
    let at = event.fields().rows.iter().position(|row| row.row() == 11).unwrap();
    assert_eq!(*record::open_record(&[3; 32], &event.fields().slots[at]).unwrap(), [7; 136]);
    assert_eq!(event.slot_truth().expose(|truth| truth[at]), SlotTruth::Frame(FrameId(3)));
}

#[test]
fn full_rows_are_retried_for_frames_and_decoys_alike() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let (mut releaser, table) = (releaser(5), table(NOW.period()));
    let send = |releaser: &mut Releaser, at, frames, rng: &mut ChaCha20Rng| {
        releaser.rendezvous_event(at, &table, Stream::Steady, Mode::Balanced, frames, rng).unwrap()
    };
    let mut event = send(&mut releaser, NOW, vec![frame(1, 500)], &mut rng);
    for chain in 1..=3_u8 {
        assert!(releaser.retry(&event, 0b11_1111_1111).is_empty());
        assert!(event.stored(0b11_1111_1111).is_empty(), "a frame that waits is not stored");
        event = send(&mut releaser, NOW, vec![frame(9, 600)], &mut rng);
        assert!(event.fields().rows.iter().all(|row| row.chain() == chain));
        assert!(event.fields().rows.iter().any(|row| row.row() == 500 + 1_000 * u32::from(chain)));
        assert_eq!(event.frames(), [FrameId(1)]);
    }
    let given_up = releaser.retry(&event, 0b11_1111_1111);
    assert_eq!(given_up, [FrameId(1)], "after the third full row it is offered again as a fresh frame");
    let fresh = send(&mut releaser, NOW, Vec::new(), &mut rng);
    assert!(fresh.fields().rows.iter().all(|row| row.chain() == 0), "after the third full row it is given up");
    assert!(releaser.retry(&fresh, 0b1).is_empty());
    let late = send(&mut releaser, NOW.after(Duration::from_mins(61)), Vec::new(), &mut rng);
    assert!(late.fields().rows.iter().all(|row| row.chain() == 0), "nobody reads an epoch that long past");
}

/// A frame is stored exactly when its own row took it; one whose time passes while it waits is given up and named.
#[test]
fn what_became_of_a_frame_is_told() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let (mut releaser, table) = (releaser(7), table(NOW.period()));
    let frames = vec![frame(1, 500), frame(2, 600)];
    let event = releaser.rendezvous_event(NOW, &table, Stream::Steady, Mode::Balanced, frames, &mut rng).unwrap();
    let at = event.slot_truth().expose(|truth| truth.iter().position(|truth| *truth == SlotTruth::Frame(FrameId(1))));
    let full = 1 << at.unwrap();
    assert_eq!(event.stored(full), [FrameId(2)]);
    assert!(releaser.retry(&event, full).is_empty(), "it waits");
    let late = NOW.after(Duration::from_mins(61));
    let next = releaser.rendezvous_event(late, &table, Stream::Steady, Mode::Balanced, Vec::new(), &mut rng).unwrap();
    assert!(next.frames().is_empty());
    assert_eq!(releaser.retry(&next, 0), [FrameId(1)]);
    assert!(releaser.retry(&next, 0).is_empty(), "told once");
}

/// What the person set for everything holds for every event, whatever stands.
#[test]
fn a_set_ratio_raises_every_event() {
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let (mut releaser, table) = (releaser(8), table(NOW.period()));
    for (mode, set, most) in [(Mode::Emergency, 0.30, 7), (Mode::Balanced, 0.30, 5), (Mode::Balanced, 0.75, 2)] {
        let floor = RendezvousFloor::from(mode).raised_to(NoiseRatio::new(set).unwrap());
        let frames = (0..10).map(|number| frame(number, 100 + number as u32)).collect();
        let event = releaser.rendezvous_event(NOW, &table, Stream::Steady, floor, frames, &mut rng).unwrap();
        assert_eq!(event.frames().len(), most);
    }
}

#[test]
fn tables_that_do_not_fit_are_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let mut releaser = releaser(6);
    let mut small = table(NOW.period());
    small.rendezvous.rows = 5;
    let refused = releaser.rendezvous_event(NOW, &small, Stream::Steady, Mode::Balanced, Vec::new(), &mut rng);
    assert!(matches!(refused, Err(ReleaseError::BadTable)));
    let old = table(NOW.period().previous());
    let refused = releaser.rendezvous_event(NOW, &old, Stream::Steady, Mode::Balanced, Vec::new(), &mut rng);
    assert!(matches!(refused, Err(ReleaseError::WrongTable)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Queries have one size, and their filler answers nobody's question.
    #[test]
    fn queries_always_have_sixteen_points(count in 0_usize..=18, seed in any::<u64>()) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let table = table(NOW.period());
        let inputs: Vec<OprfInput> =
            (0..count).map(|n| OprfInput::Row { period: table.period, resolution: 8, cell: n as u64, window: NOW.window(), groups: 1, group: 0 }).collect();
        match Releaser::evaluate(&table, &inputs, &mut rng) {
            Ok(evaluating) => {
                prop_assert!(count <= 16 && evaluating.blinds.len() == 16);
                let decoded = EvaluateFields::decode(&encode(&evaluating.query)).unwrap();
                let distinct: BTreeSet<_> = decoded.points.iter().collect();
                prop_assert_eq!(distinct.len(), 16);
            }
            Err(_) => prop_assert!(count > 16),
        }
    }
}

#[test]
fn contacts_pass_the_barrier_at_one_size() {
    for text in ["a", &"x".repeat(300)] {
        let bytes = encode(&Releaser::contact(ContactText::new(text).unwrap()));
        assert_eq!(bytes.len(), ContactCard::SIZE);
        assert_eq!(ContactCard::decode(&bytes).unwrap().text.expose(str::to_owned), text);
    }
}
