use std::{collections::BTreeMap, ops::Range};

use mosaic_crypto::{
    oprf::{
        Blind, Evaluation, OprfError,
        partial::{blind, finalize},
    },
    puzzle::Solution,
};
use mosaic_types::ProviderId;
use mosaic_wire::{TokenPurpose, TokensQuery, TokensReply, WireToken};
use rand::CryptoRng;
use thiserror::Error;

use crate::admission::{Issuers, TOKEN_KIND, authenticator, challenge};

/// Authenticators that a token needs, its redeemer's included: a deposit is kept by two providers, and each asks for
/// its own.
const fn needed(purpose: TokenPurpose) -> usize {
    match purpose {
        TokenPurpose::Deposit => 2,
        TokenPurpose::Evaluate => 1,
    }
}

/// For which hours how much is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first hour, in hours since the Unix epoch.
    pub first: u32,
    /// How many hours, 1 to 24.
    pub hours: u8,
    /// How many units in each, from 1.
    pub units: u8,
}

impl Span {
    /// The hours.
    pub fn hours(&self) -> Range<u32> {
        self.first..self.first.saturating_add(self.hours.into())
    }
}

/// Why an answer brought no tokens. Nothing of it was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotIssued {
    /// This provider was not asked, or has answered already.
    #[error("nothing was asked of this provider")]
    Unasked,
    /// More or fewer points than were asked for.
    #[error("the answer has another number of points")]
    Count,
    /// The issuer did not use the key that everybody knows, or not this hour and purpose.
    #[error("the answer is not of the issuer's public key")]
    Proof(#[from] OprfError),
}

/// Tokens on their way: nonces that were drawn here, and the authenticators that came for them.
///
/// No issuer sees a nonce before it is spent; it sees points that are uniform whatever the nonces are.
pub struct Purchase {
    issuers: Issuers,
    span: Span,
    /// In the order of the queries: for each hour the deposits of each redeemer, then each one's evaluations.
    groups: Vec<Group>,
    asked: BTreeMap<ProviderId, Asked>,
}

struct Group {
    redeemer: ProviderId,
    purpose: TokenPurpose,
    hour: u32,
    size: usize,
    /// Who has authenticated it.
    by: Vec<ProviderId>,
    /// Those not spent yet: from the end first.
    tokens: Vec<Held>,
}

struct Held {
    nonce: [u8; 32],
    authenticators: Vec<(usize, [u8; 32])>,
}

/// What an issuer was asked, group by group.
struct Asked(Vec<(Vec<Blind>, Vec<[u8; 32]>)>);

impl Purchase {
    /// Draws the nonces.
    pub fn new(issuers: &Issuers, span: Span, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let (units, mut groups) = (usize::from(span.units), Vec::new());
        for hour in span.hours() {
            let kinds = [
                (TokenPurpose::Deposit, units * TokensQuery::DEPOSITS),
                (TokenPurpose::Evaluate, units * TokensQuery::EVALUATIONS),
            ];
            for (purpose, size) in kinds {
                for redeemer in issuers.ids() {
                    let tokens = (0..size).map(|_| Held::draw(rng)).collect();
                    groups.push(Group { redeemer, purpose, hour, size, by: Vec::new(), tokens });
                }
            }
        }
        Self { issuers: issuers.clone(), span, groups, asked: BTreeMap::new() }
    }

    /// What it is for.
    pub const fn span(&self) -> Span {
        self.span
    }

    /// The query for one issuer, not paid for yet. Asking again asks for other points.
    ///
    /// # Errors
    /// [`NotIssued::Proof`] for an input that cannot be blinded; never seen.
    pub fn ask(&mut self, issuer: ProviderId, rng: &mut (impl CryptoRng + ?Sized)) -> Result<TokensQuery, NotIssued> {
        let mut asked = Vec::new();
        for group in self.groups.iter().filter(|group| group.concerns(issuer)) {
            let inputs = (0..group.size).map(|at| match group.tokens.get(at) {
                Some(held) => held.token(group, &self.issuers).signed_part(),
                // spent meanwhile: the query is as long as any other
                None => Held::draw(rng).token(group, &self.issuers).signed_part(),
            });
            let inputs: Vec<_> = inputs.collect();
            let blinded = inputs.iter().map(|input| blind(input, rng)).collect::<Result<Vec<_>, _>>()?;
            asked.push(blinded.into_iter().unzip());
        }
        let points = asked.iter().flat_map(|(_, points): &(Vec<Blind>, Vec<[u8; 32]>)| points).copied().collect();
        self.asked.insert(issuer, Asked(asked));
        let Span { first, hours, units } = self.span;
        let redeemers = u8::try_from(self.issuers.count()).unwrap_or(u8::MAX);
        Ok(TokensQuery { redeemers, units, hours, first, solution: Solution::default(), points })
    }

    /// Takes an issuer's answer to the last query, all of it or nothing.
    ///
    /// # Errors
    /// [`NotIssued`].
    pub fn take_reply(&mut self, issuer: ProviderId, reply: &TokensReply) -> Result<(), NotIssued> {
        let Asked(asked) = self.asked.remove(&issuer).ok_or(NotIssued::Unasked)?;
        let (place, key) = self.issuers.place(issuer).ok_or(NotIssued::Unasked)?;
        if reply.proofs.len() != asked.len() {
            return Err(NotIssued::Count);
        }
        let concerned = || self.groups.iter().filter(|group| group.concerns(issuer));
        let (mut outputs, mut left) = (Vec::with_capacity(asked.len()), reply.points.as_slice());
        for ((group, (blinds, blinded)), proof) in concerned().zip(&asked).zip(&reply.proofs) {
            let (points, rest) = left.split_at_checked(blinded.len()).ok_or(NotIssued::Count)?;
            let evaluation = Evaluation { points: points.to_vec(), proof: *proof };
            outputs.push(finalize(key, &group.challenge(), (blinds, blinded), &evaluation)?);
            left = rest;
        }
        if !left.is_empty() {
            return Err(NotIssued::Count);
        }
        for (group, outputs) in self.groups.iter_mut().filter(|group| group.concerns(issuer)).zip(outputs) {
            group.by.push(issuer);
            for (held, output) in group.tokens.iter_mut().zip(outputs) {
                held.authenticators.push((place, authenticator(&output)));
            }
        }
        Ok(())
    }

    /// How many tokens can be spent.
    pub fn count(&self, redeemer: ProviderId, purpose: TokenPurpose, hour: u32) -> usize {
        self.usable(redeemer, purpose, hour).map_or(0, |at| self.groups[at].tokens.len())
    }

    /// Takes one out, if there is one that can be spent.
    pub fn take(&mut self, redeemer: ProviderId, purpose: TokenPurpose, hour: u32) -> Option<WireToken> {
        let at = self.usable(redeemer, purpose, hour)?;
        let held = self.groups[at].tokens.pop()?;
        Some(held.token(&self.groups[at], &self.issuers))
    }

    /// Throws the tokens of one hour away: their redeemer does not take them.
    pub fn discard(&mut self, redeemer: ProviderId, purpose: TokenPurpose, hour: u32) {
        if let Some(at) = self.usable(redeemer, purpose, hour) {
            self.groups[at].tokens.clear();
        }
    }

    fn usable(&self, redeemer: ProviderId, purpose: TokenPurpose, hour: u32) -> Option<usize> {
        let is = |group: &Group| (group.redeemer, group.purpose, group.hour) == (redeemer, purpose, hour);
        let good = |group: &Group| group.by.contains(&redeemer) && group.by.len() >= needed(purpose);
        self.groups.iter().position(is).filter(|at| good(&self.groups[*at]))
    }
}

impl Group {
    /// Whether `issuer` authenticates it: deposits of everybody, evaluations of its own.
    fn concerns(&self, issuer: ProviderId) -> bool {
        self.purpose == TokenPurpose::Deposit || self.redeemer == issuer
    }

    fn challenge(&self) -> [u8; 32] {
        challenge(self.redeemer, self.purpose, self.hour)
    }
}

impl Held {
    fn draw(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        Self { nonce, authenticators: Vec::new() }
    }

    fn token(&self, group: &Group, issuers: &Issuers) -> WireToken {
        let (challenge, key_id) = (group.challenge(), *issuers.key_id());
        let mut token = WireToken { kind: TOKEN_KIND, nonce: self.nonce, challenge, key_id, authenticator: [0; 256] };
        self.authenticators.iter().for_each(|(place, part)| token.authenticate(*place, part));
        token
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mosaic_types::Timestamp;
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::{Issuer, NotAdmitted, TOKEN_GRACE, fixture::Town, hour};

    const NOW: Timestamp = Timestamp::from_secs(20_411 * 86_400 + 10 * 3_600 + 1_800);

    fn provider(number: u8) -> ProviderId {
        ProviderId::new(number).unwrap()
    }

    fn issuers() -> (Issuers, Vec<Issuer>) {
        let town = Town::new();
        let issuers = Issuers::of(town.federation.descriptor());
        let own = |number: u8| Issuer::new(&Town::token_seed(number), provider(number), issuers.clone()).unwrap();
        let own = (1..=3).map(own).collect();
        (issuers, own)
    }

    /// A purchase of one unit for two hours, answered by those of `from`.
    fn bought(from: &[usize]) -> (Purchase, Vec<Issuer>) {
        let (issuers, own) = issuers();
        let mut rng = ChaCha20Rng::seed_from_u64(9);
        let mut purchase = Purchase::new(&issuers, Span { first: hour(NOW), hours: 2, units: 1 }, &mut rng);
        for at in from {
            let query = purchase.ask(provider(*at as u8 + 1), &mut rng).unwrap();
            let reply = own[*at].issue(&query, &mut rng).unwrap();
            purchase.take_reply(provider(*at as u8 + 1), &reply).unwrap();
        }
        (purchase, own)
    }

    #[test]
    fn a_token_is_good_at_one_redeemer_for_one_purpose_and_hour() {
        let (mut purchase, own) = bought(&[0, 1, 2]);
        let (one, two) = (provider(1), provider(2));
        assert_eq!(purchase.count(one, TokenPurpose::Deposit, hour(NOW)), TokensQuery::DEPOSITS);
        assert_eq!(purchase.count(one, TokenPurpose::Evaluate, hour(NOW)), TokensQuery::EVALUATIONS);
        let token = purchase.take(one, TokenPurpose::Deposit, hour(NOW)).unwrap();
        for (place, issuer) in own.iter().enumerate() {
            assert_eq!(issuer.check(NOW, &token, TokenPurpose::Deposit, one), Ok(()), "issuer {place}");
        }
        let refused = Err(NotAdmitted::Invalid);
        assert_eq!(own[1].check(NOW, &token, TokenPurpose::Deposit, two), refused);
        assert_eq!(own[0].check(NOW, &token, TokenPurpose::Evaluate, one), refused);
        let end = Timestamp::from_secs((u64::from(hour(NOW)) + 1) * 3_600);
        let check = |at| own[0].check(at, &token, TokenPurpose::Deposit, one);
        assert_eq!(check(end.after(TOKEN_GRACE).before(Duration::from_secs(1))), Ok(()));
        assert_eq!(check(end.after(TOKEN_GRACE)), refused);
        let begin = end.before(Duration::from_hours(1)).before(TOKEN_GRACE);
        assert_eq!((check(begin), check(begin.before(Duration::from_secs(1)))), (Ok(()), refused));
        for byte in 0..98 + 32 {
            let mut bytes = token.encode();
            bytes[byte] ^= 1;
            let bent = WireToken::decode(&bytes).unwrap();
            assert_eq!(own[0].check(NOW, &bent, TokenPurpose::Deposit, one), refused, "byte {byte}");
        }
        let later = purchase.take(one, TokenPurpose::Deposit, hour(NOW) + 1).unwrap();
        assert_eq!(own[0].check(NOW, &later, TokenPurpose::Deposit, one), refused);
        assert_eq!(own[0].check(NOW.after(Duration::from_hours(1)), &later, TokenPurpose::Deposit, one), Ok(()));
    }

    #[test]
    fn one_issuer_alone_makes_evaluation_tokens_and_no_deposit_tokens() {
        let (mut purchase, own) = bought(&[0]);
        let one = provider(1);
        assert_eq!(purchase.count(one, TokenPurpose::Deposit, hour(NOW)), 0);
        assert!(purchase.take(one, TokenPurpose::Deposit, hour(NOW)).is_none());
        let token = purchase.take(one, TokenPurpose::Evaluate, hour(NOW)).unwrap();
        assert_eq!(own[0].check(NOW, &token, TokenPurpose::Evaluate, one), Ok(()));
        assert_eq!(purchase.count(provider(2), TokenPurpose::Evaluate, hour(NOW)), 0);
    }

    /// A check that was done beforehand says what one done now would, for this token, this redeemer and this time only.
    #[test]
    fn looking_ahead_changes_no_answer() {
        let (mut purchase, own) = bought(&[0, 1, 2]);
        let (one, two) = (provider(1), provider(2));
        let good = purchase.take(one, TokenPurpose::Deposit, hour(NOW)).unwrap();
        let mut forged = good.clone();
        forged.authenticator[0] ^= 1;
        let mut other = good.clone();
        other.nonce[0] ^= 1;
        let much_later = NOW.after(std::time::Duration::from_hours(3));
        for token in [&good, &forged, &other] {
            for (now, purpose, redeemer) in [
                (NOW, TokenPurpose::Deposit, one),
                (NOW, TokenPurpose::Deposit, two),
                (NOW, TokenPurpose::Evaluate, one),
                (much_later, TokenPurpose::Deposit, one),
            ] {
                let plain = own[0].check(now, token, purpose, redeemer);
                own[0].look_ahead(NOW, token, TokenPurpose::Deposit, one);
                let first = own[0].check(now, token, purpose, redeemer);
                assert_eq!((first, own[0].check(now, token, purpose, redeemer)), (plain, plain));
            }
        }
        assert_eq!(own[0].check(NOW, &good, TokenPurpose::Deposit, one), Ok(()));
    }

    #[test]
    fn who_answers_late_authenticates_what_is_left() {
        let (mut purchase, own) = bought(&[0, 1]);
        let (one, three) = (provider(1), provider(3));
        let early = purchase.take(one, TokenPurpose::Deposit, hour(NOW)).unwrap();
        assert_eq!(own[1].check(NOW, &early, TokenPurpose::Deposit, one), Ok(()));
        assert_eq!(own[2].check(NOW, &early, TokenPurpose::Deposit, one), Err(NotAdmitted::Invalid));
        let mut rng = ChaCha20Rng::seed_from_u64(10);
        let query = purchase.ask(three, &mut rng).unwrap();
        assert_eq!(query.points.len(), query.announced(), "what was spent is asked for like the rest");
        let reply = own[2].issue(&query, &mut rng).unwrap();
        purchase.take_reply(three, &reply).unwrap();
        let late = purchase.take(one, TokenPurpose::Deposit, hour(NOW)).unwrap();
        assert_eq!(own[2].check(NOW, &late, TokenPurpose::Deposit, one), Ok(()));
        assert_eq!(purchase.count(three, TokenPurpose::Deposit, hour(NOW)), TokensQuery::DEPOSITS);
    }

    #[test]
    fn an_answer_of_another_key_hour_or_length_brings_nothing() {
        let (issuers, own) = issuers();
        let mut rng = ChaCha20Rng::seed_from_u64(11);
        let (one, two) = (provider(1), provider(2));
        let span = Span { first: hour(NOW), hours: 1, units: 1 };
        let mut purchase = Purchase::new(&issuers, span, &mut rng);
        let mut outcome = |spoil: &dyn Fn(&TokensQuery, TokensReply) -> TokensReply| {
            let query = purchase.ask(one, &mut rng).unwrap();
            let good = own[0].issue(&query, &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
            let verdict = purchase.take_reply(one, &spoil(&query, good));
            assert_eq!(purchase.count(one, TokenPurpose::Evaluate, hour(NOW)), 0);
            verdict
        };
        let bad_proof = Err(NotIssued::Proof(OprfError::BadProof));
        let with =
            |issuer: &Issuer, query: &TokensQuery| issuer.issue(query, &mut ChaCha20Rng::seed_from_u64(2)).unwrap();
        assert_eq!(outcome(&|query, _| with(&own[1], query)), bad_proof, "a key of its own for each client");
        let next = |query: &TokensQuery| TokensQuery { first: query.first + 1, ..query.clone() };
        assert_eq!(outcome(&|query, _| with(&own[0], &next(query))), bad_proof, "another hour");
        let short = |_: &TokensQuery, mut good: TokensReply| {
            good.points.pop();
            good
        };
        assert_eq!(outcome(&short), Err(NotIssued::Count));
        let long = |_: &TokensQuery, mut good: TokensReply| {
            good.points.push(good.points[0]);
            good
        };
        assert_eq!(outcome(&long), Err(NotIssued::Count));
        let unproven = |_: &TokensQuery, mut good: TokensReply| {
            good.proofs.pop();
            good
        };
        assert_eq!(outcome(&unproven), Err(NotIssued::Count));
        assert_eq!(
            purchase.take_reply(two, &TokensReply { points: Vec::new(), proofs: Vec::new() }),
            Err(NotIssued::Unasked)
        );
    }

    /// The counts and the first hour are all that one person's query shares with their tokens.
    #[test]
    fn no_byte_of_a_token_is_in_what_was_asked_for_it() {
        let (issuers, own) = issuers();
        let mut rng = ChaCha20Rng::seed_from_u64(12);
        let span = Span { first: hour(NOW), hours: 1, units: 1 };
        let mut purchase = Purchase::new(&issuers, span, &mut rng);
        let mut seen = Vec::new();
        for (issuer, own) in issuers.ids().zip(&own) {
            let query = purchase.ask(issuer, &mut rng).unwrap();
            let reply = own.issue(&query, &mut rng).unwrap();
            seen.extend(query.encode());
            seen.extend(reply.encode());
            purchase.take_reply(issuer, &reply).unwrap();
        }
        let token = purchase.take(provider(1), TokenPurpose::Deposit, hour(NOW)).unwrap();
        for part in [&token.nonce[..], &token.authenticator[..32], &token.authenticator[32..64]] {
            assert!(!seen.windows(8).any(|window| part.windows(8).any(|piece| piece == window)));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        #[test]
        fn every_span_is_answered_in_full(hours in 1_u8..4, units in 1_u8..3, first: u32, seed: u64) {
            let (issuers, own) = issuers();
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let span = Span { first: first.min(u32::MAX - 4), hours, units };
            let mut purchase = Purchase::new(&issuers, span, &mut rng);
            for (issuer, own) in issuers.ids().zip(&own) {
                let query = purchase.ask(issuer, &mut rng).unwrap();
                prop_assert_eq!(query.points.len(), query.announced());
                prop_assert_eq!(query.groups().sum::<usize>(), query.announced());
                prop_assert_eq!(&TokensQuery::decode(&query.encode()), &Ok(query.clone()));
                let reply = own.issue(&query, &mut rng).unwrap();
                prop_assert_eq!(&TokensReply::decode(&reply.encode()), &Ok(reply.clone()));
                purchase.take_reply(issuer, &reply).unwrap();
            }
            for hour in span.hours() {
                for redeemer in issuers.ids() {
                    let units = usize::from(units);
                    let deposits = purchase.count(redeemer, TokenPurpose::Deposit, hour);
                    let evaluations = purchase.count(redeemer, TokenPurpose::Evaluate, hour);
                    let expected = (units * TokensQuery::DEPOSITS, units * TokensQuery::EVALUATIONS);
                    prop_assert_eq!((deposits, evaluations), expected);
                }
            }
        }
    }
}
