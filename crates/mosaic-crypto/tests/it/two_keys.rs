//! The multi-key forgery of Len, Grubbs and Ristenpart (USENIX Security 2021) against Poly1305.

use mosaic_crypto::record::SEALED;
use rand::Rng;

/// A number below 2^131, for arithmetic modulo p = 2^130 - 5.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fe(u8, u128);

const P: Fe = Fe(3, u128::MAX - 4);

impl Fe {
    fn add(self, other: Self) -> Self {
        let (low, carry) = self.1.overflowing_add(other.1);
        Self(self.0 + other.0 + u8::from(carry), low).reduce()
    }

    fn reduce(self) -> Self {
        if self < P { self } else { Self(self.0 - P.0 - u8::from(self.1 < P.1), self.1.wrapping_sub(P.1)) }
    }

    fn neg(self) -> Self {
        if self == Self(0, 0) { self } else { Self(P.0 - self.0 - u8::from(P.1 < self.1), P.1.wrapping_sub(self.1)) }
    }

    fn bit(self, index: u32) -> bool {
        if index < 128 { self.1 >> index & 1 == 1 } else { self.0 >> (index - 128) & 1 == 1 }
    }

    fn mul(self, other: Self) -> Self {
        (0..130).rev().fold(Self(0, 0), |sum, index| {
            let sum = sum.add(sum);
            if other.bit(index) { sum.add(self) } else { sum }
        })
    }

    fn invert(self) -> Self {
        let exponent = Self(P.0, P.1 - 2);
        (0..130).rev().fold(Self(0, 1), |power, index| {
            let power = power.mul(power);
            if exponent.bit(index) { power.mul(self) } else { power }
        })
    }
}

/// The first 64 bytes of the stream block `counter`, by RFC 8439 and draft-irtf-cfrg-xchacha.
fn block(key: &[u8; 32], nonce: &[u8; 24], counter: u32) -> [u8; 64] {
    let words = |bytes: &[u8]| -> Vec<u32> {
        bytes.chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect()
    };
    let constants = words(b"expand 32-byte k");
    let start = [constants.clone(), words(key), words(&nonce[..16])].concat();
    let mixed = rounds(&start);
    let subkey = [&mixed[..4], &mixed[12..]].concat();
    let state = [constants, subkey, vec![counter, 0], words(&nonce[16..])].concat();
    let mut out = [0; 64];
    for ((bytes, a), b) in out.chunks_mut(4).zip(rounds(&state)).zip(state) {
        bytes.copy_from_slice(&a.wrapping_add(b).to_le_bytes());
    }
    out
}

fn rounds(state: &[u32]) -> Vec<u32> {
    let mut s = state.to_vec();
    let mut quarter = |a: usize, b: usize, c: usize, d: usize| {
        for (x, y, z, turn) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
            s[x] = s[x].wrapping_add(s[y]);
            s[z] = (s[z] ^ s[x]).rotate_left(turn);
        }
    };
    for _ in 0..10 {
        (0..4).for_each(|i| quarter(i, 4 + i, 8 + i, 12 + i));
        (0..4).for_each(|i| quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4));
    }
    s
}

/// r (clamped) and s of the one-time Poly1305 key.
fn poly_key(key: &[u8; 32], nonce: &[u8; 24]) -> (Fe, Fe) {
    let first = block(key, nonce, 0);
    let half = |range: std::ops::Range<usize>| u128::from_le_bytes(first[range].try_into().unwrap());
    (Fe(0, half(0..16) & 0x0fff_fffc_0fff_fffc_0fff_fffc_0fff_ffff), Fe(0, half(16..32)))
}

/// The blocks that Poly1305 sees: the padded body and its lengths.
fn blocks(body: &[u8]) -> Vec<Fe> {
    let mut padded = body.to_vec();
    padded.resize(body.len().div_ceil(16) * 16, 0);
    padded.extend_from_slice(&0_u64.to_le_bytes());
    padded.extend_from_slice(&(body.len() as u64).to_le_bytes());
    padded.chunks(16).map(|chunk| Fe(1, u128::from_le_bytes(chunk.try_into().unwrap()))).collect()
}

fn evaluate(blocks: &[Fe], r: Fe) -> Fe {
    blocks.iter().fold(Fe(0, 0), |sum, block| sum.add(*block).mul(r))
}

/// A record whose tag is right under both keys and whose first block decrypts to zeros under the first.
pub(crate) fn forge(keys: &[[u8; 32]; 2], nonce: &[u8; 24], rng: &mut impl Rng) -> [u8; SEALED] {
    let [(r1, s1), (r2, s2)] = keys.map(|key| poly_key(&key, nonce));
    let free = 5;
    loop {
        let mut body = [0; 152];
        rng.fill_bytes(&mut body);
        body[..16].copy_from_slice(&block(&keys[0], nonce, 1)[..16]);
        let mut seen = blocks(&body);
        seen[free] = Fe(0, 0);
        let power = |r: Fe| (free..seen.len()).fold(Fe(0, 1), |power, _| power.mul(r));
        let gap = evaluate(&seen, r2).add(s2.reduce()).add(evaluate(&seen, r1).add(s1.reduce()).neg());
        let solution = gap.mul(power(r1).add(power(r2).neg()).invert());
        seen[free] = solution;
        let tags = [(r1, s1), (r2, s2)].map(|(r, s)| evaluate(&seen, r).1.wrapping_add(s.1));
        // A full block carries a one above its 128 bits, and both sums must wrap alike.
        if solution.0 == 1 && tags[0] == tags[1] {
            body[16 * free..16 * (free + 1)].copy_from_slice(&solution.1.to_le_bytes());
            let mut record = [0; SEALED];
            record[..24].copy_from_slice(nonce);
            record[24..176].copy_from_slice(&body);
            record[176..].copy_from_slice(&tags[0].to_le_bytes());
            return record;
        }
    }
}
