//! What a token was spent on, decided once for whoever asks: one small seam, two engines, one conformance suite.
//!
//! A provider of one process decides in its own memory and keeps it in its store ([`SpentTokens`]). Fronts ask a Redis
//! Cluster that they share ([`RedisSpent`]). `docs/adr/0021-fronts-answer-and-one-writer-signs.md` says what that
//! cluster can forget.

mod address;
mod conformance;
mod redis;

use std::{
    collections::{BTreeMap, HashMap},
    pin::Pin,
    sync::{Mutex, PoisonError},
};

use mosaic_federation::day;
use mosaic_types::Timestamp;
use thiserror::Error;

pub use address::{InvalidSpentAddress, SpentAddress};
pub use conformance::check_spent_conformance;
pub use redis::RedisSpent;

/// A token that somebody wants to spend, and on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spend {
    /// [`mosaic_wire::WireToken::spend_id`].
    pub id: [u8; 32],
    /// Digest of what is bought with it.
    pub bought: [u8; 32],
    /// When, by the provider's clock.
    pub at: Timestamp,
}

/// What a spent set says of a [`Spend`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spending {
    /// Nobody had spent the token.
    First,
    /// It was spent on the same before: answer again.
    Again,
    /// It was spent on something else.
    Otherwise,
}

/// The answer of a spent set, to come.
pub type SpendingSoon<'a> = Pin<Box<dyn Future<Output = Result<Spending, SpentError>> + Send + 'a>>;

/// Where it is decided what a token was spent on.
///
/// Of all who ever spend one token on different things, at most one hears [`Spending::First`] or [`Spending::Again`], as
/// long as the set loses nothing.
pub trait SpentSet: Send + Sync {
    /// Spends a token, unless it was spent on something else. After an error the token may count as spent on this: to
    /// ask again for the same is what settles it.
    ///
    /// # Errors
    /// [`SpentError`]; nothing may be handed out then.
    fn spend(&self, spend: Spend) -> SpendingSoon<'_>;
}

/// Why it is not known what a token was spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SpentError {
    /// The set did not answer.
    #[error("the spent set does not answer")]
    Unreachable,
    /// It answered, and no second node has a copy.
    #[error("no second node of the spent set has a copy")]
    NotCopied,
    /// Too many wait for it.
    #[error("too many wait for the spent set")]
    Busy,
}

/// The set in memory: each day's tokens and what they bought. Whoever owns it stores what is to outlive the process.
#[derive(Debug, Default)]
pub struct SpentTokens(BTreeMap<u64, HashMap<[u8; 32], [u8; 32]>>);

impl SpentTokens {
    /// Spends a token, unless it was spent on something else.
    pub fn spend(&mut self, spend: &Spend) -> Spending {
        match self.bought(&spend.id) {
            Some(before) if *before == spend.bought => Spending::Again,
            Some(_) => Spending::Otherwise,
            None => {
                self.note(day(spend.at), spend.id, spend.bought);
                Spending::First
            }
        }
    }

    /// What a token was spent on.
    pub(crate) fn bought(&self, id: &[u8; 32]) -> Option<&[u8; 32]> {
        self.0.values().find_map(|day| day.get(id))
    }

    /// Takes what was stored.
    pub(crate) fn note(&mut self, day: u64, id: [u8; 32], bought: [u8; 32]) {
        self.0.entry(day).or_default().insert(id, bought);
    }

    /// Takes a spending back that was not stored.
    pub(crate) fn revoke(&mut self, id: &[u8; 32]) {
        for day in self.0.values_mut() {
            day.remove(id);
        }
    }

    /// Forgets the days before `keep`; which ones.
    pub(crate) fn forget_before(&mut self, keep: u64) -> impl Iterator<Item = u64> + use<> {
        let recent = self.0.split_off(&keep);
        std::mem::replace(&mut self.0, recent).into_keys()
    }
}

impl SpentSet for Mutex<SpentTokens> {
    fn spend(&self, spend: Spend) -> SpendingSoon<'_> {
        let spending = self.lock().unwrap_or_else(PoisonError::into_inner).spend(&spend);
        Box::pin(std::future::ready(Ok(spending)))
    }
}
