use clap::Args;
use mosaic_api::{BroadcastBody, BroadcastReply, Granularity, Operation};

use crate::{
    commands::Context,
    exit::Outcome,
    practice,
    units::{At, Seconds},
};

/// Publish a context. The words and the place stay on this machine; what leaves is a class and a blurred cell among
/// nine decoys, with the next scheduled event.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic broadcast --context \"coffee meetup\" --noise 0.7 --at 41.1496,-8.6109
  mosaic broadcast --context \"chess in the park\" --at 41.1496,-8.6109 --ttl 24h --json")]
pub(crate) struct BroadcastArgs {
    /// What you want, in your own words: 1 to 500 characters
    #[arg(long)]
    context: String,
    /// Share of decoys, 0.30 to 0.80; raised to the mode's floor
    #[arg(long)]
    noise: Option<f64>,
    /// Where you are: LAT,LON (in a practice federation its centre is the default)
    #[arg(long, allow_hyphen_values = true, value_name = "LAT,LON")]
    at: Option<At>,
    /// How long readers keep it: 24h to 168h
    #[arg(long, value_name = "SPAN")]
    ttl: Option<Seconds>,
}

impl BroadcastArgs {
    /// Publishes.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let location = practice::place_or_center(self.at, context)?;
        let ttl_hours = self.ttl.map(|span| span.0.div_ceil(3_600));
        let body = BroadcastBody { location, context: self.context, noise_ratio: self.noise, ttl_hours };
        // refused here already, so that bad input needs no agent
        body.clone().check()?;
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
            if reply.granularity == Granularity::Zone {
                page.warn("  the ledger is spent: your place is released as a zone of some kilometres");
            }
        });
        Ok(())
    }
}
