use std::path::PathBuf;

use clap::{Args, Subcommand};
use mosaic_api::{EvidenceReply, EvidenceView, Operation};
use mosaic_federation::{Evidence, Federation};
use serde_json::json;

use crate::{
    commands::Context,
    exit::{Exit, Failure, OrExit, Outcome},
    home::{create_private_dir, read_federation, read_file, write_file},
};

/// List what this agent holds against providers, save it for others, check what others saved, or forgive. Who checks needs the
/// federation's document and has to trust nobody: only the accused can have signed what convicts it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic evidence list
  mosaic evidence save --out evidence/
  mosaic evidence verify evidence/1-two-heads-provider-3.proof
  mosaic evidence verify found.proof --federation federation.json --json
  mosaic evidence forgive 3")]
pub(crate) struct EvidenceArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List what this agent saw
    List,
    /// Write each proof to a file of its own; that of a dropped record holds one event of this device
    Save {
        /// The folder; files that are there already stay
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Forget what is held against a provider, say because its operator mended a disk: it is asked again like the others.
    /// Proofs that were saved stay where they are
    Forgive {
        /// The provider's number
        #[arg(value_name = "PROVIDER", value_parser = clap::value_parser!(u8).range(1..))]
        provider: u8,
    },
    /// Say whom a proof convicts; exit code 2 when it convicts nobody
    Verify {
        /// A saved proof
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The federation's document; default: that of this installation
        #[arg(long, value_name = "FILE")]
        federation: Option<PathBuf>,
    },
}

impl EvidenceArgs {
    /// Lists, saves, forgives or checks.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        match self.action {
            Action::List => list(context).await,
            Action::Save { out } => save(context, out).await,
            Action::Forgive { provider } => forgive(context, provider).await,
            Action::Verify { file, federation } => {
                let federation = match federation {
                    Some(path) => read_federation(&path)?,
                    None => context.home()?.federation()?,
                };
                verify(context, &read_file(&file)?, &federation)
            }
        }
    }
}

async fn list(context: &Context) -> Outcome {
    let reply: EvidenceReply = context.agent()?.get(Operation::Evidence).await?;
    context.out.result(&reply, |page| {
        if reply.evidence.is_empty() {
            page.line("Nothing: no provider was seen to break its word.");
        }
        for (number, evidence) in (1..).zip(&reply.evidence) {
            let others = if evidence.proof.is_some() { "others can check it" } else { "seen by this agent alone" };
            page.line(format!("{number}  {} ({others})", evidence.text));
        }
    });
    Ok(())
}

async fn save(context: &Context, out: PathBuf) -> Outcome {
    let reply: EvidenceReply = context.agent()?.get(Operation::Evidence).await?;
    create_private_dir(&out).or_exit(Exit::Local, format!("cannot make {}", out.display()))?;
    let mut files = Vec::new();
    for (number, evidence) in (1_u32..).zip(&reply.evidence) {
        let Some(proof) = evidence.proof.as_deref().and_then(|proof| hex::decode(proof).ok()) else { continue };
        let path = out.join(name(number, evidence));
        if !path.exists() {
            write_file(&path, &proof)?;
        }
        files.push(path);
    }
    let seen_only = reply.evidence.len() - files.len();
    let told = json!({ "files": files, "seen_only": seen_only });
    context.out.result(&told, |page| {
        files.iter().for_each(|path| page.line(path.display()));
        page.line(format!("{} proofs; {seen_only} things were seen by this agent alone.", files.len()));
    });
    Ok(())
}

async fn forgive(context: &Context, provider: u8) -> Outcome {
    context.agent()?.act(Operation::Forgive, &provider.to_string(), None::<&()>).await?;
    context.out.result(&json!({ "forgiven": provider }), |page| {
        page.line(format!("Provider {provider} is asked again like the others. What it does from now on counts."));
    });
    Ok(())
}

/// Such as `1-two-heads-provider-3.proof`.
fn name(number: u32, evidence: &EvidenceView) -> String {
    let kind = serde_json::to_value(evidence.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
    let who = evidence.provider.map_or_else(String::new, |id| format!("-provider-{id}"));
    format!("{number}-{}{who}.proof", kind.unwrap_or_default())
}

fn verify(context: &Context, bytes: &[u8], federation: &Federation) -> Outcome {
    let evidence = Evidence::decode(bytes);
    let convicted = evidence.and_then(|evidence| evidence.verify(federation).map(|liar| (evidence, liar)));
    let (evidence, liar) =
        convicted.map_err(|error| Failure::new(Exit::Usage, format!("this convicts nobody: {error}")))?;
    let what = match evidence {
        Evidence::TwoHistories { .. } => "signed two histories of one segment",
        Evidence::Dropped(_) => "acknowledged records and left them out",
        Evidence::TwoTables(_) => "signed two tables for one period",
        Evidence::BadDealing { .. } => "dealt a bad share of a table's key",
    };
    let entry = federation.descriptor().provider(liar);
    let operator = entry.map(|entry| entry.operator.clone()).unwrap_or_default();
    let told = json!({ "convicted": liar.get(), "operator": operator, "kind": evidence.kind() });
    context.out.result(&told, |page| {
        page.line(format!("Provider {liar} ({operator}) is convicted: it {what}."));
    });
    Ok(())
}
