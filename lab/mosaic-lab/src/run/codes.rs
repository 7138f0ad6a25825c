//! Scoreboard 19: somebody who knows the nameplate of a code guesses its password online.

use std::time::Duration;

use anyhow::{Context, Result};
use mosaic_discovery::AssociationEvent;
use mosaic_types::Code;
use rand_chacha::ChaCha20Rng;

use super::{Bench, speaker::Speaker};
use crate::{
    report::Row,
    runs::{evening, exactly},
};

/// Codes that are attacked, and guesses at each.
const CODES: u32 = 40;
const GUESSES: u32 = 10;
/// Passwords of a nameplate: seven digits.
const PASSWORDS: u64 = 10_000_000;
/// Joins that a device begins at one nameplate; each shows one answer's proof, which is a guess for whoever answers.
const JOINS: f64 = 3.0;

pub(super) fn attack(bench: &mut Bench<'_>) -> Result<()> {
    let (mut most, mut convinced) = (0, 0);
    for _ in 0..CODES {
        let (answers, fooled) = guessed(&mut bench.rng).context("a code could not be made")?;
        (most, convinced) = (answers.max(most), convinced + fooled);
    }
    let row =
        |id: &str, metric: &str, value| Row::printed(id, "online guess of a human code", "Y", metric, exactly(value));
    let metric = format!("answers that a maker gives, the most of {CODES} codes, {GUESSES} wrong guesses each");
    bench.rows.push(row("code/answers", &metric, f64::from(most)).judged(0.0, 3.0));
    bench
        .rows
        .push(row("code/convinced", "wrong guesses that convinced anybody", f64::from(convinced)).judged(0.0, 0.0));
    let success = (f64::from(most) + JOINS) / PASSWORDS as f64;
    let limits = "by calculation: the answers above and three joins, over the passwords; that an answer is good for one guess is CPace's proof";
    let row = row("code", "success for each nameplate", success).on("19").judged(0.0, 3.0 / f64::from(1 << 20));
    bench.rows.push(row.because(limits));
    Ok(())
}

/// Guesses wrongly at one code; how many answers came, and how many of them convinced the guesser or the maker.
fn guessed(rng: &mut ChaCha20Rng) -> Option<(u32, u32)> {
    let at = |minutes| evening().after(Duration::from_mins(minutes));
    let mut maker = Speaker::new(rng);
    let (_, code) = maker.associations.create_code(at(0), &mut maker.rng).ok()?;
    let password = code.expose_password(|digits| digits.iter().fold(0, |sum, d| sum * 10 + u64::from(d - b'0')));
    let (mut answers, mut convinced) = (0, 0);
    for step in 0..GUESSES {
        let wrong = (password + 1 + u64::from(step)) % PASSWORDS;
        let guess = Code::from_number(u64::from(code.nameplate().number()) * PASSWORDS + wrong);
        let mut guesser = Speaker::new(rng);
        guesser.associations.join_code(at(1), &guess, &mut guesser.rng).ok()?;
        let opening = guesser.sends(at(2));
        let noticed = maker.reads(at(3), &opening);
        let answer = maker.sends(at(4));
        answers += answer.len() as u32;
        let told = guesser.reads(at(5), &answer);
        let met = |event: &&AssociationEvent| {
            matches!(event, AssociationEvent::Answered(_) | AssociationEvent::Approached(_))
        };
        convinced += noticed.iter().chain(&told).filter(met).count() as u32;
    }
    Some((answers, convinced))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    /// Seed 19: three of ten guesses are answered and none convinces; a right one would.
    #[test]
    fn a_nameplate_answers_three_times() {
        assert_eq!(guessed(&mut ChaCha20Rng::seed_from_u64(19)), Some((3, 0)));
    }
}
