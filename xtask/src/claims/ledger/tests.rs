use super::*;

/// A ledger of claims that differ from a good one by what is given for each.
pub(in crate::claims) fn ledger(claims: &[(&str, &str)]) -> Ledger {
    let claim = |(id, more): &(&str, &str)| {
        let status = if more.contains("status") { "" } else { "status = \"holds\"\n" };
        format!(
            "[[claim]]\nid = \"{id}\"\nsentence = \"s\"\ndefinition = \"d\"\nadversary = \"P1, Y\"\nlimits = \"l\"\n\
             {status}{more}\n"
        )
    };
    Ledger::parse(&claims.iter().map(claim).collect::<String>()).unwrap()
}

fn faults(more: &str) -> Vec<String> {
    ledger(&[("CL-01", more)]).faults(&BTreeSet::from(["a_test".to_owned()]))
}

#[test]
fn a_claim_that_holds_names_a_test_that_runs_or_a_row() {
    assert_eq!(faults("tests = [\"a_test\"]"), [""; 0]);
    assert_eq!(faults("rows = [\"slots/rendezvous\"]"), [""; 0]);
    assert_eq!(faults("status = \"open\""), [""; 0]);
    assert_eq!(faults("status = \"fails\""), [""; 0]);
    assert!(faults("")[0].contains("names no test and no row"));
    assert!(faults("tests = [\"a_test\", \"another\"]")[0].contains("`another`, which does not exist or does not run"));
    assert!(faults("status = \"open\"\ntests = [\"another\"]")[0].contains("`another`"));
}

#[test]
fn a_claim_that_holds_keeps_its_interval_within_its_target() {
    let with = |target: &str, status: &str| {
        faults(&format!(
            "rows = [\"r\"]\nstatus = \"{status}\"\ntarget = {{ metric = \"AUC\", {target} }}\n\
             measured = {{ value = 0.5, low = 0.488, high = 0.505, date = \"2026-11-21\", command = \"mosaic lab slots\" }}"
        ))
    };
    assert_eq!(with("low = 0.48, high = 0.51", "holds"), [""; 0]);
    assert_eq!(with("high = 0.51", "holds"), [""; 0]);
    assert!(with("low = 0.49, high = 0.51", "holds")[0].contains("[0.488, 0.505] does not lie within"));
    assert!(with("high = 0.5", "holds")[0].contains("does not lie within"), "the figure alone is not enough");
    assert_eq!(with("low = 0.49, high = 0.51", "fails"), [""; 0], "this is what failing means");
}

#[test]
fn a_figure_has_an_interval_a_day_and_a_command() {
    let measured = |text: &str| faults(&format!("rows = [\"r\"]\nmeasured = {{ {text} }}"));
    let good = "value = 1, low = 0.9, high = 1.2, date = \"2026-11-21\", command = \"x\"";
    assert_eq!(measured(good), [""; 0]);
    for (from, to) in [("low = 0.9", "low = 1.1"), ("2026-11-21", "today"), ("\"x\"", "\"\"")] {
        assert_eq!(measured(&good.replace(from, to)).len(), 1, "{to}");
    }
}

#[test]
fn ids_are_unique_rise_and_exist_where_they_are_mentioned() {
    let none = BTreeSet::new();
    let open = "status = \"open\"";
    assert_eq!(ledger(&[("CL-01", open), ("CL-02", open)]).faults(&none), [""; 0]);
    assert_eq!(ledger(&[("CL-02", open), ("CL-01", open)]).faults(&none).len(), 1);
    assert_eq!(ledger(&[("CL-02", open), ("CL-02", open)]).faults(&none).len(), 1);
    assert_eq!(ledger(&[("CL-2", open)]).faults(&none).len(), 1);
    let mut mentions = ledger(&[("CL-01", open)]);
    mentions.claims[0].limits = "See (CL-01), CL-07.".to_owned();
    assert_eq!(mentions.faults(&none), ["CL-01 mentions CL-07, which is not in the ledger"]);
}

#[test]
fn unknown_fields_statuses_and_adversaries_are_refused() {
    assert!(Ledger::parse("[[claim]]\nid = \"CL-01\"\n").is_err(), "fields are missing");
    for more in ["status = \"maybe\"", "colour = \"red\""] {
        let text = format!(
            "[[claim]]\nid = \"CL-01\"\nsentence = \"s\"\ndefinition = \"d\"\nadversary = \"Y\"\nlimits = \"l\"\n{more}"
        );
        assert!(Ledger::parse(&text).is_err(), "{more}");
    }
    let mut stranger = ledger(&[("CL-01", "status = \"open\"")]);
    stranger.claims[0].adversary = "P1, Q".to_owned();
    assert_eq!(stranger.faults(&BTreeSet::new()).len(), 1);
}
