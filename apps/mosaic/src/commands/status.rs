use clap::Args;
use mosaic_api::{AnonymityReport, AnonymityView, AttackerView, CrowdView, Operation, Reach, StatusReply};

mod answers;
mod ledger;

use crate::{commands::Context, exit::Outcome, out::Page};

/// Show the mode, the providers, the location ledger and warnings.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic status
  mosaic status --verbose
  mosaic status --json")]
pub(crate) struct StatusArgs {
    /// Counters, spendings, providers, and what attackers would conclude, as well
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
            page.pair("devices around", around(status.crowd));
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

fn around(crowd: Option<CrowdView>) -> String {
    match crowd {
        None => "not known yet".to_owned(),
        Some(CrowdView { low, high }) if low == high => format!("{high} in the whole federation"),
        Some(CrowdView { low, high }) => format!("{low} to {high} in the whole federation"),
    }
}

const fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::Whole => "every provider answers",
        Reach::Degraded => "degraded: one provider does not answer, everything still works",
        Reach::CutOff => "cut off: fewer than two providers answer; what you ask for waits",
    }
}

fn details(status: &StatusReply, page: &mut Page) {
    page.head("Details");
    page.pair("version", &status.version);
    page.pair("service class", class(status));
    page.pair("events released", status.events_released);
    page.pair("deposits acknowledged", status.deposits_acked);
    page.pair("bytes exchanged", status.bytes_exchanged);
    page.head("Location ledger");
    ledger::sentences(&status.ledger, status.now).into_iter().for_each(|sentence| page.line(sentence));
    page.head("Answers to the counts");
    answers::sentences(&status.answers).into_iter().for_each(|sentence| page.line(sentence));
    anonymity(&status.anonymity, page);
    page.head("Providers");
    page.pair("federation pin", &status.federation.pin);
    for provider in &status.providers {
        let up = if provider.up { "answers" } else { "does not answer" };
        page.pair(
            &format!("provider {}", provider.id),
            format!("{} ({}), {up}", provider.operator, provider.jurisdiction),
        );
    }
}

/// What attackers would conclude, one line each, and what was done about it.
fn anonymity(report: &AnonymityReport, page: &mut Page) {
    page.head("Anonymity of the last 48 hours");
    page.pair("floor", format!("{} identities", report.floor));
    page.pair("meter", &report.why);
    page.pair("held back", format!("{} events", report.held_back));
    for view in &report.views {
        page.pair(attacker(view.view), concluded(view));
    }
}

const fn attacker(view: AttackerView) -> &'static str {
    match view {
        AttackerView::RendezvousSlots => "one provider, rendezvous",
        AttackerView::DiscoverySlots => "one provider, discovery",
        AttackerView::OpenedBundles => "who opens bundles",
        AttackerView::OpenedIdentities => "who also links them",
    }
}

fn concluded(view: &AnonymityView) -> String {
    let Some((probability, highest)) = view.probability.zip(view.highest) else {
        return "nothing of yours was sent".to_owned();
    };
    let identities = view.effective.unwrap_or(1.0);
    let stated = format!("{:.0} % on average, {:.0} % at most", probability * 100.0, highest * 100.0);
    format!("{stated}, as if you were one of {identities:.1} ({} events; {})", view.events, view.basis)
}

fn class(status: &StatusReply) -> String {
    let word = serde_json::to_value(status.class).ok();
    word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
