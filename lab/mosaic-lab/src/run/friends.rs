//! Scoreboard 18: who are friends, from a month of what all providers and the network see of the rendezvous lane. The
//! attacker is given who wrote what; it looks for rows that two people wrote to in one epoch, or in one table.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use mosaic_attack::{EdgeReport, Sighting, judge_edges, meeting_scores};
use mosaic_geo::{Cell, PlaceIndex, Resolution};
use mosaic_types::Mode;

use super::{Bench, RunPlan};
use crate::{
    evening::{Month, record_month},
    population::PopulationPlan,
    report::Row,
    runs::{RESAMPLES, count, evening},
};

/// Days, as the board says.
const DAYS: u64 = 30;
/// More people than this at one place and time say nothing of any two of them.
const CROWD: usize = 20;

/// How many friends there are for each person of the evening of whole agents, which costs more.
const FRIENDS: u32 = 2;

pub(super) fn record(places: &Arc<PlaceIndex>, plan: &RunPlan) -> Result<Month> {
    let (agents, length) = (FRIENDS * plan.size.practice, Duration::from_hours(24 * DAYS));
    record_month(
        places,
        PopulationPlan { agents, length, seed: plan.seed, mode: Mode::Balanced, start: evening(), liked: None },
    )
}

pub(super) fn attack(bench: &mut Bench<'_>, month: &Month) {
    let people = FRIENDS * bench.plan.size.practice;
    bench.progress.stage(&format!("a month of {people} friends"), 0);
    let users: Vec<u32> = (0..people).collect();
    let mut judge = |seen: &[Sighting]| -> EdgeReport {
        judge_edges(&meeting_scores(seen, CROWD), &month.friends, &users, RESAMPLES, &mut bench.rng)
    };
    let rows = |seconds: u64| -> Vec<Sighting> {
        let of = |(at, user, rows): &(mosaic_types::Timestamp, u32, Vec<u64>)| {
            let (epoch, user) = (at.as_secs() / seconds, *user);
            rows.iter().map(move |row| Sighting { place: *row, epoch, user }).collect::<Vec<_>>()
        };
        month.sent.iter().flat_map(of).collect()
    };
    let found = [("epoch", 1_800), ("table", 4 * 3_600)].map(|(name, seconds)| (name, judge(&rows(seconds))));
    // the naive design: both write the tag they share
    let tag = |(number, (a, b)): (u64, &(u32, u32))| [*a, *b].map(|user| Sighting { place: number, epoch: 0, user });
    let tags: Vec<Sighting> = (0..).zip(&month.friends).flat_map(tag).collect();
    let shared = judge(&tags);
    let zone = |(at, user, place): &(mosaic_types::Timestamp, u32, mosaic_types::LatLng)| Sighting {
        place: Cell::at(*place, Resolution::R8).raw(),
        epoch: at.as_secs() / 3_600,
        user: *user,
    };
    let seen: Vec<Sighting> = month.places.iter().map(zone).collect();
    let together = judge(&seen);
    let row =
        |id: &str, metric: &str, found| Row::printed(format!("friends{id}"), "friend inference", "PA", metric, found);
    for (name, found) in &found {
        bench.rows.push(row(&format!("/{name}"), &format!("AUC, rows by {name}"), found.auc));
    }
    let [first, second] = found.map(|(_, found)| found.auc);
    let best = if second.value > first.value { second } else { first };
    let metric = format!("AUC, {} friendships, {DAYS} days", month.friends.len());
    let limits = "pairs in touch by tokens only: group rows are not built; generated friendships; reads are not seen; so \
                  few people leave a wide interval";
    bench.rows.push(row("", &metric, best).on("18").beside(shared.auc.value).judged(0.0, 0.53).because(limits));
    let plain = "AUC, in one cell in one hour, without a defence";
    bench.rows.push(row("/co-location", plain, together.auc));
    let contacts = count("friends/contacts", "contacts between friends", month.contacts);
    bench.rows.push(Row { view: "PA".to_owned(), ..contacts });
}
