use clap::Args;
use mosaic_api::{Operation, Reach, StatusReply};

use crate::{commands::Context, exit::Outcome};

/// Show the mode, the providers, the location ledger and warnings.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic status
  mosaic status --verbose
  mosaic status --json")]
pub(crate) struct StatusArgs {
    /// Counters, providers and times as well
    #[arg(long, short)]
    verbose: bool,
}

impl StatusArgs {
    /// Shows.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let status: StatusReply = context.agent()?.get(Operation::Status).await?;
        context.out.result(&status, |page| {
            if let Some(banner) = &status.federation.banner {
                page.warn(format!("PRACTICE: {banner}"));
            }
            page.head(format!("{} · {} mode", status.federation.name, status.mode));
            page.pair("federation", reach(status.reach));
            page.pair("noise", format!("{:.2}", status.noise.effective.discovery));
            page.pair(
                "location ledger",
                format!("{:.2} of {:.2} left this week", status.ledger.left, status.ledger.weekly),
            );
            page.pair("broadcasts out", status.broadcasts);
            page.pair("cards known", status.cards);
            page.pair("waves waiting for you", status.waves_waiting);
            for warning in &status.warnings {
                page.warn(format!("! {}", warning.text));
            }
            if self.verbose {
                details(&status, page);
            }
        });
        Ok(())
    }
}

const fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::Whole => "every provider answers",
        Reach::Degraded => "degraded: one provider does not answer, everything still works",
        Reach::CutOff => "cut off: fewer than two providers answer; what you ask for waits",
    }
}

fn details(status: &StatusReply, page: &mut crate::out::Page) {
    page.head("Details");
    page.pair("version", &status.version);
    page.pair("service class", class(status));
    page.pair("events released", status.events_released);
    page.pair("deposits acknowledged", status.deposits_acked);
    page.pair("bytes exchanged", status.bytes_exchanged);
    page.pair("federation pin", &status.federation.pin);
    for provider in &status.providers {
        let up = if provider.up { "answers" } else { "does not answer" };
        page.pair(
            &format!("provider {}", provider.id),
            format!("{} ({}), {up}", provider.operator, provider.jurisdiction),
        );
    }
}

fn class(status: &StatusReply) -> String {
    let word = serde_json::to_value(status.class).ok();
    word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
