//! A distributed point function: one number, split so that neither half says which.
//!
//! Boyle, Gilboa and Ishai, *Function Secret Sharing: Improvements and Extensions*, CCS 2016, figure 1, with early
//! termination (section 3.2.3). A reader [`share`]s the number of a row; two providers [`expand`](DpfKey::expand) their
//! keys into one bit a row, and the bits of both differ at that row alone. [`pir`](crate::pir) turns bits into rows.
//!
//! The generator is ChaCha20 with a seed as its key, so that a device needs no AES instructions and the proof needs no
//! more than that ChaCha20 is a pseudorandom function. A leaf is one block of 512 bits: early termination saves nine
//! levels. Holds against one provider; two that compare their keys see the row. A key says nothing about whether it is
//! one of a pair: what comes back must be verified by other means.

use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit as _, StreamCipher as _},
};
use rand::CryptoRng;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const SEED: usize = 32;
/// A block of the generator: two seeds, or the bits of one leaf.
const BLOCK: usize = 64;
/// Levels that one leaf stands for.
const LEAF_BITS: u32 = 9;
const VERSION: u8 = 1;

/// How many rows there are: a power of two, of 2^0 to 2^24.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domain(u8);

impl Domain {
    /// As many rows as a row number of three bytes can name.
    pub const MAX: Self = Self(24);

    /// The smallest domain of at least `rows` rows; `None` without rows, and for more than 2^24.
    pub fn of(rows: u32) -> Option<Self> {
        let bits = rows.checked_next_power_of_two().filter(|_| rows > 0)?.trailing_zeros();
        u8::try_from(bits).ok().filter(|bits| *bits <= Self::MAX.0).map(Self)
    }

    /// How many rows there are.
    pub const fn rows(self) -> u32 {
        1 << self.0
    }

    /// Levels of the tree above its leaves.
    const fn depth(self) -> usize {
        (self.0 as u32).saturating_sub(LEAF_BITS) as usize
    }

    /// Bytes of a key.
    pub const fn key_size(self) -> usize {
        3 + SEED + self.depth() * (SEED + 1) + BLOCK
    }
}

/// Why a row could not be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the row lies outside the table")]
pub struct OutsideDomain;

/// Bytes that are no key: another version, party or domain, or another length than the domain's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a key of a blind read")]
pub struct MalformedKey;

/// What both keys say about one level.
#[derive(Clone, Zeroize)]
struct Correction {
    seed: [u8; SEED],
    left: u8,
    right: u8,
}

/// One provider's half. Erased on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DpfKey {
    #[zeroize(skip)]
    domain: Domain,
    party: u8,
    seed: [u8; SEED],
    levels: Vec<Correction>,
    leaf: [u8; BLOCK],
}

/// One bit a row, 64 to a word, the first row in the lowest bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection(Vec<u64>);

impl Selection {
    /// The words; behind the last row of a domain below 64, bits mean nothing.
    pub fn words(&self) -> &[u64] {
        &self.0
    }

    /// The selection of rows taken two at a time, so many times over: what a key for the pair, the four and so on would have
    /// selected. The two parties' bits differ at one row, so the sums of two neighbours differ at that row's pair.
    #[must_use]
    pub fn halved(&self, times: u32) -> Self {
        let half = |words: &[u64]| {
            let word = |pair: &[u64]| pair.iter().rev().fold(0, |word, half| word << 32 | sums_of_two(*half));
            words.chunks(2).map(word).collect::<Vec<u64>>()
        };
        Self((0..times).fold(self.0.clone(), |words, _| half(&words)))
    }

    /// The bit of a row; `None` outside.
    pub fn bit(&self, row: u32) -> Option<bool> {
        self.0.get(row as usize / 64).map(|word| word >> (row % 64) & 1 == 1)
    }
}

/// Of each two neighbouring bits their sum, in the lower half.
const fn sums_of_two(word: u64) -> u64 {
    let mut word = (word ^ word >> 1) & 0x5555_5555_5555_5555;
    word = (word | word >> 1) & 0x3333_3333_3333_3333;
    word = (word | word >> 2) & 0x0F0F_0F0F_0F0F_0F0F;
    word = (word | word >> 4) & 0x00FF_00FF_00FF_00FF;
    word = (word | word >> 8) & 0x0000_FFFF_0000_FFFF;
    (word | word >> 16) & 0xFFFF_FFFF
}

/// Splits `row` into two keys. Time does not depend on the row.
///
/// # Errors
/// [`OutsideDomain`] when the table has no such row.
pub fn share(row: u32, domain: Domain, rng: &mut dyn CryptoRng) -> Result<[DpfKey; 2], OutsideDomain> {
    if row >= domain.rows() {
        return Err(OutsideDomain);
    }
    let mut roots = [[0; SEED]; 2];
    roots.iter_mut().for_each(|root| rng.fill_bytes(root));
    let mut nodes = [Node { seed: roots[0], on: 0 }, Node { seed: roots[1], on: 1 }];
    let mut levels = Vec::with_capacity(domain.depth());
    for level in 0..domain.depth() {
        let right = Choice::from((row >> (usize::from(domain.0) - 1 - level) & 1) as u8);
        levels.push(descend(&mut nodes, right));
    }
    let mut leaf = *nodes[0].leaf();
    xor(&mut leaf, &*nodes[1].leaf());
    let within = row % (1 << LEAF_BITS);
    for (byte, value) in leaf.iter_mut().enumerate() {
        let here = (byte as u32).ct_eq(&(within / 8));
        *value ^= u8::conditional_select(&0, &(1 << (within % 8)), here);
    }
    let key = |party: u8, seed| DpfKey { domain, party, seed, levels: levels.clone(), leaf };
    let keys = [key(0, roots[0]), key(1, roots[1])];
    roots.zeroize();
    Ok(keys)
}

/// One step of both parties towards the row: on the way they keep different nodes, off it the same.
fn descend(nodes: &mut [Node; 2], right: Choice) -> Correction {
    let [a, b] = [nodes[0].children(), nodes[1].children()];
    let mut seed = [0; SEED];
    for (at, byte) in seed.iter_mut().enumerate() {
        // of the side that is left behind
        *byte = u8::conditional_select(&(a[1].seed[at] ^ b[1].seed[at]), &(a[0].seed[at] ^ b[0].seed[at]), right);
    }
    let turn = right.unwrap_u8();
    let level = Correction { seed, left: a[0].on ^ b[0].on ^ turn ^ 1, right: a[1].on ^ b[1].on ^ turn };
    for (node, mut children) in nodes.iter_mut().zip([a, b]) {
        children
            .iter_mut()
            .zip([level.left, level.right])
            .for_each(|(child, on)| child.correct(node.on, &level.seed, on));
        for (at, byte) in node.seed.iter_mut().enumerate() {
            *byte = u8::conditional_select(&children[0].seed[at], &children[1].seed[at], right);
        }
        node.on = u8::conditional_select(&children[0].on, &children[1].on, right);
    }
    level
}

impl DpfKey {
    /// The rows it speaks about.
    pub const fn domain(&self) -> Domain {
        self.domain
    }

    /// One bit for every row. The other provider's bits are the same everywhere but at the row that was shared.
    pub fn expand(&self) -> Selection {
        let mut nodes = vec![Node { seed: self.seed, on: self.party }];
        for level in &self.levels {
            nodes = nodes
                .iter()
                .flat_map(|node| {
                    let [mut left, mut right] = node.children();
                    left.correct(node.on, &level.seed, level.left);
                    right.correct(node.on, &level.seed, level.right);
                    [left, right]
                })
                .collect();
        }
        let words = (self.domain.rows() as usize).div_ceil(64);
        let mut bits = Vec::with_capacity(nodes.len() * BLOCK / 8);
        for node in &nodes {
            let mut leaf = node.leaf();
            let on = mask(node.on);
            leaf.iter_mut().zip(&self.leaf).for_each(|(byte, correction)| *byte ^= correction & on);
            bits.extend(leaf.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)));
        }
        bits.truncate(words);
        Selection(bits)
    }

    /// Version ‖ bits of the domain ‖ party ‖ seed 32 ‖ per level seed 32 and two bits ‖ leaf 64: [`Domain::key_size`].
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.domain.key_size()));
        bytes.extend([VERSION, self.domain.0, self.party]);
        bytes.extend(self.seed);
        for level in &self.levels {
            bytes.extend(level.seed);
            bytes.push(level.left << 1 | level.right);
        }
        bytes.extend(self.leaf);
        bytes
    }

    /// Reads [`Self::encode`].
    ///
    /// # Errors
    /// [`MalformedKey`].
    pub fn decode(bytes: &[u8]) -> Result<Self, MalformedKey> {
        let ([version, bits, party], rest) = bytes.split_first_chunk().ok_or(MalformedKey)?;
        let domain = Domain(*bits);
        if *version != VERSION || *party > 1 || *bits > Domain::MAX.0 || bytes.len() != domain.key_size() {
            return Err(MalformedKey);
        }
        let (seed, rest) = rest.split_first_chunk().ok_or(MalformedKey)?;
        let (rest, leaf) = rest.split_last_chunk().ok_or(MalformedKey)?;
        let levels = rest.as_chunks::<{ SEED + 1 }>().0.iter().map(|level| {
            let (seed, [bits]) = level.split_first_chunk().ok_or(MalformedKey)? else { return Err(MalformedKey) };
            let known = *bits < 4;
            known.then_some(Correction { seed: *seed, left: bits >> 1, right: bits & 1 }).ok_or(MalformedKey)
        });
        let levels = levels.collect::<Result<_, _>>()?;
        Ok(Self { domain, party: *party, seed: *seed, levels, leaf: *leaf })
    }
}

/// A node of one party's tree: `on` differs between the parties on the way to the row, and nowhere else.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct Node {
    seed: [u8; SEED],
    on: u8,
}

impl Node {
    /// The lowest bit of a seed's first byte says whether it is on, and is cleared.
    fn children(&self) -> [Self; 2] {
        let block = block(&self.seed, 0);
        let (halves, _) = block.as_chunks::<SEED>();
        [halves[0], halves[1]].map(|mut seed| {
            let on = seed[0] & 1;
            seed[0] &= !1;
            Self { seed, on }
        })
    }

    fn leaf(&self) -> Zeroizing<[u8; BLOCK]> {
        block(&self.seed, 1)
    }

    fn correct(&mut self, parent: u8, seed: &[u8; SEED], on: u8) {
        let taken = mask(parent);
        self.seed.iter_mut().zip(seed).for_each(|(byte, correction)| *byte ^= correction & taken);
        self.on ^= on & parent;
    }
}

/// The first block of ChaCha20 (RFC 8439) under `seed`; the nonce's first byte says what it is for.
fn block(seed: &[u8; SEED], purpose: u8) -> Zeroizing<[u8; BLOCK]> {
    let mut nonce = [0; 12];
    nonce[0] = purpose;
    let mut out = Zeroizing::new([0; BLOCK]);
    ChaCha20::new(&(*seed).into(), &nonce.into()).apply_keystream(&mut *out);
    out
}

/// All ones for 1, all zeros for 0.
const fn mask(bit: u8) -> u8 {
    0_u8.wrapping_sub(bit)
}

fn xor(into: &mut [u8], other: &[u8]) {
    into.iter_mut().zip(other).for_each(|(a, b)| *a ^= b);
}
