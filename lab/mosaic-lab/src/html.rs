//! A report as one page that needs nothing else: no script, no font, no picture from elsewhere.

mod plot;

use std::fmt::Write;

use crate::report::{Report, Row, Status};

const STYLE: &str = include_str!("html/report.css");

/// The page. Rows in the order of the report, then the plots.
pub fn html(report: &Report) -> String {
    let mut page = String::new();
    let title = format!("MOSAIC lab, seed {}", report.seed);
    let named = |name: &str, otherwise: &str| escaped(if name.is_empty() { otherwise } else { name });
    // writing to a string cannot fail
    let _written = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         <p>Places: {}. Movement: {}. Every interval is 95 %, by person; a target is met only when the whole interval \
         lies inside it.</p>\n<p class=\"counts\"><b class=\"missed\">{} missed</b> <b class=\"open\">{} open</b> \
         <b class=\"met\">{} met</b> <b class=\"printed\">{} printed</b></p>\n",
        named(&report.places, "the built-in city"),
        named(&report.traces, "generated residents"),
        report.count(Status::Missed),
        report.count(Status::Open),
        report.count(Status::Met),
        report.count(Status::Printed),
    );
    for (status, heading) in [
        (Status::Missed, "Targets that are missed"),
        (Status::Open, "Open: not built, or not attacked yet"),
        (Status::Met, "Targets that are met"),
        (Status::Printed, "Figures without a target, and those of the naive design"),
    ] {
        table(&mut page, heading, report.rows.iter().filter(|row| row.status == status));
    }
    page.push_str("<h2>Plots</h2>\n<div class=\"plots\">\n");
    report.series.iter().for_each(|series| page.push_str(&plot::figure(series)));
    page.push_str("</div>\n</body>\n</html>\n");
    page
}

fn table<'a>(page: &mut String, heading: &str, rows: impl Iterator<Item = &'a Row>) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    let _written = write!(
        page,
        "<h2>{heading}</h2>\n<table>\n<thead><tr><th>#</th><th>attack</th><th>view</th><th>metric</th><th>naive</th>\
         <th>value</th><th>95 %</th><th>target</th><th>status</th></tr></thead>\n<tbody>\n"
    );
    rows.for_each(|row| line(page, row));
    page.push_str("</tbody>\n</table>\n");
}

/// Cells carry their column's name, which a narrow screen shows instead of the head.
fn line(page: &mut String, row: &Row) {
    let number = |value: Option<f64>| value.map_or_else(String::new, figure);
    let pair = |pair: Option<[f64; 2]>| {
        pair.map_or_else(String::new, |[low, high]| format!("{} … {}", figure(low), figure(high)))
    };
    let reason = row.reason.as_deref().map_or_else(String::new, |reason| format!("<small>{}</small>", escaped(reason)));
    let _written = writeln!(
        page,
        "<tr id=\"{}\"><td>{}</td><td data-name=\"attack\">{}{reason}</td><td data-name=\"view\">{}</td>\
         <td data-name=\"metric\">{}</td><td data-name=\"naive\">{}</td><td data-name=\"value\">{}</td>\
         <td data-name=\"95 %\">{}</td><td data-name=\"target\">{}</td><td class=\"{word}\">{word}</td></tr>",
        escaped(&row.id),
        escaped(&row.board),
        escaped(&row.attack),
        escaped(&row.view),
        escaped(&row.metric),
        number(row.baseline),
        number(row.value),
        pair(row.ci),
        pair(row.target),
        word = row.status.word(),
    );
}

/// Three digits for shares, none for what is counted.
fn figure(value: f64) -> String {
    match value {
        value if value == f64::INFINITY => "∞".to_owned(),
        value if value.abs() >= 100.0 => format!("{value:.0}"),
        value => format!("{value:.3}"),
    }
}

/// Names come from files and people.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Line, Series};

    #[test]
    fn names_cannot_break_out_and_failures_come_first() {
        let found = mosaic_attack::Estimate { value: 0.7, low: 0.6, high: 0.8 };
        let missed = Row::printed("a", "<script>", "P1", "AUC", found).judged(0.0, 0.5);
        let open = Row::open("14", "b", "byzantine", "P1", "share", "not \"built\"");
        let mut report = Report::of(7, vec![open, missed]);
        report.traces = "x\"><img src=a>.csv".to_owned();
        report.series = vec![Series {
            id: "roc".to_owned(),
            title: "A & B".to_owned(),
            x: "x".to_owned(),
            y: "y".to_owned(),
            lines: vec![Line { name: "one".to_owned(), points: vec![[0.0, 0.0], [1.0, 1.0]] }],
        }];
        let page = html(&report);
        assert!(!page.contains("<script") && !page.contains("<img"));
        assert!(page.find("Targets that are missed") < page.find("Open: not built"));
        assert!(page.contains("A &amp; B") && page.contains("<polyline"));
    }
}
