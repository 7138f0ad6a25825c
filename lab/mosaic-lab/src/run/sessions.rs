//! Scoreboard 8: whose session is this? From rows (one provider), and from released cells (two, colluding).

use std::time::Duration;

use anyhow::Result;
use mosaic_attack::{Blur, Histogram, LinkageScore, equality_linking, link_histograms};
use mosaic_geo::{Cell, Residents, Resolution, offset_m};
use mosaic_types::LatLng;

use super::Bench;
use crate::{
    naive::wishes,
    opened::Opened,
    report::Row,
    runs::{RESAMPLES, evening},
};

/// Points a session.
const POINTS: usize = 5;
/// Days of the clean profile before the recording.
const PROFILE_DAYS: u64 = 14;
/// The likelihood of PRIVACY part D.
const MIXTURE: LinkageScore = LinkageScore::Mixture { own: 0.9 };

pub(super) fn released(bench: &mut Bench<'_>, opened: &[Opened]) -> Result<()> {
    bench.progress.stage("whose session is this?", 0);
    let people = bench.plan.size.opened;
    let residents = Residents::generate(bench.places, people as usize, bench.plan.seed)?;
    let start = evening().before(Duration::from_hours(24 * PROFILE_DAYS));
    let mut clean: Vec<Vec<LatLng>> = (0..people).map(|_| Vec::new()).collect();
    for wish in wishes(residents.all(), bench.places, start, 2 * PROFILE_DAYS, &mut bench.rng) {
        clean[wish.user as usize].push(wish.place);
    }
    let zone = |place: LatLng| Cell::at(place, Resolution::R7).raw();
    // the first half is the profile, the second what the naive design blurs
    let profile = |own: &Vec<LatLng>| Histogram::from_visits(own[..own.len() / 2].iter().copied().map(zone));
    let profiles: Vec<Histogram> = clean.iter().map(profile).collect();
    let noise = Blur::Gaussian { sigma_m: 200.0 };
    let mut naive = Vec::new();
    for (user, own) in clean.iter().enumerate() {
        for session in own[own.len() / 2..].chunks_exact(POINTS) {
            let mut blurred = |place: &LatLng| {
                let [east, north] = noise.sample([0.0; 2], &mut bench.rng);
                zone(offset_m(*place, east, north))
            };
            naive.push((user, Histogram::from_visits(session.iter().map(&mut blurred))));
        }
    }
    let mut ours = Vec::new();
    let mut reports = Vec::new();
    for own in opened.chunk_by(|a, b| a.user == b.user) {
        let real = own.iter().filter(|event| event.resolution == 8);
        let cells: Vec<Cell> = real.filter_map(|event| event.real().map(|at| event.slots[at].cell)).collect();
        reports.extend(cells.iter().map(|cell| (own[0].user, cell.raw())));
        let zones = |session: &[Cell]| {
            session.iter().filter_map(|cell| cell.parent(Resolution::R7)).map(Cell::raw).collect::<Vec<_>>()
        };
        ours.extend(
            cells.chunks_exact(POINTS).map(|session| (own[0].user as usize, Histogram::from_visits(zones(session)))),
        );
    }
    let link = |probes: &[(usize, Histogram)], profiles: &[Histogram], rng: &mut _| {
        link_histograms(profiles, probes, MIXTURE, 1, RESAMPLES, rng).top_one
    };
    let undefended = link(&naive, &profiles, &mut bench.rng);
    let seen = link(&ours, &profiles, &mut bench.rng);
    let metric = format!("top-1 of {people}, 5 points");
    bench.rows.push(Row::printed("session/naive", "session re-identification", "P1", &metric, undefended));
    let limits = "the attacker is given which bundles are real and one person's";
    let row = Row::printed("session/p2", "session re-identification", "P2+I", &metric, seen).on("8");
    bench.rows.push(row.beside(undefended.value).because(limits));
    let (profiles, probes) = rows_of(opened);
    let blind = link(&probes, &profiles, &mut bench.rng);
    let row = Row::printed("session/p1", "session re-identification by rows", "P1", &metric, blind).on("8");
    bench.rows.push(row.beside(undefended.value).judged(0.0, 2.0 / f64::from(people)));
    let equal = equality_linking(&reports, RESAMPLES, &mut bench.rng);
    let row =
        Row::printed("equality/same-user", "equal released cells", "P2", "share of one person's", equal.same_user);
    bench.rows.push(row.beside(1.0));
    let excess = mosaic_attack::Estimate { value: equal.excess, low: equal.excess, high: equal.excess };
    let row = Row::printed("equality/excess", "equal released cells", "P2", "over 1 / users sharing", excess);
    bench.rows.push(row.judged(0.0, 3.0).because("a point, without an interval; writers linked to events"));
    Ok(())
}

/// Rows of every person's first half as profiles, events of the second half as probes.
fn rows_of(opened: &[Opened]) -> (Vec<Histogram>, Vec<(usize, Histogram)>) {
    let (mut profiles, mut probes) = (Vec::new(), Vec::new());
    for own in opened.chunk_by(|a, b| a.user == b.user) {
        let (early, late) = own.split_at(own.len() / 2);
        let rows = |event: &Opened| event.slots.iter().map(|slot| slot.row).collect::<Vec<_>>();
        probes.extend(late.iter().map(|event| (profiles.len(), Histogram::from_visits(rows(event)))));
        profiles.push(Histogram::from_visits(early.iter().flat_map(rows)));
    }
    (profiles, probes)
}
