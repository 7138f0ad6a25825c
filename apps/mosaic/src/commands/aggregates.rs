use clap::Args;
use jiff::{Timestamp, tz::TimeZone};
use mosaic_api::{AggregatesReply, ClassCount, Operation, StatementView};

use crate::{commands::Context, exit::Outcome, out::Page};

/// Show what two providers counted over many people, as they signed it: noisy counts, one day after the other. Nothing is
/// published of a day with fewer than a thousand answers, and nothing is said of fewer than ten people.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic aggregates
  mosaic aggregates --days 7
  mosaic aggregates --json
  mosaic config set aggregate on")]
pub(crate) struct AggregatesArgs {
    /// How many days, the newest first
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=31))]
    days: u32,
}

impl AggregatesArgs {
    /// Shows.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let mut reply: AggregatesReply = context.agent()?.get(Operation::Aggregates).await?;
        reply.statements.truncate(self.days as usize);
        context.out.result(&reply, |page| {
            if reply.statements.is_empty() {
                page.line("Nothing was published yet that this device knows of.");
            }
            reply.statements.iter().for_each(|statement| show(statement, page));
        });
        Ok(())
    }
}

/// A table of one day: classes by people, the most first, and what is said of each part of the day.
fn show(statement: &StatementView, page: &mut Page) {
    let StatementView { tile, reports, epsilon, fewest, nothing, .. } = statement;
    page.head(format!(
        "{}, area {tile}: over {reports} answers, two noises of \u{3b5} = {epsilon} each",
        day(statement.day)
    ));
    page.line(format!(
        "  {:<26} {:>8} {:>8} {:>9} {:>9} {:>8}",
        "people who wished for", "day", "night", "morning", "afternoon", "evening"
    ));
    let mut classes: Vec<&ClassCount> = statement.classes.iter().collect();
    classes.sort_by(|one, other| other.people.unwrap_or(0.0).total_cmp(&one.people.unwrap_or(0.0)));
    for class in classes.into_iter().filter(|class| class.people.is_some() || !class.parts.is_empty()) {
        let part = |name| about(class.parts.iter().find(|part| part.part == name).map(|part| part.people));
        page.line(format!(
            "  {:<26} {:>8} {:>8} {:>9} {:>9} {:>8}",
            class.class,
            about(class.people),
            part("night"),
            part("morning"),
            part("afternoon"),
            part("evening")
        ));
    }
    page.line(format!("  {:<26} {:>8}", "nothing", about(*nothing)));
    page.line(format!("  A dash, and a class that is not named: fewer than {fewest}, too few to say."));
}

fn about(people: Option<f64>) -> String {
    people.map_or_else(|| "-".to_owned(), |people| format!("{people:.0}"))
}

fn day(seconds: u64) -> String {
    let second = i64::try_from(seconds).unwrap_or(i64::MAX);
    let at = Timestamp::from_second(second).map(|at| at.to_zoned(TimeZone::UTC).date());
    at.map_or_else(|_| seconds.to_string(), |date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_what_is_not_said() {
        assert_eq!((day(20_412 * 86_400), day(u64::MAX)), ("2025-11-20".to_owned(), u64::MAX.to_string()));
        assert_eq!((about(Some(12.4)), about(None)), ("12".to_owned(), "-".to_owned()));
    }
}
