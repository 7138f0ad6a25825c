//! Scoreboard 11 on sparse movement: one report per window of two hours, and an attacker who has learnt from other
//! people where one goes next. The particle filter follows a report a minute; between reports two hours apart there is
//! no speed to go by, only habit.

use anyhow::Result;
use mosaic_attack::{Blur, CellChain, FilterReport, Metres, Track, judge_chain};
use mosaic_geo::{displacement_m, offset_m};
use mosaic_types::{LatLng, Timestamp};

use super::{
    Bench,
    movement::{SCALE_M, release, walks::Walks},
};
use crate::{report::Row, runs::RESAMPLES};

/// Side of the chain's cells in metres, and the weight of what was learnt over popularity (PRIVACY part D).
const SIDE_M: f64 = 500.0;
const LEARNT: f64 = 0.9;
/// Seconds of a window, and how many are followed: a week, which is what a budget lasts.
const WINDOW_S: u64 = 7_200;
const WINDOWS: usize = 84;
/// People judged at most; as many again teach.
const PEOPLE: usize = 60;

/// One person's true places, one a window, as the release takes them.
type Way = Vec<(Timestamp, LatLng)>;

pub(super) fn attack(bench: &mut Bench<'_>, walks: &Walks) -> Result<()> {
    bench.progress.stage("a chain on sparse movement", 0);
    let Some(origin) = bench.places.center() else { return Ok(()) };
    let metres = |place: LatLng| -> Metres {
        let (east, north) = displacement_m(origin, place);
        [east, north]
    };
    let ways: Vec<Way> = walks.people().map(|fixes| sparse(fixes, walks)).filter(|way| way.len() > 1).collect();
    let (teachers, judged): (Vec<_>, Vec<_>) = (0_u32..).zip(ways).partition(|(number, _)| number.is_multiple_of(2));
    let learnt: Vec<Vec<Metres>> =
        teachers.iter().take(PEOPLE).map(|(_, way)| way.iter().map(|(_, place)| metres(*place)).collect()).collect();
    if learnt.is_empty() || judged.is_empty() {
        return Ok(());
    }
    let chain = CellChain::learn(&learnt, SIDE_M, LEARNT);
    let blur = Blur::PlanarLaplace { scale_m: SCALE_M };
    let (mut fresh, mut ours) = (Vec::new(), Vec::new());
    for (user, way) in judged.into_iter().take(PEOPLE) {
        let naive = |place: LatLng, rng: &mut _| {
            let [east, north] = blur.sample([0.0; 2], rng);
            offset_m(place, east, north)
        };
        let seen: Vec<_> = way.iter().map(|(at, place)| (*at, *place, naive(*place, &mut bench.rng))).collect();
        fresh.push(track(user, &seen, metres));
        let shown = release(bench.places, &way, &mut bench.rng)?;
        let seen: Vec<_> =
            way.iter().zip(shown).filter_map(|((at, place), cell)| Some((*at, *place, cell?.center()))).collect();
        ours.push(track(user, &seen, metres));
    }
    // looking back from the end of the week, and following along: whichever gains more
    let judge = |tracks: &[Track], rng: &mut _| -> FilterReport {
        let found = [false, true].map(|whole| judge_chain(&chain, tracks, blur, whole, RESAMPLES, rng));
        let [along, back] = found;
        if back.ratio.value < along.ratio.value { back } else { along }
    };
    let naive = judge(&fresh, &mut bench.rng);
    let found = judge(&ours, &mut bench.rng);
    let row = |id: &str, metric: &str, found| {
        Row::printed(format!("filter/chain/{id}"), "hidden Markov chain, a report per 2 h", "P2", metric, found)
    };
    let ratio = row("ratio", "error filtered / single", found.ratio).on("11").beside(naive.ratio.value);
    let given = "which bundle is real and whose is given; taught by half of the people, judged on the other half";
    // an attack that gains nothing on fresh noise shows no defence by gaining nothing here
    let blunt = if naive.ratio.low < 0.95 { "" } else { "; it gains nothing on fresh noise either, so it says little" };
    bench.rows.push(ratio.judged(0.95, f64::INFINITY).because(&format!("{given}{blunt}")));
    bench.rows.push(row("single", "mean error of one report (m)", found.single_m).beside(naive.single_m.value));
    bench.rows.push(row("filtered", "mean error filtered (m)", found.filtered_m).beside(naive.filtered_m.value));
    Ok(())
}

/// The first position of each window, of the first that are known.
fn sparse(fixes: &[(Timestamp, LatLng)], walks: &Walks) -> Way {
    let mut windows = fixes.chunk_by(|a, b| a.0.as_secs() / WINDOW_S == b.0.as_secs() / WINDOW_S);
    windows
        .by_ref()
        .take(WINDOWS)
        .filter_map(|own| own.first())
        .map(|(at, place)| (*at, walks.placed(*place)))
        .collect()
}

fn track(user: u32, seen: &[(Timestamp, LatLng, LatLng)], metres: impl Fn(LatLng) -> Metres) -> Track {
    Track {
        user,
        at: seen.iter().map(|report| report.0.as_secs() as f64).collect(),
        truth: seen.iter().map(|report| metres(report.1)).collect(),
        reports: seen.iter().map(|report| metres(report.2)).collect(),
    }
}
