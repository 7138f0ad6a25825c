//! Private retrieval between two providers that hold the same table: each adds up the rows that its half of a
//! [`dpf`](crate::dpf) key selects, and the two sums differ by the row that was asked for (Chor, Goldreich, Kushilevitz
//! and Sudan, *Private Information Retrieval*, FOCS 1995; keys as in Boyle, Gilboa and Ishai, CCS 2016).
//!
//! A scan touches every row whatever was asked for, so neither its time nor its memory accesses tell the row. Sums say
//! nothing about whether they are right: a row that is read blind must carry its own proof.

use std::hint::black_box;

use thiserror::Error;

use crate::dpf::Selection;

/// Rows are a multiple of this many bytes, so that one stripe of a row stays in registers.
pub const STRIPE: usize = 64;
const LANES: usize = STRIPE / 8;
/// Stripes that are added together: a record of 192 bytes fills twelve of the sixteen vector registers that every x86-64 has.
const GROUP: usize = 3;
/// Rows of one word of a selection: they stay in the first cache while every selection passes over them.
const TILE: usize = 64;

/// Why a table cannot be scanned, or sums do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScanError {
    /// Rows of no bytes, or not of whole stripes, or a table that ends within a row.
    #[error("a row is a multiple of {STRIPE} bytes, and a table holds whole rows")]
    Width,
    /// A selection for fewer rows than the table has.
    #[error("a selection speaks about fewer rows than the table has")]
    Domain,
    /// Two sums of different lengths.
    #[error("the two answers have different lengths")]
    Lengths,
}

/// Equal rows, one behind the other.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    bytes: &'a [u8],
    width: usize,
}

impl<'a> Rows<'a> {
    /// Rows of `width` bytes.
    ///
    /// # Errors
    /// [`ScanError::Width`].
    pub const fn new(bytes: &'a [u8], width: usize) -> Result<Self, ScanError> {
        if width == 0 || !width.is_multiple_of(STRIPE) || !bytes.len().is_multiple_of(width) {
            return Err(ScanError::Width);
        }
        Ok(Self { bytes, width })
    }

    /// How many rows there are.
    pub const fn count(&self) -> usize {
        self.bytes.len() / self.width
    }
}

/// For each selection the sum (exclusive or) of the rows it selects. One pass over the table serves all of them.
///
/// # Errors
/// [`ScanError::Domain`] when a selection is shorter than the table.
pub fn answer(rows: Rows<'_>, selections: &[Selection]) -> Result<Vec<Vec<u8>>, ScanError> {
    if selections.iter().any(|selection| selection.words().len() < rows.count().div_ceil(TILE)) {
        return Err(ScanError::Domain);
    }
    let width = rows.width / STRIPE;
    let mut sums = vec![vec![[0_u64; LANES]; width]; selections.len()];
    let stripes = rows.bytes.as_chunks::<STRIPE>().0;
    for (number, tile) in stripes.chunks(width * TILE).enumerate() {
        for (selection, sum) in selections.iter().zip(&mut sums) {
            let masks = masks(selection.words()[number]);
            let (groups, rest) = sum.as_chunks_mut::<GROUP>();
            let columns = groups.len() * GROUP;
            groups.iter_mut().enumerate().for_each(|(group, sum)| add(sum, tile, width, group * GROUP, &masks));
            rest.iter_mut()
                .enumerate()
                .for_each(|(at, sum)| add(std::array::from_mut(sum), tile, width, columns + at, &masks));
        }
    }
    let bytes = |sum: Vec<[u64; LANES]>| sum.iter().flatten().flat_map(|lane| lane.to_ne_bytes()).collect();
    Ok(sums.into_iter().map(bytes).collect())
}

/// All ones or all zeros for each row of a tile. Opaque to the compiler, which would make a branch of each row again: half of
/// them are mispredicted, and the time would follow the bits.
fn masks(word: u64) -> [u64; TILE] {
    let mut masks = [0; TILE];
    masks.iter_mut().enumerate().for_each(|(row, mask)| *mask = 0_u64.wrapping_sub(word >> row & 1));
    black_box(masks)
}

/// Adds `S` stripes, from stripe `at` on, of each selected row of a tile. Every row is read; a mask, not a branch, selects.
fn add<const S: usize>(
    sum: &mut [[u64; LANES]; S],
    tile: &[[u8; STRIPE]],
    width: usize,
    at: usize,
    masks: &[u64; TILE],
) {
    // a copy, so that it lives in registers
    let mut total = *sum;
    for (stripes, mask) in tile.chunks_exact(width).zip(masks) {
        let Some(stripes) = stripes.get(at..).and_then(|rest| rest.first_chunk::<S>()) else { continue };
        for (total, stripe) in total.iter_mut().zip(stripes) {
            for (total, lane) in total.iter_mut().zip(stripe.as_chunks::<8>().0) {
                *total ^= u64::from_ne_bytes(*lane) & mask;
            }
        }
    }
    *sum = total;
}

/// The row that was asked for, from two providers' sums.
///
/// # Errors
/// [`ScanError::Lengths`] when the sums are not alike.
pub fn combine(one: &[u8], other: &[u8]) -> Result<Vec<u8>, ScanError> {
    if one.len() != other.len() {
        return Err(ScanError::Lengths);
    }
    Ok(one.iter().zip(other).map(|(a, b)| a ^ b).collect())
}
