use mosaic_types::Period;

use super::{Bucket, Change, Entry, Store, StoreError};

/// What a store was caught not doing.
#[derive(Debug, PartialEq, Eq)]
pub struct Nonconforming(pub &'static str);

/// The one suite every store passes: `open` opens the same place again and again, as after a restart.
///
/// # Errors
/// `Nonconforming` with the first thing that was wrong; a [`StoreError`] counts as wrong.
pub fn check_conformance<S: Store>(mut open: impl FnMut() -> Result<S, StoreError>) -> Result<(), Nonconforming> {
    type Check<S> = fn(&mut S) -> Result<bool, StoreError>;
    let before: [(&'static str, Check<S>); 5] = [
        ("a new store is empty", is_empty),
        ("values come back, the last one counts", values_come_back),
        ("scans are ordered and keep to prefix and bucket", scans_keep_to_their_range),
        ("prefixes are removed and nothing else", prefixes_are_removed),
        ("large values and large commits are whole", large_ones_are_whole),
    ];
    let mut store = open().map_err(|_| Nonconforming("it opens"))?;
    for (what, check) in before {
        expect(what, check(&mut store))?;
    }
    expect("keys are kept apart and destroyed", keys_are_destroyed(&mut store))?;
    drop(store);
    let store = open().map_err(|_| Nonconforming("it opens again"))?;
    expect("everything survives a restart", survives(&store))
}

fn expect(what: &'static str, found: Result<bool, StoreError>) -> Result<(), Nonconforming> {
    if found.unwrap_or(false) { Ok(()) } else { Err(Nonconforming(what)) }
}

fn put(bucket: Bucket, key: &[u8], value: &[u8]) -> Change {
    Change::Put(bucket, key.to_vec(), value.to_vec())
}

fn entry(key: &[u8], value: &[u8]) -> Entry {
    (key.to_vec(), value.to_vec())
}

fn is_empty<S: Store>(store: &mut S) -> Result<bool, StoreError> {
    let mut empty = true;
    for bucket in Bucket::ALL {
        empty &= store.scan(bucket, b"")?.is_empty() && store.get(bucket, b"a")?.is_none();
    }
    Ok(empty)
}

fn values_come_back<S: Store>(store: &mut S) -> Result<bool, StoreError> {
    store.commit(&[
        put(Bucket::Heads, b"a", b"1"),
        put(Bucket::Heads, b"a", b"2"),
        put(Bucket::Heads, b"", b"root"),
    ])?;
    store.commit(&[put(Bucket::Heads, b"gone", b"3"), Change::Remove(Bucket::Heads, b"gone".to_vec())])?;
    store.commit(&[Change::Remove(Bucket::Heads, b"never".to_vec())])?;
    store.commit(&[])?;
    let found = [store.get(Bucket::Heads, b"a")?, store.get(Bucket::Heads, b"")?, store.get(Bucket::Heads, b"gone")?];
    Ok(found == [Some(b"2".to_vec()), Some(b"root".to_vec()), None])
}

fn scans_keep_to_their_range<S: Store>(store: &mut S) -> Result<bool, StoreError> {
    let keys: [&[u8]; 5] = [b"p\xff", b"p", b"q", b"p\x01", b"o\xff"];
    store.commit(&keys.map(|key| put(Bucket::Blocks, key, key)))?;
    store.commit(&[put(Bucket::Evidence, b"p\x02", b"elsewhere")])?;
    let expected: [&[u8]; 3] = [b"p", b"p\x01", b"p\xff"];
    let has = store.has(Bucket::Blocks, b"p\x01")? && store.has(Bucket::Blocks, b"o")?;
    let has_not = !store.has(Bucket::Blocks, b"p\x02")? && !store.has(Bucket::Blocks, b"r")?;
    Ok(has && has_not && store.scan(Bucket::Blocks, b"p")? == expected.map(|key| entry(key, key)))
}

fn prefixes_are_removed<S: Store>(store: &mut S) -> Result<bool, StoreError> {
    let keys: [&[u8]; 4] = [b"\xff\xff", b"\xff\xff\x01", b"\xff\xfe", b"k"];
    store.commit(&keys.map(|key| put(Bucket::Open, key, b"")))?;
    store
        .commit(&[Change::RemovePrefix(Bucket::Open, b"\xff\xff".to_vec()), put(Bucket::Open, b"\xff\xff\x02", b"")])?;
    let expected: [&[u8]; 3] = [b"k", b"\xff\xfe", b"\xff\xff\x02"];
    Ok(store.scan(Bucket::Open, b"")? == expected.map(|key| entry(key, b"")))
}

/// A block, and as many deposits as are flushed together, in the place of others.
fn large_ones_are_whole<S: Store>(store: &mut S) -> Result<bool, StoreError> {
    let key = |number: u16| [&number.to_be_bytes()[..], &[number as u8; 32]].concat();
    let block = vec![3; 1 << 20];
    store.commit(&[put(Bucket::Blocks, b"large", &vec![1; 1 << 20]), put(Bucket::Replicas, &key(999), b"")])?;
    let mut changes = vec![put(Bucket::Blocks, b"large", &block), Change::Erase(Bucket::Replicas, Vec::new())];
    changes.extend((0..600).map(|number| put(Bucket::Replicas, &key(number), &[2; 400])));
    store.commit(&changes)?;
    let mut shown = 0;
    store.every(&mut |bucket, _, value| {
        shown += u32::from(bucket == Bucket::Replicas && value == [2; 400]);
        Ok(())
    })?;
    let ordered = store.scan(Bucket::Replicas, b"")?.into_iter().map(|(key, _)| key).eq((0..600).map(key));
    while store.tidy()? {}
    Ok(shown == 600 && ordered && store.get(Bucket::Blocks, b"large")?.is_some_and(|found| found == block))
}

fn keys_are_destroyed<S: Store>(store: &mut S) -> Result<bool, StoreError> {
    store.keep_key(Period(7), &[7; 32])?;
    store.keep_key(Period(8), &[9; 32])?;
    store.keep_key(Period(8), &[8; 32])?;
    store.destroy_key(Period(7))?;
    store.destroy_key(Period(7))?;
    Ok(store.key(Period(7))?.is_none() && store.key(Period(8))?.is_some_and(|key| *key == [8; 32]))
}

fn survives<S: Store>(store: &S) -> Result<bool, StoreError> {
    let values = store.get(Bucket::Heads, b"a")? == Some(b"2".to_vec()) && store.scan(Bucket::Blocks, b"p")?.len() == 3;
    let keys = store.key(Period(7))?.is_none() && store.key(Period(8))?.is_some_and(|key| *key == [8; 32]);
    let many = store.scan(Bucket::Replicas, b"")?.len() == 600;
    Ok(values && keys && many && store.scan(Bucket::Open, b"")?.len() == 3)
}
