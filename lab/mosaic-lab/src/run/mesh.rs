//! Relay copies in a mesh (L3-52 to L3-57): spies among the devices, who carry as all do and put together what they saw.
//! Was the device that first handed a cell to one of them its origin, or did it carry it for somebody?

use std::collections::BTreeSet;

use mosaic_attack::{BoostingPlan, Learner, Observation, distinguish};
use mosaic_net::mesh::{Consent, Handed, Neighbour, Offered, RelayPool, SealedCell, Step};
use mosaic_types::Timestamp;
use mosaic_wire::CELL;
use rand::{RngExt, seq::SliceRandom};
use rand_chacha::ChaCha20Rng;

use super::{Bench, meter::mean};
use crate::{
    report::Row,
    runs::{RESAMPLES, evening},
};

const DEVICES: usize = 120;
/// Turns of a minute, of which the first ones, until there is something to carry, are not looked at.
const TURNS: u64 = 600;
const BEGINNING: u64 = 60;
/// Devices in reach, others every turn: people walk about.
const REACH: usize = 12;
/// The probability that a device has something of its own to send in a turn.
const BUSY: f64 = 0.25;
/// Spies among a hundred devices.
const SPIES: [usize; 4] = [10, 25, 50, 75];

/// A cell that spies saw for the first time.
struct Caught {
    origin: usize,
    from: usize,
    features: Vec<f64>,
}

/// What spies know after some turns, and what there was to know.
struct Played {
    caught: Vec<Caught>,
    /// Honest devices' cells that somebody handed on.
    handed: usize,
}

pub(super) fn attack(bench: &mut Bench<'_>) {
    bench.progress.stage("a mesh with spies", 0);
    for percent in SPIES {
        let played = play(DEVICES * percent / 100, &mut bench.rng);
        let mut hits: Vec<(u32, f64)> =
            played.caught.iter().map(|one| (number(one.from), f64::from(u8::from(one.from == one.origin)))).collect();
        hits.sort_by_key(|(device, _)| *device);
        let id = |rest: &str| format!("mesh/{percent}{rest}");
        let row =
            |rest: &str, metric: String, found| Row::printed(id(rest), "first spy in a mesh", "N", &metric, found);
        let found = mean(&hits, bench);
        let metric = format!("first hand is the origin, {percent} % spies, {} cells", hits.len());
        let limits = "a simulated mesh in which everybody meets everybody; no link carries one yet. A device that hands its own \
                      cells to neighbours is the origin always";
        bench.rows.push(row("", metric, found).beside(1.0).because(limits));
        let share = played.caught.len() as f64 / played.handed.max(1) as f64;
        let seen = mosaic_attack::Estimate { value: share, low: share, high: share };
        bench.rows.push(row("/seen", format!("share of cells that spies ever see, {percent} % spies"), seen));
        let seen: Vec<Observation> = played.caught.iter().map(Caught::observation).collect();
        let trees = Learner::Trees(BoostingPlan::default());
        let told = distinguish(&seen, trees, RESAMPLES, &mut bench.rng);
        let metric = format!("own or carried, from the turn it came in: AUC, {percent} % spies");
        bench.rows.push(row("/own", metric, told.auc));
    }
}

impl Caught {
    fn observation(&self) -> Observation {
        let positive = self.from == self.origin;
        Observation { user: number(self.from), features: self.features.clone(), positive }
    }
}

/// Lets everybody carry for everybody.
fn play(spies: usize, rng: &mut ChaCha20Rng) -> Played {
    let mut pools: Vec<RelayPool> = (0..DEVICES).map(|_| RelayPool::new(Consent::given())).collect();
    let (mut seen, mut left) = (BTreeSet::new(), BTreeSet::new());
    let mut played = Played { caught: Vec::new(), handed: 0 };
    let mut next = 0;
    for turn in 0..TURNS {
        let now = Timestamp::from_secs(evening().as_secs() + turn * 60);
        for (device, pool) in pools.iter_mut().enumerate() {
            if rng.random_bool(BUSY) {
                let _: Offered = pool.add_own(now, cell(device, next, turn >= BEGINNING));
                next += 1;
            }
        }
        // everybody hands on before anybody receives
        let handed: Vec<(usize, Vec<Handed>)> = (0..DEVICES)
            .filter_map(|device| {
                let near = in_reach(device, rng);
                Some((device, pools[device].turn(now, &near, rng)?))
            })
            .collect();
        for (from, turn) in handed {
            let is_spy = |device: usize| device < spies;
            let counts = |cell: &SealedCell| cell[16] == 1 && !is_spy(origin(cell)) && !is_spy(from);
            played.handed += turn
                .iter()
                .filter(|handed| counts(&handed.cell))
                .filter(|handed| left.insert(serial(&handed.cell)))
                .count();
            let to_spies = |handed: &&Handed| matches!(handed.step, Step::Onward(to) if is_spy(to.0 as usize));
            let known = turn.iter().filter(|handed| seen.contains(&serial(&handed.cell))).count();
            let shown = turn.iter().filter(to_spies).count();
            for (place, handed) in turn.into_iter().enumerate() {
                let Step::Onward(Neighbour(to)) = handed.step else { continue };
                let to = to as usize;
                if is_spy(to) && seen.insert(serial(&handed.cell)) && counts(&handed.cell) {
                    let features = vec![place as f64, shown as f64, known as f64];
                    played.caught.push(Caught { origin: origin(&handed.cell), from, features });
                }
                let _: Offered = pools[to].carry(now, Neighbour(from as u64), handed.cell);
            }
        }
    }
    played
}

/// Whose it is and which: what only the truth knows, as the bytes are sealed.
fn cell(device: usize, serial: u64, counts: bool) -> SealedCell {
    let mut cell = Box::new([0; CELL]);
    cell[..8].copy_from_slice(&(device as u64).to_be_bytes());
    cell[8..16].copy_from_slice(&serial.to_be_bytes());
    cell[16] = u8::from(counts);
    cell
}

fn origin(cell: &SealedCell) -> usize {
    word(cell, 0) as usize
}

fn serial(cell: &SealedCell) -> u64 {
    word(cell, 8)
}

fn word(cell: &SealedCell, at: usize) -> u64 {
    cell[at..at + 8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

fn in_reach(device: usize, rng: &mut ChaCha20Rng) -> Vec<Neighbour> {
    let mut others: Vec<Neighbour> =
        (0..DEVICES).filter(|other| *other != device).map(|other| Neighbour(other as u64)).collect();
    others.shuffle(rng);
    others.truncate(REACH);
    others
}

fn number(device: usize) -> u32 {
    u32::try_from(device).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// Held against the theory of Crowds: in a large mesh the first hand is the origin with 1 - p (1 - f), and somebody else,
    /// who may by chance be it too, otherwise. Seeds 8 and 9; over 2,000 cells are seen, so 0.04 is four standard deviations.
    #[test]
    fn the_first_hand_is_the_origin_as_often_as_theory_says() {
        for (percent, seed) in [(10, 8), (50, 9)] {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let played = play(DEVICES * percent / 100, &mut rng);
            let hits = played.caught.iter().filter(|one| one.from == one.origin).count();
            let (share, f) = (hits as f64 / played.caught.len() as f64, percent as f64 / 100.0);
            let expected = 1.0 - RelayPool::ONWARD * (1.0 - f) + RelayPool::ONWARD * (1.0 - f) / DEVICES as f64;
            assert!(played.caught.len() > 2_000, "{}", played.caught.len());
            assert!((share - expected).abs() < 0.04, "{percent} %: {share} against {expected}");
        }
    }

    #[test]
    fn without_spies_nothing_is_caught() {
        let played = play(0, &mut ChaCha20Rng::seed_from_u64(10));
        assert!(played.caught.is_empty() && played.handed > 1_500, "{}", played.handed);
    }
}
