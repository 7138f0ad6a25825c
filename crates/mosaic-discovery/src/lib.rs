//! What a reader looks for and finds: reading plans, cards, waves, tokens, associations, groups.
//!
//! A reader turns an [`Interest`] into the inputs of the threshold OPRF ([`plan`]), opens what opens
//! into [`Card`]s, keeps them in a [`CardBook`] and ranks them locally (DESIGN section 3, step 6).
//! From a card, or from a 32-character token, two people get in touch over the rendezvous lane:
//! [`Associations`] holds both sides of that (step 7). People who were handed one secret write to each other as a group
//! ([`Groups`], L5-25). Nothing here touches a socket, a file or a clock. Groups alone have an encoding for storage
//! ([`StoredGroups`]): all else that is lost at a restart is meant to be (S-46).

mod associations;
mod book;
mod card;
mod counter;
mod groups;
mod ids;
mod index;
mod interest;
mod ratchet;
mod score;

pub use associations::{
    AcceptError, AssociationEvent, AssociationState, AssociationView, Associations, CardOrigin, JoinError, Kind,
    OutgoingFrame, OwnCard, TokenError, UnknownAssociation, WaveError,
};
pub use book::{CardBook, Insertion};
pub use card::Card;
pub use groups::{
    AnnounceError, AnnouncementView, GroupError, GroupEvent, GroupJoinError, GroupView, Groups, Invitation,
    InvitationError, InvitationText, InviteError, Sent, StoredGroups, UnknownGroup,
};
pub use ids::{AssociationId, CardId, FrameId, GroupId, InvalidId};
pub use index::Wanted;
pub use interest::{Interest, Reach, plan};
pub use score::{Ranked, SentAt, similarity};
