use mosaic_types::{AnnouncementText, GroupName, Timestamp};
use thiserror::Error;

use crate::GroupId;

/// One group, as its member may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// Its name on this device.
    pub id: GroupId,
    /// What the person calls it.
    pub name: GroupName,
    /// Other members of whom something was read within 48 hours. A member can write in any slot, so it is no count of
    /// people.
    pub heard: u8,
    /// Member slots that this device can still give away.
    pub spare_slots: u8,
    /// Frames that wait to leave.
    pub waiting: usize,
    /// Somebody else wrote in this member's slot, so nothing is written any more.
    pub slot_shared: bool,
}

/// How far an announcement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Somebody else's.
    ByAnother,
    /// Our own, and not all of it is stored.
    Waiting,
    /// Our own, and providers signed for it. Whether anybody read it is not known.
    Stored,
}

/// One announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncementView {
    /// Names it among those of its group.
    pub id: String,
    /// Begin of the half hour in which it was written; for our own, in which it was made.
    pub at: Timestamp,
    /// In which member slot. Every member can write in every slot.
    pub slot: u8,
    /// The words.
    pub text: AnnouncementText,
    /// Whose it is, and how far.
    pub sent: Sent,
}

/// What happened in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupEvent {
    /// Somebody writes in a member slot that was silent.
    Joined(GroupId),
    /// An announcement is whole.
    Announced(GroupId),
    /// Somebody else wrote in our slot.
    SlotShared(GroupId),
}

/// Why no group was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a device is in eight groups at most: leave one first")]
pub struct GroupError;

/// No group of that id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no such group")]
pub struct UnknownGroup;

/// Why a group was not joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GroupJoinError {
    /// In that many groups already.
    #[error("a device is in eight groups at most: leave one first")]
    Full,
    /// This device is in the group.
    #[error("this device is in that group already")]
    Again(GroupId),
    /// The invitation is a week old, or from the future.
    #[error("the invitation is older than a week, or one of the clocks is wrong: ask for a new one")]
    TooOld,
    /// Another federation's group.
    #[error("the group belongs to another federation")]
    OtherFederation,
}

/// Why nobody was invited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InviteError {
    /// No group of that id.
    #[error("no such group")]
    Unknown,
    /// Fewer member slots are left than the invitation was to have.
    #[error("{left} member slots are left to give away here")]
    NoSlots {
        /// How many are.
        left: u8,
    },
    /// The clock is behind the group.
    #[error("this device's clock is behind the group's: set it right")]
    Clock,
}

/// Why nothing was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnnounceError {
    /// No group of that id.
    #[error("no such group")]
    Unknown,
    /// Somebody else writes in this member's slot.
    #[error("somebody else writes with this invitation: join again with one of your own")]
    SlotShared,
    /// Too much waits already.
    #[error("the announcements before have not left yet")]
    Queue,
    /// No announcement has such a text.
    #[error("the text does not fit an announcement")]
    Text,
}
