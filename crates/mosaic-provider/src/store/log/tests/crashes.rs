use super::{
    super::*,
    journal::{Crash, Journal},
    *,
};

/// What was told to whoever committed, and when.
struct Told {
    /// Operations on the disk before the commit, and after it.
    between: (usize, usize),
    /// The contents after it.
    contents: Contents,
}

/// A life with several segments, removals and sweeping.
fn live(disk: &Journal) -> Vec<Told> {
    let mut store = open(disk);
    let mut told = vec![Told { between: (0, disk.len()), contents: Vec::new() }];
    for number in 0..14_u8 {
        let before = disk.len();
        let mut changes = vec![put(&[number % 4, number], &[number; 50]), put(&[9], &[number; 9])];
        if number % 4 == 3 {
            changes.push(Change::Erase(Bucket::Open, vec![number % 3]));
        }
        store.commit(&changes).unwrap();
        told.push(Told { between: (before, disk.len()), contents: contents(&store).unwrap() });
        let _more = store.tidy().unwrap();
    }
    told
}

/// What a crash after `step` operations may leave: all that was told before, and what was under way or not.
fn allowed(told: &[Told], step: usize) -> Vec<&Contents> {
    let last = told.iter().rposition(|told| told.between.1 <= step).map_or(0, |last| last);
    let under_way = told.get(last + 1).filter(|next| next.between.0 < step + 1);
    std::iter::once(&told[last]).chain(under_way).map(|told| &told.contents).collect()
}

fn is_allowed(left: &Journal, told: &[Told], step: usize, crash: Crash) {
    let store = open(left);
    let found = contents(&store).unwrap();
    assert!(allowed(told, step).contains(&&found), "after {step} operations, {crash:?}: {found:?}");
    drop(store);
    // what was repaired stays so, and is written to again
    let mut store = open(left);
    assert_eq!(contents(&store).unwrap(), found);
    store.commit(&[put(b"again", b"1")]).unwrap();
    tidy(&mut store);
    drop(store);
    assert_eq!(open(left).get(Bucket::Open, b"again").unwrap(), Some(b"1".to_vec()));
}

/// Killed after every operation and at every byte of every write, without power after every operation: what
/// was acknowledged is there, and what was under way is there as a whole or not at all.
#[test]
fn a_crash_at_any_byte_loses_nothing_that_was_told() {
    let disk = Journal::default();
    let told = live(&disk);
    assert!(disk.contents().keys().all(|name| name != "0000000001.seg"), "something was swept");
    for step in 0..=disk.len() {
        is_allowed(&disk.after(step, Crash::PowerLoss), &told, step, Crash::PowerLoss);
        for kept in 0..=disk.written_by(step) {
            is_allowed(&disk.after(step, Crash::Kill(kept)), &told, step, Crash::Kill(kept));
        }
    }
}

/// A power cut can leave a file longer than what was written of it.
#[test]
fn what_was_never_written_reads_as_zeros_and_is_cut_off() {
    let disk = Journal::default();
    let mut store = open(&disk);
    store.commit(&[put(b"first", &[1; 30])]).unwrap();
    let whole = disk.contents()["0000000001.seg"].len();
    store.commit(&[put(b"second", &[2; 30])]).unwrap();
    let bytes = disk.contents()["0000000001.seg"].clone();
    for written in whole..bytes.len() {
        let left = disk.copy();
        let mut torn = bytes.clone();
        torn[written..].fill(0);
        left.set("0000000001.seg", Some(torn));
        let store = open(&left);
        assert_eq!(contents(&store).unwrap().len(), 1, "{written} bytes written");
        assert_eq!(left.contents()["0000000001.seg"].len(), whole);
    }
}

/// Whoever chooses what is stored cannot make the rest of a torn batch look like batches that follow.
#[test]
fn stored_bytes_cannot_imitate_a_batch() {
    let elsewhere = Journal::default();
    open(&elsewhere).commit(&[put(b"x", b"y")]).unwrap();
    let batch = elsewhere.contents()["0000000001.seg"][record::SEGMENT_HEAD..].to_vec();
    let disk = Journal::default();
    let mut store = open(&disk);
    store.commit(&[put(b"first", b"1")]).unwrap();
    store.commit(&[put(b"forged", &batch.repeat(3))]).unwrap();
    let left = disk.copy();
    let mut bytes = left.contents()["0000000001.seg"].clone();
    bytes.truncate(bytes.len() - 1);
    left.set("0000000001.seg", Some(bytes));
    assert_eq!(contents(&open(&left)).unwrap().len(), 1);
}
