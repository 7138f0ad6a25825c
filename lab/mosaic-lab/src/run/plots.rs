//! What the plots of a report are made of.

use mosaic_attack::{CalibrationReport, GuessReport};

use crate::report::{Line, Series};

pub(super) fn series(id: &str, title: &str, [x, y]: [&str; 2], lines: Vec<Line>) -> Series {
    Series { id: id.to_owned(), title: title.to_owned(), x: x.to_owned(), y: y.to_owned(), lines }
}

pub(super) fn line(name: &str, points: Vec<[f64; 2]>) -> Line {
    Line { name: name.to_owned(), points }
}

pub(super) fn bar(name: &str, value: f64) -> Line {
    line(name, vec![[0.0, value]])
}

/// What holds of what was stated.
pub(super) fn reliability(name: &str, found: &CalibrationReport) -> Line {
    line(name, found.curve.iter().map(|bin| [bin.stated, bin.observed]).collect())
}

/// Guessing number and effective hypotheses of one attack.
pub(super) fn trap(name: &str, found: &GuessReport) -> [Line; 2] {
    [
        bar(&format!("G, {name}"), found.trap.verifications.value),
        bar(&format!("K_eff, {name}"), found.trap.effective.value),
    ]
}
