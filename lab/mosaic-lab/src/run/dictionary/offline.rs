//! The dictionary offline: a recording under a key that three providers made together, and attackers with a share of
//! it, with two, and of a design without any key.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Result;
use mosaic_attack::{Estimate, bootstrap_by_user};
use mosaic_crypto::{
    agreement::AgreementSecret,
    ceremony::{assemble, deal},
    oprf::{KeyShare, OprfOutput, WholeKey},
};
use mosaic_discovery::Card;
use mosaic_geo::Residents;
use mosaic_types::{Period, ProviderId, Timestamp};
use mosaic_wire::{OprfInput, RECORD, rows};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::super::Bench;
use crate::{
    device::Device,
    report::Row,
    runs::{RESAMPLES, evening, exactly},
    tables::Tables,
};

/// People of the recording, and how long it is.
const PEOPLE: u32 = 24;
const LENGTH: Duration = Duration::from_hours(2);

/// A stored record, and who wrote it: the judge's knowledge.
struct Stored {
    user: u32,
    at: Timestamp,
    period: Period,
    row: u32,
    bytes: [u8; RECORD],
}

/// What was recorded, and every row input that was used, which is all of the vocabulary that opens anything.
struct Recording {
    stored: Vec<Stored>,
    used: Vec<OprfInput>,
    rows: u32,
}

pub(super) fn attack(bench: &mut Bench<'_>) -> Result<()> {
    let shares = ceremony(bench.plan.seed)?;
    let [one, two, _] = &shares;
    let both = || Ok::<_, anyhow::Error>(WholeKey::from_shares(&[(provider(1)?, one), (provider(2)?, two)])?);
    let recorded = record(bench, Tables::under(both()?, PEOPLE))?;
    // a share is a scalar like a key: its holder can compute with it alone, and gets another function
    let share = WholeKey::from_bytes(&one.to_bytes())?;
    let evaluate = |key: &WholeKey, input: &OprfInput| key.evaluate(&input.encode()).ok();
    let alone = opened(bench, &recorded, |input| evaluate(&share, input));
    let key = both()?;
    let colluding = opened(bench, &recorded, |input| evaluate(&key, input));
    let naive = record(bench, Tables::under(both()?, PEOPLE).hashed())?;
    let (hashed, seconds) = timed(|| opened(bench, &naive, |input| Some(Tables::hash(input))));
    let row = |id: &str, attack: &str, view: &str, metric: &str, found| {
        Row::printed(format!("dictionary/{id}"), attack, view, metric, found)
    };
    let limits = "one share against every input that anybody used; the same attacker with two shares opens all of them";
    bench.rows.push(
        row("offline", "dictionary with one key share", "P1", "share of records opened", alone)
            .on("15")
            .beside(hashed.value)
            .judged(0.0, 0.0)
            .because(limits),
    );
    bench.rows.push(row("two-shares", "dictionary with two key shares", "P2", "share of records opened", colluding));
    let dictionary = "dictionary without an OPRF";
    bench.rows.push(row("naive", dictionary, "P1", "share of records opened", hashed).judged(0.99, 1.0));
    let metric =
        format!("seconds for {} records and {} inputs, as the machine is", naive.stored.len(), naive.used.len());
    bench.rows.push(row("naive/seconds", dictionary, "P1", &metric, exactly(seconds)));
    Ok(())
}

fn provider(number: u8) -> Result<ProviderId> {
    Ok(ProviderId::new(number)?)
}

/// Shares of a key of threshold two that three providers dealt, as the federation makes them.
fn ceremony(seed: u64) -> Result<[KeyShare; 3]> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed ^ 0xD1C7);
    let secrets: Vec<AgreementSecret> = (0..3).map(|_| AgreementSecret::random(&mut rng)).collect();
    let ids = [provider(1)?, provider(2)?, provider(3)?];
    let recipients: Vec<_> = ids.iter().zip(&secrets).map(|(id, secret)| (*id, secret.public())).collect();
    let context = mosaic_crypto::digest(&[b"a table of the lab"]);
    let dealings = ids.iter().map(|id| deal(&context, *id, &recipients, 2, &mut rng)).collect::<Result<Vec<_>, _>>()?;
    let share = |at: usize| assemble(&dealings, ids[at], &secrets[at]);
    Ok([share(0)?, share(1)?, share(2)?])
}

fn record(bench: &Bench<'_>, mut tables: Tables) -> Result<Recording> {
    let plan = bench.population(PEOPLE, LENGTH);
    let residents = Residents::generate(bench.places, PEOPLE as usize, plan.seed)?;
    let (mut stored, mut used) = (Vec::new(), BTreeSet::new());
    for (user, resident) in (0..).zip(residents.all()) {
        let mut device = Device::new(user, resident, bench.places, plan);
        let mut now = evening();
        loop {
            let send = device.next(now);
            if send.leave_at >= plan.start.after(plan.length) {
                break;
            }
            device.wish(send.leave_at, bench.places)?;
            now = send.tick;
            let Some(resolution) = send.resolution else { continue };
            let event = device.discovery(send.leave_at, resolution, &mut tables)?;
            let (fields, at) = (event.fields(), event.leaves());
            let period = fields.table.period();
            for (tag, bytes) in fields.rows.iter().zip(&fields.slots) {
                used.extend(tables.leading_to(period, tag.row()));
                stored.push(Stored { user, at, period, row: tag.row(), bytes: *bytes });
            }
        }
    }
    let rows = tables.shape(mosaic_types::Lane::Discovery).rows;
    Ok(Recording { stored, used: used.into_iter().collect(), rows })
}

/// The share of records that open at the rows which `evaluate` leads to, by writer.
fn opened(bench: &Bench<'_>, recorded: &Recording, evaluate: impl Fn(&OprfInput) -> Option<OprfOutput>) -> Estimate {
    let known: Vec<(&OprfInput, OprfOutput)> =
        recorded.used.iter().filter_map(|input| Some((input, evaluate(input)?))).collect();
    let mut leading = std::collections::HashMap::<(Period, u32), Vec<usize>>::new();
    for (at, (input, output)) in known.iter().enumerate() {
        let row = rows::discovery_row(output, 0, recorded.rows);
        leading.entry((input.period(), row)).or_default().push(at);
    }
    let opens = |stored: &Stored| {
        let inputs = leading.get(&(stored.period, stored.row)).into_iter().flatten().filter_map(|at| known.get(*at));
        let mut cards = inputs.filter_map(|(input, output)| Card::open(stored.at, input, output, &[], &stored.bytes));
        f64::from(u8::from(cards.next().is_some()))
    };
    let users: Vec<Vec<f64>> =
        recorded.stored.chunk_by(|a, b| a.user == b.user).map(|own| own.iter().map(opens).collect()).collect();
    let mean = |drawn: &[&Vec<f64>]| {
        let all = drawn.iter().map(|own| own.len()).sum::<usize>().max(1) as f64;
        drawn.iter().flat_map(|own| own.iter()).sum::<f64>() / all
    };
    // a stream of its own, so that one more attacker changes nobody else's draws
    bootstrap_by_user(&users, RESAMPLES, &mut ChaCha20Rng::seed_from_u64(bench.plan.seed), mean)
}

/// What is done, and the seconds it took.
#[expect(clippy::disallowed_methods, reason = "a price in seconds is measured, not simulated; nothing depends on it")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let started = std::time::Instant::now();
    let done = work();
    (done, started.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any two of the three shares are one key; one is another.
    #[test]
    fn two_shares_make_the_key_and_one_makes_another() {
        let shares = ceremony(5).unwrap();
        let key = |a: u8, b: u8| {
            let share = |number: u8| (provider(number).unwrap(), &shares[usize::from(number) - 1]);
            WholeKey::from_shares(&[share(a), share(b)]).unwrap().public_key()
        };
        assert_eq!(key(1, 2), key(2, 3));
        assert_ne!(WholeKey::from_bytes(&shares[0].to_bytes()).unwrap().public_key(), key(1, 2));
    }
}
