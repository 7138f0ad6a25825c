/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The segment's number.
    pub(super) segment: u32,
    /// Where in it the change begins that put the value, in bytes.
    pub(super) at: u32,
    /// Bytes of the value.
    pub(super) length: u32,
}

/// Neighbouring keys in one allocation, with their places: what a tree of single keys would spend on
/// pointers and allocations is most of what an index weighs.
#[derive(Debug, Default)]
pub(super) struct Leaf {
    /// All keys, one after the other.
    keys: Vec<u8>,
    slots: Vec<Slot>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Where its key ends.
    end: u32,
    place: Place,
}

impl Leaf {
    /// Keys in a leaf at most.
    pub(super) const FULL: usize = 64;

    pub(super) const fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn key(&self, index: usize) -> &[u8] {
        &self.keys[self.start(index)..self.slots[index].end as usize]
    }

    pub(super) fn place(&self, index: usize) -> Place {
        self.slots[index].place
    }

    fn start(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.slots[before].end as usize)
    }

    /// Index of the first key for which `before` does not hold, as `slice::partition_point`.
    pub(super) fn first_not(&self, before: impl Fn(&[u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if before(self.key(middle)) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Index of a key, or where it would be.
    pub(super) fn find(&self, key: &[u8]) -> Result<usize, usize> {
        let index = self.first_not(|other| other < key);
        if index < self.len() && self.key(index) == key { Ok(index) } else { Err(index) }
    }

    /// Another place for a key; returns the former one.
    pub(super) fn replace(&mut self, index: usize, place: Place) -> Place {
        std::mem::replace(&mut self.slots[index].place, place)
    }

    pub(super) fn insert(&mut self, index: usize, key: &[u8], place: Place) {
        let start = self.start(index);
        make_room(&mut self.keys, key.len());
        make_room(&mut self.slots, 1);
        let length = self.keys.len();
        self.keys.resize(length + key.len(), 0);
        self.keys.copy_within(start..length, start + key.len());
        self.keys[start..start + key.len()].copy_from_slice(key);
        // a key has at most 65,535 bytes and a leaf 64 keys
        self.slots[index..].iter_mut().for_each(|slot| slot.end += key.len() as u32);
        self.slots.insert(index, Slot { end: (start + key.len()) as u32, place });
    }

    /// Takes out a range of keys.
    pub(super) fn remove(&mut self, from: usize, to: usize) {
        if from >= to {
            return;
        }
        let (start, end) = (self.start(from), self.start(to));
        self.keys.drain(start..end);
        self.slots.drain(from..to);
        self.slots[from..].iter_mut().for_each(|slot| slot.end -= (end - start) as u32);
    }

    /// Keeps the keys before `index` and returns the others.
    pub(super) fn split_off(&mut self, index: usize) -> Self {
        let start = self.start(index);
        let keys = self.keys.split_off(start);
        let mut slots = self.slots.split_off(index);
        slots.iter_mut().for_each(|slot| slot.end -= start as u32);
        self.keys.shrink_to_fit();
        self.slots.shrink_to_fit();
        Self { keys, slots }
    }
}

/// Grows by an eighth, not by doubling: there are very many leaves.
fn make_room<T>(items: &mut Vec<T>, more: usize) {
    if items.capacity() - items.len() < more {
        items.reserve_exact(more + items.len() / 8);
    }
}
