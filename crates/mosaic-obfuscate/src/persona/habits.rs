use mosaic_geo::Cell;
use mosaic_types::{ClassId, Mode, Window};
use serde::{Deserialize, Serialize};

/// What the person has shown so far, classes and cells each in the order of their first time.
///
/// Companions live after this order alone. To the person's n-th class belongs a companion's n-th, to the n-th cell
/// its n-th, so what comes again comes again for all ten, and how many different things somebody wants, at how many
/// places and in which combinations, is equal for all ten whoever the person is (PRIVACY 1.2: decoys are sticky for
/// each real bundle). Which class or cell it was is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Habits {
    chapter: u16,
    classes: Vec<ClassId>,
    cells: Vec<Shown>,
}

/// A cell that was shown: when for the first time, and under which mode's noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shown {
    cell: Cell,
    pub(super) first: Window,
    pub(super) mode: Mode,
}

/// Where in a person's [`Habits`] a broadcast stands: equal for equal class and cell, and nothing tells which they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    pub(super) chapter: u16,
    pub(super) class: u8,
    pub(super) cell: u16,
    words: [u8; 8],
}

impl Habits {
    /// Most cells of a chapter; then a new one begins, and companions are met at new places.
    const MOST_CELLS: usize = 256;

    /// Takes in that `class` is shown at `cell`, from `at` on under `mode`'s noise, in these words: any bytes that are
    /// equal for equal topics and text.
    pub fn show(&mut self, class: ClassId, cell: Cell, at: Window, mode: Mode, words: &[u8]) -> Echo {
        if self.cells.len() >= Self::MOST_CELLS && self.cells.iter().all(|shown| shown.cell != cell) {
            *self = Self { chapter: self.chapter.wrapping_add(1), ..Self::default() };
        }
        let class = place(&mut self.classes, |known| *known == class, class);
        let cell = place(&mut self.cells, |shown| shown.cell == cell, Shown { cell, first: at, mode });
        let digest = mosaic_crypto::digest(&[words]);
        let mut words = [0; 8];
        words.copy_from_slice(&digest[..8]);
        // sixteen classes and 256 cells: neither is cut
        let (class, cell) = (u8::try_from(class).unwrap_or(u8::MAX), u16::try_from(cell).unwrap_or(u16::MAX));
        Echo { chapter: self.chapter, class, cell, words }
    }

    pub(super) const fn chapter(&self) -> u16 {
        self.chapter
    }

    pub(super) fn cells(&self) -> &[Shown] {
        &self.cells
    }
}

impl Echo {
    /// Equal for broadcasts of one class at one cell.
    pub(super) fn theme(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..2].copy_from_slice(&self.chapter.to_be_bytes());
        bytes[2] = self.class;
        bytes[3..5].copy_from_slice(&self.cell.to_be_bytes());
        bytes
    }

    /// Equal for broadcasts that say the same of the same.
    pub(super) fn wording(&self) -> [u8; 18] {
        let mut bytes = [0; 18];
        bytes[..10].copy_from_slice(&self.theme());
        bytes[10..].copy_from_slice(&self.words);
        bytes
    }
}

/// Where the first that is `wanted` stands; `new` is appended if there is none.
fn place<T>(list: &mut Vec<T>, wanted: impl Fn(&T) -> bool, new: T) -> usize {
    list.iter().position(wanted).unwrap_or_else(|| {
        list.push(new);
        list.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use mosaic_geo::Resolution;
    use mosaic_types::LatLng;

    use super::*;

    fn cell(number: u32) -> Cell {
        Cell::at(LatLng::new(f64::from(number) / 50.0, 5.0).unwrap(), Resolution::R8)
    }

    fn show(habits: &mut Habits, class: u8, at: u32, words: &[u8]) -> Echo {
        habits.show(ClassId::new(class).unwrap(), cell(at), Window(at), Mode::Balanced, words)
    }

    /// Two people who do the same in the same order with other classes at other places leave equal echoes.
    #[test]
    fn an_echo_tells_order_and_repetition_only() {
        let (mut one, mut other) = (Habits::default(), Habits::default());
        let days = [(0_u8, 0_u32), (1, 0), (0, 1), (0, 0), (2, 2), (1, 1)];
        for (class, at) in days {
            let [first, second] =
                [show(&mut one, class, at, &[class]), show(&mut other, 15 - class, 100 - at, &[class])];
            assert_eq!((first.theme(), first.wording()), (second.theme(), second.wording()));
        }
        let again = show(&mut one, 0, 0, b"other words");
        let before = show(&mut one, 0, 0, &[0]);
        assert!(again.theme() == before.theme() && again.wording() != before.wording());
    }

    #[test]
    fn a_full_chapter_is_closed() {
        let mut habits = Habits::default();
        for at in 0..256 {
            assert_eq!(show(&mut habits, 3, at, b"").chapter, 0);
        }
        assert_eq!(show(&mut habits, 3, 255, b"").cell, 255);
        let next = show(&mut habits, 3, 256, b"");
        assert_eq!((next.chapter, next.class, next.cell), (1, 0, 0));
    }
}
