mod watch;

use clap::Args;
use mosaic_api::{CardView, Operation, ProximityBody, ProximityReply};

use crate::{
    commands::Context,
    exit::Outcome,
    out::Page,
    practice,
    units::{At, Metres, Seconds},
};

/// Ask who is near. The agent answers from what it has read; it reads on in the background, so ask again, or watch. Most
/// cards are decoys, made so that nobody can tell which [CL-21] (fails): wave at all of them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic query --radius 500m --time-window 2h
  mosaic query --context \"jazz concert\" --at -45.0012,0.0034 --json
  mosaic query --watch
  mosaic query --watch --json")]
pub(crate) struct QueryArgs {
    /// How far around: 100m to 5km
    #[arg(long, default_value = "500m", value_name = "DISTANCE")]
    radius: Metres,
    /// How far back: 5m to 24h
    #[arg(long, default_value = "2h", value_name = "SPAN")]
    time_window: Seconds,
    /// Where to look: LAT,LON (in a practice federation its centre is the default)
    #[arg(long, allow_hyphen_values = true, value_name = "LAT,LON")]
    at: Option<At>,
    /// What to look for; without it, what your own broadcasts ask for
    #[arg(long)]
    context: Option<String>,
    /// The most cards to list, 1 to 200
    #[arg(long)]
    limit: Option<u32>,
    /// Stay until Ctrl-C: cards as they are found, who waves, and what gets worse. On a terminal the list is drawn anew;
    /// elsewhere each is a line, and with --json a document
    #[arg(long)]
    watch: bool,
}

impl QueryArgs {
    /// Asks, once or without end.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let body = ProximityBody {
            location: practice::place_or_center(self.at, context)?,
            radius: Some(self.radius.0),
            window: Some(self.time_window.0),
            context: self.context,
            limit: self.limit,
        };
        body.clone().check()?;
        let agent = context.agent()?;
        if self.watch {
            return watch::run(&agent, body, context).await;
        }
        let reply: ProximityReply = agent.send(Operation::Proximity, &body).await?;
        context.out.result(&reply, |page| found(&reply, page));
        Ok(())
    }
}

/// What a query found, for people.
fn found(reply: &ProximityReply, page: &mut Page) {
    if reply.cards.is_empty() {
        page.line(if reply.complete { "Nobody yet." } else { "Nothing read yet; ask again in a minute." });
        return;
    }
    page.head(format!("{:<34} {:>5} {:>13}  {}", "card", "score", "distance", "wish"));
    reply.cards.iter().for_each(|card| line(card, page));
    page.line("");
    page.line("Most of these are decoys. `mosaic wave --contact \"...\"` waves at all that match yours.");
}

fn line(card: &CardView, page: &mut Page) {
    let wish = card.text.clone().unwrap_or_else(|| card.topics.join(", "));
    let distance = format!("{:.0} ± {:.0} m", card.distance_m, card.uncertainty_m);
    page.line(format!("{:<34} {:>5.2} {distance:>13}  {}: {wish}", card.id, card.score, card.class));
}
