//! Does an association end well: over a network that loses things, with strangers at its rows, with two who hold one token?

use std::{thread, time::Duration};

use anyhow::{Context, Result};
use mosaic_attack::share_interval;
use mosaic_crypto::{
    kdf::{Label, derive},
    record::{self, RecordNonce},
};
use mosaic_discovery::{AssociationEvent, AssociationState};
use mosaic_release::Releaser;
use mosaic_types::{ContactText, Timestamp, Token};
use mosaic_wire::{Direction, RendezvousState};
use rand::{Rng as _, RngExt as _, SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha20Rng;

use crate::{
    report::Row,
    run::{
        Bench,
        speaker::{Records, Speaker},
    },
    runs::{evening, exactly},
};

/// Share of requests, and of answers, that a network loses.
const LOSS: f64 = 0.05;
/// What an association over such a network is waited for: a token's life.
const LIFE: Duration = Duration::from_hours(24);
/// A balanced device's events on the rendezvous lane, and what one of them holds.
const STEP: Duration = Duration::from_mins(12);
const MOST: usize = 5;
/// Parts of the tokens that are tried at somebody else's rows, each with randomness of its own, so that the number of cores changes nothing.
const PARTS: u64 = 16;
pub(super) fn measure(bench: &mut Bench<'_>) -> Result<()> {
    bench.progress.stage("associations over a bad network", 0);
    lossy(bench)?;
    bench.progress.stage("tokens of others", 0);
    foreign(bench)?;
    bench.progress.stage("two who join one token", 0);
    races(bench)
}

/// Both have given their contacts; the maker made a token and the joiner has it.
fn two(now: Timestamp, rng: &mut ChaCha20Rng) -> Result<([Speaker; 2], Token)> {
    let (mut maker, mut joiner) = (Speaker::new(rng), Speaker::new(rng));
    let (id, token) = maker.associations.create_token(now, &mut maker.rng)?;
    maker.associations.accept(now, id, &Releaser::contact(ContactText::new("maker")?))?;
    joins(&mut joiner, now, &token)?;
    Ok(([maker, joiner], token))
}

fn joins(joiner: &mut Speaker, now: Timestamp, token: &Token) -> Result<()> {
    let id = joiner.associations.join_token(now, token, &mut joiner.rng)?;
    Ok(joiner.associations.accept(now, id, &Releaser::contact(ContactText::new("joiner")?))?)
}

fn is_connected(speaker: &Speaker) -> bool {
    speaker.associations.list().iter().any(|view| view.state == AssociationState::Connected)
}

fn lossy(bench: &mut Bench<'_>) -> Result<()> {
    let (associations, mut whole, mut steps) = (bench.plan.size.trials / 4_000, 0, 0);
    for _ in 0..associations {
        if let Some(taken) = over_a_bad_network(&mut bench.rng)? {
            (whole, steps) = (whole + 1, steps + taken);
        }
    }
    let row = |id: &str, metric: &str, found| {
        Row::printed(format!("association/loss{id}"), "association over a bad network", "-", metric, found)
    };
    let metric = format!("share of {associations} with both contacts within 24 h, 5 % of requests and of answers lost");
    let limits = "a request or a receipt that is lost is sent again, on other rows; a provider that loses what it acknowledged is another matter (CL-15)";
    bench.rows.push(row("", &metric, share_interval(whole, associations)).judged(0.99, 1.0).because(limits));
    let mean = f64::from(steps) / (whole as f64).max(1.0);
    bench.rows.push(row("/events", "events of each side until then, mean (without loss: 2)", exactly(mean)));
    Ok(())
}

/// How many events of each side it took; none within a token's life is none.
fn over_a_bad_network(rng: &mut ChaCha20Rng) -> Result<Option<u32>> {
    let (mut both, _) = two(evening(), rng)?;
    let mut stored: [Records; 2] = Default::default();
    let (mut now, mut taken) = (evening(), 0);
    while now < evening().after(LIFE) {
        (now, taken) = (now.after(STEP), taken + 1);
        for side in [1, 0] {
            let frames = both[side].offers(now, MOST);
            let ids: Vec<_> = frames.iter().map(|frame| frame.id).collect();
            let (arrives, is_told) = (!rng.random_bool(LOSS), !rng.random_bool(LOSS));
            if arrives {
                let sealed: Vec<_> = frames.iter().map(|frame| both[side].seals(frame)).collect();
                stored[side].extend(sealed);
            }
            if arrives && is_told {
                both[side].associations.left(&ids);
            } else {
                both[side].associations.requeue(&ids);
            }
            if !rng.random_bool(LOSS) && !rng.random_bool(LOSS) {
                both[1 - side].reads(now, &stored[side]);
            }
        }
        if both.iter().all(is_connected) {
            return Ok(Some(taken));
        }
    }
    Ok(None)
}

/// A stranger's record lies at the very row that a token's maker looks at, under a token of its own. Whatever opens has
/// passed the first of two locks (the second is the handshake's key, from the same token).
fn foreign(bench: &mut Bench<'_>) -> Result<()> {
    let each = bench.plan.size.trials / PARTS;
    let trials = each * PARTS;
    let seeds: Vec<[u8; 32]> = (0..PARTS).map(|_| bench.rng.random()).collect();
    let tried = |seed: &[u8; 32]| -> Result<(u64, u64)> {
        let mut rng = ChaCha20Rng::from_seed(*seed);
        let ours = key_of(&token(&mut rng)?);
        let mut plain = [0; record::PLAIN];
        rng.fill_bytes(&mut plain);
        let sealed = record::seal_record(&ours, RecordNonce::draw(&mut rng), &plain);
        let own = u64::from(record::open_record(&ours, &sealed).is_some());
        let mut accepted = 0;
        for _ in 0..each {
            let theirs = key_of(&token(&mut rng)?);
            accepted += u64::from(record::open_record(&theirs, &sealed).is_some());
        }
        Ok((accepted, own))
    };
    let stopped = |_| anyhow::anyhow!("a count stopped");
    let found: Result<Vec<_>> = thread::scope(|scope| {
        let halves: Vec<_> = seeds.chunks(seeds.len().div_ceil(2)).collect();
        let count = |half: &[[u8; 32]]| half.iter().map(tried).collect::<Result<Vec<_>>>();
        let running: Vec<_> = halves.into_iter().map(|half| scope.spawn(move || count(half))).collect();
        let done: Result<Vec<_>> = running.into_iter().map(|part| part.join().map_err(stopped)?).collect();
        Ok(done?.concat())
    });
    let found = found?;
    let (accepted, own) = found.iter().fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    let row = |id: &str, metric: &str, found| {
        Row::printed(format!("association/foreign{id}"), "record of another token", "Y", metric, found)
    };
    let metric = format!("share accepted of {trials} tokens");
    bench.rows.push(row("", &metric, share_interval(accepted, trials)).judged(0.0, 1e-6));
    let own = share_interval(own, PARTS);
    bench.rows.push(row("/own", "share of own tokens accepted: the attack itself works", own));
    Ok(())
}

fn token(rng: &mut ChaCha20Rng) -> Result<Token> {
    Token::from_indices(std::array::from_fn(|_| rng.random_range(0..62))).ok().context("indices below 62 are a token")
}

/// The key of a token's first message in this epoch, as `docs/spec/rows.md` has it.
fn key_of(token: &Token) -> [u8; 32] {
    let root: [u8; 32] = token.expose(|characters| derive(characters, Label::TokenRoot, &[]));
    let epoch = evening().epoch().0.to_be_bytes();
    *RendezvousState::new(derive(&root, Label::TokenRoot, &[&epoch])).key(Direction::FromInitiator, 0)
}

/// Two people hold one token and join it before anything is read; the maker finds both first messages in any order.
fn races(bench: &mut Bench<'_>) -> Result<()> {
    let (races, mut once, mut never, mut often) = (bench.plan.size.trials / 400, 0_u64, 0_u64, 0_u64);
    for _ in 0..races {
        match joined_twice(&mut bench.rng)? {
            0 => never += 1,
            1 => once += 1,
            _ => often += 1,
        }
    }
    let row = |id: &str, metric: &str, count: u64| {
        Row::printed(format!("association/races{id}"), "two join one token", "Y", metric, exactly(count as f64))
    };
    let metric = format!("races with exactly one who got the contact, of {races}");
    bench.rows.push(row("", &metric, once).judged(races as f64, races as f64));
    bench.rows.push(row("/never", "races in which nobody did", never));
    bench.rows.push(row("/often", "races in which both did", often));
    Ok(())
}

/// How many of two joiners end with the maker's contact, and the maker with theirs.
fn joined_twice(rng: &mut ChaCha20Rng) -> Result<usize> {
    let at = |minutes| evening().after(Duration::from_mins(minutes));
    let ([mut maker, first], token) = two(at(0), rng)?;
    let mut joiners = [first, Speaker::new(rng)];
    joins(&mut joiners[1], at(0), &token)?;
    let mut table = Records::new();
    for round in 0..4 {
        let now = at(5 + 10 * round);
        joiners.iter_mut().for_each(|joiner| table.extend(joiner.sends(now)));
        table.shuffle(rng);
        let approached = maker.reads(now, &table);
        table.extend(maker.sends(now));
        let approaches = approached.iter().filter(|event| matches!(event, AssociationEvent::Approached(_))).count();
        anyhow::ensure!(approaches <= 1, "a token was answered twice");
        table.shuffle(rng);
        joiners.iter_mut().for_each(|joiner| drop(joiner.reads(now, &table)));
    }
    let connected = joiners.iter().filter(|joiner| is_connected(joiner)).count();
    Ok(if is_connected(&maker) { connected } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seed 8: a network that loses a twentieth costs events and nothing else; of two joiners one is met, whoever was read
    /// first.
    #[test]
    fn associations_end_over_a_bad_network_and_once() {
        let mut rng = ChaCha20Rng::seed_from_u64(8);
        for _ in 0..20 {
            assert!(over_a_bad_network(&mut rng).unwrap().is_some_and(|events| events >= 2));
            assert_eq!(joined_twice(&mut rng).unwrap(), 1);
        }
    }

    /// The key is the one that the product writes under: what a joiner sends opens with it.
    #[test]
    fn the_key_is_the_specified_one() {
        let mut rng = ChaCha20Rng::seed_from_u64(9);
        let ([_, mut joiner], token) = two(evening(), &mut rng).unwrap();
        let opened = (0..64).any(|_| {
            let frames = joiner.offers(evening(), MOST);
            joiner.associations.requeue(&frames.iter().map(|frame| frame.id).collect::<Vec<_>>());
            let opens = |frame| record::open_record(&key_of(&token), &joiner.seals(frame).1).is_some();
            frames.iter().any(opens)
        });
        assert!(opened, "one of eight counters");
    }
}
