use std::{
    io::IsTerminal as _,
    process::{Command, Stdio},
};

use clap::Args;
use mosaic_api::{Operation, SessionCodeReply};
use serde_json::json;

use crate::{commands::Context, exit::Outcome, local::Local};

/// Open the app in a browser of this machine. The address holds a code that lets in whichever browser uses it first, within a
/// minute.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic open
  mosaic open --no-browser     print the address
  mosaic open --revoke         end the sessions of all browsers")]
pub(crate) struct OpenArgs {
    #[command(flatten)]
    browser: BrowserArgs,
    /// End the sessions of all browsers instead
    #[arg(long, conflicts_with = "no_browser")]
    revoke: bool,
}

/// Whether a browser is started.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct BrowserArgs {
    /// Do not start a browser
    #[arg(long)]
    no_browser: bool,
}

impl OpenArgs {
    /// Opens.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let agent = context.agent()?;
        if self.revoke {
            agent.act(Operation::CloseSession, "", None::<&()>).await?;
            context.out.result(&json!({ "revoked": true }), |page| page.line("No browser is let in any more."));
            return Ok(());
        }
        let address = address(&agent).await?;
        let started = self.browser.start(context, &address);
        context.out.result(&json!({ "app": address, "started": started }), |page| {
            page.line(&address);
            page.line(match started {
                true => "A browser opens it. The code in it works once, within a minute.",
                false => "Open this in a browser of this machine within a minute; it works once.",
            });
        });
        Ok(())
    }
}

/// `http://127.0.0.1:PORT/#CODE`: what stands behind `#` stays in the browser and is part of no request.
pub(crate) async fn address(agent: &Local) -> Outcome<String> {
    let made: SessionCodeReply = agent.call(Operation::SessionCode, "", None::<&()>).await?;
    Ok(format!("{}/#{}", agent.url(), made.code))
}

impl BrowserArgs {
    /// Starts a browser where a person sits at a terminal and has one; whether that was done.
    pub(crate) fn start(&self, context: &Context, address: &str) -> bool {
        if self.no_browser || context.out.is_json() || !std::io::stdout().is_terminal() {
            return false;
        }
        let Some((program, arguments)) = opener() else { return false };
        let mut command = Command::new(program);
        command.args(arguments).arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().is_ok()
    }
}

/// What opens an address on this system, where there is a screen to open it on.
fn opener() -> Option<(&'static str, &'static [&'static str])> {
    if cfg!(target_os = "macos") {
        return Some(("open", &[]));
    }
    if cfg!(windows) {
        return Some(("rundll32", &["url.dll,FileProtocolHandler"]));
    }
    let screen =
        ["WAYLAND_DISPLAY", "DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    screen.then_some(("xdg-open", &[]))
}
