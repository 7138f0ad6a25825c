//! Is a hidden slot in use? From two images of one storage file (PRIVACY 7, scoreboard 20).

use rand::Rng;

use crate::{Distinction, Learner, Observation, distinguish};

/// Two images of one device's file, and whether something hidden was written between them.
#[derive(Clone, Debug)]
pub struct SnapshotPair<'a> {
    /// Device.
    pub device: u32,
    /// Earlier image.
    pub before: &'a [u8],
    /// Later image.
    pub after: &'a [u8],
    /// Whether a hidden slot was in use.
    pub hidden: bool,
}

/// Judges the classifier of differences; trains, tunes and judges on disjoint devices. Images are
/// compared in `parts` equal parts of blocks of `block` bytes, both at least 1.
pub fn snapshot_attack(
    pairs: &[SnapshotPair<'_>],
    block: usize,
    parts: usize,
    learner: Learner,
    resamples: usize,
    rng: &mut impl Rng,
) -> Distinction {
    let observe = |pair: &SnapshotPair<'_>| Observation {
        user: pair.device,
        features: snapshot_features(pair.before, pair.after, block, parts),
        positive: pair.hidden,
    };
    distinguish(&pairs.iter().map(observe).collect::<Vec<_>>(), learner, resamples, rng)
}

/// Change of size, share of blocks changed, runs of changed blocks, and in each part the share of
/// blocks changed and how far the bytes are from uniform (chi-square per degree of freedom).
pub fn snapshot_features(before: &[u8], after: &[u8], block: usize, parts: usize) -> Vec<f64> {
    let (block, parts) = (block.max(1), parts.max(1));
    let earlier = |index: usize| before.get(index * block..((index + 1) * block).min(before.len()));
    let changed: Vec<bool> =
        after.chunks(block).enumerate().map(|(index, bytes)| earlier(index) != Some(bytes)).collect();
    let share =
        |changed: &[bool]| changed.iter().filter(|changed| **changed).count() as f64 / changed.len().max(1) as f64;
    let runs =
        changed.windows(2).filter(|pair| pair[1] && !pair[0]).count() + usize::from(changed.first() == Some(&true));
    let mut features = vec![after.len() as f64 - before.len() as f64, share(&changed), runs as f64];
    for part in 0..parts {
        let slice = |length: usize| part * length / parts..(part + 1) * length / parts;
        features.push(share(&changed[slice(changed.len())]));
        features.push(unevenness(&after[slice(after.len())]));
    }
    features
}

fn unevenness(bytes: &[u8]) -> f64 {
    let mut counts = [0.0_f64; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1.0);
    let expected = bytes.len().max(1) as f64 / 256.0;
    counts.iter().map(|count| (count - expected).powi(2) / expected).sum::<f64>() / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// Seed 151, 600 devices, files of 64 blocks of 64 bytes in eight slots, 200 judged. Rewriting only the
    /// slots in use betrays a hidden one; rewriting everything at each commit does not (±0.28, four standard
    /// errors).
    #[test]
    fn partial_commits_betray_and_full_ones_do_not() {
        let mut rng = ChaCha20Rng::seed_from_u64(151);
        for (whole, low, high) in [(false, 0.95, 1.0), (true, -0.28, 0.28)] {
            let mut images = Vec::new();
            for _ in 0..600 {
                let hidden = rng.random_bool(0.5);
                let mut before = vec![0; 4_096];
                rng.fill(&mut before[..]);
                let mut after = before.clone();
                let end = if whole {
                    4_096
                } else if hidden {
                    1_024
                } else {
                    512
                };
                rng.fill(&mut after[..end]);
                images.push((before, after, hidden));
            }
            let pair = |(device, image): (usize, &'static (Vec<u8>, Vec<u8>, bool))| SnapshotPair {
                device: device as u32,
                before: &image.0,
                after: &image.1,
                hidden: image.2,
            };
            let images: &'static Vec<_> = Box::leak(Box::new(images));
            let pairs: Vec<SnapshotPair<'_>> = images.iter().enumerate().map(pair).collect();
            let learner = Learner::Logistic { penalty: 1.0 };
            let report = snapshot_attack(&pairs, 64, 8, learner, 40, &mut rng);
            assert!((low..=high).contains(&report.advantage.value), "{report:?}");
        }
    }

    #[test]
    fn features_of_known_images() {
        let features = snapshot_features(&[0; 8], &[0, 0, 1, 0, 0, 0, 1, 1, 5, 5], 2, 1);
        assert_eq!(features[..4], [2.0, 0.6, 2.0, 0.6]);
        assert_eq!(snapshot_features(&[], &[], 0, 0).len(), 5);
        assert!((unevenness(&(0..=255).collect::<Vec<u8>>())).abs() < 1e-12);
    }
}
