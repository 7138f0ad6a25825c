use std::sync::atomic::Ordering;

use super::{super::*, journal::Journal, *};

/// Whether bytes lie in any file.
fn lies(disk: &Journal, needle: &[u8]) -> bool {
    disk.contents().values().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
}

/// A key of a table, and a value that is found wherever it lies.
fn record(table: u32, number: u32) -> Change {
    let key = [&table.to_be_bytes()[..], b"key-", &number.to_be_bytes()].concat();
    Change::Put(Bucket::Blocks, key, format!("value-of-table-{table}-{number}").into_bytes())
}

/// Two tables whose records lie in between each other, then one goes: its values, also those that were replaced or
/// removed long before, and its keys, also in hints, are on no file any more; the other is untouched.
#[test]
fn an_erased_table_leaves_no_byte() {
    for table in [7, 8] {
        let disk = Journal::default();
        let mut store = open(&disk);
        for number in 0..60 {
            store.commit(&[record(7, number % 50), record(8, number % 50)]).unwrap();
            if number % 10 == 9 {
                store
                    .commit(&[Change::Remove(Bucket::Blocks, [&7_u32.to_be_bytes()[..], b"key-", &[0; 4]].concat())])
                    .unwrap();
            }
        }
        store.commit(&[put(b"kept", b"for ever")]).unwrap();
        store.commit(&[Change::Erase(Bucket::Blocks, u32::to_be_bytes(table).to_vec())]).unwrap();
        let needles = [format!("value-of-table-{table}-").into_bytes(), [&table.to_be_bytes()[..], b"key-"].concat()];
        assert!(lies(&disk, &needles[0]) && lies(&disk, &needles[1]), "the test can find it");
        let expected = contents(&store).unwrap();
        tidy(&mut store);
        assert!(!lies(&disk, &needles[0]) && !lies(&disk, &needles[1]), "table {table}");
        assert_eq!(contents(&store).unwrap(), expected);
        drop(store);
        let mut store = open(&disk);
        assert_eq!(contents(&store).unwrap(), expected);
        assert!(!store.tidy().unwrap(), "it was done before the restart");
    }
}

/// The promise outlives the process that made it, at whatever step that ends.
#[test]
fn erasing_goes_on_after_a_restart() {
    let disk = Journal::default();
    let mut store = open(&disk);
    for number in 0..30 {
        store.commit(&[record(7, number), record(8, number)]).unwrap();
    }
    store.commit(&[Change::Erase(Bucket::Blocks, 7_u32.to_be_bytes().to_vec())]).unwrap();
    let expected = contents(&store).unwrap();
    let mut steps = 0;
    loop {
        let other = disk.copy();
        let mut again = open(&other);
        tidy(&mut again);
        assert!(!lies(&other, b"value-of-table-7-"), "after {steps} steps");
        assert_eq!(contents(&again).unwrap(), expected, "after {steps} steps");
        if !store.tidy().unwrap() {
            break;
        }
        steps += 1;
    }
    assert!(steps > 10, "{steps}");
}

/// What is erased in the segment that is being written goes too.
#[test]
fn erasing_what_was_just_written_works() {
    let disk = Journal::default();
    let mut store = open(&disk);
    store.commit(&[record(7, 1), record(8, 1)]).unwrap();
    store.commit(&[Change::Erase(Bucket::Blocks, 7_u32.to_be_bytes().to_vec())]).unwrap();
    tidy(&mut store);
    assert!(!lies(&disk, b"value-of-table-7-") && lies(&disk, b"value-of-table-8-"));
    assert_eq!(store.segments.len(), 1);
}

/// One step looks at one batch here, however large the segment.
#[test]
fn a_step_is_bounded() {
    let disk = Journal::default();
    let mut store = open(&disk);
    for number in 0..40 {
        store.commit(&[record(8, number), record(7, number)]).unwrap();
    }
    store.commit(&[Change::Erase(Bucket::Blocks, 7_u32.to_be_bytes().to_vec())]).unwrap();
    loop {
        let before = store.bytes();
        if !store.tidy().unwrap() {
            break;
        }
        assert!(store.bytes() <= before + 200, "one record and two heads");
    }
}

/// Rewriting one key for ever does not fill the disk, and keys that nobody touches stay.
#[test]
fn a_log_does_not_grow_without_end() {
    let disk = Journal::default();
    let mut store = open(&disk);
    (0..20).for_each(|number| store.commit(&[record(1, number)]).unwrap());
    for number in 0..2_000_u32 {
        store.commit(&[put(b"counter", &number.to_be_bytes())]).unwrap();
        let _more = store.tidy().unwrap();
    }
    assert!(store.bytes() < 8_000, "{} bytes", store.bytes());
    assert_eq!(contents(&store).unwrap().len(), 21);
}

#[test]
fn a_file_that_cannot_be_removed_is_tried_again() {
    let disk = Journal::default();
    let mut store = open(&disk);
    store.commit(&[record(7, 1)]).unwrap();
    store.commit(&[Change::Erase(Bucket::Blocks, 7_u32.to_be_bytes().to_vec())]).unwrap();
    assert!(store.tidy().unwrap(), "the segment is sealed");
    disk.sticky.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        assert!(store.tidy().is_err());
        store.commit(&[put(b"meanwhile", b"1")]).unwrap();
    }
    assert!(lies(&disk, b"value-of-table-7-"));
    disk.sticky.store(false, Ordering::Relaxed);
    tidy(&mut store);
    assert!(!lies(&disk, b"value-of-table-7-"));
}
