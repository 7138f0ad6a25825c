use std::collections::{BTreeMap, BTreeSet};

use mosaic_types::{Epoch, RowTag};

/// Whoever listens at rows: a card, a token or a pair. Never used twice.
pub(super) type Listener = u32;

/// Where a row came from: whose it is, in which epoch, with which counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source {
    pub(super) listener: Listener,
    pub(super) epoch: Epoch,
    pub(super) counter: u16,
}

/// The rows of a table with a given number of rows, sorted. It is extended once per listener and epoch,
/// so that polling costs nothing between epochs.
pub(super) struct RowIndex {
    pub(super) rows: u32,
    entries: Vec<(u32, Source)>,
    covered: BTreeMap<Listener, Epoch>,
    purged: Option<(Epoch, Epoch)>,
}

impl RowIndex {
    pub(super) const fn new(rows: u32) -> Self {
        Self { rows, entries: Vec::new(), covered: BTreeMap::new(), purged: None }
    }

    /// Adds the rows of `listener` for those of `epochs` that are not in yet. `row` gives the row of an
    /// epoch, a counter below `counters` and a chain counter; every chained row is read as well.
    pub(super) fn cover(
        &mut self,
        listener: Listener,
        epochs: impl Iterator<Item = Epoch>,
        counters: u16,
        row: impl Fn(Epoch, u16, u8) -> Option<u32>,
    ) {
        let done = self.covered.get(&listener).copied();
        for epoch in epochs.filter(|epoch| done.is_none_or(|done| *epoch > done)) {
            for counter in 0..counters {
                let source = Source { listener, epoch, counter };
                let rows = (0..RowTag::CHAIN).filter_map(|chain| row(epoch, counter, chain));
                self.entries.extend(rows.map(|row| (row, source)));
            }
            self.covered.insert(listener, epoch);
        }
    }

    /// Puts the rows in order after some were added.
    pub(super) fn sort(&mut self) {
        if !self.entries.is_sorted() {
            self.entries.sort_unstable();
        }
    }

    /// Drops the rows of dead listeners and of epochs before the first of `span`. Once per span: a
    /// dead listener's rows only cost a look in vain.
    pub(super) fn purge(&mut self, span: (Epoch, Epoch), alive: impl FnOnce() -> BTreeSet<Listener>) {
        if self.purged == Some(span) {
            return;
        }
        let alive = alive();
        self.entries.retain(|(_, source)| source.epoch >= span.0 && alive.contains(&source.listener));
        self.covered.retain(|listener, _| alive.contains(listener));
        self.purged = Some(span);
    }

    /// The sources of one row.
    pub(super) fn at(&self, row: u32) -> impl Iterator<Item = Source> {
        let start = self.entries.partition_point(|(found, _)| *found < row);
        self.entries.iter().skip(start).take_while(move |(found, _)| *found == row).map(|(_, source)| *source)
    }

    fn contains(&self, row: u32) -> bool {
        self.at(row).next().is_some()
    }
}

/// The rows worth opening in a rendezvous table. No `Debug`: they are ours.
pub struct Wanted<'a>(pub(super) &'a RowIndex);

impl Wanted<'_> {
    /// Whether something for us may lie in this row.
    pub fn contains(&self, row: u32) -> bool {
        self.0.contains(row)
    }

    /// All of them, rising, each once.
    pub fn rows(&self) -> Vec<u32> {
        let mut rows: Vec<u32> = self.0.entries.iter().map(|(row, _)| *row).collect();
        rows.dedup();
        rows
    }
}
