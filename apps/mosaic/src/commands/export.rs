use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use mosaic_api::{ExportDocument, Operation};
use mosaic_transport::os_rng;
use mosaic_vault::Vault;
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    commands::Context,
    exit::{Exit, Failure, OrExit, Outcome},
    home::write_file,
    password::{Asking, PasswordArgs},
};

/// Kind and name of the one item in a sealed export.
pub(crate) const ITEM: (&str, &str) = ("export", "document");

/// Write settings and kept people to a file, sealed under a password of its own. No place, no wish and no key is in it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic export --output backup.mosaic
  mosaic export --format json --plain --output backup.json     # readable by everybody who gets the file")]
pub(crate) struct ExportArgs {
    /// What the file holds
    #[arg(long, value_enum, default_value_t = ExportFormat::Json)]
    format: ExportFormat,
    /// Where it goes; an existing file stays
    #[arg(long)]
    output: PathBuf,
    /// Do not seal it
    #[arg(long)]
    plain: bool,
    #[command(flatten)]
    password: PasswordArgs,
}

/// Formats of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One JSON document.
    Json,
}

impl ExportArgs {
    /// Exports.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        if self.output.exists() {
            return Err(Failure::new(Exit::Local, format!("{} exists already", self.output.display())));
        }
        let ExportFormat::Json = self.format;
        let document: ExportDocument = context.agent()?.get(Operation::Export).await?;
        let text = Zeroizing::new(serde_json::to_vec_pretty(&document).unwrap_or_default());
        if self.plain {
            context.out.note("Warning: this file is not sealed; whoever gets it reads your contacts.");
            write_file(&self.output, &text)?;
        } else {
            seal(&self.output, &text, &self.password.obtain(None, Asking::New)?)?;
        }
        let people = document.people.len();
        let told = json!({ "file": self.output, "sealed": !self.plain, "people": people });
        context
            .out
            .result(&told, |page| page.line(format!("{} holds settings and {people} people.", self.output.display())));
        Ok(())
    }
}

/// A vault of its own with one thing in it.
fn seal(path: &Path, text: &[u8], password: &str) -> Outcome {
    let doing = format!("cannot write {}", path.display());
    let mut rng = os_rng().or_exit(Exit::Local, "the system gives no randomness")?;
    let mut vault = Vault::create(path, password, &mut rng).or_exit(Exit::Local, &doing)?;
    vault.put(ITEM.0, ITEM.1, text, None).or_exit(Exit::Local, &doing)?;
    vault.commit(&mut rng).or_exit(Exit::Local, &doing)
}
