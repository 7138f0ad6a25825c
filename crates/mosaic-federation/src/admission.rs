use std::time::Duration;

use mosaic_crypto::{
    digest,
    kdf::{Label, derive},
};
use mosaic_types::{ProviderId, Timestamp};
use mosaic_wire::{TokenPurpose, TokensQuery, TokensReply, WireToken};
use rand::CryptoRng;
use thiserror::Error;
use zeroize::ZeroizeOnDrop;

/// Who says which tokens are good at this provider. The spent set is the provider's store, which makes
/// spending durable together with what was bought.
pub trait Admission {
    /// Gives out tokens.
    ///
    /// # Errors
    /// [`NotAdmitted`] when the issuer's ration is used up.
    fn issue(
        &mut self,
        now: Timestamp,
        query: &TokensQuery,
        rng: &mut dyn CryptoRng,
    ) -> Result<TokensReply, NotAdmitted>;

    /// Whether `token` pays for `purpose` here and now.
    ///
    /// # Errors
    /// [`NotAdmitted::Invalid`].
    fn check(&self, now: Timestamp, token: &WireToken, purpose: TokenPurpose) -> Result<(), NotAdmitted>;
}

/// Why a token was not given or not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotAdmitted {
    /// Not issued for this provider, purpose and day.
    #[error("the token is not good for this provider, purpose and day")]
    Invalid,
    /// Too many in this hour.
    #[error("the ration is used up for {} s", retry_after.as_secs())]
    Quota {
        /// When there is more.
        retry_after: Duration,
    },
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

/// An issuer for tests and practice: it gives tokens to whoever asks and *could recognise every one of
/// them* when it is spent. It has the size and the bindings of the real thing (purpose, day, redeeming
/// provider) and none of its anonymity; the claim about tokens is therefore open.
#[derive(ZeroizeOnDrop)]
pub struct TestIssuer {
    key: [u8; 32],
    #[zeroize(skip)]
    provider: ProviderId,
    #[zeroize(skip)]
    quota: Quota,
}

/// Token type of [`TestIssuer`]: from the range that RFC 9577 leaves unassigned, so that none is ever
/// taken for a blind RSA token.
pub const TEST_TOKEN_KIND: u16 = 0xfe01;

impl TestIssuer {
    /// The issuer of tokens that are redeemed at `provider`, under a secret of that provider.
    pub const fn new(provider: ProviderId, key: [u8; 32], per_hour: u32) -> Self {
        Self { key, provider, quota: Quota::new(per_hour) }
    }

    fn challenge(&self, purpose: TokenPurpose, day: u64) -> [u8; 32] {
        let place = [self.provider.get(), purpose.number()];
        digest(&[b"mosaic/test token challenge/1", &place, &day.to_be_bytes()])
    }

    fn key_id(&self) -> [u8; 32] {
        derive(&self.key, Label::TestToken, &[b"key id"])
    }

    fn authenticator(&self, nonce: &[u8; 32], challenge: &[u8; 32]) -> [u8; 256] {
        derive(&self.key, Label::TestToken, &[b"authenticator", nonce, challenge])
    }
}

impl Admission for TestIssuer {
    fn issue(
        &mut self,
        now: Timestamp,
        query: &TokensQuery,
        rng: &mut dyn CryptoRng,
    ) -> Result<TokensReply, NotAdmitted> {
        self.quota.take(now, query.count.into())?;
        let challenge = self.challenge(query.purpose, day(now));
        let tokens = (0..query.count).map(|_| {
            let mut nonce = [0; 32];
            rng.fill_bytes(&mut nonce);
            let authenticator = self.authenticator(&nonce, &challenge);
            WireToken { kind: TEST_TOKEN_KIND, nonce, challenge, key_id: self.key_id(), authenticator }
        });
        Ok(TokensReply::new(tokens))
    }

    fn check(&self, now: Timestamp, token: &WireToken, purpose: TokenPurpose) -> Result<(), NotAdmitted> {
        use subtle::ConstantTimeEq as _;
        // a token drawn before midnight is good for another day, so that nobody must draw at midnight
        let days = [day(now), day(now).saturating_sub(1)];
        let named = days.iter().any(|day| token.challenge == self.challenge(purpose, *day));
        let expected = self.authenticator(&token.nonce, &token.challenge);
        let genuine = bool::from(expected.ct_eq(&token.authenticator));
        let ours = token.kind == TEST_TOKEN_KIND && token.key_id == self.key_id();
        if named && genuine && ours { Ok(()) } else { Err(NotAdmitted::Invalid) }
    }
}

/// Days since the Unix epoch: what a token is bound to and the spent set is cut by.
pub const fn day(now: Timestamp) -> u64 {
    now.as_secs() / 86_400
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    fn provider(number: u8) -> ProviderId {
        ProviderId::new(number).unwrap()
    }

    #[test]
    fn a_token_is_good_for_one_provider_purpose_and_two_days() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let now = Timestamp::from_secs(1_000 * 86_400 + 5);
        let mut issuer = TestIssuer::new(provider(1), [7; 32], 100);
        let query = TokensQuery { purpose: TokenPurpose::Deposit, count: 2 };
        let tokens = issuer.issue(now, &query, &mut rng).unwrap().into_tokens();
        let token = &tokens[0];
        assert_ne!(token.spend_id(), tokens[1].spend_id());
        let hours = |count| now.after(Duration::from_hours(count));
        assert_eq!(issuer.check(hours(30), token, TokenPurpose::Deposit), Ok(()));
        assert_eq!(issuer.check(hours(49), token, TokenPurpose::Deposit), Err(NotAdmitted::Invalid));
        assert_eq!(issuer.check(now, token, TokenPurpose::Evaluate), Err(NotAdmitted::Invalid));
        let other = TestIssuer::new(provider(2), [7; 32], 100);
        assert_eq!(other.check(now, token, TokenPurpose::Deposit), Err(NotAdmitted::Invalid));
        let mut bent = token.clone();
        bent.authenticator[200] ^= 1;
        assert_eq!(issuer.check(now, &bent, TokenPurpose::Deposit), Err(NotAdmitted::Invalid));
    }

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
