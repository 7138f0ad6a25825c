use clap::Args;
use mosaic_api::{
    AssociateBody, AssociateReply, AssociationList, AssociationState, AssociationView, LookupBody, Operation,
};

use crate::{
    commands::Context,
    exit::{Failure, Outcome},
};

/// Meet somebody you can hand 32 characters to. One side makes a token, the other joins with it; it works once, for
/// 24 hours, and then both see each other's contact.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic associate --contact \"Ana, +351 900 000 000\"
  mosaic associate --token 7dQ0x3mEoYcB2kVtR8sZ1wJfHnLpG5aU --contact \"Bo\"
  mosaic associate --list
  mosaic associate --delete 9f3c07aa51e8b2d46c0e1f7a8b9d2e35")]
pub(crate) struct AssociateArgs {
    /// The token somebody gave you: exactly 32 letters and digits; without it, a new one is made
    #[arg(long)]
    token: Option<String>,
    /// How the other person can reach you: 1 to 300 bytes
    #[arg(long, required_unless_present_any = ["list", "delete", "show"])]
    contact: Option<String>,
    /// List associations instead
    #[arg(long, conflicts_with_all = ["contact", "delete", "show", "token"])]
    list: bool,
    /// Delete an association instead
    #[arg(long, value_name = "ID", conflicts_with_all = ["contact", "show", "token"])]
    delete: Option<String>,
    /// Show the association of the token instead
    #[arg(long, requires = "token", conflicts_with = "contact")]
    show: bool,
}

impl AssociateArgs {
    /// Makes, joins, shows, lists or deletes.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        if self.list {
            return list(context).await;
        }
        if let Some(id) = &self.delete {
            context.agent()?.act(Operation::DeleteAssociation, id, None::<&()>).await?;
            context.out.result(&serde_json::json!({ "deleted": id }), |page| page.line(format!("{id}: deleted")));
            return Ok(());
        }
        if self.show {
            return show(self.token.unwrap_or_default(), context).await;
        }
        let contact = self.contact.ok_or_else(|| Failure::usage("name your --contact"))?;
        let body = AssociateBody { token: self.token, contact };
        body.clone().check()?;
        let reply: AssociateReply = context.agent()?.send(Operation::Associate, &body).await?;
        context.out.result(&reply, |page| match &reply.token {
            Some(token) => {
                page.line("Hand this over; it works once, for 24 hours:");
                page.head(format!("  {token}"));
            }
            None => page.line(format!("{}: joined; `mosaic people` shows the contact when it comes", reply.id)),
        });
        Ok(())
    }
}

async fn show(token: String, context: &Context) -> Outcome {
    let body = LookupBody { token };
    body.clone().check()?;
    let view: AssociationView = context.agent()?.send(Operation::AssociationByToken, &body).await?;
    context.out.result(&view, |page| page.line(format!("{}: {}", view.id, words(view.state))));
    Ok(())
}

async fn list(context: &Context) -> Outcome {
    let list: AssociationList = context.agent()?.get(Operation::ListAssociations).await?;
    context.out.result(&list, |page| {
        for association in &list.associations {
            page.line(format!("{}  {}", association.id, words(association.state)));
        }
    });
    Ok(())
}

const fn words(state: AssociationState) -> &'static str {
    match state {
        AssociationState::Waiting => "waiting: nothing came back yet",
        AssociationState::Answered => "answered automatically, as decoys do [CL-13]",
        AssociationState::Approached => "somebody approached you: `mosaic people accept`",
        AssociationState::Given => "your contact is given, theirs has not come",
        AssociationState::Offered => "theirs is here, yours is not given",
        AssociationState::Connected => "connected: `mosaic people`",
    }
}
