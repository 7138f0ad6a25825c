use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mosaic_types::{ProviderId, Timestamp};
use mosaic_wire::{TokenPurpose, WireToken};

/// Tokens in stock, each good at one provider for one purpose.
#[derive(Default)]
pub(crate) struct Wallet {
    stock: BTreeMap<(ProviderId, TokenPurpose), VecDeque<WireToken>>,
    asked: BTreeSet<(ProviderId, TokenPurpose)>,
    rest_until: BTreeMap<(ProviderId, TokenPurpose), Timestamp>,
}

impl Wallet {
    /// How many a query asks for, and below how many one is made. Constants: what is spent must not
    /// show in when more is fetched than it shows anyway.
    pub(crate) const fn lot(purpose: TokenPurpose) -> u16 {
        match purpose {
            TokenPurpose::Deposit => 16,
            TokenPurpose::Evaluate => 64,
        }
    }

    const fn low(purpose: TokenPurpose) -> usize {
        match purpose {
            TokenPurpose::Deposit => 4,
            TokenPurpose::Evaluate => 16,
        }
    }

    pub(crate) fn has(&self, provider: ProviderId, purpose: TokenPurpose) -> bool {
        self.stock.get(&(provider, purpose)).is_some_and(|tokens| !tokens.is_empty())
    }

    pub(crate) fn take(&mut self, provider: ProviderId, purpose: TokenPurpose) -> Option<WireToken> {
        self.stock.get_mut(&(provider, purpose))?.pop_front()
    }

    /// Whether to ask now; marks it as asked.
    pub(crate) fn claim_query(&mut self, now: Timestamp, provider: ProviderId, purpose: TokenPurpose) -> bool {
        let key = (provider, purpose);
        let low = self.stock.get(&key).map_or(0, VecDeque::len) < Self::low(purpose);
        let rested = self.rest_until.get(&key).is_none_or(|until| *until <= now);
        low && rested && self.asked.insert(key)
    }

    pub(crate) fn restock(&mut self, provider: ProviderId, purpose: TokenPurpose, tokens: Vec<WireToken>) {
        self.asked.remove(&(provider, purpose));
        self.rest_until.remove(&(provider, purpose));
        let stock = self.stock.entry((provider, purpose)).or_default();
        stock.extend(tokens);
        stock.truncate(512);
    }

    pub(crate) fn refused(&mut self, provider: ProviderId, purpose: TokenPurpose, until: Timestamp) {
        self.asked.remove(&(provider, purpose));
        self.rest_until.insert((provider, purpose), until);
    }

    /// Drops tokens of a provider that does not take them (any more).
    pub(crate) fn discard(&mut self, provider: ProviderId, purpose: TokenPurpose) {
        self.stock.remove(&(provider, purpose));
    }

    pub(crate) fn next_retry(&self, now: Timestamp) -> Option<Timestamp> {
        self.rest_until.values().copied().filter(|until| *until > now).min()
    }
}
