//! The whole scoreboard, small: is every row there, does its status follow from its figures, is the page whole?

use std::{collections::BTreeSet, sync::Arc};

use mosaic_geo::{
    Traces,
    city::synthetic_city,
    movement::{from_cabspotting_delta, read_csv},
};
use mosaic_lab::{Progress, Report, RunPlan, RunSize, Status, html, run};

/// Seconds, not minutes: too few people for any figure to mean something, enough for every row to be there.
fn tiny(traces: Option<(String, Traces)>) -> Report {
    let size = RunSize {
        evening: 16,
        evenings: 2,
        hours: 2,
        discovery: vec![12],
        opened: 9,
        days: 1,
        steady: 9,
        windows: 3,
        people: 40,
        naive_days: 8,
        epochs: 1,
        practice: 6,
        now: 4,
        pairs: 4,
        trials: 8_000,
    };
    let plan = RunPlan { size, seed: 31, places: String::new(), traces };
    run(&Arc::new(synthetic_city(1)), &plan, &Progress::SILENT).unwrap()
}

/// Seed 31. Every row of the scoreboard has its figure or is open with a reason; a status says what the interval
/// and the target say; what fails comes first; the page asks nobody for anything and holds the plots.
#[test]
fn every_row_is_there_with_its_figure_or_a_reason() {
    let report = tiny(None);
    let boards: BTreeSet<&str> = report.rows.iter().map(|row| row.board.as_str()).collect();
    for board in (1..=25).map(|number| number.to_string()).chain((1..=3).map(|number| format!("U{number}"))) {
        assert!(boards.contains(board.as_str()), "row {board} is missing");
    }
    let ids: BTreeSet<&str> = report.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids.len(), report.rows.len(), "an id names one row");
    for claimed in ["slots/rendezvous/within", "slots/discovery/12/auc", "averaging/residual", "slots/rendezvous/clock"]
    {
        assert!(ids.contains(claimed), "{claimed}");
    }
    for row in &report.rows {
        let inside = |[low, high]: [f64; 2]| row.ci.is_some_and(|ci| low <= ci[0] && ci[1] <= high);
        let expected = match (row.value, row.target) {
            // a quantile that falls among what never came is longer than any aim
            (None, Some(_)) if row.metric.ends_with("minutes") => Status::Missed,
            (None, _) => Status::Open,
            (Some(_), None) => Status::Printed,
            (Some(_), Some(target)) if inside(target) => Status::Met,
            (Some(_), Some(_)) => Status::Missed,
        };
        assert_eq!(row.status, expected, "{row:?}");
        assert_eq!(row.value.is_some(), row.ci.is_some(), "{row:?}");
        assert!(row.value.is_none_or(f64::is_finite), "{row:?}");
        assert!(row.value.is_some() || row.reason.as_ref().is_some_and(|reason| !reason.is_empty()));
    }
    assert!(report.rows.is_sorted_by_key(|row| row.status), "what is missed comes first");
    as_json(&report);
    as_page(&report);
}

fn as_json(report: &Report) {
    let json = serde_json::to_value(report).unwrap();
    for key in ["seed", "places", "traces", "rows", "series"] {
        assert!(json.get(key).is_some(), "{key}");
    }
    for row in json["rows"].as_array().unwrap() {
        for key in ["id", "attack", "view", "metric", "baseline", "value", "ci", "target", "status"] {
            assert!(row.get(key).is_some(), "{key} in {row}");
        }
        assert!(["missed", "open", "met", "printed"].contains(&row["status"].as_str().unwrap()));
        assert!(row["ci"].is_null() || row["ci"].as_array().unwrap().len() == 2);
    }
}

fn as_page(report: &Report) {
    let page = html(report);
    for source in ["http:", "https:", "src=", "href=", "@import", "url(", "<script", "<link"] {
        assert!(!page.contains(source), "{source}");
    }
    for plot in ["roc", "averaging", "reliability", "trap", "linkage", "rebroadcasts"] {
        let start = page.find(&format!("plot-{plot}")).unwrap_or_else(|| panic!("no plot of {plot}"));
        assert!(page[start..].find("<svg").is_some());
    }
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("@media print") && page.contains("viewport"));
    let places = ["Targets that are missed", "Open: not built", "Targets that are met"].map(|head| page.find(head));
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{places:?}");
}

/// Movement of one's own, far from the places: 12 people who live a kilometre apart and stay there for four days are
/// linked without a defence, every one of them.
#[test]
fn own_movement_is_attacked_wherever_it_is() {
    let mut csv = String::from("user,time,lat,lon\n");
    for user in 0..12 {
        for step in 0..48 {
            let (at, lat) = (1_700_000_000 + step * 7_200, 10.0 + f64::from(user) * 0.01);
            csv += &format!("u{user},{at},{lat},{}\n", 20.0 + f64::from(step % 2) * 0.002);
        }
    }
    let report = tiny(Some(("own.csv".to_owned(), read_csv(&csv).unwrap())));
    let linked = report.rows.iter().find(|row| row.id == "linkage/undefended").unwrap();
    assert!(linked.value.unwrap() > 0.99, "{linked:?}");
    assert_eq!(report.traces, "own.csv");
    assert!(html(&report).contains("own.csv"));
}

/// The cabs of San Francisco, named by `MOSAIC_CABS` (unpacked `traces-delta.csv`): the right one of 100 is linked in
/// 0.62 ± 0.03 at cells of 0.002 degrees, as the data's description says.
#[test]
#[ignore = "needs recorded movement that is not shipped: MOSAIC_CABS=traces-delta.csv"]
fn recorded_cabs_are_linked_as_their_description_says() {
    let path = std::env::var("MOSAIC_CABS").expect("MOSAIC_CABS names the unpacked file");
    let traces = from_cabspotting_delta(&std::fs::read(path).unwrap()).unwrap();
    let cabs = traces.len();
    let report = tiny(Some(("cabs".to_owned(), traces)));
    let prints =
        report.rows.iter().filter(|row| ["linkage", "uniqueness", "filter"].iter().any(|id| row.id.starts_with(id)));
    let printed: Vec<String> =
        prints.map(|row| format!("{} {:?} {:?} {:?}", row.id, row.baseline, row.value, row.ci)).collect();
    let linked = report.rows.iter().find(|row| row.id == "linkage/undefended").and_then(|row| row.value).unwrap();
    assert!((linked - 0.62).abs() <= 0.03, "{cabs} cabs\n{}", printed.join("\n"));
}
