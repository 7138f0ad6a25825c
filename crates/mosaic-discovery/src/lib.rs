//! What a reader looks for and finds: reading plans, cards, waves, tokens, associations.
//!
//! A reader turns an [`Interest`] into the inputs of the threshold OPRF ([`plan`]), opens what opens
//! into [`Card`]s, keeps them in a [`CardBook`] and ranks them locally (DESIGN section 3, step 6).
//! From a card, or from a 32-character token, two people get in touch over the rendezvous lane:
//! [`Associations`] holds both sides of that (step 7). Nothing here touches a socket, a file or a
//! clock, and nothing has an encoding for storage: what is lost at a restart is meant to be (S-46).

mod associations;
mod book;
mod card;
mod ids;
mod interest;
mod score;

pub use associations::{
    AcceptError, AssociationEvent, AssociationState, AssociationView, Associations, CardOrigin, JoinError, Kind,
    OutgoingFrame, OwnCard, TokenError, UnknownAssociation, Wanted, WaveError,
};
pub use book::{CardBook, Insertion};
pub use card::Card;
pub use ids::{AssociationId, CardId, FrameId, InvalidId};
pub use interest::{Interest, Reach, plan};
pub use score::{Ranked, Sent, similarity};
