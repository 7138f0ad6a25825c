//! Key generation as the providers see it.

use mosaic_crypto::agreement::{AgreementPublic, AgreementSecret};
use mosaic_crypto::ceremony::{
    DealError, Dealing, MalformedDealing, OpenShareError, OutcomeError, assemble, deal, open_share, outcome,
};
use mosaic_crypto::oprf::{KeyShare, WholeKey, blind, combine, verify_evaluation};
use mosaic_types::ProviderId;
use rand_chacha::ChaCha20Rng;

use crate::agreement::small_order;
use crate::support::{provider, rng};

const CONTEXT: [u8; 32] = [7; 32];

/// `n` providers that know each other's keys.
struct Federation {
    rng: ChaCha20Rng,
    secrets: Vec<AgreementSecret>,
}

impl Federation {
    fn new(n: u8, seed: u64) -> Self {
        let mut rng = rng(seed);
        let secrets = (0..n).map(|_| AgreementSecret::random(&mut rng)).collect();
        Self { rng, secrets }
    }

    fn recipients(&self) -> Vec<(ProviderId, AgreementPublic)> {
        (1..).map(provider).zip(self.secrets.iter().map(AgreementSecret::public)).collect()
    }

    fn deal(&mut self, dealer: u8, threshold: u8) -> Dealing {
        let recipients = self.recipients();
        deal(&CONTEXT, provider(dealer), &recipients, threshold, &mut self.rng).unwrap()
    }

    fn share(&self, dealings: &[Dealing], number: u8) -> KeyShare {
        assemble(dealings, provider(number), &self.secrets[usize::from(number) - 1]).unwrap()
    }
}

/// Two dealers suffice; the third provider, absent while they dealt, gets its share from the same bytes, and any
/// two of three evaluate as the one key would.
#[test]
fn two_dealers_suffice_and_an_absent_provider_catches_up() {
    let mut federation = Federation::new(3, 1);
    let sent: Vec<Vec<u8>> = [1, 2].map(|dealer| federation.deal(dealer, 2).encode()).to_vec();
    let dealings: Vec<Dealing> = sent.iter().map(|bytes| Dealing::decode(bytes).unwrap()).collect();
    let result = outcome(&dealings).unwrap();
    let reversed: Vec<Dealing> = dealings.iter().rev().cloned().collect();
    assert_eq!(outcome(&reversed).unwrap(), result);
    let shares: Vec<KeyShare> = (1..=3).map(|number| federation.share(&dealings, number)).collect();
    for (share, (number, public)) in shares.iter().zip(&result.public_shares) {
        assert_eq!(share.public_share(), public, "provider {number}");
    }
    let mut rng = rng(2);
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let ids = [provider(a as u8 + 1), provider(b as u8 + 1)];
        let whole = WholeKey::from_shares(&[(ids[0], &shares[a]), (ids[1], &shares[b])]).unwrap();
        assert_eq!(whole.public_key(), result.public_key);
        let (blind, point) = blind(b"cell", &mut rng).unwrap();
        let parts = [a, b].map(|i| {
            let evaluation = shares[i].evaluate(&[point], &mut rng).unwrap();
            verify_evaluation(&result.public_shares[i].1, &[point], &evaluation).unwrap();
            evaluation.points
        });
        let combined = combine(&[(ids[0], &parts[0]), (ids[1], &parts[1])]).unwrap();
        let output = blind.finalize(&combined[0]).unwrap();
        assert_eq!(output.as_bytes(), whole.evaluate(b"cell").unwrap().as_bytes());
    }
}

#[test]
fn three_of_five_with_all_dealers() {
    let mut federation = Federation::new(5, 3);
    let dealings: Vec<Dealing> = (1..=5).map(|dealer| federation.deal(dealer, 3)).collect();
    assert_eq!(outcome(&dealings[..2]), Err(OutcomeError::TooFewDealers), "as few could rebuild what they dealt");
    assert!(outcome(&dealings[..3]).is_ok());
    let result = outcome(&dealings).unwrap();
    let share = |number| (provider(number), federation.share(&dealings, number));
    let shares = [share(1), share(3), share(5)];
    let quorum: Vec<(ProviderId, &KeyShare)> = shares.iter().map(|(number, share)| (*number, share)).collect();
    assert_eq!(WholeKey::from_shares(&quorum).unwrap().public_key(), result.public_key);
    assert_ne!(WholeKey::from_shares(&quorum[..2]).unwrap().public_key(), result.public_key, "two are too few");
}

#[test]
fn sizes_are_fixed_and_damage_is_refused() {
    let mut federation = Federation::new(3, 4);
    let bytes = federation.deal(1, 2).encode();
    assert_eq!(bytes.len(), Dealing::encoded_len(3, 2));
    assert_eq!(bytes.len(), 439);
    for byte in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[byte] ^= 1;
        assert!(Dealing::decode(&bent).is_err(), "byte {byte}");
    }
    for length in 0..bytes.len() {
        assert_eq!(Dealing::decode(&bytes[..length]), Err(MalformedDealing::Shape));
    }
    let mut weak = bytes.clone();
    let ephemeral = 36 + 64 + 64;
    for point in small_order() {
        weak[ephemeral..ephemeral + 32].copy_from_slice(&point);
        assert_eq!(Dealing::decode(&weak), Err(MalformedDealing::Point), "{}", hex::encode(point));
    }
}

#[test]
fn dealings_that_do_not_belong_together_have_no_outcome() {
    let mut federation = Federation::new(3, 5);
    let (one, two) = (federation.deal(1, 2), federation.deal(2, 2));
    assert_eq!(outcome(std::slice::from_ref(&one)), Err(OutcomeError::TooFewDealers));
    assert_eq!(outcome(&[one.clone(), federation.deal(1, 2)]), Err(OutcomeError::Repeated));
    assert_eq!(outcome(&[one.clone(), federation.deal(2, 3)]), Err(OutcomeError::Mismatched));
    let recipients = federation.recipients();
    let elsewhere = deal(&[8; 32], provider(2), &recipients, 2, &mut federation.rng).unwrap();
    assert_eq!(outcome(&[one.clone(), elsewhere]), Err(OutcomeError::Mismatched));
    assert_ne!(
        outcome(&[one.clone(), two]).unwrap().transcript,
        outcome(&[one, federation.deal(2, 2)]).unwrap().transcript
    );
}

#[test]
fn a_share_opens_for_its_recipient_only() {
    let mut federation = Federation::new(3, 6);
    let dealing = federation.deal(1, 2);
    let wrong = open_share(&dealing, provider(2), &federation.secrets[2]);
    assert!(matches!(wrong, Err(OpenShareError::OtherKey)));
    let stranger = open_share(&dealing, provider(4), &federation.secrets[2]);
    assert!(matches!(stranger, Err(OpenShareError::NotARecipient)));
}

#[test]
fn impossible_dealings_are_refused() {
    let mut federation = Federation::new(3, 7);
    let recipients = federation.recipients();
    let mut attempt =
        |recipients: &[_], threshold| deal(&CONTEXT, provider(1), recipients, threshold, &mut federation.rng).err();
    assert_eq!(attempt(&recipients, 1), Some(DealError::Threshold));
    assert_eq!(attempt(&recipients, 4), Some(DealError::Threshold));
    assert_eq!(attempt(&[recipients[0], recipients[0]], 2), Some(DealError::Repeated));
    for point in small_order() {
        let weak = [recipients[0], (provider(2), AgreementPublic(point))];
        assert_eq!(attempt(&weak, 2), Some(DealError::WeakRecipient(provider(2))));
    }
}

#[test]
fn one_seed_gives_one_ceremony() {
    let run = |seed| Federation::new(3, seed).deal(1, 2).encode();
    assert_eq!(run(8), run(8));
    assert_ne!(run(8), run(9));
}
