//! Scoreboard 9 and 11, and linkage of whole histories: what movement gives away without a defence, and what is left
//! of it in the cells that are released. Pseudonym to pseudonym only.

pub(super) mod walks;

use std::sync::Arc;

use anyhow::Result;
use mosaic_attack::{
    Blur, Histogram, LinkageScore, ParticlePlan, SpeedModel, Track, judge_particles, link_histograms, uniqueness,
};
use mosaic_geo::{Cell, PlaceIndex, Resolution, displacement_m, offset_m};
use mosaic_release::{Draft, Refusal, Releaser, ReleaserState};
use mosaic_types::{ContextText, Enrichment, LatLng, Mode, NoiseRatio, Sensitive, Timestamp, TtlHours};
use rand::RngExt;
use rand_chacha::ChaCha20Rng;

use self::walks::Walks;
use super::{Bench, plots};
use crate::{report::Row, runs::RESAMPLES};

/// Side of the cells of whole histories, in degrees: about 200 m (README of the cab data).
const GRID_DEG: f64 = 0.002;
/// Planar Laplace of balanced mode: ln 4 at 200 m.
pub(super) const SCALE_M: f64 = 144.27;
/// Minutes that a filter follows one person.
const MINUTES: u64 = 120;

pub(super) fn attack(bench: &mut Bench<'_>) -> Result<()> {
    bench.progress.stage("movement without a defence", 0);
    let walks = Walks::new(bench.places, bench.plan)?;
    undefended(bench, &walks);
    bench.progress.stage("movement as it is released", 0);
    released(bench, &walks)?;
    bench.progress.stage("filters on dense movement", 0);
    filters(bench, &walks)?;
    super::chain::attack(bench, &walks)
}

fn cell(place: LatLng) -> u64 {
    let axis = |degrees: f64| (degrees / GRID_DEG).floor() as i64 as u64 & 0xFFFF_FFFF;
    axis(place.lat()) << 32 | axis(place.lng())
}

fn undefended(bench: &mut Bench<'_>, walks: &Walks) {
    let middle = walks.middle();
    let (mut profiles, mut probes) = (Vec::new(), Vec::new());
    let mut points = Vec::new();
    for (user, fixes) in walks.people().enumerate() {
        let (early, late): (Vec<_>, Vec<_>) = fixes.iter().partition(|(at, _)| *at < middle);
        let visits =
            |fixes: Vec<&(Timestamp, LatLng)>| Histogram::from_visits(fixes.into_iter().map(|fix| cell(fix.1)));
        profiles.push(visits(early));
        probes.push((user, visits(late)));
        let slot =
            |(at, place): &(Timestamp, LatLng)| Cell::at(*place, Resolution::R7).raw() ^ (at.as_secs() / 3_600 % 168);
        points.push(fixes.iter().map(slot).collect::<Vec<u64>>());
    }
    probes.retain(|(_, probe)| probe.total() > 0);
    let linked = link_histograms(&profiles, &probes, LinkageScore::Topsoe, 10, RESAMPLES, &mut bench.rng);
    let metric = format!("top-1 of {}, 200 m cells", profiles.len());
    let row = Row::printed("linkage/undefended", "visit-histogram linkage", "P1", &metric, linked.top_one);
    bench.rows.push(row);
    let depth = |top_k: &[f64]| top_k.iter().enumerate().map(|(at, share)| [(at + 1) as f64, *share]).collect();
    bench.plot("linkage", plots::line("without a defence", depth(&linked.top_k)));
    let unique = uniqueness(&points, 4, 20, RESAMPLES, &mut bench.rng).unique;
    let row = Row::printed(
        "uniqueness/undefended",
        "uniqueness, 4 points",
        "P1",
        "share unique, 1 km and hour of week",
        unique,
    );
    bench.rows.push(row);
    if let Some(open) = bench.rows.iter_mut().find(|row| row.id == "uniqueness/provider") {
        open.baseline = Some(unique.value);
    }
}

/// What somebody who opens a person's bundles keeps of a point every two hours.
fn released(bench: &mut Bench<'_>, walks: &Walks) -> Result<()> {
    const EVERY_S: u64 = 7_200;
    let middle = walks.middle();
    let (mut profiles, mut probes, mut sampled, mut clean) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut points = Vec::new();
    for (user, fixes) in walks.people().enumerate() {
        let mut last = 0;
        let mut due = |at: Timestamp| {
            let is = at.as_secs() >= last + EVERY_S;
            last = if is { at.as_secs() } else { last };
            is
        };
        let sparse = fixes.iter().filter(|(at, _)| due(*at)).map(|(at, place)| (*at, walks.placed(*place)));
        let sparse: Vec<(Timestamp, LatLng)> = sparse.collect();
        let shown: Vec<_> =
            sparse.iter().map(|(at, _)| *at).zip(release(bench.places, &sparse, &mut bench.rng)?).collect();
        let cells = |early: bool| {
            Histogram::from_visits(
                shown
                    .iter()
                    .filter(|(at, _)| (*at < middle) == early)
                    .filter_map(|(_, cell)| Some(cell.as_ref()?.raw())),
            )
        };
        let truth = |early: bool| {
            Histogram::from_visits(
                sparse.iter().filter(|(at, _)| (*at < middle) == early).map(|(_, place)| cell(*place)),
            )
        };
        profiles.push(cells(true));
        probes.push((user, cells(false)));
        clean.push(truth(true));
        sampled.push((user, truth(false)));
        let slot = |(at, cell): &(Timestamp, Option<Cell>)| Some(cell.as_ref()?.raw() ^ (at.as_secs() / 3_600 % 168));
        points.push(shown.iter().filter_map(slot).collect::<Vec<u64>>());
    }
    probes.retain(|(_, probe)| probe.total() > 0);
    sampled.retain(|(_, probe)| probe.total() > 0);
    let rng = &mut bench.rng;
    let naive = link_histograms(&clean, &sampled, LinkageScore::Topsoe, 10, RESAMPLES, rng);
    let found = link_histograms(&profiles, &probes, LinkageScore::Topsoe, 10, RESAMPLES, rng);
    let metric = format!("top-1 of {}, a point per 2 h", profiles.len());
    let row = Row::printed("linkage/released", "visit-histogram linkage", "P2", &metric, found.top_one);
    let limits = "released cells linked to their writer and real ones told from personas': more than the design grants; the device's key links its own weeks";
    bench.rows.push(row.beside(naive.top_one.value).because(limits));
    let depth = |top_k: &[f64]| top_k.iter().enumerate().map(|(at, share)| [(at + 1) as f64, *share]).collect();
    bench.plot("linkage", plots::line("a point per 2 h", depth(&naive.top_k)));
    bench.plot("linkage", plots::line("released cells", depth(&found.top_k)));
    let unique = uniqueness(&points, 4, 20, RESAMPLES, &mut bench.rng).unique;
    bench.rows.push(Row::printed(
        "uniqueness/released",
        "uniqueness, 4 points",
        "P2",
        "share unique, cell and hour of week",
        unique,
    ));
    Ok(())
}

/// Does following somebody name the place better than one report?
fn filters(bench: &mut Bench<'_>, walks: &Walks) -> Result<()> {
    let blur = Blur::PlanarLaplace { scale_m: SCALE_M };
    let (mut fresh, mut ours) = (Vec::new(), Vec::new());
    for (number, fixes) in (0_u32..).zip(walks.people().take(60)) {
        let minutes = walks::minutes(fixes, MINUTES).into_iter().map(|(at, place)| (at, walks.placed(place)));
        let minutes: Vec<_> = minutes.collect();
        let Some((_, origin)) = minutes.first().copied() else { continue };
        let metres = |place: LatLng| {
            let (east, north) = displacement_m(origin, place);
            [east, north]
        };
        let track = |reports: Vec<(f64, LatLng, LatLng)>| Track {
            user: number,
            at: reports.iter().map(|report| report.0).collect(),
            truth: reports.iter().map(|report| metres(report.1)).collect(),
            reports: reports.iter().map(|report| metres(report.2)).collect(),
        };
        let seconds = |at: Timestamp| at.as_secs().saturating_sub(minutes[0].0.as_secs()) as f64;
        let rng = &mut bench.rng;
        let mut naive = |place: LatLng| {
            let [east, north] = blur.sample([0.0; 2], rng);
            offset_m(place, east, north)
        };
        fresh.push(track(minutes.iter().map(|(at, place)| (seconds(*at), *place, naive(*place))).collect()));
        let shown = release(bench.places, &minutes, &mut bench.rng)?;
        let seen =
            minutes.iter().zip(shown).filter_map(|((at, place), cell)| Some((seconds(*at), *place, cell?.center())));
        ours.push(track(seen.collect()));
    }
    let speed = SpeedModel { axis_mps: walks.axis_mps(), memory_s: 60.0 };
    let plan = ParticlePlan { particles: 300, speed };
    let naive = judge_particles(&fresh, blur, plan, RESAMPLES, &mut bench.rng);
    let found = judge_particles(&ours, blur, plan, RESAMPLES, &mut bench.rng);
    let row = |id: &str, metric: &str, found| {
        Row::printed(format!("filter/{id}"), "particle filter, a report a minute", "P2", metric, found)
    };
    bench.rows.push(
        row("ratio", "error filtered / single", found.ratio)
            .on("11")
            .beside(naive.ratio.value)
            .judged(0.95, f64::INFINITY),
    );
    bench.rows.push(row("single", "mean error of one report (m)", found.single_m).beside(naive.single_m.value));
    bench.rows.push(row("filtered", "mean error filtered (m)", found.filtered_m).beside(naive.filtered_m.value));
    Ok(())
}

/// What a device that releases each of `fixes` shows: its cell, or nothing where the release refused.
pub(super) fn release(
    places: &Arc<PlaceIndex>,
    fixes: &[(Timestamp, LatLng)],
    rng: &mut ChaCha20Rng,
) -> Result<Vec<Option<Cell>>> {
    let mut seed = [0; 32];
    rng.fill(&mut seed[..]);
    let mut releaser = Releaser::new(seed, Arc::clone(places), ReleaserState::default());
    let mut cells = Vec::with_capacity(fixes.len());
    for (at, place) in fixes {
        let draft = Draft {
            place: Sensitive::new(*place),
            words: ContextText::new("coffee")?,
            requested: NoiseRatio::new(0.5)?,
            mode: Mode::Balanced,
            ttl: TtlHours::default(),
            enrichment: Enrichment::default(),
        };
        let id = match releaser.draft(*at, draft) {
            Ok(accepted) => accepted.id,
            Err(Refusal::OutsideArea { .. }) => {
                cells.push(None);
                continue;
            }
            Err(refusal) => return Err(refusal.into()),
        };
        cells.push(releaser.broadcasts().find(|broadcast| broadcast.id == id).map(|broadcast| broadcast.cell));
        let _taken_back = releaser.withdraw(id);
    }
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use mosaic_geo::{city::synthetic_city, movement::from_cabspotting_delta};
    use rand::SeedableRng;

    use super::*;
    use crate::{Progress, RunPlan, RunSize};

    /// Four cabs as the cab data is distributed, a position every 1,000 s, the middle at 1,500 s. The first two keep to
    /// their places; the other two change places with each other at half time: two of four are linked.
    const CABS: &[u8] = b"cab,dt,dlat5,dlon5,occ\n\
        stays,0,3770000,-12240000,0\n,1000,40,0,0\n,1000,-40,0,1\n,1000,0,0,0\n\
        stays too,0,3771000,-12240000,0\n,1000,0,0,0\n,1000,0,30,0\n,1000,0,0,1\n\
        there and here,0,3772000,-12240000,0\n,1000,0,0,0\n,1000,1000,0,0\n,1000,0,0,0\n\
        here and there,0,3773000,-12240000,1\n,1000,0,0,0\n,1000,-1000,0,0\n,1000,0,0,0\n";

    #[test]
    fn cabs_are_linked_by_the_cells_of_the_first_half() {
        let traces = from_cabspotting_delta(CABS).unwrap();
        let places = Arc::new(synthetic_city(1));
        let traces = Some(("cabs".to_owned(), traces));
        let plan = RunPlan { size: RunSize::quick(), seed: 1, places: String::new(), traces };
        let rng = ChaCha20Rng::seed_from_u64(1);
        let (rows, series) = (Vec::new(), Vec::new());
        let mut bench = Bench { places: &places, plan: &plan, progress: &Progress::SILENT, rng, rows, series };
        let walks = Walks::new(&places, &plan).unwrap();
        assert_eq!(walks.middle(), Timestamp::from_secs(1_500));
        undefended(&mut bench, &walks);
        let row = bench.rows.iter().find(|row| row.id == "linkage/undefended").unwrap();
        assert_eq!((row.value, row.metric.as_str()), (Some(0.5), "top-1 of 4, 200 m cells"));
    }
}
