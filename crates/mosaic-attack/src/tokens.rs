//! Were this issuance and this redemption the same client's? (PRIVACY 5, scoreboard 22.)

use rand::Rng;

use crate::{Distinction, Learner, Observation, distinguish};

/// One issuance and one redemption, as the issuer recorded them.
#[derive(Clone, Debug)]
pub struct TokenPair {
    /// Client of the issuance.
    pub user: u32,
    /// Seconds of the issuance.
    pub issued_at: f64,
    /// Seconds of the redemption.
    pub redeemed_at: f64,
    /// Bytes seen at issuance: blinded message, key name, session.
    pub issued: Vec<u8>,
    /// Bytes seen at redemption: token, key name, session.
    pub redeemed: Vec<u8>,
    /// Whether it was one client's.
    pub same: bool,
}

/// Judges linking of redemptions; trains, tunes and judges on disjoint clients. Give about as many
/// random pairs as true ones; times of random pairs must follow what clients do.
pub fn token_attack(pairs: &[TokenPair], learner: Learner, resamples: usize, rng: &mut impl Rng) -> Distinction {
    let observe =
        |pair: &TokenPair| Observation { user: pair.user, features: token_features(pair), positive: pair.same };
    distinguish(&pairs.iter().map(observe).collect::<Vec<_>>(), learner, resamples, rng)
}

/// Seconds between, the same modulo an hour and a day, equal bytes at equal places, longest common
/// run of bytes anywhere, difference of length.
pub fn token_features(pair: &TokenPair) -> Vec<f64> {
    let gap = pair.redeemed_at - pair.issued_at;
    let equal = pair.issued.iter().zip(&pair.redeemed).filter(|(a, b)| a == b).count();
    vec![
        gap,
        gap.rem_euclid(3_600.0),
        gap.rem_euclid(86_400.0),
        equal as f64,
        common_run(&pair.issued, &pair.redeemed) as f64,
        pair.redeemed.len() as f64 - pair.issued.len() as f64,
    ]
}

/// Longest run of bytes that both contain: a session name betrays itself wherever it stands.
fn common_run(a: &[u8], b: &[u8]) -> usize {
    let (mut runs, mut best) = (vec![0; b.len() + 1], 0);
    for byte in a {
        // from the right, so that the previous row is still there
        for at in (0..b.len()).rev() {
            runs[at + 1] = if b[at] == *byte { runs[at] + 1 } else { 0 };
            best = best.max(runs[at + 1]);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BoostingPlan;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// Seed 161, 300 clients × 20 pairs, 2,000 judged. A session name in both messages links completely;
    /// redemption seconds after issuance links too; blinded bytes at unrelated times do not (±0.09,
    /// four standard errors).
    #[test]
    fn sessions_and_haste_link_and_blinding_does_not() {
        let mut rng = ChaCha20Rng::seed_from_u64(161);
        for (session, hasty) in [(true, false), (false, true), (false, false)] {
            let pair = |at: u32| {
                let same = rng.random_bool(0.5);
                let (mut issued, mut redeemed) = (vec![0; 32], vec![0; 40]);
                rng.fill(&mut issued[..]);
                rng.fill(&mut redeemed[..]);
                if session && same {
                    redeemed[20..28].copy_from_slice(&issued[3..11]);
                }
                let issued_at = rng.random_range(0.0..86_400.0);
                let wait = if hasty && same { rng.random_range(0.0..30.0) } else { rng.random_range(0.0..86_400.0) };
                TokenPair { user: at % 300, issued_at, redeemed_at: issued_at + wait, issued, redeemed, same }
            };
            let pairs: Vec<TokenPair> = (0..6_000).map(pair).collect();
            let report = token_attack(&pairs, Learner::Trees(BoostingPlan::default()), 40, &mut rng);
            if session || hasty {
                assert!(report.advantage.low > 0.98, "{report:?}");
            } else {
                assert!(report.advantage.value.abs() < 0.09, "{report:?}");
            }
        }
    }

    #[test]
    fn common_runs_of_known_bytes() {
        assert_eq!(common_run(b"abcdef", b"xxcdexabc"), 3);
        assert_eq!(common_run(b"", b"abc"), 0);
        assert_eq!(common_run(b"aaaa", b"aa"), 2);
    }
}
