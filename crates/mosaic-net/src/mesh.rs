//! Carrying other people's sealed cells, so that handing one on does not make it ours.
//!
//! A device of a mesh that hands its own cells to whoever is near shows them to be its own. Here every device that agreed
//! to it carries others' cells too, and hands on ten a turn, each from a different contributor, the device itself being one
//! of them: the same rule for all ten, which does not look at whose a cell is. Each goes onward to one neighbour or, by a
//! coin, into a deposit, as in Crowds (Reiter, Rubin 1998). Where fewer than ten contribute, cells wait; those that waited
//! too long leave in a smaller turn, because in a mesh in which everybody waits nobody would begin. One copy exists at a
//! time: a cell that went two ways could be followed. Cells are sealed for a provider before they come here, so the pool
//! never holds what somebody said (L3-55), and nothing in it was made up (L3-56).
//!
//! No link of this version carries a mesh. What it would give is measured in the lab, see `docs/book/mesh.md`.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use mosaic_types::Timestamp;
use mosaic_wire::CELL;
use rand::{CryptoRng, RngExt, seq::SliceRandom};

use crate::draw;

/// A sealed request as it lies in an HTTP body, of which nothing can be read on the way.
pub type SealedCell = Box<[u8; CELL]>;

/// A device in reach, by whatever name its link gives it. Names change as links do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Neighbour(pub u64);

/// That the person agreed to carry other people's cells (L3-55). Whoever makes one has asked.
#[derive(Debug)]
pub struct Consent(());

impl Consent {
    /// The person said yes, knowing that this costs transfer and power and shows that a mesh is used.
    pub const fn given() -> Self {
        Self(())
    }
}

/// What a device carries. It exists only where there is [`Consent`]; to withdraw it, drop the pool.
pub struct RelayPool {
    waiting: BTreeMap<Contributor, VecDeque<Kept>>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Contributor {
    Own,
    Other(Neighbour),
}

struct Kept {
    since: Timestamp,
    cell: SealedCell,
}

/// What became of a cell that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Offered {
    /// It waits for a turn.
    Kept,
    /// It waits already: a second copy is not carried.
    Known,
    /// It waits, and the oldest cell of whoever had most waiting was dropped for it.
    KeptForAnother,
}

/// Where a cell goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// To this neighbour, which does as we do.
    Onward(Neighbour),
    /// To a provider, over this device's own path, as if it were its own deposit.
    Deposit,
}

/// A cell that leaves in a turn. Whose it was is forgotten.
pub struct Handed {
    /// The cell, as it came.
    pub cell: SealedCell,
    /// Where to.
    pub step: Step,
}

impl RelayPool {
    /// Most cells that wait; 4 MB (L3-52).
    pub const CAPACITY: usize = 1_000;
    /// Cells of a turn, each from a different contributor (L3-54).
    pub const TURN: usize = 10;
    /// After this a cell is of no use to its table and is dropped (L3-08).
    pub const LIFE: Duration = Duration::from_hours(24);
    /// How long a cell waits for a whole turn. Then it leaves with fewer others, or alone.
    pub const PATIENCE: Duration = Duration::from_mins(30);
    /// The probability of one more hop: three on average. With a share f of the devices in one hand, the device from which
    /// that hand gets a cell first is its origin with probability 1 - 0.75 (1 - f) at most, in a large mesh.
    pub const ONWARD: f64 = 0.75;

    /// An empty pool.
    pub const fn new(_: Consent) -> Self {
        Self { waiting: BTreeMap::new() }
    }

    /// Takes a neighbour's cell to carry.
    pub fn carry(&mut self, now: Timestamp, from: Neighbour, cell: SealedCell) -> Offered {
        self.keep(now, Contributor::Other(from), cell)
    }

    /// Adds a cell of this device: it waits, is drawn and goes on as the others do.
    pub fn add_own(&mut self, now: Timestamp, cell: SealedCell) -> Offered {
        self.keep(now, Contributor::Own, cell)
    }

    fn keep(&mut self, now: Timestamp, whose: Contributor, cell: SealedCell) -> Offered {
        self.expire(now);
        if self.waiting.values().flatten().any(|kept| kept.cell == cell) {
            return Offered::Known;
        }
        self.waiting.entry(whose).or_default().push_back(Kept { since: now, cell });
        if self.len() <= Self::CAPACITY {
            return Offered::Kept;
        }
        // whoever floods pushes out what it brought itself
        if let Some(most) = self.waiting.values_mut().max_by_key(|cells| cells.len()) {
            most.pop_front();
        }
        Offered::KeptForAnother
    }

    /// The cells of a turn in an order of their own; `None`, and nothing leaves, while nobody is in reach, or fewer than ten
    /// contributors have one waiting and none has waited for [`Self::PATIENCE`]. A contributor's oldest cell goes first. Of
    /// n cells n - 1 or n are others'.
    pub fn turn(
        &mut self,
        now: Timestamp,
        in_reach: &[Neighbour],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Option<Vec<Handed>> {
        self.expire(now);
        let overdue = |kept: &Kept| kept.since.after(Self::PATIENCE) <= now;
        let is_whole = self.waiting.len() >= Self::TURN;
        if in_reach.is_empty() || !(is_whole || self.waiting.values().flatten().any(overdue)) {
            return None;
        }
        let contributors: Vec<Contributor> = self.waiting.keys().copied().collect();
        let chosen = draw::some_of(&contributors, Self::TURN, rng);
        let cells = chosen.iter().filter_map(|whose| self.waiting.get_mut(whose)?.pop_front());
        let mut cells: Vec<SealedCell> = cells.map(|kept| kept.cell).collect();
        self.forget_empty();
        cells.shuffle(rng);
        Some(cells.into_iter().map(|cell| Handed { cell, step: step(in_reach, rng) }).collect())
    }

    /// How many cells wait.
    pub fn len(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn expire(&mut self, now: Timestamp) {
        for cells in self.waiting.values_mut() {
            cells.retain(|kept| kept.since.after(Self::LIFE) > now);
        }
        self.forget_empty();
    }

    fn forget_empty(&mut self) {
        self.waiting.retain(|_, cells| !cells.is_empty());
    }
}

fn step(in_reach: &[Neighbour], rng: &mut (impl CryptoRng + ?Sized)) -> Step {
    if !rng.random_bool(RelayPool::ONWARD) {
        return Step::Deposit;
    }
    draw::one_of(in_reach, rng).map_or(Step::Deposit, Step::Onward)
}

#[cfg(test)]
mod tests;
