use mosaic_api::{
    AnnounceReply, AnnouncementList, AnnouncementState, AnnouncementView, GroupList, GroupRequest, GroupView,
    InvitationReply, Problem, ProblemKind,
};
use mosaic_discovery::{
    AnnounceError, GroupError, GroupId, GroupJoinError, Invitation, InvitationError, InviteError, Sent, UnknownGroup,
};
use mosaic_release::Releaser;
use mosaic_types::{AnnouncementText, Lane, Timestamp};
use rand::CryptoRng;
use thiserror::Error;

use crate::{core::AgentCore, qr};

/// Why a group did not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GroupCommandError {
    /// An id of the wrong shape.
    #[error("a group's id has 32 hexadecimal digits")]
    InvalidId,
    /// No such group.
    #[error(transparent)]
    Unknown(#[from] UnknownGroup),
    /// None was made.
    #[error(transparent)]
    Create(#[from] GroupError),
    /// The text is no invitation.
    #[error(transparent)]
    Invitation(#[from] InvitationError),
    /// None was joined.
    #[error(transparent)]
    Join(#[from] GroupJoinError),
    /// Nobody was invited.
    #[error(transparent)]
    Invite(#[from] InviteError),
    /// Nothing was announced.
    #[error(transparent)]
    Announce(#[from] AnnounceError),
}

impl From<GroupCommandError> for Problem {
    fn from(error: GroupCommandError) -> Self {
        let kind = match error {
            GroupCommandError::InvalidId => return ProblemKind::InvalidId.into(),
            GroupCommandError::Unknown(_)
            | GroupCommandError::Invite(InviteError::Unknown)
            | GroupCommandError::Announce(AnnounceError::Unknown) => return ProblemKind::UnknownGroup.into(),
            GroupCommandError::Invitation(_) | GroupCommandError::Join(GroupJoinError::OtherFederation) => {
                ProblemKind::InvalidInvitation
            }
            GroupCommandError::Announce(AnnounceError::Text) => ProblemKind::InvalidAnnouncement,
            _ => ProblemKind::WrongState,
        };
        Self::new(kind).with_detail(error)
    }
}

impl AgentCore {
    /// Makes a group, or joins the one of an invitation.
    ///
    /// # Errors
    /// [`GroupCommandError`]; nothing was changed then.
    pub fn create_group(
        &mut self,
        now: Timestamp,
        rng: &mut impl CryptoRng,
        request: GroupRequest,
    ) -> Result<GroupView, GroupCommandError> {
        self.attend(now);
        let id = match request.invitation {
            None => self.groups.create(now, request.name, rng)?,
            Some(text) => {
                let invitation = Invitation::parse(&text)?;
                let id = self.groups.join(now, request.name, &invitation, rng)?;
                self.rescan_rendezvous(now, rng);
                id
            }
        };
        self.dirty = true;
        Ok(shown(&self.groups.get(id).ok_or(UnknownGroup)?))
    }

    /// The person's groups.
    pub fn groups(&self) -> GroupList {
        GroupList { groups: self.groups.list().iter().map(shown).collect(), next: None }
    }

    /// Makes an invitation for one person: `members` is 1 for who invites nobody in turn.
    ///
    /// # Errors
    /// [`GroupCommandError`]; nothing was changed then.
    pub fn invite_to_group(
        &mut self,
        now: Timestamp,
        id: &str,
        members: u8,
    ) -> Result<InvitationReply, GroupCommandError> {
        self.attend(now);
        let id = parse(id)?;
        let made = self.groups.invite(now, id, members)?;
        self.dirty = true;
        let spare = self.groups.get(id).map_or(0, |group| group.spare_slots);
        let expires_at = made.last_epoch().end().as_secs();
        Ok(made.to_text().expose(|text| InvitationReply {
            svg: qr::svg(text).unwrap_or_default(),
            invitation: text.to_owned(),
            expires_at,
            spare,
        }))
    }

    /// Announces something to all members of a group.
    ///
    /// # Errors
    /// [`GroupCommandError`]; nothing was changed then.
    pub fn announce(
        &mut self,
        now: Timestamp,
        rng: &mut impl CryptoRng,
        id: &str,
        text: AnnouncementText,
    ) -> Result<AnnounceReply, GroupCommandError> {
        self.attend(now);
        self.groups.announce(now, parse(id)?, &Releaser::announcement(text), rng)?;
        self.dirty = true;
        self.schedule.hurry(now, Lane::Rendezvous, rng);
        Ok(AnnounceReply { leaves_by: self.leaves_by(now).as_secs() })
    }

    /// What was announced in a group within 48 hours.
    ///
    /// # Errors
    /// [`GroupCommandError`].
    pub fn announcements(&mut self, now: Timestamp, id: &str) -> Result<AnnouncementList, GroupCommandError> {
        self.attend(now);
        let announcements = self.groups.announcements(parse(id)?)?;
        let view = |said: mosaic_discovery::AnnouncementView| AnnouncementView {
            id: said.id,
            at: said.at.as_secs(),
            slot: said.slot,
            text: said.text.expose(str::to_owned),
            state: match said.sent {
                Sent::ByAnother => AnnouncementState::Read,
                Sent::Waiting => AnnouncementState::Waiting,
                Sent::Stored => AnnouncementState::Stored,
            },
        };
        Ok(AnnouncementList { announcements: announcements.into_iter().map(view).collect(), next: None })
    }

    /// Leaves a group: its keys and announcements are erased on this device, and nobody is told.
    ///
    /// # Errors
    /// [`GroupCommandError`].
    pub fn leave_group(&mut self, now: Timestamp, id: &str) -> Result<(), GroupCommandError> {
        self.attend(now);
        self.groups.leave(parse(id)?)?;
        self.dirty = true;
        Ok(())
    }
}

fn parse(id: &str) -> Result<GroupId, GroupCommandError> {
    id.parse().map_err(|_| GroupCommandError::InvalidId)
}

fn shown(view: &mosaic_discovery::GroupView) -> GroupView {
    GroupView {
        id: view.id.to_string(),
        name: view.name.expose(str::to_owned),
        heard: view.heard,
        spare: view.spare_slots,
        waiting: u32::try_from(view.waiting).unwrap_or(u32::MAX),
        slot_shared: view.slot_shared,
    }
}
