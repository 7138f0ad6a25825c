//! Which row is wanted? One provider sees the keys of a reader's blind reads (PRIVACY A 13, reader index). It gets the code, the
//! table, as many keys with the rows they were made for as it likes to learn from, and a question with two answers.

use mosaic_attack::{BoostingPlan, Distinction, Learner, Observation, distinguish};
use mosaic_crypto::dpf::{Domain, DpfKey, Selection, share};
use mosaic_wire::Cut;
use rand::{CryptoRng, RngExt};

use super::Bench;
use crate::{report::Row, runs::RESAMPLES};

/// Rows of a discovery table.
const ROWS: u32 = 1 << 14;
/// Keys of which a third each is learnt from, tuned on and judged: for an interval of half of ± 0.01, as the better of two learners is taken.
const KEYS: u32 = 210_000;
/// Two rows that an attacker could care about, of cells that are popular.
const CANDIDATES: [u32; 2] = [1_234, 9_876];

pub(super) fn attack(bench: &mut Bench<'_>) {
    bench.progress.stage("keys of blind reads", 0);
    let Some(domain) = Cut::domain(ROWS) else { return };
    let limits =
        "of one key; that every stack is asked about with as many keys in messages of one size is tested, not attacked";
    let one_of_two = |rng: &mut dyn CryptoRng| {
        let first: bool = rng.random();
        (CANDIDATES[usize::from(!first)], first)
    };
    let upper_half = |rng: &mut dyn CryptoRng| {
        let row = rng.random_range(0..ROWS);
        (row, row >= ROWS / 2)
    };
    type Question<'a> = (&'a str, &'a str, &'a dyn Fn(&mut dyn CryptoRng) -> (u32, bool));
    let questions: [Question<'_>; 2] = [
        ("candidate", "this row or that one: AUC", &one_of_two),
        ("half", "upper or lower half of the table: AUC", &upper_half),
    ];
    for (id, metric, draw) in questions {
        let alone = watch(domain, draw, &|[one, _]| described(one), &mut bench.rng);
        let found = best(&alone, bench);
        let row = Row::printed(format!("reads/{id}"), "row wanted, from one provider's key", "P1", metric, found.auc);
        bench.rows.push(row.on("13").beside(1.0).judged(0.49, 0.51).because(limits));
    }
    // the attack itself works: whoever has both keys reads the answer off
    let both = |[one, other]: &[DpfKey; 2]| {
        let (one, other) = (one.expand(), other.expand());
        CANDIDATES.map(|row| f64::from(u8::from(one.bit(row) != other.bit(row)))).to_vec()
    };
    let together = watch(domain, &one_of_two, &both, &mut bench.rng);
    let found = best(&together, bench);
    let row = Row::printed("reads/both", "row wanted, from both keys", "P2", "this row or that one: AUC", found.auc);
    bench.rows.push(
        row.beside(1.0).because(
            "two providers that compare their keys see the row; printed to show that the attack would find one",
        ),
    );
}

/// Keys as a provider sees them, with the answer.
fn watch(
    domain: Domain,
    draw: &dyn Fn(&mut dyn CryptoRng) -> (u32, bool),
    describe: &dyn Fn(&[DpfKey; 2]) -> Vec<f64>,
    rng: &mut dyn CryptoRng,
) -> Vec<Observation> {
    let watched = (0..KEYS).filter_map(|user| {
        let (row, positive) = draw(rng);
        let mut keys = share(row, domain, rng).ok()?;
        // which of the two a provider gets is drawn too
        if rng.random() {
            keys.reverse();
        }
        Some(Observation { user, features: describe(&keys), positive })
    });
    watched.collect()
}

/// What may tell: the bits at the candidates and around them, how many ones there are in each eighth, and the key's own bytes.
fn described(key: &DpfKey) -> Vec<f64> {
    let selection = key.expand();
    let bit = |row: u32| f64::from(u8::from(selection.bit(row) == Some(true)));
    let near = CANDIDATES.iter().flat_map(|row| (row.saturating_sub(2)..=row + 2).map(bit));
    let mut features: Vec<f64> = near.collect();
    features.push((bit(CANDIDATES[0]) - bit(CANDIDATES[1])).abs());
    features.extend((0..8).map(|eighth| ones(&selection, eighth)));
    let bytes = key.encode();
    features.extend(bytes.iter().skip(2).step_by(7).map(|byte| f64::from(*byte)));
    features
}

fn ones(selection: &Selection, eighth: usize) -> f64 {
    let words = selection.words();
    let each = words.len() / 8;
    let ones: u32 = words.iter().skip(eighth * each).take(each).map(|word| word.count_ones()).sum();
    f64::from(ones)
}

/// The learner that does better.
fn best(seen: &[Observation], bench: &mut Bench<'_>) -> Distinction {
    let trees = distinguish(seen, Learner::Trees(BoostingPlan::default()), RESAMPLES, &mut bench.rng);
    let logistic = distinguish(seen, Learner::Logistic { penalty: 1.0 }, RESAMPLES, &mut bench.rng);
    if logistic.auc.value > trees.auc.value { logistic } else { trees }
}
