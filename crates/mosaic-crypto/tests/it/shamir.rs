//! Shamir sharing: reconstruction, and the exact distribution of what too few shares show (L3-72).

use mosaic_crypto::shamir::{MalformedShare, Quorate, QuorumError, Share, SplitError, reconstruct, split};
use rand::Rng as _;

use crate::support::rng;

/// Draws the coefficients in order: 0, 1, … in the low byte, the next higher ones behind it.
struct Enumerate {
    drawn: u64,
    per_byte: u32,
}

impl rand::TryRng for Enumerate {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let (byte, coefficient) = (self.drawn / u64::from(self.per_byte), self.drawn % u64::from(self.per_byte));
        self.drawn += 1;
        Ok((byte >> (8 * coefficient)) as u32 & 0xff)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("coefficients are drawn as 32 bits")
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        unreachable!("coefficients are drawn as 32 bits")
    }
}

impl rand::TryCryptoRng for Enumerate {}

/// With k = 2 a byte has one coefficient. Over all 256 of them, each share takes each value exactly once,
/// whatever the secret: one share says nothing.
#[test]
fn one_share_of_two_of_three_is_exactly_uniform() {
    for secret in [0, 1, 0x53, 0xff] {
        let shares = split(&[secret; 256], 2, 3, &mut Enumerate { drawn: 0, per_byte: 1 }).unwrap();
        for share in &shares {
            let mut seen = [0_u32; 256];
            share.values().iter().for_each(|value| seen[usize::from(*value)] += 1);
            assert_eq!(seen, [1; 256], "secret {secret}, share {}", share.index());
        }
    }
}

/// With k = 3 there are 65,536 pairs of coefficients. Each share takes each value 256 times and each two shares
/// each pair of values exactly once.
#[test]
fn two_shares_of_three_of_five_are_exactly_uniform() {
    for secret in [0, 0xa7] {
        let shares = split(&vec![secret; 65_536], 3, 5, &mut Enumerate { drawn: 0, per_byte: 2 }).unwrap();
        for (i, a) in shares.iter().enumerate() {
            let mut single = [0_u32; 256];
            a.values().iter().for_each(|value| single[usize::from(*value)] += 1);
            assert_eq!(single, [256; 256]);
            for b in &shares[..i] {
                let mut pairs = vec![0_u8; 65_536];
                for (x, y) in a.values().iter().zip(b.values()) {
                    pairs[usize::from(*x) << 8 | usize::from(*y)] += 1;
                }
                assert!(pairs.iter().all(|&count| count == 1));
            }
        }
    }
}

/// The same with real randomness: Pearson's chi-square over 256 values with 65,536 draws of one share, 255
/// degrees of freedom. Seeds fixed; two-sided level 2e-4, that is 180 < χ² < 347 (Wilson-Hilferty); 16
/// cases, so a sound generator would fail with probability 0.3 % had the seeds not been fixed.
#[test]
fn a_random_share_passes_chi_square() {
    for (seed, k, n) in [(11, 2, 3), (12, 3, 5)] {
        for secret in [0_u8, 0xff] {
            let shares = split(&vec![secret; 65_536], k, n, &mut rng(seed)).unwrap();
            for share in &shares {
                let mut seen = [0_f64; 256];
                share.values().iter().for_each(|value| seen[usize::from(*value)] += 1.0);
                let chi: f64 = seen.iter().map(|count| (count - 256.0).powi(2) / 256.0).sum();
                assert!((180.0..347.0).contains(&chi), "seed {seed}, ({k},{n}), share {}: {chi}", share.index());
            }
        }
    }
}

#[test]
fn every_quorum_reconstructs_and_every_smaller_set_is_refused() {
    let mut secret = [0; 32];
    rng(1).fill_bytes(&mut secret);
    for (k, n) in [(2_u8, 3_u8), (3, 5)] {
        for mask in 1_u8..1 << n {
            let shares = split(&secret, k, n, &mut rng(2)).unwrap();
            let chosen: Vec<Share> =
                shares.into_iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1).map(|(_, share)| share).collect();
            match Quorate::check(&chosen, k) {
                Ok(quorum) => assert_eq!(&*reconstruct(&quorum), &secret),
                Err(error) => assert!(error == QuorumError::TooFew && chosen.len() < usize::from(k)),
            }
        }
    }
}

#[test]
fn wrong_shares_give_wrong_secrets_and_malformed_ones_are_refused() {
    let share = |bytes: &[u8]| Share::from_bytes(bytes);
    assert_eq!(share(&[]).err(), Some(MalformedShare));
    assert_eq!(share(&[1]).err(), Some(MalformedShare));
    assert_eq!(share(&[0, 5]).err(), Some(MalformedShare));
    let check = |shares: &[Share]| Quorate::check(shares, 2).err();
    assert_eq!(check(&[share(&[1, 5]).unwrap(), share(&[1, 6]).unwrap()]), Some(QuorumError::Repeated));
    assert_eq!(check(&[share(&[1, 5]).unwrap(), share(&[2, 6, 7]).unwrap()]), Some(QuorumError::Lengths));
    assert_eq!(check(&[]), Some(QuorumError::TooFew));
    let good = split(b"secret", 2, 3, &mut rng(3)).unwrap();
    let mut bent = good[0].to_bytes().to_vec();
    bent[2] ^= 1;
    let mixed = [share(&bent).unwrap(), share(&good[1].to_bytes()).unwrap()];
    assert_ne!(&*reconstruct(&Quorate::check(&mixed, 2).unwrap()), b"secret");
}

#[test]
fn impossible_splits_are_refused() {
    let attempt = |secret: &[u8], k, n| split(secret, k, n, &mut rng(4)).err();
    assert_eq!(attempt(b"", 2, 3), Some(SplitError::EmptySecret));
    assert_eq!(attempt(b"s", 1, 3), Some(SplitError::Threshold));
    assert_eq!(attempt(b"s", 4, 3), Some(SplitError::Threshold));
}
