//! A fitted calibration as bytes.

use super::{Block, Isotonic};
use crate::meter_codec::{Reader, Writer};

/// Most steps that are read.
const MOST_STEPS: u16 = 8_192;

impl Isotonic {
    pub(crate) fn write(&self, to: &mut Writer) {
        to.u16(u16::try_from(self.0.len()).unwrap_or(u16::MAX));
        for block in &self.0 {
            to.f64(block.lowest);
            to.f64(block.hits);
            to.f64(block.claims);
        }
    }

    /// Steps that rise in score and in probability; `None` for anything else.
    pub(crate) fn read(from: &mut Reader<'_>) -> Option<Self> {
        let count = from.u16().filter(|count| *count <= MOST_STEPS)?;
        let block = |from: &mut Reader<'_>| {
            let block = Block { lowest: from.finite()?, hits: from.finite()?, claims: from.finite()? };
            (block.claims >= 1.0 && (0.0..=block.claims).contains(&block.hits)).then_some(block)
        };
        let blocks: Vec<Block> = (0..count).map(|_| block(from)).collect::<Option<_>>()?;
        let rises = |pair: &[Block]| pair[0].lowest < pair[1].lowest && pair[0].value() < pair[1].value();
        blocks.windows(2).all(rises).then_some(Self(blocks))
    }
}
