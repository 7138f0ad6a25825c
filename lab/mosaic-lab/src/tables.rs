//! The tables' descriptors and OPRF outputs, as every device of a recording sees them.

use std::collections::HashMap;

use anyhow::Result;
use mosaic_crypto::oprf::{OprfOutput, WholeKey};
use mosaic_federation::sizing::{Load, TableShape};
use mosaic_release::OprfOutputs;
use mosaic_types::{Lane, Period, TileId};
use mosaic_wire::{Groups, LaneShape, OprfInput, PublicShare, TableDescriptor, rows};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha512};

/// The lab holds the whole OPRF key, so an output costs one multiplication instead of a round trip; every
/// device then sees the same values as in a federation.
pub(crate) struct Tables {
    key: WholeKey,
    plain: bool,
    shapes: [TableShape; 2],
    outputs: HashMap<OprfInput, OprfOutput>,
    descriptors: HashMap<Period, TableDescriptor>,
    /// Inputs whose row is this one, in the order they were evaluated.
    leading: HashMap<(Period, u32), Vec<OprfInput>>,
}

impl Tables {
    /// The tables of a population: equal numbers, equal tables.
    pub(crate) fn new(agents: u32, seed: u64) -> Result<Self> {
        let mut scalar = [0; 32];
        ChaCha20Rng::seed_from_u64(seed).fill_bytes(&mut scalar);
        scalar[31] &= 0x0F; // below 2^252 and so canonical
        Ok(Self::under(WholeKey::from_bytes(&scalar)?, agents))
    }

    /// The same under this key.
    pub(crate) fn under(key: WholeKey, agents: u32) -> Self {
        let load = Load { agents, origins: 3 };
        let shapes = [load.shape(Lane::Discovery), load.shape(Lane::Rendezvous)];
        let (outputs, descriptors, leading) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { key, plain: false, shapes, outputs, descriptors, leading }
    }

    /// The naive design: rows and keys are hashes of what they stand for, and no key is needed to make them.
    pub(crate) fn hashed(self) -> Self {
        Self { plain: true, ..self }
    }

    /// What the naive design takes instead of an OPRF.
    pub(crate) fn hash(input: &OprfInput) -> OprfOutput {
        OprfOutput::from_bytes(Sha512::digest(input.encode()).into())
    }

    pub(crate) const fn shape(&self, lane: Lane) -> TableShape {
        self.shapes[lane as usize]
    }

    pub(crate) fn descriptor(&mut self, period: Period) -> TableDescriptor {
        let [discovery, rendezvous] = self.shapes.map(|shape| LaneShape { rows: shape.rows, capacity: shape.capacity });
        let public_key = self.key.public_key();
        let describe = || TableDescriptor {
            tile: TileId(1),
            period,
            valid_from: period.start(),
            threshold: 2,
            public_key,
            shares: Vec::<PublicShare>::new(),
            transcript: [0; 32],
            discovery,
            rendezvous,
            generation_s: [5, 60, 600],
            groups: Groups::DEFAULT,
        };
        self.descriptors.entry(period).or_insert_with(describe).clone()
    }

    pub(crate) fn evaluate(&mut self, inputs: &[OprfInput]) -> Result<()> {
        for input in inputs {
            if !self.outputs.contains_key(input) {
                let output = if self.plain { Self::hash(input) } else { self.key.evaluate(&input.encode())? };
                if let OprfInput::Row { period, .. } = input {
                    let row = rows::discovery_row(&output, 0, self.shapes[Lane::Discovery as usize].rows);
                    self.leading.entry((*period, row)).or_default().push(*input);
                }
                self.outputs.insert(*input, output);
            }
        }
        Ok(())
    }
}

impl Tables {
    /// What two colluding providers know of a row once they have walked through the public vocabulary. Only
    /// inputs somebody used are walked through: the others open nothing.
    pub(crate) fn leading_to(&self, period: Period, row: u32) -> &[OprfInput] {
        self.leading.get(&(period, row)).map_or(&[], Vec::as_slice)
    }
}

impl OprfOutputs for Tables {
    fn get(&self, input: &OprfInput) -> Option<&OprfOutput> {
        self.outputs.get(input)
    }
}
