use std::sync::atomic::Ordering;

use super::{super::*, journal::Journal, *};

fn filled(room: u64) -> (Journal, LogStore, Contents) {
    let disk = Journal::default();
    let mut store = open(&disk);
    disk.leave_room(Some(room));
    let mut number = 0_u8;
    while store.commit(&[put(&[number], &[number; 33])]).is_ok() {
        number += 1;
    }
    let expected = contents(&store).unwrap();
    assert_eq!(expected.len(), usize::from(number));
    (disk, store, expected)
}

/// At every amount of room, in the middle of whatever is written: what was acknowledged is there and can be read
/// while nothing can be written, and writing goes on once there is room, all without a restart.
#[test]
fn a_full_disk_stops_changes_and_nothing_else() {
    for room in 90..900 {
        let (disk, mut store, expected) = filled(room);
        for _ in 0..3 {
            assert!(matches!(store.commit(&[put(b"more", &[1; 900])]), Err(StoreError::Full)), "{room}");
            assert_eq!(contents(&store).unwrap(), expected, "{room}");
        }
        assert_eq!(contents(&open(&disk.copy())).unwrap(), expected, "a kill on a full disk, {room}");
        disk.leave_room(None);
        store.commit(&[put(b"more", b"")]).unwrap();
        assert_eq!(contents(&store).unwrap().len(), expected.len() + 1, "{room}");
        drop(store);
        assert_eq!(contents(&open(&disk)).unwrap().len(), expected.len() + 1, "{room}");
    }
}

#[test]
fn a_restart_on_a_full_disk_opens_and_reads() {
    for room in (90..900).step_by(7) {
        let (disk, store, expected) = filled(room);
        disk.leave_room(Some(0));
        drop(store);
        assert_eq!(contents(&open(&disk)).unwrap(), expected, "{room}");
    }
}

/// Even when what a failed commit left cannot be cut off at once: nothing is written behind it.
#[test]
fn the_rest_of_a_failed_commit_is_cut_off_before_the_next() {
    let disk = Journal::default();
    let mut store = open(&disk);
    store.commit(&[put(b"a", b"1")]).unwrap();
    disk.stuck.store(true, Ordering::Relaxed);
    disk.leave_room(Some(20));
    assert!(matches!(store.commit(&[put(b"b", &[2; 100])]), Err(StoreError::Full)));
    disk.leave_room(None);
    assert!(matches!(store.commit(&[put(b"b", b"2")]), Err(StoreError::Io(_))));
    assert_eq!(contents(&open(&disk.copy())).unwrap().len(), 1, "a kill before it is cut off");
    disk.stuck.store(false, Ordering::Relaxed);
    store.commit(&[put(b"c", b"3")]).unwrap();
    let expected = contents(&store).unwrap();
    assert_eq!(expected.len(), 2);
    assert_eq!(contents(&open(&disk.copy())).unwrap(), expected);
}

/// After a flush that failed, nobody knows what is on the medium: the next commit goes into another file.
#[test]
fn a_flush_that_fails_ends_the_segment() {
    let disk = Journal::default();
    let mut store = open(&disk);
    store.commit(&[put(b"a", b"1")]).unwrap();
    disk.dying.store(true, Ordering::Relaxed);
    assert!(matches!(store.commit(&[put(b"b", b"2")]), Err(StoreError::Io(_))));
    assert_eq!(store.get(Bucket::Open, b"b").unwrap(), None, "refused is refused");
    disk.dying.store(false, Ordering::Relaxed);
    store.commit(&[put(b"c", b"3")]).unwrap();
    assert_eq!(store.segments.len(), 2);
    drop(store);
    assert_eq!(contents(&open(&disk)).unwrap().len(), 2);
}

/// A full disk takes no deposit, and yet a table is retired on it: what is put stays out, what removes goes through,
/// and the room that comes back is kept again.
#[test]
fn a_table_is_erased_on_a_full_disk() {
    let options = LogOptions { reserve_bytes: 1_000, ..SMALL };
    let disk = Journal::default();
    let mut store = open_with(&disk, options).unwrap();
    disk.leave_room(Some(3_000));
    let mut number = 0_u8;
    while store.commit(&[put(&[7, number], &[number; 70])]).is_ok() {
        number += 1;
    }
    disk.leave_room(Some(0));
    for _ in 0..3 {
        assert!(matches!(store.commit(&[put(&[7, number], &[number; 70])]), Err(StoreError::Full)));
    }
    assert_eq!(disk.contents()["reserve"].len(), 1_000);
    store.commit(&[Change::Put(Bucket::Tables, vec![7], vec![1])]).unwrap();
    assert!(!disk.contents().contains_key("reserve"));
    store.commit(&[Change::Erase(Bucket::Open, vec![7])]).unwrap();
    tidy(&mut store);
    assert_eq!(contents(&store).unwrap().len(), 1);
    assert!(store.bytes() < 400, "{} bytes", store.bytes());
    assert_eq!(disk.contents()["reserve"].len(), 1_000, "for the next time");
    store.commit(&[put(&[8], &[8; 70])]).unwrap();
}

#[test]
fn without_room_for_a_reserve_there_is_none() {
    let disk = Journal::default();
    disk.leave_room(Some(500));
    let store = open_with(&disk, LogOptions { reserve_bytes: 1_000, ..SMALL });
    assert!(store.is_ok(), "and the log opens all the same");
    assert!(disk.contents().keys().all(|name| !name.starts_with("reserve")));
}
