//! What the puzzle of tokens costs here: one attempt at several memories, and the mean of whole solutions.
//!
//! `cargo bench --locked -p mosaic-crypto --bench puzzle`. One thread, as an agent uses; twelve solutions each.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and ends at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::time::{Duration, Instant};

use mosaic_crypto::puzzle::{Puzzle, Solution};

const SOLUTIONS: u8 = 12;

fn main() {
    println!("memory of one attempt   time of one attempt");
    for memory_kib in [8 << 10, 16 << 10, 64 << 10, 256 << 10] {
        let puzzle = Puzzle { memory_kib, passes: 1, work: 1, stamp_bits: 0 };
        let begun = Instant::now();
        for statement in 0..SOLUTIONS {
            puzzle.is_solved(&[statement; 32], &Solution::default()).unwrap();
        }
        println!("{:>8} MiB {:>23.3} s", memory_kib >> 10, mean(begun));
    }
    println!("attempts expected   time of one solution, 64 MiB, a stamp of 18 bits");
    for work in [1, 16, 32] {
        let puzzle = Puzzle { memory_kib: 64 << 10, passes: 1, work, stamp_bits: 18 };
        let begun = Instant::now();
        for statement in 0..SOLUTIONS {
            puzzle.solve(&[statement; 32]).unwrap();
        }
        println!("{work:>17} {:>22.3} s", mean(begun));
    }
}

fn mean(begun: Instant) -> f64 {
    let elapsed: Duration = begun.elapsed();
    elapsed.as_secs_f64() / f64::from(SOLUTIONS)
}
