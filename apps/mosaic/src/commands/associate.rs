use clap::Args;
use mosaic_api::{
    AssociateBody, AssociateReply, AssociationList, AssociationState, AssociationView, Handover, LookupBody, Operation,
};

use crate::{
    commands::Context,
    exit::{Failure, Outcome},
    out::Page,
};

/// Meet somebody you can hand 32 characters to, or read 16 digits out to. One side makes a token or a code, the other
/// joins with it; it works once, for 24 hours, and then both see each other's contact.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic associate --contact \"Ana, +351 900 000 000\"
  mosaic associate --token 7dQ0x3mEoYcB2kVtR8sZ1wJfHnLpG5aU --contact \"Bo\"
  mosaic associate --code --qr --contact \"Ana, +351 900 000 000\"
  mosaic associate 4839-1220-7415-3873 --contact \"Bo\"
  mosaic associate --list
  mosaic associate --delete 9f3c07aa51e8b2d46c0e1f7a8b9d2e35")]
pub(crate) struct AssociateArgs {
    /// The code somebody read out to you, 16 digits, or the text of the QR code they showed
    #[arg(value_name = "CODE", conflicts_with_all = ["token", "make_code", "list", "delete", "show"])]
    code: Option<String>,
    /// Make a code to read out, instead of a token
    #[arg(long = "code", conflicts_with_all = ["token", "list", "delete", "show"])]
    make_code: bool,
    /// Draw the token or code that is made as a QR code as well
    #[arg(long, conflicts_with_all = ["code", "token", "list", "delete", "show"])]
    qr: bool,
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
        let make = self.make_code.then_some(Handover::Code);
        let body = match self.code.or(self.token) {
            Some(shown) => AssociateBody::to_join(&shown, contact),
            None => AssociateBody { make, contact, ..AssociateBody::default() },
        };
        body.clone().check()?;
        let reply: AssociateReply = context.agent()?.send(Operation::Associate, &body).await?;
        context.out.result(&reply, |page| {
            told(&reply, page);
            if let Some(text) = reply.invitation.as_deref().filter(|_| self.qr) {
                page.qr(text);
            }
        });
        Ok(())
    }
}

fn told(reply: &AssociateReply, page: &mut Page) {
    match (&reply.token, &reply.code, reply.tries_left) {
        (Some(token), ..) => {
            page.line("Hand this over; it works once, for 24 hours:");
            page.head(format!("  {token}"));
        }
        (None, Some(code), _) => {
            page.line("Read this out; it works once, for 24 hours, and three may try it:");
            page.head(format!("  {code}"));
        }
        (None, None, Some(left)) => {
            page.line(format!("{}: trying; `mosaic associate --list` says whether the code fits", reply.id));
            page.line(format!("{left} more tries at this nameplate"));
        }
        _ => page.line(format!("{}: joined; `mosaic people` shows the contact when it comes", reply.id)),
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
            let tries = association.tries_left.map_or_else(String::new, |left| format!("; {left} may try the code"));
            page.line(format!("{}  {}{tries}", association.id, words(association.state)));
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
        AssociationState::Failed => "failed: one of you has another code, or somebody else answered",
    }
}
