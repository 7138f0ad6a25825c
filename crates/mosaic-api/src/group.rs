use mosaic_types::{AnnouncementText, GroupName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::{Problem, ProblemKind};

/// Body of `POST /v1/groups`: with an invitation it joins, without it makes a group (L5-25).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupBody {
    /// What the person calls it; no other member learns it. 1 to 64 bytes.
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = "^[^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*$",
        example = "choir"
    )]
    pub name: String,
    /// The invitation somebody handed over: the text that begins with `mosaic:group?`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
}

/// A checked [`GroupBody`].
#[derive(Clone)]
pub struct GroupRequest {
    /// What the person calls it.
    pub name: GroupName,
    /// The invitation as it was typed or read; what it says is checked where it is used.
    pub invitation: Option<Zeroizing<String>>,
}

impl GroupBody {
    /// Checks the name.
    ///
    /// # Errors
    /// [`ProblemKind::InvalidName`].
    pub fn check(self) -> Result<GroupRequest, Problem> {
        let name =
            GroupName::new(&self.name).map_err(|error| Problem::new(ProblemKind::InvalidName).with_detail(error))?;
        Ok(GroupRequest { name, invitation: self.invitation.map(Zeroizing::new) })
    }
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupView {
    /// Its id on this device.
    #[schema(pattern = "^[0-9a-f]{32}$", example = "0123456789abcdef0123456789abcdef")]
    pub id: String,
    /// What the person calls it.
    pub name: String,
    /// Other member slots of which something was read within 48 hours. Members can write in each other's, so it is no
    /// count of people.
    pub heard: u8,
    /// Members that this device can still invite.
    pub spare: u8,
    /// Frames of own announcements that wait to leave.
    pub waiting: u32,
    /// Somebody else writes with this person's invitation, so nothing is written any more: join again with another.
    pub slot_shared: bool,
}

/// Answer to `GET /v1/groups`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupList {
    /// In the order of their ids.
    pub groups: Vec<GroupView>,
    /// The cursor of the next page; absent where the list ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Body of `POST /v1/groups/{id}/invitations`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteBody {
    /// For how many: 1 for one person who invites nobody in turn, which is the default; more for one who does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 63)]
    pub members: Option<u8>,
}

impl InviteBody {
    /// Checks the number.
    ///
    /// # Errors
    /// [`ProblemKind::InvalidLimit`] outside 1 to 63.
    pub fn check(self) -> Result<u8, Problem> {
        match self.members.unwrap_or(1) {
            members @ 1..=63 => Ok(members),
            _ => Err(Problem::new(ProblemKind::InvalidLimit).with_detail("an invitation is for 1 to 63 members")),
        }
    }
}

/// Answer to `POST /v1/groups/{id}/invitations`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationReply {
    /// For one person. Whoever sees it reads and writes the group.
    pub invitation: String,
    /// The same as a QR code, an SVG picture.
    pub svg: String,
    /// When it is accepted no more, unix seconds.
    pub expires_at: u64,
    /// Members that this device can still invite.
    pub spare: u8,
}

/// Body of `POST /v1/groups/{id}/announcements`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnouncementBody {
    /// What all members read: 1 to 496 bytes.
    #[schema(
        min_length = 1,
        max_length = 496,
        pattern = "^[^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*$",
        example = "at the fountain at nine"
    )]
    pub text: String,
}

impl AnnouncementBody {
    /// Checks the text.
    ///
    /// # Errors
    /// [`ProblemKind::InvalidAnnouncement`].
    pub fn check(self) -> Result<AnnouncementText, Problem> {
        AnnouncementText::new(&self.text)
            .map_err(|error| Problem::new(ProblemKind::InvalidAnnouncement).with_detail(error))
    }
}

/// Answer to `POST /v1/groups/{id}/announcements`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnnounceReply {
    /// When all that waits will have left at the pace of the mode, unix seconds.
    pub leaves_by: u64,
}

/// How far an announcement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AnnouncementState {
    /// Another member's.
    Read,
    /// One's own, and not all of it has left.
    Waiting,
    /// One's own, and providers signed for it. Nobody says whether it was read.
    Stored,
}

/// One announcement.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnnouncementView {
    /// Names it within its group.
    #[schema(pattern = "^[0-9a-f]{18}$", example = "000123456789abcdef")]
    pub id: String,
    /// Begin of the half hour in which it was written, unix seconds.
    pub at: u64,
    /// In which member slot. Every member can write in every slot.
    pub slot: u8,
    /// The words.
    pub text: String,
    /// Whose it is, and how far.
    pub state: AnnouncementState,
}

/// Answer to `GET /v1/groups/{id}/announcements`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnnouncementList {
    /// Of the last 48 hours, oldest first.
    pub announcements: Vec<AnnouncementView>,
    /// The cursor of the next page; absent where the list ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
