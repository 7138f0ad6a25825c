use clap::Args;
use mosaic_federation::JoinLink;
use mosaic_transport::{JoinError, Patience, fetch_federation};
use serde_json::json;

use crate::{
    commands::Context,
    exit::{Exit, Failure, OrExit, Outcome},
};

/// Join a federation. The link pins the provider's certificate and the federation's text, so nobody on the way can hand
/// you another one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic join 'mosaic:join?at=192.0.2.7:7443&pin=...&doc=...'
  mosaic --dir ~/porto join 'mosaic:join?at=...'")]
pub(crate) struct JoinArgs {
    /// What `mosaic federation link` printed
    link: String,
    /// Leave the federation this installation is pinned to
    #[arg(long)]
    replace: bool,
}

impl JoinArgs {
    /// Joins.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let link: JoinLink = self.link.parse().or_exit(Exit::Usage, "that is no join link")?;
        let home = context.home()?;
        if home.federation_file().exists() && !self.replace && home.federation()?.digest() != *link.digest() {
            return Err(Failure::usage(
                "this installation is pinned to another federation; use --replace or another --dir",
            ));
        }
        let federation = fetch_federation(&link, Patience::default()).await.map_err(refused)?;
        home.keep_federation(&federation)?;
        let descriptor = federation.descriptor();
        let told = json!({
            "federation": descriptor.name,
            "pin": hex::encode(federation.digest()),
            "providers": descriptor.providers.len(),
            "banner": descriptor.banner(),
        });
        context.out.result(&told, |page| {
            if let Some(banner) = descriptor.banner() {
                page.warn(format!("PRACTICE: {banner}"));
            }
            page.line(format!("Joined \"{}\" with {} providers.", descriptor.name, descriptor.providers.len()));
            page.line("Next: `mosaic places build --osm FILE` for your area, then `mosaic agent`.");
        });
        Ok(())
    }
}

fn refused(error: JoinError) -> Failure {
    let exit = match &error {
        JoinError::Fetch(_) => Exit::Unreachable,
        _ => Exit::Refused,
    };
    match Err::<(), _>(error).or_exit(exit, "cannot join") {
        Err(failure) => failure,
        Ok(()) => Failure::new(exit, "cannot join"),
    }
}
