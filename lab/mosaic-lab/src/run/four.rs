//! Scoreboard 25, the joint question of PRIVACY 12: which of four identities is the person? Per-slot questions of one
//! device hang together, because its personas persist; so all of them are asked at once, and what is left is what a
//! verifier pays for.
//!
//! Both views are given more than the design grants: whose slots or bundles belong together.

use mosaic_attack::{
    BoostingPlan, ByteStatistics, EventView, Guess, GuessReport, Guesses, Learner, Lineup, PersonaDetector,
    PlacePopularity, ScoredLineup, Session, SlotView, asymmetry, detect_slots_with, judge_guesses,
};
use rand::seq::index::sample;
use rand_chacha::ChaCha20Rng;

use super::{Bench, plots};
use crate::{
    opened::Opened,
    report::Row,
    runs::{RESAMPLES, exactly},
};

/// Identities asked about: the person and three of its personas.
const FOUR: usize = 4;
/// Personas of a device that fill an event with a real bundle.
const PERSONAS: usize = 9;
/// 98 % of the 2.5 checks that four equals need, as 5.4 is of 5.5: an interval cannot lie above what is most.
const ENOUGH: f64 = 2.45;

/// From rows alone, and from opened bundles; then what both leave of the asymmetry.
pub(super) fn opened(bench: &mut Bench<'_>, opened: &[Opened], lineups: &[Lineup]) {
    bench.progress.stage("which of four identities is the person?", 0);
    let chosen = |user: u32, rng: &mut ChaCha20Rng| -> (u32, Vec<usize>) {
        (user, std::iter::once(0).chain(sample(rng, PERSONAS, FOUR - 1).into_iter().map(|at| at + 1)).collect())
    };
    let users = opened.chunk_by(|a, b| a.user == b.user).map(|own| own[0].user);
    let four: Vec<(u32, Vec<usize>)> = users.map(|user| chosen(user, &mut bench.rng)).collect();
    let of = |user: u32| four.iter().find(|(known, _)| *known == user).map(|(_, four)| four.as_slice());
    let rows = by_rows(opened, &of, &mut bench.rng);
    let bundles = by_bundles(lineups, &of);
    let questions = |guesses: &Guesses| guesses.judged.len() as f64 / people(&guesses.judged).max(1.0);
    let bytes = opened.iter().map(|event| event.bytes).max().unwrap_or(0) as f64 / 10.0;
    for (id, view, guesses, most) in [("p1", "P1", &rows, true), ("p2", "P2", &bundles, false)] {
        let found = judge_guesses(guesses, RESAMPLES, &mut bench.rng);
        print(bench, id, view, &found);
        // a question is an event here and a session of five there; each costs one decoy a bundle
        let decoys = questions(guesses) * if most { 1.0 } else { 5.0 };
        asymmetries(bench, id, view, &found, bytes * decoys);
    }
}

fn people(guesses: &[Guess]) -> f64 {
    guesses.chunk_by(|a, b| a.user == b.user).count() as f64
}

/// P1: the slot detector on rows of discovery events, its scores sorted by identity.
fn by_rows<'a>(opened: &[Opened], of: &impl Fn(u32) -> Option<&'a [usize]>, rng: &mut ChaCha20Rng) -> Guesses {
    let view = |event: &Opened| EventView {
        user: event.user,
        at: event.at.as_secs(),
        slots: event.slots.iter().map(|slot| view(slot.row, slot.identity == 0)).collect(),
    };
    let mut events: Vec<(EventView, &Opened)> = opened.iter().map(|event| (view(event), event)).collect();
    events.sort_by_key(|(event, _)| (event.at, event.user));
    let seen: Vec<EventView> = events.iter().map(|(event, _)| event.clone()).collect();
    let found = detect_slots_with(&seen, Learner::Trees(BoostingPlan::default()), 100_000, 0, rng);
    let four = |guesses: Vec<Guess>, part: u32| -> Vec<Guess> {
        // the detector gives its guesses user by user, one for each event with exactly one real slot
        let mut own: Vec<&Opened> =
            events.iter().filter(|(event, _)| event.user % 4 == part).map(|(_, o)| *o).collect();
        own.sort_by_key(|event| event.user);
        let single = |event: &&Opened| event.slots.iter().filter(|slot| slot.identity == 0).count() == 1;
        let pairs = guesses.into_iter().zip(own.into_iter().filter(single));
        pairs.filter_map(|(guess, event)| by_identity(&guess, event, of(event.user)?)).collect()
    };
    Guesses { tuning: four(found.guesses.tuning, 1), judged: four(found.guesses.judged, 3) }
}

fn view(row: u64, real: bool) -> SlotView {
    SlotView { key: row, chain: 0, bytes: ByteStatistics::default(), real }
}

/// One score an identity; nothing where one of the four is not in the event.
fn by_identity(guess: &Guess, event: &Opened, four: &[usize]) -> Option<Guess> {
    debug_assert_eq!(guess.user, event.user);
    let at = |identity: &usize| event.slots.iter().position(|slot| usize::from(slot.identity) == *identity);
    let scores = four.iter().map(|identity| guess.scores.get(at(identity)?).copied()).collect::<Option<_>>()?;
    Some(Guess { user: guess.user, scores, truth: 0 })
}

/// P2: a line-up of four by what their bundles said, learnt on line-ups of four.
fn by_bundles<'a>(lineups: &[Lineup], of: &impl Fn(u32) -> Option<&'a [usize]>) -> Guesses {
    let four: Vec<Lineup> = lineups.iter().filter_map(|lineup| reduced(lineup, of(lineup.user)?)).collect();
    let part = |part: u32| four.iter().filter(move |lineup| lineup.user % 3 == part);
    let training: Vec<Lineup> = part(0).cloned().collect();
    let corpus: Vec<Session> = training.iter().flat_map(|one| one.candidates.iter().flatten().cloned()).collect();
    let popularity = PlacePopularity::learn(&corpus);
    let detector = PersonaDetector::fit(&training, popularity, true, BoostingPlan::default());
    let guesses = |one: ScoredLineup| -> Vec<Guess> {
        let (user, truth) = (one.user, one.truth);
        one.scores.into_iter().map(|scores| Guess { user, scores, truth }).collect()
    };
    let scored = |number| part(number).map(|lineup| detector.score(lineup)).flat_map(guesses).collect();
    Guesses { tuning: scored(1), judged: scored(2) }
}

fn reduced(lineup: &Lineup, four: &[usize]) -> Option<Lineup> {
    let candidates = four.iter().map(|at| lineup.candidates.get(*at).cloned()).collect::<Option<_>>()?;
    let truth = four.iter().position(|at| *at == lineup.truth)?;
    Some(Lineup { user: lineup.user, candidates, truth })
}

fn print(bench: &mut Bench<'_>, id: &str, view: &str, found: &GuessReport) {
    let row = |what: &str, metric: &str, estimate| {
        Row::printed(format!("trap/four/{id}{what}"), "which of 4 identities is the person", view, metric, estimate)
    };
    let limits = "uniform is 2.5; the aim is 98 % of it; whose slots belong together is given to the attacker";
    let joint = row("", "G of 4, all questions at once", found.joint.verifications).on("25").beside(1.0);
    bench.rows.push(joint.judged(ENOUGH, f64::INFINITY).because(limits));
    bench.rows.push(row("/slot", "G of 4, one question", found.trap.verifications).on("25"));
    bench.rows.push(row("/k-eff", "effective identities of 4, all questions", found.joint.effective));
    bench.rows.push(row("/top-1", "top-1 of 4, all questions", found.joint.top_one).beside(1.0));
    bench.plot("trap", plots::bar(&format!("G of 4, {view}, all questions"), found.joint.verifications.value));
}

/// What a staff-hour costs an adversary and a gigabyte a person, in one currency: cheap data, ordinary, dear data.
const SCENARIOS: [(f64, f64); 3] = [(60.0, 0.1), (40.0, 1.0), (10.0, 10.0)];
const BYTES_PER_GIGABYTE: f64 = 1e9;

/// The asymmetry with a staff-hour to check one identity, and a decoy's measured bytes. The third scenario is the one
/// in which decoys cost most, and it is judged.
fn asymmetries(bench: &mut Bench<'_>, id: &str, view: &str, found: &GuessReport, bytes: f64) {
    let checks = found.joint.verifications;
    for (number, (hour, gigabyte)) in SCENARIOS.into_iter().enumerate() {
        let decoy = bytes * gigabyte / BYTES_PER_GIGABYTE;
        let of = |checks: f64| asymmetry(checks, FOUR, hour, decoy);
        let estimate = mosaic_attack::Estimate { value: of(checks.value), low: of(checks.low), high: of(checks.high) };
        let metric = format!("A, {hour} an hour, {gigabyte} a GB");
        let row = Row::printed(format!("trap/four/{id}/asymmetry/{number}"), "cost asymmetry", view, &metric, estimate);
        let limits = format!("a scenario, not a finding; {:.0} bytes of decoys an identity", bytes);
        bench.rows.push(if number + 1 == SCENARIOS.len() {
            row.on("25").judged(1e4, f64::INFINITY).because(&limits)
        } else {
            row.because(&limits)
        });
    }
    let exact = exactly(bytes);
    bench.rows.push(Row::printed(format!("trap/four/{id}/decoy"), "cost asymmetry", view, "bytes of decoys", exact));
}
