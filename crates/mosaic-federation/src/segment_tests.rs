use std::time::Duration;

use mosaic_types::{Lane, Period, RowTag, TileId};
use mosaic_wire::RECORD;
use proptest::prelude::*;

use super::*;

const LENGTH: Duration = Duration::from_secs(60);

fn table() -> TableId {
    TableId::new(Period(100), Lane::Rendezvous)
}

fn open(capacity: u16) -> OpenTable {
    OpenTable::new(table(), ProviderId::new(1).unwrap(), TableShape { rows: 64, capacity })
}

/// Ten slots in the rows `first..first + 10`, all bytes `fill`.
fn fields(first: u32, fill: u8) -> EventFields {
    EventFields {
        stream: Stream::Steady,
        tile: TileId(1),
        table: table(),
        rows: std::array::from_fn(|slot| RowTag::new(first + slot as u32, 0).unwrap()),
        receipt_key: [fill; 32],
        descriptor: [0; 32],
        pad: [0; 24],
        slots: [[fill; RECORD]; SLOTS],
    }
}

fn at(seconds: u64) -> Timestamp {
    Period(100).start().after(Duration::from_secs(seconds))
}

#[test]
fn capacity_is_decided_per_row_before_the_receipt() {
    let mut table = open(2);
    for fill in 0..2 {
        assert_eq!(table.admit(at(0), &fields(0, fill), [fill; 32]).verdict().accepted, 0x3ff);
    }
    // rows 5 to 9 are full, 10 to 14 are empty
    let verdict = table.admit(at(0), &fields(5, 2), [2; 32]).verdict();
    assert_eq!((verdict.full, verdict.accepted), (0b00000_11111, 0b11111_00000));
    assert_eq!((table.load(5), table.load(10)), (2, 1));
}

#[test]
fn a_replay_changes_nothing() {
    let mut table = open(2);
    let first = table.admit(at(0), &fields(0, 7), [7; 32]);
    let again = table.admit(at(50), &fields(0, 7), [7; 32]);
    assert_eq!(again, Admitted::Replayed(first.verdict()));
    assert_eq!((table.load(0), table.segment(Stream::Steady).waiting()), (1, 10));
}

#[test]
fn a_generation_is_due_at_the_first_boundary_after_its_first_record() {
    let mut table = open(4);
    assert_eq!(table.segment(Stream::Steady).due(LENGTH), None, "empty ones are never sealed");
    table.admit(at(61), &fields(0, 1), [1; 32]);
    table.admit(at(119), &fields(0, 2), [2; 32]);
    assert_eq!(table.segment(Stream::Steady).due(LENGTH), Some(at(120)));
    assert_eq!(table.segment(Stream::Fast).due(LENGTH), None);
}

#[test]
fn sealed_generations_form_a_signed_chain() {
    let key = SigningKey::from_bytes(&[3; 32]);
    let mut table = open(100);
    let mut previous = [0; 32];
    for index in 0..4 {
        let fill = u8::try_from(index).unwrap();
        table.admit(at(60), &fields(index, fill), [fill; 32]);
        let sealed = table.seal(Stream::Steady, at(120), &key).unwrap();
        sealed.head.verify(&key.verifying_key()).unwrap();
        assert!(sealed.head.covers(&sealed.block));
        assert_eq!((sealed.head.index, sealed.head.previous), (index, previous));
        assert!(sealed.block.records().is_sorted());
        previous = sealed.head.hash();
        table.continue_after(&sealed.head);
    }
    assert_eq!(table.segment(Stream::Steady).waiting(), 0);
    assert_eq!(table.verdict(&[0; 32]).unwrap().generation, 0, "old answers stay");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Revoking what could not be stored leaves no trace, and restoring what was stored leaves the
    /// same table as never having stopped.
    #[test]
    fn revoke_and_restore_are_exact(firsts in proptest::collection::vec(0_u32..20, 1..12)) {
        let mut lived = open(3);
        let mut kept = Vec::new();
        for (number, first) in firsts.iter().enumerate() {
            let fill = u8::try_from(number).unwrap();
            let event = fields(*first, fill);
            let verdict = lived.admit(at(5), &event, [fill; 32]).verdict();
            if number % 3 == 0 {
                lived.revoke([fill; 32], &event);
            } else {
                kept.push(([fill; 32], verdict, records_of(&event, verdict.accepted)));
            }
        }
        let mut restored = open(3);
        for (event, verdict, records) in kept {
            restored.restore(event, verdict, records);
        }
        let key = SigningKey::from_bytes(&[3; 32]);
        let seal = |table: &OpenTable| table.seal(Stream::Steady, at(60), &key).unwrap();
        prop_assert_eq!(seal(&restored), seal(&lived));
        for row in 0..64 {
            prop_assert_eq!(restored.load(row), lived.load(row));
        }
        prop_assert_eq!(restored.segment(Stream::Steady).due(LENGTH), lived.segment(Stream::Steady).due(LENGTH));
    }
}
