//! Rows whose defence or attack does not exist yet. They are listed, never skipped.

use crate::report::Row;

/// Scoreboard row, id, attack, view, metric, reason.
type Open = [&'static str; 6];

const OPEN: [Open; 1] = [["20", "duress", "multi-snapshot", "C", "advantage", "deniable vault slots are not built"]];

pub(super) fn rows() -> Vec<Row> {
    OPEN.iter()
        .map(|[board, id, attack, view, metric, reason]| Row::open(board, id, attack, view, metric, reason))
        .collect()
}
