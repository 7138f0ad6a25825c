//! Memory-hard puzzles: a price in work, paid once and checked with one attempt (S-73, PRIVACY section 10).
//!
//! An attempt is one Argon2id (RFC 9106) over the statement and a counter; it succeeds with probability 1 in
//! `work`. A stamp of SHA-256 over the solution is cheap to check, so that who sends attempts that are none pays
//! for them too before a checker spends memory on one.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use thiserror::Error;

use crate::digest;

/// What an attempt costs and how many are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Puzzle {
    /// Memory of one attempt, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u8,
    /// Attempts expected, at least 1.
    pub work: u64,
    /// Leading zero bits of the stamp.
    pub stamp_bits: u8,
}

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Solution {
    /// The attempt that succeeded.
    pub counter: u64,
    /// What makes its stamp.
    pub stamp: u64,
}

/// Why a puzzle was not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PuzzleError {
    /// It asks for more than [`Puzzle::MOST`], or for nothing at all.
    #[error("the puzzle asks for more than is reasonable")]
    Unreasonable,
    /// The memory is not there.
    #[error("there is no memory for the puzzle")]
    Memory,
}

impl Puzzle {
    /// The most that anybody is to be asked for: 256 MiB, four passes, 65,536 attempts, 24 bits.
    pub const MOST: Self = Self { memory_kib: 1 << 18, passes: 4, work: 1 << 16, stamp_bits: 24 };

    /// The least that Argon2 runs with, and one attempt.
    pub const LEAST: Self = Self { memory_kib: 8, passes: 1, work: 1, stamp_bits: 0 };

    /// Whether it asks for no more than [`Self::MOST`] and no less than [`Self::LEAST`]: what a stranger says is
    /// tried only then.
    pub const fn is_reasonable(&self) -> bool {
        let least = self.memory_kib >= Self::LEAST.memory_kib && self.passes >= 1 && self.work >= 1;
        let most = self.memory_kib <= Self::MOST.memory_kib && self.passes <= Self::MOST.passes;
        least && most && self.work <= Self::MOST.work && self.stamp_bits <= Self::MOST.stamp_bits
    }

    /// Tries from 0 on until an attempt succeeds, then finds its stamp. Takes [`Self::work`] attempts on average.
    ///
    /// # Errors
    /// [`PuzzleError`].
    pub fn solve(&self, statement: &[u8; 32]) -> Result<Solution, PuzzleError> {
        let mut attempts = Attempts::new(self)?;
        let threshold = self.threshold();
        let mut counter = 0;
        while attempts.value(statement, counter)? > threshold {
            counter += 1;
        }
        let stamps = |stamp: &u64| self.is_stamped(statement, &Solution { counter, stamp: *stamp });
        let stamp = (0..=u64::MAX).find(stamps).unwrap_or(0);
        Ok(Solution { counter, stamp })
    }

    /// Whether the stamp is right: one SHA-256.
    pub fn is_stamped(&self, statement: &[u8; 32], solution: &Solution) -> bool {
        let parts: [&[u8]; 4] =
            [b"mosaic/stamp/1", statement, &solution.counter.to_be_bytes(), &solution.stamp.to_be_bytes()];
        let [a, b, c, d, ..] = digest(&parts);
        u32::from_be_bytes([a, b, c, d]).leading_zeros() >= self.stamp_bits.into()
    }

    /// Whether the attempt succeeds: one Argon2id, whatever the stamp is.
    ///
    /// # Errors
    /// [`PuzzleError`].
    pub fn is_solved(&self, statement: &[u8; 32], solution: &Solution) -> Result<bool, PuzzleError> {
        Ok(Attempts::new(self)?.value(statement, solution.counter)? <= self.threshold())
    }

    fn threshold(&self) -> u64 {
        u64::MAX / self.work.max(1)
    }
}

/// Argon2id with its memory, which attempts share.
struct Attempts {
    argon: Argon2<'static>,
    memory: Vec<Block>,
}

impl Attempts {
    fn new(puzzle: &Puzzle) -> Result<Self, PuzzleError> {
        if !puzzle.is_reasonable() {
            return Err(PuzzleError::Unreasonable);
        }
        let params = Params::new(puzzle.memory_kib, puzzle.passes.into(), 1, Some(8));
        let params = params.map_err(|_| PuzzleError::Unreasonable)?;
        let mut memory = Vec::new();
        memory.try_reserve_exact(params.block_count()).map_err(|_| PuzzleError::Memory)?;
        memory.resize(params.block_count(), Block::default());
        Ok(Self { argon: Argon2::new(Algorithm::Argon2id, Version::V0x13, params), memory })
    }

    /// Uniform in 64 bits.
    fn value(&mut self, statement: &[u8; 32], counter: u64) -> Result<u64, PuzzleError> {
        let mut input = [0; 40];
        input[..32].copy_from_slice(statement);
        input[32..].copy_from_slice(&counter.to_be_bytes());
        let mut value = [0; 8];
        let hashed =
            self.argon.hash_password_into_with_memory(&input, b"mosaic/puzzle/1", &mut value, &mut self.memory);
        hashed.map_err(|_| PuzzleError::Unreasonable)?;
        Ok(u64::from_be_bytes(value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EASY: Puzzle = Puzzle { memory_kib: 8, passes: 1, work: 8, stamp_bits: 6 };

    #[test]
    fn a_solution_is_of_one_statement_and_one_price() {
        let solution = EASY.solve(&[1; 32]).unwrap();
        assert!(EASY.is_stamped(&[1; 32], &solution) && EASY.is_solved(&[1; 32], &solution).unwrap());
        let others = (2..=255_u8).map(|byte| [byte; 32]);
        let (stamped, solved) = others.fold((0, 0), |(stamped, solved), other| {
            let is_solved = EASY.is_solved(&other, &solution).unwrap();
            (stamped + u32::from(EASY.is_stamped(&other, &solution)), solved + u32::from(is_solved))
        });
        // 254 draws of 1 in 64 and of 1 in 8: three times what is expected at most
        assert!(stamped <= 12 && solved <= 95, "{stamped} {solved}");
        let dearer = Puzzle { work: 1 << 16, ..EASY };
        assert!(!dearer.is_solved(&[1; 32], &solution).unwrap());
        assert!(dearer.is_stamped(&[1; 32], &solution), "the stamp does not say how hard it was");
    }

    /// Statements 0 to 399: 8 attempts on average; the mean of 400 geometric draws has a standard error of 0.37, and
    /// a wrong price by a quarter would show at 5 of them.
    #[test]
    fn a_solution_takes_as_many_attempts_as_it_says() {
        let attempts = |number: u32| {
            let mut statement = [0; 32];
            statement[..4].copy_from_slice(&number.to_be_bytes());
            EASY.solve(&statement).unwrap().counter + 1
        };
        let mean = (0..400).map(attempts).sum::<u64>() as f64 / 400.0;
        assert!((6.5..9.5).contains(&mean), "{mean}");
    }

    /// The values are those of the reference implementation in C (through argon2-cffi).
    #[test]
    fn the_first_attempts_of_a_known_statement() {
        let mut attempts = Attempts::new(&EASY).unwrap();
        let values = [0, 1].map(|counter| attempts.value(&[7; 32], counter).unwrap());
        assert_eq!(values, [6_121_480_169_593_340_139, 7_022_218_191_907_391_007]);
    }

    #[test]
    fn what_is_unreasonable_is_not_tried() {
        let cases = [
            Puzzle { memory_kib: Puzzle::MOST.memory_kib + 1, ..EASY },
            Puzzle { memory_kib: 7, ..EASY },
            Puzzle { passes: 0, ..EASY },
            Puzzle { passes: 5, ..EASY },
            Puzzle { work: 0, ..EASY },
            Puzzle { work: Puzzle::MOST.work + 1, ..EASY },
            Puzzle { stamp_bits: 25, ..EASY },
        ];
        for puzzle in cases {
            assert_eq!(puzzle.solve(&[0; 32]), Err(PuzzleError::Unreasonable), "{puzzle:?}");
        }
        assert!(Puzzle::MOST.is_reasonable() && Puzzle::LEAST.is_reasonable());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn every_statement_can_be_solved(statement: [u8; 32], work in 1_u64..20, stamp_bits in 0_u8..8) {
            let puzzle = Puzzle { work, stamp_bits, ..EASY };
            let solution = puzzle.solve(&statement).unwrap();
            prop_assert!(puzzle.is_stamped(&statement, &solution));
            prop_assert!(puzzle.is_solved(&statement, &solution).unwrap());
        }
    }
}
