use mosaic_crypto::agreement::AgreementSecret;
use mosaic_types::{ContactText, Timestamp, Window};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{AssociationId, FrameId};

/// How two people came together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// From a discovery card.
    Wave,
    /// From a 32-character token.
    Token,
    /// From a code that was read out.
    Code,
}

/// Where an association stands, seen from this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssociationState {
    /// Our first message is out, or our token or code is; nothing came back.
    Waiting,
    /// An automatic answer came. It says nothing about a person: personas answer too.
    Answered,
    /// Somebody waved at a card of ours, or joined our token: the person decides.
    Approached,
    /// Our contact is given; theirs has not come.
    Accepted,
    /// Theirs is here, and ours is given.
    Connected,
    /// Theirs is here; ours is not given.
    Offered,
    /// The person said no: silence, and the keys are gone.
    Declined,
    /// Nothing came in time; the keys are gone.
    Expired,
    /// Whoever answered our joining by code does not know the password, or ours was wrong; the keys are gone.
    Failed,
}

/// One association, as the person may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssociationView {
    /// Its name.
    pub id: AssociationId,
    /// How it began.
    pub kind: Kind,
    /// Where it stands.
    pub state: AssociationState,
    /// When it began here.
    pub since: Timestamp,
    /// When it ends as things stand: 24 h after it began while nothing came back, else 48 h.
    pub until: Timestamp,
    /// The card it is about: the one we waved at, or the own one somebody waved at.
    pub card: Option<[u8; 32]>,
    /// The other side's contact, once they accepted.
    pub contact: Option<ContactText>,
    /// While a code made here waits: how many more may try it.
    pub tries_left: Option<u8>,
}

/// What happened to an association of the person. Automatic steps of personas make no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssociationEvent {
    /// Somebody waved at a real card, joined a token, or proved the password of a code.
    Approached(AssociationId),
    /// The automatic answer to our wave or to our joining came; by a code, its sender proved the password.
    Answered(AssociationId),
    /// The other side's contact came: they accepted.
    ContactReceived(AssociationId),
    /// Its time is over.
    Expired(AssociationId),
    /// The answer to our joining by code proved no password.
    Failed(AssociationId),
}

/// Whose card it is. Only acceptance, which a person does, tells the two apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CardOrigin {
    /// The person's own broadcast of that number.
    Broadcast(u64),
    /// A persona's.
    Persona(u8),
}

/// A card this device published and answers for. No `Clone`, no `Debug`: it holds the secret key.
pub struct OwnCard {
    /// The key inside the bundle.
    pub public: [u8; 32],
    /// What opens waves at it.
    pub secret: AgreementSecret,
    /// Whose it is.
    pub origin: CardOrigin,
    /// The window it was sealed for.
    pub window: Window,
}

/// A frame for the next rendezvous event. No `Debug`: row and key are ours.
#[derive(Clone)]
pub struct OutgoingFrame {
    /// To report whether it left.
    pub id: FrameId,
    /// Its row, by chain counter: `rows[i]` after `i` full rows.
    pub rows: [u32; 4],
    /// Seals the record.
    pub key: Zeroizing<[u8; 32]>,
    /// What is sealed.
    pub plain: Zeroizing<[u8; 136]>,
}

/// Why no wave was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WaveError {
    /// More waves than the mode allows in an hour.
    #[error("no more waves this hour")]
    TooMany {
        /// When the next one is free.
        retry_at: Timestamp,
    },
    /// Waved at this card already.
    #[error("this card was waved at already")]
    Again(AssociationId),
    /// The card is the device's own.
    #[error("this card is our own")]
    Own,
    /// Nobody reads this card's mailbox any more.
    #[error("the card is too old to wave at")]
    TooOld,
    /// The card's key cannot be used.
    #[error("the card's key is not usable")]
    BadKey,
    /// More associations than are kept at a time.
    #[error("too many open associations")]
    Full,
}

/// Why no token or code was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("too many open associations")]
pub struct TokenError;

/// Why a token or code could not be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JoinError {
    /// Joined or made on this device already.
    #[error("this token or code is in use on this device already")]
    Again(AssociationId),
    /// More associations than are kept at a time.
    #[error("too many open associations")]
    Full,
    /// The handshake could not start.
    #[error("the token or code cannot be used")]
    BadToken,
}

/// No such association, or it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no such association")]
pub struct UnknownAssociation;

/// Why a contact was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// No such association.
    #[error("no such association")]
    Unknown,
    /// It expired or was declined.
    #[error("the association is over")]
    Over,
    /// A contact was given before.
    #[error("a contact was given already")]
    Again,
    /// Five a day are used up (L5-20).
    #[error("no more associations today")]
    DailyLimit {
        /// When the next one is free.
        retry_at: Timestamp,
    },
}
