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
  mosaic query --threshold 0.3
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
    /// List only cards at least so similar: 0.0 to 1.0. Without it all of the class are listed, and a star marks those that
    /// reach `matching.threshold`
    #[arg(long, value_name = "SIMILARITY")]
    threshold: Option<f64>,
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
            threshold: self.threshold,
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
    page.head(format!("{:<34} {:>5} {:>6} {:>13} {:>15}  {}", "card", "same", "decoy", "distance", "sent", "wish"));
    reply.cards.iter().for_each(|card| line(card, page));
    page.line("");
    page.line("* as similar as a match must be. Decoy: of the ten bundles of an event at least nine are.");
    page.line("`mosaic wave --contact \"...\"` waves at all that match yours.");
}

fn line(card: &CardView, page: &mut Page) {
    let wish = card.text.clone().unwrap_or_else(|| card.topics.join(", "));
    let star = if card.matches { "*" } else { "" };
    let same = format!("{:.2}{star}", card.similarity);
    let decoy = format!("≥{:.0} %", card.decoy_chance * 100.0);
    let distance = format!("{:.0} ± {:.0} m", card.distance_m, card.uncertainty_m);
    let sent = format!("{} ± {} min", clock_time(card.sent_at), card.sent_uncertainty_s.div_ceil(60));
    page.line(format!("{:<34} {same:>5} {decoy:>6} {distance:>13} {sent:>15}  {}: {wish}", card.id, card.class));
}

/// The hour and minute of a day in UTC.
fn clock_time(unix_s: u64) -> String {
    format!("{:02}:{:02}Z", unix_s / 3_600 % 24, unix_s / 60 % 60)
}
