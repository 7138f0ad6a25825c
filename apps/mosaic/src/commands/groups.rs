use std::io::IsTerminal as _;

use clap::{Args, Subcommand};
use mosaic_api::{
    AnnounceReply, AnnouncementBody, AnnouncementList, AnnouncementState, GroupBody, GroupList, GroupView,
    InvitationReply, InviteBody, Operation,
};
use serde_json::json;

use crate::{
    commands::Context,
    exit::{Exit, Failure, OrExit as _, Outcome},
    out::{Page, program},
};

/// Tell people things whom you handed an invitation, without saying where you are. An invitation is for one person; all
/// members read what one announces, for 48 hours; an announcement names no writer. Who leaves and kept the keys still reads:
/// to be rid of somebody, make a new group.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic groups
  mosaic groups create \"choir\"
  mosaic groups invite 9f3c07aa51e8b2d46c0e1f7a8b9d2e35 --qr
  mosaic groups join --name \"choir\" < invitation.txt
  mosaic groups announce 9f3c07aa51e8b2d46c0e1f7a8b9d2e35 \"at the fountain at nine\"
  mosaic groups read 9f3c07aa51e8b2d46c0e1f7a8b9d2e35 --json
  mosaic groups leave 9f3c07aa51e8b2d46c0e1f7a8b9d2e35")]
pub(crate) struct GroupsArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a group
    Create {
        /// What you call it, on this device alone
        name: String,
    },
    /// Make an invitation for one person; whoever sees it reads and writes the group
    Invite {
        /// The group
        group: String,
        /// For how many: more than 1 lets that person invite others in turn
        #[arg(long, default_value_t = 1)]
        members: u8,
        /// Draw it as a QR code as well
        #[arg(long)]
        qr: bool,
    },
    /// Join a group
    Join {
        /// What you call it
        #[arg(long)]
        name: String,
        /// The invitation; without it, one line is read from the input, which no list of commands remembers
        invitation: Option<String>,
    },
    /// Tell all members something: 1 to 496 bytes
    Announce {
        /// The group
        group: String,
        /// The words
        text: String,
    },
    /// Show what was announced within 48 hours
    Read {
        /// The group
        group: String,
    },
    /// Forget the group and its keys; nobody is told
    Leave {
        /// The group
        group: String,
    },
}

impl GroupsArgs {
    /// Lists or acts.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        match self.action {
            None => list(context).await,
            Some(Action::Create { name }) => enter(GroupBody { name, invitation: None }, "made", context).await,
            Some(Action::Join { name, invitation }) => {
                let invitation = invitation.map_or_else(|| typed(context), Ok)?;
                enter(GroupBody { name, invitation: Some(invitation) }, "joined", context).await
            }
            Some(Action::Invite { group, members, qr }) => invite(&group, members, qr, context).await,
            Some(Action::Announce { group, text }) => announce(&group, text, context).await,
            Some(Action::Read { group }) => read(&group, context).await,
            Some(Action::Leave { group }) => {
                context.agent()?.act(Operation::LeaveGroup, &group, None::<&()>).await?;
                context.out.result(&json!({ "left": group }), |page| {
                    page.line(format!("{group}: left; its keys are gone"));
                });
                Ok(())
            }
        }
    }
}

/// One line of the input.
fn typed(context: &Context) -> Outcome<String> {
    if std::io::stdin().is_terminal() {
        context.out.note("Paste the invitation:");
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).or_exit(Exit::Local, "cannot read the invitation")?;
    if line.trim().is_empty() { Err(Failure::usage("there is no invitation on the input")) } else { Ok(line) }
}

async fn enter(body: GroupBody, done: &str, context: &Context) -> Outcome {
    body.clone().check()?;
    let group: GroupView = context.agent()?.send(Operation::CreateGroup, &body).await?;
    context.out.result(&group, |page| {
        page.line(format!("{}: {done}", group.id));
        if group.spare > 0 {
            page.line(format!("Invite with `{} groups invite {} --qr`; {} can be.", program(), group.id, group.spare));
        }
    });
    Ok(())
}

async fn list(context: &Context) -> Outcome {
    let list: GroupList = context.agent()?.get(Operation::ListGroups).await?;
    context.out.result(&list, |page| {
        if list.groups.is_empty() {
            page.line(format!("No groups. `{} groups create NAME` makes one.", program()));
        }
        list.groups.iter().for_each(|group| line(page, group));
    });
    Ok(())
}

fn line(page: &mut Page, group: &GroupView) {
    let waiting = if group.waiting > 0 { ", something of yours waits to leave" } else { "" };
    page.line(format!("{}  {}: {} others heard{waiting}", group.id, group.name, group.heard));
    if group.slot_shared {
        page.warn("  somebody else writes with your invitation: you write nothing any more; ask for another one");
    }
}

async fn invite(group: &str, members: u8, qr: bool, context: &Context) -> Outcome {
    let body = InviteBody { members: Some(members) };
    body.clone().check()?;
    let reply: InvitationReply = context.agent()?.call(Operation::InviteToGroup, group, Some(&body)).await?;
    context.out.result(&reply, |page| {
        page.line("For one person, within a week. Whoever sees it reads and writes the group:");
        page.line(&reply.invitation);
        if qr {
            page.qr(&reply.invitation);
        }
    });
    Ok(())
}

async fn announce(group: &str, text: String, context: &Context) -> Outcome {
    let body = AnnouncementBody { text };
    body.clone().check()?;
    let reply: AnnounceReply = context.agent()?.call(Operation::Announce, group, Some(&body)).await?;
    context.out.result(&reply, |page| page.line("It leaves with the next events, in the place of decoys."));
    Ok(())
}

async fn read(group: &str, context: &Context) -> Outcome {
    let list: AnnouncementList = context.agent()?.call(Operation::Announcements, group, None::<&()>).await?;
    context.out.result(&list, |page| {
        if list.announcements.is_empty() {
            page.line("Nothing within 48 hours.");
        }
        for said in &list.announcements {
            let at = i64::try_from(said.at).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
            let who = match said.state {
                AnnouncementState::Read => format!("member slot {}", said.slot),
                AnnouncementState::Waiting => "you, waiting".to_owned(),
                AnnouncementState::Stored => "you".to_owned(),
            };
            page.head(format!("{} ({who})", at.map_or_else(String::new, |at| at.to_string())));
            said.text.lines().for_each(|line| page.line(format!("  {line}")));
        }
    });
    Ok(())
}
