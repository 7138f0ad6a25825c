use std::path::{Path, PathBuf};

use clap::Args;
use mosaic_api::{EXPORT_FORMAT, ExportDocument, ImportReply, Operation, parse_body};
use mosaic_vault::{OpenError, Vault};
use zeroize::Zeroizing;

use crate::{
    commands::{Context, export::ITEM},
    exit::{Exit, Failure, OrExit, Outcome},
    home::read_file,
    password::{Asking, PasswordArgs},
};

/// Read an export into this installation. Kept people and settings come back; what was out stays out.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic import --file backup.mosaic --validate
  mosaic import --file backup.mosaic")]
pub(crate) struct ImportArgs {
    /// A sealed or plain export
    #[arg(long)]
    file: PathBuf,
    /// Only check it; nothing changes
    #[arg(long)]
    validate: bool,
    #[command(flatten)]
    password: PasswordArgs,
}

impl ImportArgs {
    /// Imports.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let text = self.text()?;
        let document = parse(&text, &self.file)?;
        let rest = if self.validate { "validate=true" } else { "" };
        let reply: ImportReply = context.agent()?.call(Operation::Import, rest, Some(&document)).await?;
        context.out.result(&reply, |page| {
            if self.validate {
                page.line("The file is good; nothing was changed.");
            } else {
                page.line(format!(
                    "{} settings and people changed, {} were there already.",
                    reply.changed, reply.ignored
                ));
            }
        });
        Ok(())
    }

    /// The document's text, unsealed where it is sealed.
    fn text(&self) -> Outcome<Zeroizing<Vec<u8>>> {
        let bytes = Zeroizing::new(read_file(&self.file)?);
        if !bytes.starts_with(b"MOSAICVT") {
            return Ok(bytes);
        }
        let password = self.password.obtain(None, Asking::Existing)?;
        let doing = format!("cannot open {}", self.file.display());
        let vault = Vault::open(&self.file, &password).map_err(|error| {
            let exit = if matches!(error, OpenError::Damaged) { Exit::Usage } else { Exit::Local };
            Failure::new(exit, format!("{doing}: {error}"))
        })?;
        let found = vault.get(ITEM.0, ITEM.1).or_exit(Exit::Local, &doing)?;
        found.ok_or_else(|| Failure::usage(format!("{} holds no export", self.file.display())))
    }
}

/// Says the line and the reason, never the content.
fn parse(text: &[u8], file: &Path) -> Outcome<ExportDocument> {
    let document: ExportDocument = parse_body(text).map_err(|problem| {
        Failure::usage(format!("{} is no export: {}", file.display(), problem.detail.unwrap_or_default()))
    })?;
    if document.format == EXPORT_FORMAT {
        Ok(document)
    } else {
        Err(Failure::usage(format!("{} is of another format than {EXPORT_FORMAT} (line 1)", file.display())))
    }
}
