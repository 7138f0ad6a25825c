use clap::Args;
use mosaic_api::{CardChoice, CardSelection, Operation, WaveBody, WaveReply};

use crate::{commands::Context, exit::Outcome};

/// Wave at cards. A wave carries a sealed handshake, not your contact; the contact follows when the other side
/// accepts. Decoys answer like people who look away, so only an acceptance tells you that somebody is
/// there [CL-13].
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic wave --contact \"Ana, +351 900 000 000\"
  mosaic wave --card 3f2a9c6d4e1b8a7093c5d2e6f1a4b8c7 --card 77b01e9a3c5d7f2468ace13579bdf024 \\
         --contact \"@ana:example.org\"")]
pub(crate) struct WaveArgs {
    /// A card from `mosaic query`; without any, all matches of your broadcasts (`matching.threshold`)
    #[arg(long = "card", value_name = "CARD")]
    cards: Vec<String>,
    /// How people who accept can reach you: 1 to 300 bytes
    #[arg(long)]
    contact: String,
}

impl WaveArgs {
    /// Waves.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let all = CardSelection::Word(CardChoice::All);
        let cards = if self.cards.is_empty() { all } else { CardSelection::Cards(self.cards) };
        let body = WaveBody { cards, contact: self.contact };
        body.clone().check()?;
        let reply: WaveReply = context.agent()?.send(Operation::Wave, &body).await?;
        context.out.result(&reply, |page| {
            let waved = reply.associations.len();
            page.line(format!("Waving at {waved} cards; {} were waved at before or are gone.", reply.skipped));
            page.line("Waves leave with the scheduled events. `mosaic people` lists who accepted.");
        });
        Ok(())
    }
}
