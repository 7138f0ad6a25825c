use clap::{Args, Subcommand};
use mosaic_api::{AcceptBody, Operation, PeopleReply, WavesReply};
use serde_json::json;

use crate::{commands::Context, exit::Outcome, out::program};

/// Who waved at you and who accepted your wave. Contacts are forgotten with their association unless you keep them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic people
  mosaic people accept 9f3c07aa51e8b2d46c0e1f7a8b9d2e35 --contact \"Ana, +351 900 000 000\"
  mosaic people keep 9f3c07aa51e8b2d46c0e1f7a8b9d2e35")]
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
