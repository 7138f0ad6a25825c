//! Dealers that cheat, which only the inside of the module can make.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::scalar::Scalar;
use mosaic_types::ProviderId;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;

use super::dealing::{Dealing, ShareScalar, deal_shares, evaluate};
use super::{AssembleError, Complaint, MalformedDealing, OpenShareError, assemble, deal, open_share, verify_complaint};
use crate::agreement::{AgreementPublic, AgreementSecret};
use crate::oprf::random_scalar;

const CONTEXT: [u8; 32] = [9; 32];

fn provider(number: u8) -> ProviderId {
    ProviderId::new(number).unwrap()
}

struct World {
    rng: ChaCha20Rng,
    secrets: Vec<AgreementSecret>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let secrets = (0..3).map(|_| AgreementSecret::random(&mut rng)).collect();
        Self { rng, secrets }
    }

    fn recipients(&self) -> Vec<(ProviderId, AgreementPublic)> {
        (1..).map(provider).zip(self.secrets.iter().map(AgreementSecret::public)).collect()
    }

    /// A dealing of provider 1 whose share for `victim` lies beside the polynomial.
    fn cheat(&mut self, victim: ProviderId) -> Dealing {
        let coefficients = [random_scalar(&mut self.rng), random_scalar(&mut self.rng)];
        let recipients = self.recipients();
        let share_of = |recipient| {
            let error = if recipient == victim { Scalar::ONE } else { Scalar::ZERO };
            ShareScalar(evaluate(&coefficients, recipient) + error)
        };
        deal_shares((&CONTEXT, provider(1)), &recipients, &coefficients, share_of, &mut self.rng).unwrap()
    }

    fn honest(&mut self, dealer: u8) -> Dealing {
        let recipients = self.recipients();
        deal(&CONTEXT, provider(dealer), &recipients, 2, &mut self.rng).unwrap()
    }

    fn complaint(&self, dealing: &Dealing, number: u8) -> Box<Complaint> {
        match open_share(dealing, provider(number), &self.secrets[usize::from(number) - 1]) {
            Err(OpenShareError::Cheated(complaint)) => complaint,
            _ => panic!("the share should have been bad"),
        }
    }
}

#[test]
fn a_cheating_dealer_is_proved_to_everybody_and_only_it() {
    // Both signs of the public key's root must work: eight seeds meet each with overwhelming likelihood,
    // and the outcome is fixed by the seeds.
    for seed in 0..8 {
        let mut world = World::new(seed);
        let cheated = world.cheat(provider(2));
        let cheated = Dealing::decode(&cheated.encode()).unwrap();
        assert!(open_share(&cheated, provider(1), &world.secrets[0]).is_ok());
        let complaint = world.complaint(&cheated, 2);
        assert!(verify_complaint(&cheated, &complaint));
        let decoded = Complaint::decode(&complaint.encode()).unwrap();
        assert_eq!(decoded, *complaint);
        let honest = world.honest(1);
        assert!(!verify_complaint(&honest, &complaint), "a complaint is for one dealing");
        let error = assemble(&[cheated.clone(), world.honest(3)], provider(2), &world.secrets[1]).err().unwrap();
        assert!(
            matches!(error, AssembleError::Share { dealer, error: OpenShareError::Cheated(_) } if dealer == provider(1))
        );
    }
}

#[test]
fn an_unreadable_envelope_is_proved_too() {
    let mut world = World::new(20);
    let coefficients = [random_scalar(&mut world.rng), random_scalar(&mut world.rng)];
    let recipients = world.recipients();
    let share_of = |recipient| ShareScalar(evaluate(&coefficients, recipient));
    let mut dealing =
        deal_shares((&CONTEXT, provider(1)), &recipients, &coefficients, share_of, &mut world.rng).unwrap();
    dealing.envelopes[2].sealed[40] ^= 1;
    assert_eq!(Dealing::decode(&dealing.encode()), Err(MalformedDealing::Proof), "envelopes are under the proof");
    dealing.prove(&coefficients[0], &mut world.rng);
    let dealing = Dealing::decode(&dealing.encode()).unwrap();
    assert!(verify_complaint(&dealing, &world.complaint(&dealing, 3)));
}

#[test]
fn a_false_complaint_does_not_verify() {
    for seed in 30..34 {
        let mut world = World::new(seed);
        let honest = world.honest(1);
        let envelope = honest.envelope_of(provider(2)).unwrap();
        // An honest proof about a good share: everybody looks inside and finds nothing wrong.
        let complaint = Complaint::build(&honest, envelope, &world.secrets[1]).unwrap();
        assert!(!verify_complaint(&honest, &complaint));
        // Any other revealed point would open to nothing; its proof must not hold.
        let bytes = complaint.encode();
        let point = CompressedEdwardsY(bytes[33..65].try_into().unwrap()).decompress().unwrap();
        for torsion in &EIGHT_TORSION[1..] {
            let mut forged = bytes;
            forged[33..65].copy_from_slice((point + torsion).compress().as_bytes());
            assert!(!verify_complaint(&honest, &Complaint::decode(&forged).unwrap()), "torsion");
        }
        for byte in 0..bytes.len() {
            let mut forged = bytes;
            forged[byte] ^= 1;
            if let Some(forged) = Complaint::decode(&forged) {
                assert!(!verify_complaint(&honest, &forged), "byte {byte}");
            }
        }
        // A complaint built with somebody else's secret.
        if let Some(foreign) = Complaint::build(&honest, envelope, &world.secrets[2]) {
            assert!(!verify_complaint(&honest, &foreign));
        }
    }
}

#[test]
fn a_complaint_against_a_cheat_cannot_be_bent_either() {
    let mut world = World::new(40);
    let cheated = world.cheat(provider(2));
    let bytes = world.complaint(&cheated, 2).encode();
    for byte in 0..bytes.len() {
        let mut forged = bytes;
        forged[byte] ^= 0x10;
        if let Some(forged) = Complaint::decode(&forged) {
            assert!(!verify_complaint(&cheated, &forged), "byte {byte}");
        }
    }
}
