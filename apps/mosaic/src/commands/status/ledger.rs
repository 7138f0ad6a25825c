use mosaic_api::LedgerView;

/// What is left, what it was spent on, why something left as a zone, and when the budget is whole again.
pub(super) fn sentences(ledger: &LedgerView, now: u64) -> Vec<String> {
    let left = format!(
        "{:.2} of {:.2} is left; whole again in {}.",
        ledger.left,
        ledger.weekly,
        span(ledger.renews_at.saturating_sub(now))
    );
    let mut sentences = vec![left];
    if ledger.paid.is_empty() {
        sentences.push("No place was paid for this week.".to_owned());
    }
    for paid in &ledger.paid {
        let places = if paid.places == 1 { "place" } else { "places" };
        let spent = f64::from(paid.places) * paid.each;
        sentences.push(format!(
            "{} {places} in {} mode at {:.2} each: {spent:.2}. Released there again, a place is free.",
            paid.places, paid.mode, paid.each
        ));
    }
    for zones in &ledger.zones {
        let times = if zones.releases == 1 { "once".to_owned() } else { format!("{} times", zones.releases) };
        sentences.push(format!("Released as a zone {times}: {}.", zones.reason.sentence()));
    }
    sentences
}

/// In days and hours, or in minutes where it is less.
fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60);
    if minutes < 60 { format!("{minutes} min") } else { format!("{days} d {hours} h") }
}

#[cfg(test)]
mod tests {
    use mosaic_api::{PlacesPaid, ZoneCount, ZoneReason};
    use mosaic_types::Mode;

    use super::*;

    fn ledger() -> LedgerView {
        LedgerView { left: 10.0, weekly: 10.0, renews_at: 604_800, paid: Vec::new(), zones: Vec::new() }
    }

    #[test]
    fn an_untouched_ledger_says_so() {
        let said = ["10.00 of 10.00 is left; whole again in 7 d 0 h.", "No place was paid for this week."];
        assert_eq!(sentences(&ledger(), 0), said);
        assert_eq!(sentences(&ledger(), 604_800 - 90)[0], "10.00 of 10.00 is left; whole again in 1 min.");
    }

    #[test]
    fn spendings_and_reasons_are_said() {
        let spent = LedgerView {
            left: 1.68,
            paid: vec![
                PlacesPaid { mode: Mode::Emergency, places: 1, each: 5.55 },
                PlacesPaid { mode: Mode::Balanced, places: 2, each: 1.386_294_362 },
            ],
            zones: vec![
                ZoneCount { reason: ZoneReason::TellsTooMuch, releases: 1 },
                ZoneCount { reason: ZoneReason::ChangedJustNow, releases: 3 },
            ],
            ..ledger()
        };
        let said = sentences(&spent, 0);
        assert_eq!(said[1], "1 place in emergency mode at 5.55 each: 5.55. Released there again, a place is free.");
        assert_eq!(said[2], "2 places in balanced mode at 1.39 each: 2.77. Released there again, a place is free.");
        assert!(said[3].starts_with("Released as a zone once: together with this week's earlier cells"));
        assert!(said[4].starts_with("Released as a zone 3 times: you changed places once already"));
    }
}
