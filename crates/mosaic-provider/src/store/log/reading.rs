use std::io;

use super::{
    super::{Bucket, Entry, StoreError},
    LogStore,
    leaf::Place,
    record::{CHANGE_HEAD, Kind, Stored},
};

/// Bytes between two values over which reading on is cheaper than reading twice.
const GAP: u64 = 4 << 10;
/// Bytes that are read at one time, or one value.
const AT_ONCE: u64 = 256 << 10;

impl LogStore {
    /// The value at a place, which must be what was put there.
    pub(super) fn read(&self, bucket: Bucket, key: &[u8], place: Place) -> Result<Vec<u8>, StoreError> {
        let bytes = self.bytes_at(place.segment, place.at.into(), size(key, place))?;
        self.value(&bytes, bucket, key, place)
    }

    /// Puts the values to keys: in the order in which they lie, with one read for neighbours.
    pub(super) fn read_all(&self, bucket: Bucket, keys: Vec<(Vec<u8>, Place)>) -> Result<Vec<Entry>, StoreError> {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_unstable_by_key(|number| (keys[*number].1.segment, keys[*number].1.at));
        let end = |number: usize| u64::from(keys[number].1.at) + size(&keys[number].0, keys[number].1);
        let mut values: Vec<Vec<u8>> = vec![Vec::new(); keys.len()];
        let mut rest = order.as_slice();
        while let Some(first) = rest.first() {
            let Place { segment, at: start, .. } = keys[*first].1;
            let start = u64::from(start);
            let together = |pair: &[usize]| {
                let next = keys[pair[1]].1;
                let near = u64::from(next.at).saturating_sub(end(pair[0])) <= GAP;
                next.segment == segment && near && end(pair[1]) - start <= AT_ONCE
            };
            let count = 1 + rest.windows(2).take_while(|pair| together(pair)).count();
            let (run, after) = rest.split_at(count);
            let bytes = self.bytes_at(segment, start, run.last().map_or(0, |last| end(*last) - start))?;
            for number in run {
                let (key, place) = &keys[*number];
                values[*number] = self.value(&bytes[(u64::from(place.at) - start) as usize..], bucket, key, *place)?;
            }
            rest = after;
        }
        Ok(keys.into_iter().map(|(key, _)| key).zip(values).collect())
    }

    fn bytes_at(&self, number: u32, at: u64, length: u64) -> Result<Vec<u8>, StoreError> {
        let segment = self.segment(number)?;
        let mut bytes = vec![0; length as usize];
        segment.file.read_at(&mut bytes, at).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => segment.damaged(&*self.disk, at as u32, "the file is too short"),
            _ => error.into(),
        })?;
        Ok(bytes)
    }

    /// What bytes from a place on put there.
    fn value(&self, bytes: &[u8], bucket: Bucket, key: &[u8], place: Place) -> Result<Vec<u8>, StoreError> {
        let flawed = |what| Ok::<_, StoreError>(self.segment(place.segment)?.damaged(&*self.disk, place.at, what));
        match Stored::decode(bytes, 0) {
            Ok(stored)
                if (stored.kind, stored.bucket, stored.key) == (Kind::Put, bucket, key)
                    && stored.value.len() == place.length as usize =>
            {
                Ok(stored.value.to_vec())
            }
            Ok(_) => Err(flawed("another change lies here")?),
            Err(what) => Err(flawed(what)?),
        }
    }
}

/// Bytes of the change that put a value.
fn size(key: &[u8], place: Place) -> u64 {
    (CHANGE_HEAD + key.len()) as u64 + u64::from(place.length)
}
