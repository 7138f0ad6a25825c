//! How popular classes are, counted as two providers would count it (PRIVACY section 11), and what it changes when the
//! personas of new devices have tastes that follow it (PRIVACY section 7).
//!
//! Those who report are other people of the same town: none of them is among those whom the attacker learns from or is
//! judged by.

use std::time::Duration;

use anyhow::{Result, anyhow};
use mosaic_aggregate::{
    Answer, Batch, Counted, NoisedAnswer, PartOfDay, Policy, Published, ReportFields, Side, Statement, report,
};
use mosaic_attack::Estimate;
use mosaic_crypto::signing::SigningKey;
use mosaic_geo::{LocalTime, Residents};
use mosaic_types::{ClassId, ClassShares, ProviderId, Sensitive, TileId};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::{
    Bench,
    discovery::{best, describe::Town, repeats, telling},
};
use crate::{
    naive::Wish,
    opened::{Layers, Life, record_opened},
    report::Row,
    runs::{evening, exactly},
};

/// People who report, of the same town and not of the lab's people.
const REPORTERS: usize = 4_000;
/// One in so many sends a report that is not one vote.
const LIARS: u32 = 20;
/// Where their seed lies from that of the lab's people.
const OTHERS: u64 = 0x7265_706F_7274_6572;

pub(super) fn attack(bench: &mut Bench<'_>) -> Result<()> {
    // numbers of its own: the rows after these stay what they are without them
    let own = ChaCha20Rng::seed_from_u64(bench.plan.seed ^ OTHERS);
    let others = std::mem::replace(&mut bench.rng, own);
    let done = counted(bench).and_then(|published| followed(bench, published.class_shares()?));
    bench.rng = others;
    done
}

/// A day of everybody's reports, some of them forged, and what is published of it.
fn counted(bench: &mut Bench<'_>) -> Result<Published> {
    bench.progress.stage(&format!("a day's reports of {REPORTERS} others"), 0);
    let broken = || anyhow!("the aggregators did not agree");
    let residents = Residents::generate(bench.places, REPORTERS, bench.plan.seed ^ OTHERS)?;
    let today = Counted { tile: TileId(1), day: u32::try_from(evening().as_secs() / 86_400)? };
    let rng = &mut bench.rng;
    let batch = |side| Batch::open(today, side, [7; 32]).ok_or_else(broken);
    let (mut leader, mut helper) = (batch(Side::Leader)?, batch(Side::Helper)?);
    let (mut truth, mut forged) = ([[0_u32; 4]; ClassId::COUNT as usize], 0);
    for (user, resident) in (0_u32..).zip(residents.all()) {
        let at = evening().after(Duration::from_secs(rng.random_range(0..86_400)));
        let wish = Wish::of(user, resident, bench.places, at, rng);
        let hour = LocalTime::by_sun(at, wish.place).hour();
        let part = PartOfDay::of_hour(hour);
        let answer = NoisedAnswer::draw(&Sensitive::new(Answer::wish(wish.class, part)), rng);
        let mut shares = report(today, answer, rng).ok_or_else(broken)?;
        if user.is_multiple_of(LIARS) {
            many_votes(&mut shares[0]);
            forged += u32::from(vote(&mut leader, &mut helper, &shares));
        } else if vote(&mut leader, &mut helper, &shares) {
            truth[usize::from(wish.class.get())][part as usize] += 1;
        }
    }
    let sums = [leader.close(Policy::default(), rng)?, helper.close(Policy::default(), rng)?];
    let keys = [1, 2].map(|number| SigningKey::from_bytes(&[number; 32]));
    let [one, two] = [ProviderId::new(1)?, ProviderId::new(2)?];
    let said = Statement::of([&sums[0], &sums[1]], one, two)?;
    let signatures = keys.each_ref().map(|key| said.sign(key));
    let known = |id: ProviderId| keys.get(usize::from(id.get()) - 1).map(SigningKey::verifying_key);
    let published = said.signed(signatures).verify(known)?;
    accuracy(bench, &published, &truth, forged);
    Ok(published)
}

/// Whether both aggregators count it.
fn vote(leader: &mut Batch, helper: &mut Batch, shares: &[ReportFields; 2]) -> bool {
    let (Ok(one), Ok(other)) = (leader.begin(&shares[0]), helper.begin(&shares[1])) else { return false };
    let (mine, theirs) = (*one.verifier_share(), *other.verifier_share());
    let [first, second] = [leader.finish(one, &theirs), helper.finish(other, &mine)];
    first.is_ok() && second.is_ok()
}

/// Nine votes more for the first answer, which is where the share begins.
fn many_votes(share: &mut ReportFields) {
    let (first, _) = share.input_share.split_at_mut(16);
    let value = u128::from_le_bytes(first.try_into().unwrap_or_default()).wrapping_add(9);
    first.copy_from_slice(&value.to_le_bytes());
}

fn accuracy(bench: &mut Bench<'_>, published: &Published, truth: &[[u32; 4]; ClassId::COUNT as usize], forged: u32) {
    let classes = || (0..ClassId::COUNT).filter_map(|class| ClassId::new(class).ok());
    let in_parts = classes().flat_map(|class| {
        let people = truth[usize::from(class.get())];
        PartOfDay::ALL.map(|part| (f64::from(people[part as usize]), published.wishes(class, part)))
    });
    let whole = classes().map(|class| {
        let people = truth[usize::from(class.get())].iter().sum::<u32>();
        (f64::from(people), published.of_class(class))
    });
    let (whole, in_parts) = (off_by(whole), off_by(in_parts));
    let row = |id: &str, metric: &str, value: f64| {
        Row::printed(format!("aggregate/{id}"), "published counts", "-", metric, exactly(value))
    };
    let said = "randomised response on the device and the noise of both aggregators; that noise alone is a deviation of 4 people";
    let metric = format!("RMSE of classes with 100 people or more, share, {REPORTERS} reports");
    bench.rows.push(row("rmse", &metric, whole).judged(0.0, 0.10).because(said));
    bench.rows.push(row("rmse/parts", "the same of classes in a part of the day", in_parts).because(said));
    let liars = "reports of ten votes that were counted";
    bench.rows.push(row("forged", liars, f64::from(forged)).judged(0.0, 0.0));
}

/// The root of the mean square of the relative errors, over what a hundred people or more wished for.
fn off_by(found: impl Iterator<Item = (f64, Option<f64>)>) -> f64 {
    let off = |(people, said): (f64, Option<f64>)| ((said.unwrap_or(0.0) - people) / people).powi(2);
    let squares: Vec<f64> = found.filter(|(people, _)| *people >= 100.0).map(off).collect();
    (squares.iter().sum::<f64>() / squares.len().max(1) as f64).sqrt()
}

/// The attacks on opened bundles again, on devices whose personas follow the published counts.
fn followed(bench: &mut Bench<'_>, liked: ClassShares) -> Result<()> {
    let size = bench.plan.size.clone();
    bench.progress.stage(&format!("opened bundles of {} people, personas by published counts", size.opened), 0);
    let plan = bench.population(size.opened, Duration::from_hours(24 * size.days));
    let plan = crate::PopulationPlan { liked: Some(liked), ..plan };
    let opened = record_opened(bench.places, plan, Life::Ordinary, Layers::Outer, bench.progress)?;
    let asked = super::discovery::asked(&opened);
    let (_, found) = best(bench, "opened/published/p2", "P2", &asked);
    let rows = [
        ("opened/p2/auc", "AUC, one of ten", found.auc, [0.0, 0.58]),
        ("opened/p2/g", "G: checks until the real one", found.trap.verifications, [4.5, f64::INFINITY]),
    ];
    for (like, metric, found, target) in rows {
        push(bench, like, metric, found, Some(target));
    }
    push(bench, "opened/p2/top-1", "top-1 of 10", found.top_one, None);
    for row in telling(&asked).into_iter().filter(|row| row.id.ends_with("class")) {
        push(bench, &row.id, "AUC, a point", exactly(row.value.unwrap_or_default()), None);
    }
    drop(opened);
    let plan = bench.population(size.steady, Duration::from_hours(2 * size.windows));
    let plan = crate::PopulationPlan { liked: Some(liked), ..plan };
    let steady = record_opened(bench.places, plan, Life::Steady, Layers::Outer, bench.progress)?;
    let town = Town::survey(&steady);
    for number in [1, 3, 20].into_iter().filter(|times| *times <= size.windows) {
        let Some((_, found)) = repeats(bench, "opened/published/rebroadcast", (&steady, &town), number) else {
            continue;
        };
        let like = format!("opened/rebroadcast/{number}/top-1");
        push(bench, &like, &format!("top-1 of 10, N = {number}"), found.top_one, Some([0.0, 0.15]));
    }
    Ok(())
}

/// A row beside the one of the same attack on devices that know nothing of their region.
fn push(bench: &mut Bench<'_>, like: &str, metric: &str, found: Estimate, target: Option<[f64; 2]>) {
    let id = like.replacen("opened/", "opened/published/", 1);
    let row = Row::printed(id, "personas by published counts", "P2", metric, found);
    let row = row.because("the baseline is the same attack where nothing is published");
    let row = target.map_or(row.clone(), |[low, high]| row.judged(low, high));
    let without = bench.rows.iter().find(|row| row.id == like).and_then(|row| row.value);
    bench.rows.push(without.map_or(row.clone(), |without| row.beside(without)));
}
