use clap::{Args, Subcommand};
use mosaic_api::UpdateBody;

use crate::{commands::Context, exit::Outcome, units::Seconds};

use super::broadcast;

/// The words that are out: list them, make one stricter, end one. A context is what a broadcast says; `mosaic broadcast`
/// makes one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic contexts
  mosaic contexts update b1 --noise 0.8 --ttl 24h
  mosaic contexts end b1
  mosaic contexts --json")]
pub(crate) struct ContextsArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make one stricter; nothing else can change
    Update {
        /// The broadcast
        id: String,
        /// Share of decoys, as before or more
        #[arg(long)]
        noise: Option<f64>,
        /// How long readers keep it, from its beginning: as before or less
        #[arg(long, value_name = "SPAN")]
        ttl: Option<Seconds>,
    },
    /// End one: no further event carries it; what was sent stays until its table is destroyed
    End {
        /// The broadcast
        id: String,
    },
}

impl ContextsArgs {
    /// Lists, updates or ends.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        match self.action {
            None => broadcast::list(context).await,
            Some(Action::Update { id, noise, ttl }) => {
                let body = UpdateBody { noise_ratio: noise, ttl_hours: ttl.map(broadcast::hours) };
                broadcast::update(&id, body, context).await
            }
            Some(Action::End { id }) => broadcast::withdraw(&id, context).await,
        }
    }
}
