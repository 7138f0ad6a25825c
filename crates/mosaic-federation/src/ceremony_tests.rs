use mosaic_crypto::oprf::{KeyShare, WholeKey};
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::fixture::{Town, id};

const PERIOD: Period = Period(122_480);

struct Stage {
    town: Town,
    rng: ChaCha20Rng,
    ceremonies: Vec<TableCeremony>,
}

impl Stage {
    fn new() -> Self {
        let town = Town::new();
        let start = |n| TableCeremony::resume(Arc::clone(&town.federation), id(n), PERIOD, CeremonyRecord::default());
        let ceremonies = (1..=3).map(start).collect();
        Self { town, rng: ChaCha20Rng::seed_from_u64(8), ceremonies }
    }

    /// The dealers deal and everybody in `present` takes the dealings.
    fn deal(&mut self, dealers: &[usize], present: &[usize]) {
        for dealer in dealers {
            let dealing = self.ceremonies[*dealer].deal(&self.town.signing[*dealer], &mut self.rng).unwrap();
            for hearer in present.iter().filter(|hearer| *hearer != dealer) {
                let kept = self.ceremonies[*hearer].receive(&dealing, &self.town.ceremony[*hearer]);
                assert_eq!(kept, DealingVerdict::Kept);
            }
        }
    }

    fn sign(&mut self, who: usize, proposal: &Proposal) -> Result<[u8; 64], CountersignError> {
        self.ceremonies[who].countersign(proposal, &self.town.signing[who], &self.town.ceremony[who])
    }

    fn finish(&mut self, coordinator: usize, other: usize) -> (SignedTable, Vec<SignedDealing>) {
        let proposal = self.ceremonies[coordinator].proposal().unwrap();
        let signature = self.sign(other, &proposal).unwrap();
        self.sign(coordinator, &proposal).unwrap();
        let table = self.ceremonies[coordinator].join(id(other as u8 + 1), &signature).unwrap();
        (table, proposal.dealings().to_vec())
    }

    fn share(&mut self, who: usize, table: &SignedTable, dealings: &[SignedDealing]) -> KeyShare {
        self.ceremonies[who].complete(table, dealings).unwrap();
        self.ceremonies[who].share(&self.town.ceremony[who]).unwrap()
    }
}

#[test]
fn three_providers_make_a_key_that_any_two_hold() {
    let mut stage = Stage::new();
    stage.deal(&[0, 1, 2], &[0, 1, 2]);
    assert!(stage.ceremonies.iter().all(TableCeremony::all_dealt));
    let proposals: Vec<_> = stage.ceremonies.iter().map(TableCeremony::proposal).collect();
    assert!(proposals.windows(2).all(|pair| pair[0] == pair[1]), "whoever coordinates proposes the same");
    let (table, dealings) = stage.finish(0, 1);
    let shares = [0, 1, 2].map(|who| stage.share(who, &table, &dealings));
    let public = table.dangerously_unverified().public_key;
    for (a, b) in [(0, 1), (1, 2), (0, 2)] {
        let pair = [(id(a + 1), &shares[usize::from(a)]), (id(b + 1), &shares[usize::from(b)])];
        assert_eq!(WholeKey::from_shares(&pair).unwrap().public_key(), public);
    }
}

#[test]
fn two_are_enough_and_the_third_gets_its_share_later() {
    let mut stage = Stage::new();
    stage.deal(&[0, 1], &[0, 1]);
    assert!(!stage.ceremonies[0].all_dealt());
    let (table, dealings) = stage.finish(1, 0);
    let early = stage.share(0, &table, &dealings);
    let late = stage.share(2, &table, &dealings);
    let pair = [(id(1), &early), (id(3), &late)];
    assert_eq!(WholeKey::from_shares(&pair).unwrap().public_key(), table.dangerously_unverified().public_key);
    assert_eq!(stage.ceremonies[2].finished(), Some((table, dealings)));
}

#[test]
fn a_provider_signs_one_transcript_per_period_even_after_a_restart() {
    let mut stage = Stage::new();
    stage.deal(&[0, 1], &[0, 1, 2]);
    let first = stage.ceremonies[0].proposal().unwrap();
    let signature = stage.sign(2, &first).unwrap();
    stage.deal(&[2], &[0, 1]);
    let second = stage.ceremonies[0].proposal().unwrap();
    assert_ne!(first, second);
    let record = stage.ceremonies[2].record().clone();
    stage.ceremonies[2] = TableCeremony::resume(Arc::clone(&stage.town.federation), id(3), PERIOD, record);
    assert_eq!(stage.sign(2, &second), Err(CountersignError::AlreadySigned));
    assert_eq!(stage.sign(2, &first), Ok(signature), "the same one again is the same signature");
    assert_eq!(stage.ceremonies[2].proposal(), Some(first.clone()), "it stands by what it signed");
    // whoever has not signed can adopt it
    assert!(stage.ceremonies[0].is_signed_by(&first, id(3), &signature));
    stage.sign(0, &first).unwrap();
    assert!(stage.ceremonies[0].join(id(3), &signature).is_some());
}

#[test]
fn one_dealer_alone_and_bent_proposals_are_not_signed() {
    let mut stage = Stage::new();
    stage.deal(&[0], &[0, 1]);
    assert_eq!(stage.ceremonies[0].proposal(), None);
    stage.deal(&[1], &[0, 1]);
    let good = stage.ceremonies[0].proposal().unwrap();
    let mut alone = good.clone();
    alone.dealings.truncate(1);
    assert!(matches!(stage.sign(1, &alone), Err(CountersignError::Outcome(_))));
    let mut bent = good.clone();
    let last = bent.table.len() - 200;
    bent.table[last] ^= 1;
    assert_eq!(stage.sign(1, &bent), Err(CountersignError::OtherTable));
    let mut twice = good.clone();
    twice.dealings[1] = twice.dealings[0].clone();
    assert!(matches!(stage.sign(1, &twice), Err(CountersignError::Outcome(_))));
    assert!(stage.sign(1, &good).is_ok());
}

#[test]
fn dealings_in_anothers_name_or_for_another_table_are_unsound() {
    let mut stage = Stage::new();
    // provider 2 signs what claims to be provider 1's dealing
    let federation = Arc::clone(&stage.town.federation);
    let forged = SignedDealing::deal(&federation, PERIOD, id(1), &stage.town.signing[1], &mut stage.rng).unwrap();
    let mine = &stage.town.ceremony[2];
    let verdict = stage.ceremonies[2].receive(&forged, mine);
    assert_eq!(verdict, DealingVerdict::Unsound(UnsoundDealing::Signature));
    let other = SignedDealing::deal(&federation, PERIOD.next(), id(1), &stage.town.signing[0], &mut stage.rng).unwrap();
    let verdict = stage.ceremonies[2].receive(&other, mine);
    assert_eq!(verdict, DealingVerdict::Unsound(UnsoundDealing::OtherTerms));
}

#[test]
fn coordinators_take_turns() {
    let stage = Stage::new();
    let turns: Vec<u8> = (0..4).map(|attempt| stage.ceremonies[0].coordinator(attempt).get()).collect();
    assert_eq!(turns, [3, 1, 2, 3], "period 122480 is 2 modulo 3");
}

#[test]
fn a_false_complaint_excludes_nobody() {
    let mut stage = Stage::new();
    stage.deal(&[0, 1], &[0, 1, 2]);
    let dealing = stage.ceremonies[0].own_dealing().unwrap().clone();
    let opened = dealing.open_for(&stage.town.federation, PERIOD).unwrap();
    let mut bytes = [1; mosaic_crypto::ceremony::COMPLAINT];
    bytes[..32].copy_from_slice(&opened.digest());
    bytes[32] = 3;
    let complaint = mosaic_crypto::ceremony::Complaint::decode(&bytes).unwrap();
    let evidence = Evidence::BadDealing { dealing, complaint };
    assert_eq!(evidence.verify(&stage.town.federation), Err(crate::NoProof::Innocent));
    assert_eq!(stage.ceremonies[1].receive_complaint(&evidence), None);
    assert_eq!(stage.ceremonies[1].dealers().count(), 2);
}
