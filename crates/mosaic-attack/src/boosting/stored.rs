//! Fitted trees as bytes.

use super::{BoostedTrees, Node};
use crate::meter_codec::{Reader, Writer};

/// Deepest tree that is read: recursion has a bound, whoever wrote the bytes.
const DEEPEST: u8 = 8;
/// Most trees that are read.
const MOST_TREES: u16 = 4_096;

impl BoostedTrees {
    pub(crate) fn write(&self, to: &mut Writer) {
        to.f64(self.prior);
        to.f64(self.rate);
        to.u16(u16::try_from(self.trees.len()).unwrap_or(u16::MAX));
        self.trees.iter().for_each(|tree| tree.write(to));
    }

    /// Trees that look at features below `width` only; `None` for anything else.
    pub(crate) fn read(from: &mut Reader<'_>, width: usize) -> Option<Self> {
        let (prior, rate, count) = (from.finite()?, from.finite()?, from.u16().filter(|count| *count <= MOST_TREES)?);
        let trees: Option<Vec<Node>> = (0..count).map(|_| Node::read(from, width, DEEPEST)).collect();
        Some(Self { prior, rate, trees: trees? })
    }
}

impl Node {
    fn write(&self, to: &mut Writer) {
        match self {
            Self::Leaf(value) => {
                to.u8(0);
                to.f64(*value);
            }
            Self::Split { feature, threshold, below, above } => {
                to.u8(1);
                to.u8(u8::try_from(*feature).unwrap_or(u8::MAX));
                to.f32(*threshold);
                below.write(to);
                above.write(to);
            }
        }
    }

    fn read(from: &mut Reader<'_>, width: usize, depth: u8) -> Option<Self> {
        match from.u8()? {
            0 => from.finite().map(Self::Leaf),
            1 if depth > 0 => {
                let feature = usize::from(from.u8()?);
                let threshold = from.f32().filter(|threshold| threshold.is_finite() && feature < width)?;
                let below = Box::new(Self::read(from, width, depth - 1)?);
                let above = Box::new(Self::read(from, width, depth - 1)?);
                Some(Self::Split { feature, threshold, below, above })
            }
            _ => None,
        }
    }
}
