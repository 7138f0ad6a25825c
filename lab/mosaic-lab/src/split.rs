//! Which people an attacker learns from, is tuned on, and is judged by: never the same ones.

use mosaic_crypto::digest;

/// One of three disjoint sets of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The attacker learns from these: half of all.
    Train,
    /// Its settings are chosen on these: a fifth.
    Tune,
    /// It is judged by these, once: the other three tenths.
    Test,
}

impl Part {
    /// The part of a person. It depends on the name and the seed alone: who else is in the data, and in which order, moves
    /// nobody from one part to another.
    pub fn of(user: &str, seed: u64) -> Self {
        let hash = digest(&[b"mosaic/split/1", &seed.to_be_bytes(), user.as_bytes()]);
        match u16::from_be_bytes([hash[0], hash[1]]) % 10 {
            0..5 => Self::Train,
            5..7 => Self::Tune,
            _ => Self::Test,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3,000 users, seed 1: shares within 3 points of 50, 20 and 30 % (more than three standard deviations).
    #[test]
    fn parts_are_disjoint_stable_and_of_the_promised_size() {
        let names: Vec<String> = (0..3_000).map(|number| format!("user-{number}")).collect();
        let share = |part: Part| names.iter().filter(|name| Part::of(name, 1) == part).count();
        let shares = [Part::Train, Part::Tune, Part::Test].map(share);
        assert_eq!(shares.iter().sum::<usize>(), names.len(), "everybody is in exactly one part");
        for (share, expected) in shares.into_iter().zip([1_500, 600, 900]) {
            assert!(share.abs_diff(expected) < 90, "{shares:?}");
        }
        assert!(names.iter().any(|name| Part::of(name, 1) != Part::of(name, 2)), "another seed splits otherwise");
        // published splits must stay what they are
        let first: Vec<Part> = names.iter().take(6).map(|name| Part::of(name, 1)).collect();
        assert_eq!(first, FIRST);
    }

    const FIRST: [Part; 6] = [Part::Train, Part::Train, Part::Tune, Part::Train, Part::Train, Part::Train];
}
