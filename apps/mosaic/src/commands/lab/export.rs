use std::path::PathBuf;

use clap::Args;
use mosaic_lab::views::{View, export};

use crate::{
    commands::Context,
    exit::{Exit, OrExit, Outcome},
};

/// Write what one adversary sees of a recording as JSON Lines, with a manifest and a description of every field beside
/// it, so that anybody can attack with any tools. It leaves the truth alone.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic lab export --view N --from evening --out network.jsonl
  mosaic lab export --view P2 --provider 2 --from evening --out two-of-three.jsonl")]
pub(crate) struct ExportArgs {
    /// Who looks: N network, P1 one provider, P2 two, PA all and the network, Y a Sybil peer, C who holds the device
    #[arg(long)]
    view: View,
    /// For P1 and P2: which provider is dishonest; the next one colludes
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    provider: u8,
    /// Folder of the recording
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The file; OUT.manifest.json and OUT.README.md go beside it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl ExportArgs {
    /// Exports.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let told = export(&self.from, self.view, self.provider, &self.out);
        let told = told.or_exit(Exit::Usage, "the view cannot be exported")?;
        context.out.result(&told, |page| {
            page.line(format!("{}: what {} sees, {} lines", self.out.display(), self.view, told.file.lines));
        });
        Ok(())
    }
}
