use clap::Args;
use jiff::Timestamp;
use mosaic_api::{OpenDoorReply, Operation};

use crate::{commands::Context, exit::Outcome};

/// Book an open door for a meeting now: two hours with an event a minute and short delays. It is a service class of its
/// own, so the network and the relay can see that a door is open.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic open-door
  mosaic open-door --json")]
pub(crate) struct OpenDoorArgs {}

impl OpenDoorArgs {
    /// Books.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let reply: OpenDoorReply = context.agent()?.call(Operation::OpenDoor, "", None::<&()>).await?;
        let until = i64::try_from(reply.until).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        context.out.result(&reply, |page| {
            match until {
                Some(until) => page.line(format!("The door is open until {until}.")),
                None => page.line("The door is open."),
            }
            page.warn(format!("! {}", reply.visible));
        });
        Ok(())
    }
}
