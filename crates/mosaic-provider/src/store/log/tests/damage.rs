use super::{super::*, journal::Journal, *};

/// Three segments, the first two sealed.
fn closed() -> (Journal, Contents) {
    let disk = Journal::default();
    let mut store = open(&disk);
    for number in 0..8_u8 {
        store
            .commit(&[put(&[number], &[number; 70]), Change::Remove(Bucket::Open, vec![number.wrapping_sub(1)])])
            .unwrap();
        store.commit(&[put(&[100 + number], &[number; 20])]).unwrap();
    }
    let expected = contents(&store).unwrap();
    assert!(store.segments.len() >= 3);
    (disk, expected)
}

/// What a damaged file does: an error that names a file and a byte in it, or nothing at all.
fn is_found_or_harmless(disk: &Journal, name: &str, at: usize, expected: &Contents) {
    let size = disk.contents().get(name).map_or(0, Vec::len) as u64;
    let read = try_open(disk).and_then(|store| contents(&store));
    match read {
        Ok(found) => assert_eq!(&found, expected, "{name}, byte {at}: wrong data"),
        Err(StoreError::Damaged { path, offset, .. }) => {
            assert_eq!(path.to_str(), Some(name), "byte {at}");
            assert!(offset.is_some_and(|offset| offset <= (at as u64).min(size)), "{name}, byte {at}: said {offset:?}");
        }
        Err(other) => panic!("{name}, byte {at}: {other}"),
    }
}

/// Every bit pattern of interest in every byte of every file of a log that was closed in peace.
#[test]
fn every_byte_that_changes_is_noticed_or_does_not_matter() {
    let (disk, expected) = closed();
    let mut noticed = 0;
    for (name, bytes) in disk.contents() {
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let other = disk.copy();
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                other.set(&name, Some(changed));
                is_found_or_harmless(&other, &name, at, &expected);
                noticed += usize::from(try_open(&other).and_then(|store| contents(&store)).is_err());
            }
        }
    }
    assert!(noticed > 1_000, "{noticed}");
}

/// The same without the shortcut of hints: every byte of a segment counts then.
#[test]
fn without_hints_every_byte_of_a_segment_is_noticed() {
    let (disk, expected) = closed();
    for name in disk.contents().into_keys().filter(|name| name.ends_with(".hint")) {
        disk.set(&name, None);
    }
    for (name, bytes) in disk.contents().into_iter().filter(|(name, _)| name.ends_with(".seg")) {
        for at in 0..bytes.len() {
            let other = disk.copy();
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            other.set(&name, Some(changed));
            assert!(try_open(&other).is_err(), "{name}, byte {at}");
            is_found_or_harmless(&other, &name, at, &expected);
        }
    }
}

/// After a kill, only the last batch can be taken for one that was never finished.
#[test]
fn after_a_kill_everything_but_the_last_batch_is_noticed() {
    let disk = Journal::default();
    let mut store = open(&disk);
    for number in 0..3 {
        store.commit(&[put(&[number], &[number; 20])]).unwrap();
    }
    let expected = contents(&store).unwrap();
    let bytes = disk.contents()["0000000001.seg"].clone();
    let last = bytes.len() - (bytes.len() - record::SEGMENT_HEAD) / 3;
    for at in 0..bytes.len() {
        let other = disk.copy();
        let mut changed = bytes.clone();
        changed[at] ^= 0x04;
        other.set("0000000001.seg", Some(changed));
        let read = try_open(&other).and_then(|store| contents(&store));
        if at < last {
            assert!(matches!(read, Err(StoreError::Damaged { .. })), "byte {at}");
        } else {
            assert_eq!(read.unwrap(), expected[..2], "byte {at}");
        }
    }
}

#[test]
fn a_segment_that_is_missing_is_named() {
    let (disk, _) = closed();
    for name in disk.contents().into_keys().filter(|name| name.ends_with(".seg")) {
        let other = disk.copy();
        other.set(&name, None);
        let Err(StoreError::Damaged { path, .. }) = try_open(&other) else { panic!("{name} is missed") };
        assert!(path.to_str().is_some_and(|said| said.ends_with(".seg")), "{}", path.display());
    }
    let other = disk.copy();
    other.set("base-0000000001", None);
    assert!(matches!(try_open(&other), Err(StoreError::Damaged { .. })));
}

/// An older copy of a segment in the place of the newer one: the log says that something is missing.
#[test]
fn an_older_copy_of_the_last_segment_is_noticed() {
    let disk = Journal::default();
    let mut store = open(&disk);
    store.commit(&[put(b"a", b"1")]).unwrap();
    let old = disk.contents()["0000000001.seg"].clone();
    store.commit(&[put(b"b", b"2")]).unwrap();
    drop(store);
    disk.set("0000000001.seg", Some(old));
    assert!(matches!(try_open(&disk), Err(StoreError::Damaged { .. })));
}

#[test]
fn what_is_wrong_is_said_with_file_byte_and_remedy() {
    let (disk, _) = closed();
    let mut bytes = disk.contents()["0000000001.seg"].clone();
    bytes[70] ^= 1;
    disk.set("0000000001.seg", Some(bytes));
    disk.set("0000000001.hint", None);
    let said = try_open(&disk).map(drop).unwrap_err().to_string();
    for part in ["0000000001.seg", "byte 32", "checksum", "put no older copy back"] {
        assert!(said.contains(part), "{said}");
    }
}

/// A whole batch that is missing leaves whole batches before and behind it.
#[test]
fn a_batch_that_is_missing_is_noticed() {
    let disk = Journal::default();
    let mut store = open(&disk);
    (0..3).for_each(|number| store.commit(&[put(&[number], &[number; 20])]).unwrap());
    let bytes = disk.contents()["0000000001.seg"].clone();
    let batch = (bytes.len() - record::SEGMENT_HEAD) / 3;
    for number in [0, 1] {
        let mut cut = bytes.clone();
        cut.drain(record::SEGMENT_HEAD + number * batch..record::SEGMENT_HEAD + (number + 1) * batch);
        let other = disk.copy();
        other.set("0000000001.seg", Some(cut));
        assert!(matches!(try_open(&other), Err(StoreError::Damaged { .. })), "batch {number}");
    }
}

/// Two whole changes that change places, in a segment that is not read again at a start: no key gets another's value.
#[test]
fn a_value_of_another_key_is_no_answer() {
    let disk = Journal::default();
    let mut store = open(&disk);
    store.commit(&[put(b"a", &[1; 90]), put(b"b", &[2; 90])]).unwrap();
    store.commit(&[put(b"c", &[3; 300])]).unwrap();
    drop(store);
    assert!(disk.contents().contains_key("0000000001.hint"));
    let mut bytes = disk.contents()["0000000001.seg"].clone();
    bytes[record::SEGMENT_HEAD + BATCH_HEAD..].rotate_left(CHANGE_HEAD + 91);
    disk.set("0000000001.seg", Some(bytes));
    let store = open(&disk);
    for key in [b"a", b"b"] {
        assert!(matches!(store.get(Bucket::Open, key), Err(StoreError::Damaged { .. })), "{key:?}");
    }
    assert!(matches!(contents(&store), Err(StoreError::Damaged { .. })));
}

/// The mark is there exactly while nobody may write.
#[test]
fn a_close_in_peace_is_marked_each_time() {
    let disk = Journal::default();
    for round in 0..3 {
        let mut store = open(&disk);
        assert_eq!(disk.contents().contains_key("closed"), round > 0);
        store.commit(&[put(b"a", &[round])]).unwrap();
        assert!(!disk.contents().contains_key("closed"), "while it is written to");
        drop(store);
        assert!(disk.contents().contains_key("closed"));
    }
}
