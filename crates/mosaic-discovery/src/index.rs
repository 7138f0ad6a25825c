use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::RangeInclusive,
};

use mosaic_types::{Epoch, RowTag};

/// Whoever listens at rows: a card, a token, a pair or a group. Never used twice.
pub(crate) type Listener = u32;

/// Where a row came from: whose it is, in which epoch, with which counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source {
    pub(crate) listener: Listener,
    pub(crate) epoch: Epoch,
    pub(crate) counter: u16,
}

/// The rows of a table with a given number of rows, by epoch. An epoch is filled when somebody first asks
/// for it and extended once per listener, so that polling costs nothing between epochs.
pub(crate) struct RowIndex {
    pub(crate) rows: u32,
    epochs: BTreeMap<Epoch, EpochRows>,
    purged: Option<(Epoch, Epoch)>,
}

/// Everybody's rows of one epoch, sorted by row.
#[derive(Default)]
struct EpochRows {
    entries: Vec<(u32, Listener, u16)>,
    covered: BTreeSet<Listener>,
    /// Whether rows were added since they were last put in order.
    mixed: bool,
}

/// Different row counts that tables alive at one time may have.
const INDEXES: usize = 4;

/// The indexes of the row counts asked for lately, the last one in front.
#[derive(Default)]
pub(crate) struct Indexes(VecDeque<RowIndex>);

impl Indexes {
    pub(crate) const fn new() -> Self {
        Self(VecDeque::new())
    }

    /// Takes out the index for tables of `rows` rows, a new one if there is none.
    pub(crate) fn take(&mut self, rows: u32) -> RowIndex {
        let known = self.0.iter().position(|index| index.rows == rows).and_then(|at| self.0.remove(at));
        known.unwrap_or_else(|| RowIndex::new(rows))
    }

    /// Puts an index in front and gives what it wants in `epochs`.
    pub(crate) fn put(&mut self, index: RowIndex, epochs: RangeInclusive<Epoch>) -> Wanted<'_> {
        self.0.push_front(index);
        self.0.truncate(INDEXES);
        Wanted { index: &self.0[0], epochs }
    }

    /// The sources of a row in some epochs, each once, whatever table it is in.
    pub(crate) fn sources(&self, row: u32, epochs: &RangeInclusive<Epoch>) -> Vec<Source> {
        let mut sources: Vec<_> = self.0.iter().flat_map(|index| index.at(row, epochs.clone())).collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    }
}

impl RowIndex {
    pub(crate) const fn new(rows: u32) -> Self {
        Self { rows, epochs: BTreeMap::new(), purged: None }
    }

    /// Whether the rows of `listener` in `epoch` are in.
    pub(crate) fn covers(&self, listener: Listener, epoch: Epoch) -> bool {
        self.epochs.get(&epoch).is_some_and(|rows| rows.covered.contains(&listener))
    }

    /// Adds the rows of `listener` for those of `epochs` that are not in yet. `row` gives the row of an
    /// epoch, a counter below `counters` and a chain counter; every chained row is read as well.
    pub(crate) fn cover(
        &mut self,
        listener: Listener,
        epochs: impl Iterator<Item = Epoch>,
        counters: u16,
        row: impl Fn(Epoch, u16, u8) -> Option<u32>,
    ) {
        for epoch in epochs {
            let rows = self.epochs.entry(epoch).or_default();
            if !rows.covered.insert(listener) {
                continue;
            }
            for counter in 0..counters {
                let chained = (0..RowTag::CHAIN).filter_map(|chain| row(epoch, counter, chain));
                rows.entries.extend(chained.map(|row| (row, listener, counter)));
            }
            rows.mixed = true;
        }
    }

    /// Puts the rows in order after some were added.
    pub(crate) fn sort(&mut self) {
        for rows in self.epochs.values_mut().filter(|rows| rows.mixed) {
            rows.entries.sort_unstable();
            rows.mixed = false;
        }
    }

    /// Drops the rows of dead listeners and of epochs before the first of `span`. Once per span: a
    /// dead listener's rows only cost a look in vain.
    pub(crate) fn purge(&mut self, span: (Epoch, Epoch), alive: impl Fn(Listener) -> bool) {
        if self.purged == Some(span) {
            return;
        }
        self.epochs = self.epochs.split_off(&span.0);
        for rows in self.epochs.values_mut() {
            // a listener has hundreds of rows: it is asked for once
            let dead: Vec<Listener> = rows.covered.iter().copied().filter(|listener| !alive(*listener)).collect();
            if !dead.is_empty() {
                rows.entries.retain(|(_, listener, _)| dead.binary_search(listener).is_err());
                rows.covered.retain(|listener| dead.binary_search(listener).is_err());
            }
        }
        self.purged = Some(span);
    }

    /// The sources of one row in some epochs.
    pub(crate) fn at(&self, row: u32, epochs: RangeInclusive<Epoch>) -> impl Iterator<Item = Source> {
        self.within(epochs).flat_map(move |(epoch, rows)| {
            let found = rows.at(row).map(|(_, listener, counter)| (*listener, *counter));
            found.map(move |(listener, counter)| Source { listener, epoch, counter })
        })
    }

    fn within(&self, epochs: RangeInclusive<Epoch>) -> impl Iterator<Item = (Epoch, &EpochRows)> {
        // an empty range would panic
        let epochs = (epochs.start() <= epochs.end()).then_some(epochs);
        epochs.into_iter().flat_map(|epochs| self.epochs.range(epochs)).map(|(epoch, rows)| (*epoch, rows))
    }
}

impl EpochRows {
    fn at(&self, row: u32) -> impl Iterator<Item = &(u32, Listener, u16)> {
        let start = self.entries.partition_point(|(found, ..)| *found < row);
        self.entries.iter().skip(start).take_while(move |(found, ..)| *found == row)
    }
}

/// The rows worth opening in a rendezvous table. No `Debug`: they are ours.
pub struct Wanted<'a> {
    pub(crate) index: &'a RowIndex,
    pub(crate) epochs: RangeInclusive<Epoch>,
}

impl Wanted<'_> {
    /// Whether something for us may lie in this row.
    pub fn contains(&self, row: u32) -> bool {
        self.index.within(self.epochs.clone()).any(|(_, rows)| rows.at(row).next().is_some())
    }

    /// All of them, rising, each once.
    pub fn rows(&self) -> Vec<u32> {
        let epochs = self.index.within(self.epochs.clone());
        let mut rows: Vec<u32> = epochs.flat_map(|(_, rows)| rows.entries.iter().map(|(row, ..)| *row)).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }
}
