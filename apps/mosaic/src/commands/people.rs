use std::path::PathBuf;

use clap::{Args, Subcommand};
use mosaic_api::{AcceptBody, Operation, PeopleReply, VcardReply, WavesReply};
use serde_json::json;

use crate::{
    commands::Context,
    exit::{Exit, Failure, Outcome},
    home::write_file,
    out::program,
};

/// Who waved at you and who accepted your wave. Contacts are forgotten with their association unless you keep them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic people
  mosaic people accept 9f3c07aa51e8b2d46c0e1f7a8b9d2e35 --contact \"Ana, +351 900 000 000\"
  mosaic people keep 9f3c07aa51e8b2d46c0e1f7a8b9d2e35
  mosaic people export 9f3c07aa51e8b2d46c0e1f7a8b9d2e35 --output ana.vcf
  mosaic people export --output everybody.vcf")]
pub(crate) struct PeopleArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Accept a wave or token: your contact is sent
    Accept {
        /// The association
        id: String,
        /// How they can reach you: 1 to 300 bytes
        #[arg(long)]
        contact: String,
    },
    /// Decline; the other side gets no more than the automatic answer
    Decline {
        /// The association
        id: String,
    },
    /// Keep a contact in the vault
    Keep {
        /// The association
        id: String,
    },
    /// Forget a contact
    Forget {
        /// The association
        id: String,
    },
    /// Show kept contacts as vCards, for an address book: what they wrote, and nothing of where or when you met
    Export {
        /// The association; all kept people without it
        id: Option<String>,
        /// A file for them, which everybody who gets it can read; an existing file stays
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

impl PeopleArgs {
    /// Lists or acts.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let agent = context.agent()?;
        let (operation, id, done) = match &self.action {
            None => return list(context).await,
            Some(Action::Accept { id, contact }) => {
                let body = AcceptBody { contact: contact.clone() };
                body.clone().check()?;
                agent.act(Operation::Accept, id, Some(&body)).await?;
                return told(context, id, "accepted");
            }
            Some(Action::Export { id, output }) => return export(context, id.clone(), output.clone()).await,
            Some(Action::Decline { id }) => (Operation::Decline, id, "declined"),
            Some(Action::Keep { id }) => (Operation::KeepPerson, id, "kept"),
            Some(Action::Forget { id }) => (Operation::ForgetPerson, id, "forgotten"),
        };
        agent.act(operation, id, None::<&()>).await?;
        told(context, id, done)
    }
}

fn told(context: &Context, id: &str, done: &str) -> Outcome {
    context.out.result(&json!({ "id": id, "done": done }), |page| page.line(format!("{id}: {done}")));
    Ok(())
}

async fn export(context: &Context, id: Option<String>, output: Option<PathBuf>) -> Outcome {
    let agent = context.agent()?;
    if let Some(file) = output.as_ref().filter(|file| file.exists()) {
        return Err(Failure::new(Exit::Local, format!("{} exists already", file.display())));
    }
    let ids = match id {
        Some(id) => vec![id],
        None => {
            let people: PeopleReply = agent.get(Operation::People).await?;
            people.people.into_iter().filter(|person| person.kept).map(|person| person.id).collect()
        }
    };
    let mut cards = String::new();
    for id in &ids {
        cards += &agent.call::<VcardReply>(Operation::PersonVcard, id, None::<&()>).await?.vcard;
    }
    if let Some(file) = &output {
        write_file(file, cards.as_bytes())?;
    }
    let told = json!({ "file": output, "people": ids.len(), "vcard": cards });
    context.out.result(&told, |page| match &output {
        Some(file) => page.line(format!("{} holds {} people, readable by everybody.", file.display(), ids.len())),
        None => cards.lines().for_each(|line| page.line(line)),
    });
    Ok(())
}

async fn list(context: &Context) -> Outcome {
    let agent = context.agent()?;
    let people: PeopleReply = agent.get(Operation::People).await?;
    let waves: WavesReply = agent.get(Operation::Waves).await?;
    let both = json!({ "people": people.people, "waves": waves.waves });
    context.out.result(&both, |page| {
        page.head("People");
        for person in &people.people {
            let kept = if person.kept { ", kept" } else { "" };
            page.line(format!("  {}  {}{kept}", person.id, person.contact));
        }
        page.head("Waiting for your answer");
        for wave in &waves.waves {
            page.line(format!("  {}  {} people accept {} --contact \"...\"", wave.id, program(), wave.id));
        }
    });
    Ok(())
}
