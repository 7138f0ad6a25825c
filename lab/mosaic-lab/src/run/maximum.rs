//! Scoreboard 6 in maximum mode: a round carries the person's wish in one case of two (CL-24). What does a profile still
//! tell?

use mosaic_attack::{BoostingPlan, Choice, Estimate, Learner, score_choices};
use mosaic_geo::Resolution;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::{
    Bench,
    discovery::describe::{Profile, Town, choices_among},
    meter::{hit, mean},
};
use crate::{
    opened::{Opened, OpenedSlot},
    report::Row,
};

/// Nothing of an event.
const NONE: usize = usize::MAX;

/// `maximum`: opened bundles of people in maximum mode, who have these profiles.
pub(super) fn attack(bench: &mut Bench<'_>, maximum: &[Opened], profiles: &[Profile]) {
    // numbers of its own: the rows after these stay what they are without them
    let own = ChaCha20Rng::seed_from_u64(bench.plan.seed ^ 0x6D61_7869_6D75_6D31);
    let others = std::mem::replace(&mut bench.rng, own);
    bench.progress.stage("maximum mode, with a profile", 0);
    rows(bench, maximum, profiles);
    bench.rng = others;
}

fn rows(bench: &mut Bench<'_>, maximum: &[Opened], profiles: &[Profile]) {
    let town = Town::survey(maximum);
    let asked: Vec<Choice> = choices_among(maximum, &town, Some(profiles), |event| {
        Some(event.real().unwrap_or(NONE)).filter(|_| event.slots.iter().any(OpenedSlot::is_of_the_person))
    });
    let judged = |choice: &&Choice| choice.user % 3 == 2;
    let drawn: Vec<(u32, f64)> = asked.iter().filter(judged).map(|one| (one.user, shown(one.truth))).collect();
    let guesses = score_choices(&asked, Learner::Trees(BoostingPlan::default()), &mut bench.rng);
    if guesses.judged.is_empty() {
        return;
    }
    let hits: Vec<(u32, f64)> =
        guesses.judged.iter().map(|guess| (guess.user, hit(&guess.scores, guess.truth))).collect();
    let by_heart: Vec<(u32, f64)> = maximum
        .iter()
        .filter(|event| event.user % 3 == 2)
        .filter_map(|event| {
            Some((event.user, favourite(profiles.get(event.user as usize)?, &event.slots[event.real()?])))
        })
        .collect();
    let (included, slots, prior) = (mean(&drawn, bench), mean(&hits, bench), mean(&by_heart, bench));
    let row = |id: &str, metric: &str, found| {
        Row::printed(format!("opened/p2+i/maximum{id}"), "profile-informed guess", "P2+I", metric, found)
    };
    bench.rows.push(row("/shown", "share of the person's rounds with the wish", included));
    bench.rows.push(row("/slot", "the right slot, of all the person's rounds", slots));
    bench.rows.push(row("/prior", "class and zone guessed from the profile alone", prior));
    let most = told(&hits, &drawn, prior, bench);
    bench.rows.push(
        row("", "top-1 in maximum mode, told for nothing where the wish is", most)
            .on("6")
            .beside(0.70)
            .judged(0.0, 0.37)
            .because(
                "an upper bound: where the wish is left out, the attacker is told so and falls back on the profile",
            ),
    );
}

/// The right slot where the wish is shown, and the profile's favourite where it is not.
fn told(hits: &[(u32, f64)], drawn: &[(u32, f64)], prior: Estimate, bench: &mut Bench<'_>) -> Estimate {
    let either = hits.iter().zip(drawn).map(|((user, hit), (_, shown))| (*user, hit + (1.0 - shown) * prior.value));
    mean(&either.collect::<Vec<_>>(), bench)
}

fn shown(truth: usize) -> f64 {
    f64::from(u8::from(truth != NONE))
}

/// Whether the profile's commonest class and zone are the true ones.
fn favourite(profile: &Profile, slot: &OpenedSlot) -> f64 {
    let zone = slot.cell.parent(Resolution::R7).unwrap_or(slot.cell);
    f64::from(u8::from(profile.commonest() == Some((slot.class, zone))))
}
