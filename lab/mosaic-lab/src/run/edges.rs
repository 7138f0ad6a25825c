//! Scoreboard 17: who belongs together, from who wrote to one row in one batch.

use mosaic_attack::{Sighting, judge_edges, meeting_scores};

use super::Bench;
use crate::{evening::Evening, report::Row, runs::RESAMPLES};

/// More writers than this to one row in one batch say nothing of any two of them.
const CROWD: usize = 20;

/// The attacker is given who wrote what; the judge knows who waved at whom and who handed over a token.
pub(super) fn attack(bench: &mut Bench<'_>, recorded: &Evening) {
    let pairs: Vec<(u32, u32)> = recorded.pairs.iter().copied().collect();
    let users: Vec<u32> = (0..bench.plan.size.evening).collect();
    let mut best: Option<Row> = None;
    for (name, seconds) in [("minute", 60), ("epoch", 1_800), ("evening", u64::MAX)] {
        let seen = recorded.rendezvous.iter().flat_map(|event| {
            let sighting = |key| Sighting { place: key, epoch: event.at / seconds, user: event.user };
            event.slots.iter().map(move |slot| sighting(slot.key))
        });
        let seen: Vec<Sighting> = seen.collect();
        let found = judge_edges(&meeting_scores(&seen, CROWD), &pairs, &users, RESAMPLES, &mut bench.rng);
        let row = Row::printed(
            format!("edges/{name}"),
            "rows written in one batch",
            "P1",
            &format!("AUC by {name}"),
            found.auc,
        );
        if best.as_ref().is_none_or(|best| best.value < row.value) {
            best = Some(row.clone());
        }
        bench.rows.push(row);
    }
    // the naive design: both broadcast the token they share
    let tokens =
        (0..).zip(&pairs).flat_map(|(number, (a, b))| [*a, *b].map(|user| Sighting { place: number, epoch: 0, user }));
    let naive = judge_edges(&meeting_scores(&tokens.collect::<Vec<_>>(), CROWD), &pairs, &users, 0, &mut bench.rng);
    if let Some(best) = best {
        let row =
            Row { id: "edges/best".to_owned(), attack: "rows written in one batch, best of three".to_owned(), ..best };
        bench.rows.push(row.on("17").beside(naive.auc.value).judged(0.0, 0.51));
    }
}
