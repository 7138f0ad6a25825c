//! What a sealed segment comes to, without the values: a shortcut for the next start, and never more. A hint that
//! is missing, damaged or of another segment is as good as none: the segment is read instead.

use std::{collections::BTreeMap, ops::Bound};

use super::{
    super::Bucket,
    disk::{self, Disk},
    record::{Kind, SegmentHead, Stored, array_at, bucket_of, number_of, u32_at},
    segment::Families,
};

const MAGIC: [u8; 8] = *b"MOSLOGH\x01";
const HEAD: usize = 44;
const NOTE: usize = 12;
const CHECK: usize = 16;

pub(super) fn name(number: u32) -> String {
    format!("{number:010}.hint")
}

/// A change without its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note<'a> {
    pub(super) kind: Kind,
    pub(super) bucket: Bucket,
    pub(super) key: &'a [u8],
    /// Where in the segment the change begins.
    pub(super) at: u32,
    /// Bytes of the value.
    pub(super) length: u32,
}

impl<'a> Note<'a> {
    /// The note of a change in a body that begins at `body_at` of its segment.
    pub(super) fn of(stored: &Stored<'a>, body_at: u32) -> Self {
        // a body has at most 2^30 bytes
        let (at, length) = (body_at + stored.at as u32, stored.value.len() as u32);
        Self { kind: stored.kind, bucket: stored.bucket, key: stored.key, at, length }
    }

    fn decode(bytes: &'a [u8]) -> Option<Self> {
        let head = bytes.first_chunk::<NOTE>()?;
        let key = bytes[NOTE..].get(..usize::from(u16::from_be_bytes([head[2], head[3]])))?;
        let (kind, bucket) = (Kind::of(head[0])?, bucket_of(head[1])?);
        Some(Self { kind, bucket, key, at: u32_at(head, 4), length: u32_at(head, 8) })
    }

    pub(super) fn append_to(&self, notes: &mut Vec<u8>) {
        notes.extend_from_slice(&[self.kind as u8, number_of(self.bucket)]);
        // no stored key is longer than 65,535 bytes
        notes.extend_from_slice(&(self.key.len() as u16).to_be_bytes());
        notes.extend_from_slice(&self.at.to_be_bytes());
        notes.extend_from_slice(&self.length.to_be_bytes());
        notes.extend_from_slice(self.key);
    }
}

/// Reads notes, one after the other, up to what cannot be one.
pub(super) fn notes(mut bytes: &[u8]) -> impl Iterator<Item = Note<'_>> {
    std::iter::from_fn(move || {
        let note = Note::decode(bytes)?;
        bytes = &bytes[NOTE + note.key.len()..];
        Some(note)
    })
}

/// A segment in short.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hint {
    /// Bytes of the segment.
    pub(super) length: u32,
    /// Sequence number that comes after its last batch.
    pub(super) next: u64,
    pub(super) families: Families,
    /// Notes: prefixes that it removes first, then its last word about every key, in ascending order.
    pub(super) notes: Vec<u8>,
}

impl Hint {
    /// What remains of notes in the order of their changes.
    pub(super) fn new(length: u32, next: u64, families: &Families, all: &[u8]) -> Self {
        let mut prefixes: BTreeMap<(Bucket, &[u8]), Note<'_>> = BTreeMap::new();
        let mut last: BTreeMap<(Bucket, &[u8]), Note<'_>> = BTreeMap::new();
        for note in self::notes(all) {
            match note.kind {
                Kind::Put | Kind::Remove => drop(last.insert((note.bucket, note.key), note)),
                Kind::RemovePrefix | Kind::Erase => {
                    let from = (Bound::Included((note.bucket, note.key)), Bound::Unbounded);
                    let under = |(bucket, key): &(Bucket, &[u8])| *bucket == note.bucket && key.starts_with(note.key);
                    let gone: Vec<_> = last.range(from).map(|(key, _)| *key).take_while(under).collect();
                    for key in &gone {
                        last.remove(key);
                    }
                    let kept = prefixes.entry((note.bucket, note.key)).or_insert(note);
                    // to erase is more than to remove
                    if note.kind == Kind::Erase {
                        *kept = note;
                    }
                }
            }
        }
        let mut notes = Vec::with_capacity(all.len());
        prefixes.values().chain(last.values()).for_each(|note| note.append_to(&mut notes));
        Self { length, next, families: families.clone(), notes }
    }

    /// Writes it beside its segment. It is not flushed: after a power cut there may be none.
    pub(super) fn write(&self, disk: &dyn Disk, of: &SegmentHead) -> std::io::Result<()> {
        let file = disk.create(&name(of.number))?;
        file.write_at(&self.encode(of), 0)
    }

    /// The hint of a segment, if there is one that can be trusted.
    pub(super) fn read(disk: &dyn Disk, of: &SegmentHead) -> Option<Self> {
        let file = disk.open(&name(of.number)).ok()?;
        Self::decode(&disk::read(&*file).ok()?, of)
    }

    fn encode(&self, of: &SegmentHead) -> Vec<u8> {
        let families: Vec<_> = self.families.all().map(Iterator::collect).unwrap_or_default();
        // more families than a segment tells apart are written as 0xffff
        let count = self.families.all().map_or(u16::MAX, |_| families.len() as u16);
        let mut bytes = Vec::with_capacity(HEAD + self.notes.len() + CHECK);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&of.number.to_be_bytes());
        bytes.extend_from_slice(&of.marker);
        bytes.extend_from_slice(&of.first.to_be_bytes());
        bytes.extend_from_slice(&self.next.to_be_bytes());
        bytes.extend_from_slice(&self.length.to_be_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&count.to_be_bytes());
        for (bucket, beginning) in families {
            // at most four bytes
            bytes.extend_from_slice(&[number_of(bucket), beginning.len() as u8]);
            bytes.extend_from_slice(beginning);
        }
        bytes.extend_from_slice(&self.notes);
        let check = mosaic_crypto::digest(&[&bytes]);
        bytes.extend_from_slice(&check[..CHECK]);
        bytes
    }

    fn decode(bytes: &[u8], of: &SegmentHead) -> Option<Self> {
        let (body, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK)?)?;
        let whole = body.len() >= HEAD && mosaic_crypto::digest(&[body])[..CHECK] == *check;
        if !whole || body[..8] != MAGIC || u32_at(body, 8) != of.number || body[12..20] != of.marker {
            return None;
        }
        let count = u16::from_be_bytes(array_at(body, 42));
        let mut families = if count == u16::MAX { Families::any() } else { Families::default() };
        let mut rest = &body[HEAD..];
        for _ in 0..if count == u16::MAX { 0 } else { count } {
            let [bucket, length, more @ ..] = rest else { return None };
            let beginning = more.get(..usize::from(*length))?;
            families.note(bucket_of(*bucket)?, beginning);
            rest = &more[beginning.len()..];
        }
        let next = u64::from_be_bytes(array_at(body, 28));
        Some(Self { length: u32_at(body, 36), next, families, notes: rest.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: SegmentHead = SegmentHead { number: 3, marker: *b"12345678", first: 40 };

    fn hint() -> Hint {
        let mut all = Vec::new();
        let mut note = |kind, key, at| Note { kind, bucket: Bucket::Open, key, at, length: 5 }.append_to(&mut all);
        note(Kind::Put, b"ab", 64);
        note(Kind::Put, b"b", 80);
        note(Kind::RemovePrefix, b"a", 96);
        note(Kind::Put, b"aa", 112);
        note(Kind::Erase, b"a", 128);
        note(Kind::Put, b"ac", 144);
        note(Kind::Remove, b"z", 160);
        let mut families = Families::default();
        [&b"ab"[..], b"longer than four"].iter().for_each(|key| families.note(Bucket::Open, key));
        Hint::new(176, 47, &families, &all)
    }

    #[test]
    fn it_is_the_last_word_about_every_key() {
        let hint = hint();
        let said: Vec<_> = notes(&hint.notes).map(|note| (note.kind, note.key, note.at)).collect();
        let expected =
            [(Kind::Erase, &b"a"[..], 128), (Kind::Put, b"ac", 144), (Kind::Put, b"b", 80), (Kind::Remove, b"z", 160)];
        assert_eq!(said, expected);
    }

    #[test]
    fn it_comes_back_or_not_at_all() {
        let bytes = hint().encode(&OF);
        assert_eq!(Hint::decode(&bytes, &OF), Some(hint()));
        assert_eq!(Hint::decode(&bytes, &SegmentHead { marker: *b"1234567x", ..OF }), None, "of another segment");
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(Hint::decode(&damaged, &OF), None, "byte {at}");
            assert_eq!(Hint::decode(&bytes[..at], &OF), None, "cut at {at}");
        }
        let many = Hint { families: Families::any(), ..hint() };
        assert_eq!(Hint::decode(&many.encode(&OF), &OF), Some(many));
    }
}
