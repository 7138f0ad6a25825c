//! Rows whose defence or attack does not exist yet. They are listed, never skipped.

use crate::report::Row;

/// Scoreboard row, id, attack, view, metric, reason.
type Open = [&'static str; 6];

const OPEN: [Open; 2] = [
    [
        "19",
        "code",
        "online guess of a human code",
        "Y",
        "success",
        "codes that people read out are not built: tokens carry full secrets",
    ],
    ["20", "duress", "multi-snapshot", "C", "advantage", "deniable vault slots are not built"],
];

pub(super) fn rows() -> Vec<Row> {
    OPEN.iter()
        .map(|[board, id, attack, view, metric, reason]| Row::open(board, id, attack, view, metric, reason))
        .collect()
}
