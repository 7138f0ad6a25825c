mod confirm;

use clap::Args;
use jiff::Timestamp;
use mosaic_api::{
    BroadcastBody, BroadcastList, BroadcastReply, BroadcastView, Granularity, Operation, UpdateBody, WarningKind,
};
use mosaic_types::Risk;
use serde_json::json;

use crate::{
    commands::Context,
    exit::{Failure, Outcome},
    practice,
    units::{At, Seconds},
};

/// Publish a context. With the next scheduled event, among nine decoys [CL-02], leave a class and a blurred cell in the
/// place of yours [CL-06], and your words for those who name their topic [CL-12].
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic broadcast --context \"coffee meetup\" --noise 0.7
  mosaic broadcast --context \"chess in the park\" --at -45.0012,0.0034 --ttl 24h --json
  mosaic broadcast --context \"legal advice\" --high-risk
  mosaic broadcast --context \"write to me@example.org\" --anyway
  mosaic broadcast --context \"a game of go\" --enrich 0.5
  mosaic broadcast --list
  mosaic broadcast --update b1 --noise 0.8 --ttl 24h
  mosaic broadcast --withdraw b1

Words that point at you (an address, a number, a name of yours elsewhere) are shown before anything is sent. On a
terminal you are asked; elsewhere the command ends with exit code 6, unless --anyway is given.")]
pub(crate) struct BroadcastArgs {
    /// What you want, in your own words: 1 to 500 characters
    #[arg(long, required_unless_present_any = ["list", "update", "withdraw"])]
    context: Option<String>,
    /// Share of decoys, 0.30 to 0.80; raised to the mode's floor
    #[arg(long)]
    noise: Option<f64>,
    /// Where you are: LAT,LON (in a practice federation its centre is the default)
    #[arg(long, allow_hyphen_values = true, value_name = "LAT,LON")]
    at: Option<At>,
    /// How long readers keep it: 24h to 168h
    #[arg(long, value_name = "SPAN")]
    ttl: Option<Seconds>,
    /// Add topics of the same class from the public vocabulary, for readers who look for those: 0.0 (none) to 1.0 (up to four
    /// in all)
    #[arg(long, value_name = "LEVEL")]
    enrich: Option<f64>,
    /// Begin up to half an hour late, at a moment that is drawn once
    #[arg(long)]
    high_risk: bool,
    /// Send the words although they hold something that points at you
    #[arg(long)]
    anyway: bool,
    /// List what is out instead
    #[arg(long, conflicts_with_all = ["context", "noise", "at", "ttl", "enrich", "update", "withdraw", "high_risk", "anyway"])]
    list: bool,
    /// Make one stricter instead: --noise as before or more, --ttl (from its beginning) as before or less
    #[arg(long, value_name = "ID", conflicts_with_all = ["context", "at", "enrich", "withdraw", "high_risk", "anyway"])]
    update: Option<String>,
    /// Withdraw one instead: no further event carries it; what was sent stays until its table is destroyed
    #[arg(long, value_name = "ID", conflicts_with_all = ["context", "noise", "at", "ttl", "enrich", "high_risk", "anyway"])]
    withdraw: Option<String>,
}

impl BroadcastArgs {
    /// Publishes, lists, updates or withdraws.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        if self.list {
            return list(context).await;
        }
        if let Some(id) = &self.withdraw {
            return withdraw(id, context).await;
        }
        let ttl_hours = self.ttl.map(hours);
        if let Some(id) = &self.update {
            return update(id, UpdateBody { noise_ratio: self.noise, ttl_hours }, context).await;
        }
        let words = self.context.ok_or_else(|| Failure::usage("say what you want with --context"))?;
        let location = practice::place_or_center(self.at, context)?;
        let risk = self.high_risk.then_some(Risk::High);
        let body = BroadcastBody {
            noise_ratio: self.noise,
            ttl_hours,
            enrichment: self.enrich,
            risk,
            ..BroadcastBody::new(location, words)
        };
        // refused here already, so that bad input needs no agent
        body.clone().check()?;
        let confirm_identifiers = confirm::words(&body.context, self.anyway, context)?;
        let body = BroadcastBody { confirm_identifiers, ..body };
        let reply: BroadcastReply = context.agent()?.send(Operation::Broadcast, &body).await?;
        context.out.result(&reply, |page| {
            page.line(format!("{} is out as \"{}\" ({})", reply.id, reply.class, reply.topics.join(", ")));
            let noise = reply.noise;
            page.pair("noise asked for", format!("{:.2}", noise.requested));
            page.pair(
                "noise in force",
                format!("{:.2} strangers, {:.2} contacts", noise.effective.discovery, noise.effective.rendezvous),
            );
            page.pair("ledger left this week", format!("{:.2} of 10.00", reply.ledger_left));
            let from = reply.not_before.and_then(|at| Timestamp::from_second(i64::try_from(at).ok()?).ok());
            if let Some(from) = from {
                page.pair("no event carries it before", from);
            }
            let told = |kind| kind == WarningKind::IdentifyingWords;
            for warning in reply.warnings.iter().filter(|warning| !told(warning.kind)) {
                page.warn(format!("! {}", warning.text));
            }
            if let Some(draw) = reply.inclusion {
                page.pair("drawn for", format!("shown with probability {}, ε {:.1}", draw.probability, draw.epsilon));
                if !draw.shown {
                    page.warn(
                        "  the draw leaves it out: others cannot find it, you find them as before. Broadcasting the",
                    );
                    page.warn("  same again today changes nothing; tomorrow draws anew");
                }
            }
            if let Some(reason) = reply.zone_reason {
                page.warn(format!("  your place is released as a zone of some kilometres: {}", reason.sentence()));
            }
        });
        Ok(())
    }
}

/// Whole hours, rounded up.
pub(super) fn hours(span: Seconds) -> u32 {
    span.0.div_ceil(3_600)
}

pub(super) async fn withdraw(id: &str, context: &Context) -> Outcome {
    context.agent()?.act(Operation::Withdraw, id, None::<&()>).await?;
    context.out.result(&json!({ "withdrawn": id }), |page| page.line(format!("{id}: withdrawn")));
    Ok(())
}

pub(super) async fn update(id: &str, body: UpdateBody, context: &Context) -> Outcome {
    body.clone().check()?;
    let view: BroadcastView = context.agent()?.call(Operation::UpdateBroadcast, id, Some(&body)).await?;
    context.out.result(&view, |page| {
        let noise = view.noise.effective;
        page.line(format!("{}: updated", view.id));
        page.pair("noise in force", format!("{:.2} strangers, {:.2} contacts", noise.discovery, noise.rendezvous));
        let end = i64::try_from(view.expires_at).ok().and_then(|at| Timestamp::from_second(at).ok());
        if let Some(end) = end {
            page.pair("no event carries it after", end);
        }
    });
    Ok(())
}

pub(super) async fn list(context: &Context) -> Outcome {
    let list: BroadcastList = context.agent()?.get(Operation::ListBroadcasts).await?;
    context.out.result(&list, |page| {
        if list.broadcasts.is_empty() {
            page.line("Nothing is out.");
        }
        for broadcast in &list.broadcasts {
            let zone = if broadcast.granularity == Granularity::Zone { ", as a zone" } else { "" };
            let unseen =
                if broadcast.inclusion.is_some_and(|draw| !draw.shown) { ", left out by the draw" } else { "" };
            page.line(format!("{}  {} ({}){zone}{unseen}", broadcast.id, broadcast.class, broadcast.topics.join(", ")));
        }
    });
    Ok(())
}
