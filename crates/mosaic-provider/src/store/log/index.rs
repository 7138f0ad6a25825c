use std::{collections::BTreeMap, ops::Bound};

use super::{
    super::Bucket,
    leaf::{Leaf, Place},
};

/// Every key with its place, in order, a tree for each bucket.
#[derive(Debug)]
pub(super) struct Index {
    trees: [Tree; Bucket::ALL.len()],
}

/// Leaves by the lowest key that belongs into each: a leaf holds the keys up to the next leaf's.
#[derive(Debug, Default)]
struct Tree {
    leaves: BTreeMap<Box<[u8]>, Leaf>,
}

impl Index {
    pub(super) fn new() -> Self {
        Self { trees: std::array::from_fn(|_| Tree::default()) }
    }

    pub(super) fn get(&self, bucket: Bucket, key: &[u8]) -> Option<Place> {
        let (_, leaf) = self.trees[bucket as usize].leaf(key)?;
        leaf.find(key).ok().map(|index| leaf.place(index))
    }

    /// Sets a key's place; returns the former one.
    pub(super) fn put(&mut self, bucket: Bucket, key: &[u8], place: Place) -> Option<Place> {
        self.trees[bucket as usize].put(key, place)
    }

    pub(super) fn remove(&mut self, bucket: Bucket, key: &[u8]) -> Option<Place> {
        self.trees[bucket as usize].remove(key)
    }

    /// Removes every key that starts so and shows each to `each`.
    pub(super) fn remove_prefix(&mut self, bucket: Bucket, prefix: &[u8], each: impl FnMut(&[u8], Place)) {
        self.trees[bucket as usize].remove_prefix(prefix, each);
    }

    /// Every key that starts with `prefix`, in ascending order.
    pub(super) fn under(&self, bucket: Bucket, prefix: &[u8]) -> impl Iterator<Item = (&[u8], Place)> {
        self.trees[bucket as usize].under(prefix)
    }
}

impl Tree {
    fn leaf(&self, key: &[u8]) -> Option<(&[u8], &Leaf)> {
        self.leaves.range::<[u8], _>(up_to(key)).next_back().map(|(lowest, leaf)| (&**lowest, leaf))
    }

    fn put(&mut self, key: &[u8], place: Place) -> Option<Place> {
        let Some((_, leaf)) = self.leaves.range_mut::<[u8], _>(up_to(key)).next_back() else {
            let mut leaf = Leaf::default();
            leaf.insert(0, key, place);
            self.leaves.insert(Box::default(), leaf);
            return None;
        };
        let index = match leaf.find(key) {
            Ok(index) => return Some(leaf.replace(index, place)),
            Err(index) => index,
        };
        if leaf.len() < Leaf::FULL {
            leaf.insert(index, key, place);
            return None;
        }
        // keys that come in ascending order leave full leaves behind
        let at = if index == leaf.len() { index } else { leaf.len() / 2 };
        let mut right = leaf.split_off(at);
        if index >= at {
            right.insert(index - at, key, place);
        } else {
            leaf.insert(index, key, place);
        }
        let lowest = right.key(0).into();
        self.leaves.insert(lowest, right);
        None
    }

    fn remove(&mut self, key: &[u8]) -> Option<Place> {
        let (lowest, leaf) = self.leaves.range_mut::<[u8], _>(up_to(key)).next_back()?;
        let index = leaf.find(key).ok()?;
        let place = leaf.place(index);
        leaf.remove(index, index + 1);
        if leaf.len() == 0 {
            let lowest = lowest.clone();
            self.leaves.remove(&lowest);
        }
        Some(place)
    }

    fn remove_prefix(&mut self, prefix: &[u8], mut each: impl FnMut(&[u8], Place)) {
        let first: Option<Box<[u8]>> = self.leaf(prefix).map(|(lowest, _)| lowest.into());
        let from: &[u8] = first.as_deref().unwrap_or(prefix);
        let mut emptied = Vec::new();
        for (lowest, leaf) in self.leaves.range_mut::<[u8], _>(beginning(from)) {
            if &**lowest > prefix && !lowest.starts_with(prefix) {
                break;
            }
            let begin = leaf.first_not(|key| key < prefix);
            let end = leaf.first_not(|key| key < prefix || key.starts_with(prefix));
            (begin..end).for_each(|index| each(leaf.key(index), leaf.place(index)));
            leaf.remove(begin, end);
            if leaf.len() == 0 {
                emptied.push(lowest.clone());
            }
        }
        emptied.into_iter().for_each(|lowest| drop(self.leaves.remove(&lowest)));
    }

    fn under(&self, prefix: &[u8]) -> impl Iterator<Item = (&[u8], Place)> {
        let prefix = prefix.to_vec();
        let from = self.leaf(&prefix).map_or(&[][..], |(lowest, _)| lowest).to_vec();
        let keys = self.leaves.range::<[u8], _>(beginning(&from)).flat_map({
            let prefix = prefix.clone();
            move |(_, leaf)| {
                let first = leaf.first_not(|key| key < prefix.as_slice());
                (first..leaf.len()).map(move |index| (leaf.key(index), leaf.place(index)))
            }
        });
        keys.take_while(move |(key, _)| key.starts_with(&prefix))
    }
}

const fn up_to(key: &[u8]) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (Bound::Unbounded, Bound::Included(key))
}

const fn beginning(key: &[u8]) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (Bound::Included(key), Bound::Unbounded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        // few letters, so that prefixes meet
        prop::collection::vec(prop::sample::select(vec![0, 1, 0x7F, 0xFF]), 0..6)
    }

    proptest! {
        /// Beside a map of single keys, through splits and emptied leaves.
        #[test]
        fn it_is_an_ordered_map(steps in prop::collection::vec((key(), 0_u8..10), 1..600)) {
            let (mut index, mut plain) = (Index::new(), BTreeMap::new());
            for (number, (key, what)) in steps.into_iter().enumerate() {
                let place = Place { segment: 1, at: number as u32, length: 7 };
                match what {
                    0 => {
                        let mut seen = Vec::new();
                        index.remove_prefix(Bucket::Heads, &key, |key, _| seen.push(key.to_vec()));
                        let gone: Vec<_> = plain.keys().filter(|other: &&Vec<u8>| other.starts_with(&key)).cloned().collect();
                        prop_assert_eq!(&seen, &gone);
                        for key in &gone {
                        plain.remove(key);
                    }
                    }
                    1 => prop_assert_eq!(index.remove(Bucket::Heads, &key), plain.remove(&key)),
                    _ => prop_assert_eq!(index.put(Bucket::Heads, &key, place), plain.insert(key.clone(), place)),
                }
                prop_assert_eq!(index.get(Bucket::Heads, &key), plain.get(&key).copied());
                let under: Vec<_> = index.under(Bucket::Heads, &key).map(|(key, place)| (key.to_vec(), place)).collect();
                let expected: Vec<_> = plain.iter().filter(|(other, _)| other.starts_with(&key)).map(|(k, p)| (k.clone(), *p)).collect();
                prop_assert_eq!(under, expected);
            }
            prop_assert_eq!(index.under(Bucket::Blocks, b"").count(), 0);
        }
    }

    #[test]
    fn ascending_keys_fill_their_leaves() {
        let mut tree = Tree::default();
        for number in 0..640_u32 {
            tree.put(&number.to_be_bytes(), Place { segment: 0, at: number, length: 0 });
        }
        assert_eq!(tree.leaves.len(), 10);
    }
}
