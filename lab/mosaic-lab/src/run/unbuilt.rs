//! Rows whose defence or attack does not exist yet. They are listed, never skipped.

use crate::report::Row;

/// Scoreboard row, id, attack, view, metric, reason.
type Open = [&'static str; 6];

const OPEN: [Open; 14] = [
    [
        "9",
        "uniqueness/provider",
        "uniqueness, 4 points",
        "P1",
        "share unique",
        "a record names no writer, but the address does without a relay; what a provider keeps of addresses is not recorded yet",
    ],
    ["12", "join", "cross-provider join", "P1 + P1", "AUC", "two providers' databases are not recorded by this run"],
    [
        "13",
        "reader",
        "reader location",
        "P1",
        "AUC",
        "readers download whole generations; their requests are not recorded, and private retrieval by row is not built",
    ],
    [
        "14",
        "byzantine",
        "Byzantine provider",
        "P1",
        "detect / identify / recover",
        "played by the federation's own tests, not by the lab",
    ],
    [
        "15",
        "dictionary",
        "topic dictionary",
        "P1, Y",
        "Sybil-days a city-day",
        "offline work needs two providers; the price of online work is a quota, anonymous tokens are not built",
    ],
    [
        "18",
        "friends",
        "friend inference, 30 days",
        "PA",
        "AUC",
        "30 days of friends' traffic are not recorded, and group rows are not built",
    ],
    [
        "19",
        "code",
        "online guess of a human code",
        "Y",
        "success",
        "codes that people read out are not built: tokens carry full secrets",
    ],
    ["20", "duress", "multi-snapshot", "C", "advantage", "deniable vault slots are not built"],
    ["22", "tokens", "token redemption linking", "P1", "advantage", "a test issuer stands in for anonymous tokens"],
    ["23", "flooding", "flooding 10^5 events", "Y", "memory-hard batches", "quotas exist, memory-hard work does not"],
    [
        "U1",
        "utility/prearranged",
        "pre-arranged match",
        "-",
        "recall, latency",
        "played by the demo and the simulations, not by the lab",
    ],
    ["U2", "utility/discovery", "discovery", "-", "recall at 500 m, time", "printed by `mosaic demo`, not by the lab"],
    [
        "U3",
        "cost/download",
        "cost",
        "-",
        "MB a day received",
        "whole generations are downloaded, so it grows with the population; private retrieval is not built",
    ],
    [
        "6",
        "opened/p2+i/maximum",
        "profile-informed guess",
        "P2+I",
        "top-1 in maximum mode",
        "subset selection is not built: every mode includes always",
    ],
];

pub(super) fn rows() -> Vec<Row> {
    OPEN.iter()
        .map(|[board, id, attack, view, metric, reason]| Row::open(board, id, attack, view, metric, reason))
        .collect()
}
