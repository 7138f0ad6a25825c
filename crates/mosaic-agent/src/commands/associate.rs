use std::collections::BTreeSet;

use mosaic_api::{
    AssociateReply, AssociationKind, AssociationList, AssociationView, PeopleReply, Person, Problem, ProblemKind,
    VcardReply,
};
use mosaic_discovery::{AcceptError, AssociationId, AssociationState, Associations, JoinError, Kind, TokenError};
use mosaic_release::Releaser;
use mosaic_types::{Code, ContactText, Lane, Timestamp, Token};
use rand::CryptoRng;
use thiserror::Error;

use crate::{core::AgentCore, qr, state::KeptPerson};

/// How long a token or a code is waited for (L5-06).
const TOKEN_LIFE: std::time::Duration = std::time::Duration::from_hours(24);

/// How an association begins.
#[derive(Debug)]
pub enum Beginning {
    /// A token is made.
    NewToken,
    /// A token is joined.
    Token(Token),
    /// A code is made.
    NewCode,
    /// A code is joined.
    Code(CountedTry),
}

/// One of the three tries of a code, counted by [`AgentCore::count_try`]; there is no other way to join one. Save the
/// state before using it: what was not saved is forgotten at a restart, and so are the tries.
#[derive(Debug)]
pub struct CountedTry {
    code: Code,
    left: u8,
}

/// Why no association began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AssociateError {
    /// No token or code was made.
    #[error(transparent)]
    Create(TokenError),
    /// The token or code was not joined.
    #[error(transparent)]
    Join(JoinError),
    /// Three times at this nameplate are enough.
    #[error("a code of this nameplate was tried three times: ask for a new one")]
    NoTries,
}

impl From<AssociateError> for Problem {
    fn from(error: AssociateError) -> Self {
        let kind = match error {
            AssociateError::Join(JoinError::Again(_)) | AssociateError::NoTries => ProblemKind::WrongState,
            AssociateError::Join(JoinError::BadToken) => ProblemKind::InvalidToken,
            _ => ProblemKind::Quota,
        };
        Self::new(kind).with_detail(error)
    }
}

/// Why an association was not found or not changed. What never existed, expired or was deleted looks
/// the same (L5-15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LookupError {
    /// An id of the wrong shape.
    #[error("an id has 32 hexadecimal digits")]
    InvalidId,
    /// No such association.
    #[error("there is no such association")]
    Unknown,
    /// The contact is not kept.
    #[error("this contact is in memory only: keep the person first")]
    NotKept,
    /// A contact was given before.
    #[error("a contact was given already")]
    Again,
    /// Five a day are used up (L5-20).
    #[error("five associations a day are used up")]
    DailyLimit {
        /// When the next one is free.
        retry_at: Timestamp,
        /// When that was said.
        now: Timestamp,
    },
}

impl From<LookupError> for Problem {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::InvalidId => ProblemKind::InvalidId.into(),
            LookupError::Unknown => ProblemKind::UnknownAssociation.into(),
            LookupError::Again | LookupError::NotKept => Self::new(ProblemKind::WrongState).with_detail(error),
            LookupError::DailyLimit { retry_at, now } => {
                Self::new(ProblemKind::Quota).with_detail(error).retry_after(retry_at.since(now).as_secs() + 1)
            }
        }
    }
}

impl AgentCore {
    /// Makes a token or a code for somebody, or joins one. The contact leaves once both sides hold the channel.
    ///
    /// # Errors
    /// [`AssociateError`]; nothing was changed then.
    pub fn associate(
        &mut self,
        now: Timestamp,
        rng: &mut impl CryptoRng,
        beginning: Beginning,
        contact: ContactText,
    ) -> Result<AssociateReply, AssociateError> {
        self.attend(now);
        let (mut token, mut code, mut tries_left) = (None, None, None);
        let id = match beginning {
            Beginning::NewToken => {
                let (id, made) = self.associations.create_token(now, rng).map_err(AssociateError::Create)?;
                token = Some(made.expose(|characters| String::from_utf8_lossy(characters).into_owned()));
                id
            }
            Beginning::NewCode => {
                let (id, made) = self.associations.create_code(now, rng).map_err(AssociateError::Create)?;
                code = Some(made.expose(str::to_owned));
                id
            }
            Beginning::Token(joined) => {
                let id = self.associations.join_token(now, &joined, rng).map_err(AssociateError::Join)?;
                self.rescan_rendezvous(now, rng);
                self.schedule.hurry(now, Lane::Rendezvous, rng);
                id
            }
            Beginning::Code(counted) => {
                tries_left = Some(counted.left);
                let id = self.associations.join_code(now, &counted.code, rng).map_err(AssociateError::Join)?;
                self.schedule.hurry(now, Lane::Rendezvous, rng);
                id
            }
        };
        // cannot fail for an association that was just made
        let _given = self.associations.accept(now, id, &Releaser::contact(contact));
        let shown = AssociateReply::shown(token.as_deref(), code.as_deref());
        Ok(AssociateReply {
            id: id.to_string(),
            svg: shown.as_deref().and_then(qr::svg),
            invitation: shown,
            token,
            code,
            tries_left,
            expires_at: now.after(TOKEN_LIFE).as_secs(),
            warnings: vec![Self::memory_warning()],
        })
    }

    /// Takes one of the tries that a code's nameplate has from this device.
    ///
    /// # Errors
    /// [`AssociateError::Join`] where the code could not be joined anyway, and [`AssociateError::NoTries`]; no try is
    /// taken then.
    pub fn count_try(&mut self, now: Timestamp, code: Code) -> Result<CountedTry, AssociateError> {
        self.associations.may_join_code(&code).map_err(AssociateError::Join)?;
        let left = self.tries.take(now, code.nameplate()).ok_or(AssociateError::NoTries)?;
        self.dirty = true;
        Ok(CountedTry { code, left })
    }

    /// The association of a token.
    ///
    /// # Errors
    /// [`LookupError::Unknown`], whether the token never existed here, expired or was declined.
    pub fn association(&self, token: &Token) -> Result<AssociationView, LookupError> {
        let view = self.associations.get(Associations::id_of_token(token));
        view.and_then(|view| shown(&view)).ok_or(LookupError::Unknown)
    }

    /// All associations that are not over, oldest first.
    pub fn associations(&self) -> AssociationList {
        AssociationList { associations: self.associations.list().iter().rev().filter_map(shown).collect(), next: None }
    }

    /// Gives one's contact to somebody who approached, or who answered.
    ///
    /// # Errors
    /// [`LookupError`]; nothing was changed then.
    pub fn accept(
        &mut self,
        now: Timestamp,
        rng: &mut impl CryptoRng,
        id: &str,
        contact: ContactText,
    ) -> Result<(), LookupError> {
        self.attend(now);
        let id = parse(id)?;
        self.associations.accept(now, id, &Releaser::contact(contact)).map_err(|error| match error {
            AcceptError::Again => LookupError::Again,
            AcceptError::DailyLimit { retry_at } => LookupError::DailyLimit { retry_at, now },
            _ => LookupError::Unknown,
        })?;
        self.schedule.hurry(now, Lane::Rendezvous, rng);
        Ok(())
    }

    /// Says no; the other side sees nothing.
    ///
    /// # Errors
    /// [`LookupError::Unknown`] or [`LookupError::InvalidId`].
    pub fn decline(&mut self, now: Timestamp, id: &str) -> Result<(), LookupError> {
        self.attend(now);
        self.associations.decline(parse(id)?).map_err(|_| LookupError::Unknown)
    }

    /// Forgets an association at once.
    ///
    /// # Errors
    /// [`LookupError::Unknown`] or [`LookupError::InvalidId`].
    pub fn delete(&mut self, now: Timestamp, id: &str) -> Result<(), LookupError> {
        self.attend(now);
        self.associations.delete(parse(id)?).map_err(|_| LookupError::Unknown)
    }

    /// Everybody whose contact is here: those of this session and those kept. Who was met over two of
    /// their cards is listed once: cards of one person cannot be told apart before the contact comes.
    pub fn people(&self) -> PeopleReply {
        let mut people: Vec<_> = self.kept.iter().map(|(id, kept)| kept_person(id, kept)).collect();
        for view in self.associations.list() {
            let id = view.id.to_string();
            let Some(contact) = view.contact.filter(|_| !self.kept.contains_key(&id)) else { continue };
            let contact = contact.expose(str::to_owned);
            people.push(Person { id, contact, since: view.since.as_secs(), kept: false });
        }
        people.sort_by(|a, b| (!a.kept, a.since, &a.id).cmp(&(!b.kept, b.since, &b.id)));
        let mut seen = BTreeSet::new();
        people.retain(|person| seen.insert(person.contact.clone()));
        people.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        PeopleReply { people, next: None }
    }

    /// Keeps a contact in the vault; without this it is forgotten with its association (S-46, C-58).
    ///
    /// # Errors
    /// [`LookupError`] when nobody of that id gave a contact.
    pub fn keep_person(&mut self, id: &str) -> Result<(), LookupError> {
        let view = self.associations.get(parse(id)?).ok_or(LookupError::Unknown)?;
        let contact = view.contact.ok_or(LookupError::Unknown)?;
        self.kept.insert(view.id.to_string(), KeptPerson::new(&contact, view.since));
        self.dirty = true;
        Ok(())
    }

    /// A kept contact as a vCard. What is not kept stays in memory: a file outlives its association (S-46, C-58).
    ///
    /// # Errors
    /// [`LookupError::Unknown`], [`LookupError::InvalidId`], and [`LookupError::NotKept`] while the contact is not.
    pub fn vcard(&self, id: &str) -> Result<VcardReply, LookupError> {
        let parsed = parse(id)?;
        match self.kept.get(&parsed.to_string()) {
            Some(kept) => Ok(VcardReply { vcard: mosaic_api::vcard(&kept.contact) }),
            None if self.associations.get(parsed).is_some_and(|view| view.contact.is_some()) => {
                Err(LookupError::NotKept)
            }
            None => Err(LookupError::Unknown),
        }
    }

    /// Forgets a contact, kept or not.
    ///
    /// # Errors
    /// [`LookupError`] when there is none of that id.
    pub fn forget_person(&mut self, id: &str) -> Result<(), LookupError> {
        let parsed = parse(id)?;
        let kept = self.kept.remove(&parsed.to_string()).is_some();
        self.dirty |= kept;
        let deleted = self.associations.delete(parsed).is_ok();
        if kept || deleted { Ok(()) } else { Err(LookupError::Unknown) }
    }
}

pub(super) fn kept_person(id: &str, kept: &KeptPerson) -> Person {
    Person { id: id.to_owned(), contact: kept.contact.clone(), since: kept.since.as_secs(), kept: true }
}

fn parse(id: &str) -> Result<AssociationId, LookupError> {
    id.parse().map_err(|_| LookupError::InvalidId)
}

/// What the API shows of an association; nothing of one that is over.
fn shown(view: &mosaic_discovery::AssociationView) -> Option<AssociationView> {
    let state = match view.state {
        AssociationState::Waiting => mosaic_api::AssociationState::Waiting,
        AssociationState::Answered => mosaic_api::AssociationState::Answered,
        AssociationState::Approached => mosaic_api::AssociationState::Approached,
        AssociationState::Accepted => mosaic_api::AssociationState::Given,
        AssociationState::Offered => mosaic_api::AssociationState::Offered,
        AssociationState::Connected => mosaic_api::AssociationState::Connected,
        AssociationState::Failed => mosaic_api::AssociationState::Failed,
        AssociationState::Declined | AssociationState::Expired => return None,
    };
    let kind = match view.kind {
        Kind::Wave => AssociationKind::Wave,
        Kind::Token => AssociationKind::Token,
        Kind::Code => AssociationKind::Code,
    };
    let (id, expires_at) = (view.id.to_string(), view.until.as_secs());
    Some(AssociationView { id, kind, state, since: view.since.as_secs(), expires_at, tries_left: view.tries_left })
}

#[cfg(test)]
mod tests;
