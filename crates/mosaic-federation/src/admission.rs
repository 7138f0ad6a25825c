mod ahead;

use std::{sync::Arc, time::Duration};

use mosaic_crypto::{
    digest,
    oprf::{OprfError, partial::PartialKey},
};
use mosaic_types::{ProviderId, Timestamp};
use mosaic_wire::{TokenPurpose, TokensQuery, TokensReply, WireToken};
use rand::CryptoRng;
use thiserror::Error;

use crate::FederationDescriptor;

use ahead::{ChallengeKeys, LookedAt};

/// Token type: POPRF over ristretto255 with several issuers. From the range that RFC 9577 leaves unassigned, so that
/// none is ever taken for a token of RFC 9578.
pub const TOKEN_KIND: u16 = 0xfe02;

/// How far from its hour a token is still taken: clocks may differ by five minutes, and replicas and relays take time.
pub const TOKEN_GRACE: Duration = Duration::from_mins(10);

/// Why a token was not given or not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotAdmitted {
    /// Not issued for this provider, purpose and hour.
    #[error("the token is not good for this provider, purpose and hour")]
    Invalid,
    /// Too many in this hour.
    #[error("the ration is used up for {} s", retry_after.as_secs())]
    Quota {
        /// When there is more.
        retry_after: Duration,
    },
}

/// Days since the Unix epoch: what the spent set and the seeds of puzzles are cut by.
pub const fn day(now: Timestamp) -> u64 {
    now.as_secs() / 86_400
}

/// Hours since the Unix epoch: what a token is bound to.
pub fn hour(now: Timestamp) -> u32 {
    u32::try_from(now.as_secs() / 3_600).unwrap_or(u32::MAX)
}

/// What a token of `purpose` for `redeemer` in `hour` names: the public input of its issue. The same for everybody.
pub fn challenge(redeemer: ProviderId, purpose: TokenPurpose, hour: u32) -> [u8; 32] {
    digest(&[b"mosaic/token challenge/2", &[redeemer.get(), purpose.number()], &hour.to_be_bytes()])
}

/// The issuers of a federation with their public keys, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuers {
    keys: Arc<[(ProviderId, [u8; 32])]>,
    key_id: [u8; 32],
}

impl Issuers {
    /// The providers of `descriptor`.
    pub fn of(descriptor: &FederationDescriptor) -> Self {
        let keys: Arc<[_]> = descriptor.providers.iter().map(|entry| (entry.id, entry.token_key)).collect();
        let named: Vec<u8> = keys.iter().flat_map(|(id, key)| [&[id.get()], key.as_slice()].concat()).collect();
        Self { key_id: digest(&[b"mosaic/token keys/1", &named]), keys }
    }

    /// Their numbers, ascending.
    pub fn ids(&self) -> impl Iterator<Item = ProviderId> {
        self.keys.iter().map(|(id, _)| *id)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// What names all their keys in a token.
    pub const fn key_id(&self) -> &[u8; 32] {
        &self.key_id
    }

    /// Challenges of the groups of a query to `issuer`, in order ([`TokensQuery::groups`]).
    pub fn challenges(&self, issuer: ProviderId, query: &TokensQuery) -> impl Iterator<Item = [u8; 32]> + use<'_> {
        let first = query.first;
        (0..u32::from(query.hours)).map(move |offset| first.saturating_add(offset)).flat_map(move |hour| {
            let deposits = self.ids().map(move |redeemer| challenge(redeemer, TokenPurpose::Deposit, hour));
            deposits.chain([challenge(issuer, TokenPurpose::Evaluate, hour)])
        })
    }

    /// Where a provider's authenticator stands in a token, and its key.
    pub(crate) fn place(&self, id: ProviderId) -> Option<(usize, &[u8; 32])> {
        self.keys.iter().enumerate().find(|(_, (named, _))| *named == id).map(|(place, (_, key))| (place, key))
    }
}

/// One provider's part in issuing and checking tokens. It holds no state but what spares it work: the spent set is the
/// provider's store, which makes spending durable together with what was bought.
pub struct Issuer {
    key: PartialKey,
    me: ProviderId,
    place: usize,
    issuers: Issuers,
    keys: ChallengeKeys,
    looked_at: LookedAt,
}

impl Issuer {
    /// The key behind `seed`, 32 uniform bytes that the provider keeps.
    ///
    /// # Errors
    /// [`OprfError`]: never seen.
    pub fn key(seed: &[u8; 32]) -> Result<PartialKey, OprfError> {
        PartialKey::derive(seed, b"mosaic/token key/1")
    }

    /// The issuer `me` of `issuers`; `None` when they do not name it with the key behind `seed`.
    pub fn new(seed: &[u8; 32], me: ProviderId, issuers: Issuers) -> Option<Self> {
        let key = Self::key(seed).ok()?;
        let (place, _) = issuers.place(me).filter(|(_, named)| *named == key.public())?;
        let (keys, looked_at) = (ChallengeKeys::default(), LookedAt::default());
        Some(Self { key, me, place, issuers, keys, looked_at })
    }

    /// Evaluates the points of a query, each group under its challenge. Whether it was paid for is the caller's to say.
    ///
    /// # Errors
    /// [`NotAdmitted::Invalid`] for another number of redeemers or of points, or points that are none.
    pub fn issue(&self, query: &TokensQuery, rng: &mut dyn CryptoRng) -> Result<TokensReply, NotAdmitted> {
        if usize::from(query.redeemers) != self.issuers.count() || query.points.len() != query.announced() {
            return Err(NotAdmitted::Invalid);
        }
        let (mut points, mut proofs) = (Vec::with_capacity(query.points.len()), Vec::new());
        let mut left = query.points.as_slice();
        for (challenge, count) in self.issuers.challenges(self.me, query).zip(query.groups()) {
            let (group, rest) = left.split_at_checked(count).ok_or(NotAdmitted::Invalid)?;
            let evaluation = self.key.evaluate(group, &challenge, rng).map_err(|_| NotAdmitted::Invalid)?;
            points.extend(evaluation.points);
            proofs.push(evaluation.proof);
            left = rest;
        }
        Ok(TokensReply { points, proofs })
    }

    /// Whether `token` pays for `purpose` at `redeemer` now, as far as this provider issued it.
    ///
    /// # Errors
    /// [`NotAdmitted::Invalid`].
    pub fn check(
        &self,
        now: Timestamp,
        token: &WireToken,
        purpose: TokenPurpose,
        redeemer: ProviderId,
    ) -> Result<(), NotAdmitted> {
        if !self.is_named(now, token, purpose, redeemer) {
            return Err(NotAdmitted::Invalid);
        }
        let good = match self.looked_at.take(&looked_at_as(token, redeemer)) {
            Some(good) => good,
            None => self.is_issued(token),
        };
        if good { Ok(()) } else { Err(NotAdmitted::Invalid) }
    }

    /// Does the work of [`Self::check`] beforehand, on whatever thread, so that the next check of the same token is quick:
    /// whoever decides about tokens does so one after the other, and the arithmetic need not wait in that line. Decides
    /// nothing; what is kept is bounded, and good for one check.
    pub fn look_ahead(&self, now: Timestamp, token: &WireToken, purpose: TokenPurpose, redeemer: ProviderId) {
        if self.is_named(now, token, purpose, redeemer) {
            self.looked_at.put(looked_at_as(token, redeemer), self.is_issued(token));
        }
    }

    /// Whether it says that it is for this purpose at this redeemer, about now, by these issuers.
    fn is_named(&self, now: Timestamp, token: &WireToken, purpose: TokenPurpose, redeemer: ProviderId) -> bool {
        let hours = hour(now.before(TOKEN_GRACE))..=hour(now.after(TOKEN_GRACE));
        let named = hours.into_iter().any(|hour| token.challenge == challenge(redeemer, purpose, hour));
        named && token.kind == TOKEN_KIND && token.key_id == *self.issuers.key_id()
    }

    /// Whether this provider's authenticator in a token that [`Self::is_named`] is its own.
    fn is_issued(&self, token: &WireToken) -> bool {
        use subtle::ConstantTimeEq as _;
        let output = self.keys.get(&self.key, &token.challenge).and_then(|key| key.output(&token.signed_part()));
        let (Ok(output), Some(given)) = (output, token.authenticator_of(self.place)) else { return false };
        authenticator(&output).ct_eq(given).into()
    }
}

/// What names a check: every byte of the token, and where it is spent; its challenge says for what and when.
fn looked_at_as(token: &WireToken, redeemer: ProviderId) -> [u8; 32] {
    digest(&[b"mosaic/token looked at/1", &[redeemer.get()], &token.encode()])
}

/// The first 32 bytes of the output of a token's signed part.
pub(crate) fn authenticator(output: &mosaic_crypto::oprf::OprfOutput) -> [u8; 32] {
    *output.as_bytes().first_chunk().unwrap_or(&[0; 32])
}

/// A ration per hour, for everybody together: the provider cannot tell its clients apart.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    per_hour: u32,
    hour: u64,
    used: u32,
}

impl Quota {
    /// At most `per_hour` in each hour.
    pub const fn new(per_hour: u32) -> Self {
        Self { per_hour, hour: 0, used: 0 }
    }

    /// Uses `count` of the ration.
    ///
    /// # Errors
    /// [`NotAdmitted::Quota`] when that many are not left.
    pub fn take(&mut self, now: Timestamp, count: u32) -> Result<(), NotAdmitted> {
        let hour = now.as_secs() / 3_600;
        if hour != self.hour {
            (self.hour, self.used) = (hour, 0);
        }
        let used = self.used.saturating_add(count);
        if used > self.per_hour {
            return Err(NotAdmitted::Quota { retry_after: Duration::from_secs((hour + 1) * 3_600 - now.as_secs()) });
        }
        self.used = used;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ration_returns_with_the_next_hour() {
        let mut quota = Quota::new(3);
        let now = Timestamp::from_secs(3_600 * 50 + 600);
        assert_eq!(quota.take(now, 3), Ok(()));
        let retry_after = Duration::from_secs(3_000);
        assert_eq!(quota.take(now, 1), Err(NotAdmitted::Quota { retry_after }));
        assert_eq!(quota.take(now.after(retry_after), 1), Ok(()));
    }
}
