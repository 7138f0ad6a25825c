//! The language-neutral vectors `vectors/crypto-{dealing,complaint,ceremony}.json`, checked against this code.
//!
//! They live inside the module because only it can make dealers that cheat, and because the files state what
//! leaves no dealing: coefficients, ephemeral secrets and proof nonces.

mod complaints;
mod dealings;
mod outcomes;

use curve25519_dalek::scalar::Scalar;
use mosaic_types::ProviderId;
use mosaic_vectors::pattern;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};

use super::dealing::{Dealing, ShareScalar, deal_shares, evaluate};
use crate::agreement::{AgreementPublic, AgreementSecret};
use crate::oprf::random_scalar;

const SPECIFICATION: &str = "docs/spec/ceremony.md";
const CONTEXT: [u8; 32] = [9; 32];

fn provider(number: u8) -> ProviderId {
    ProviderId::new(number).unwrap()
}

/// The secret of provider `number`'s ceremony key.
fn secret(number: u8) -> AgreementSecret {
    AgreementSecret::from_bytes(pattern(number))
}

fn recipients(numbers: &[u8]) -> Vec<(ProviderId, AgreementPublic)> {
    numbers.iter().map(|number| (provider(*number), secret(*number).public())).collect()
}

fn recipients_json(numbers: &[u8]) -> Vec<Value> {
    let entry = |number: &u8| {
        let secret = secret(*number);
        json!({
            "provider": number, "secret_key": hex::encode(*secret.to_bytes()),
            "public_key": hex::encode(secret.public().as_bytes()),
        })
    };
    numbers.iter().map(entry).collect()
}

/// A dealing with everything that its dealer knows about it.
struct Dealt {
    dealing: Dealing,
    coefficients: Vec<Scalar>,
    ephemeral: AgreementSecret,
    nonce: Scalar,
}

impl Dealt {
    /// An honest dealing to `numbers`.
    fn new(dealer: u8, numbers: &[u8], threshold: u8, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let coefficients = (0..threshold).map(|_| random_scalar(&mut rng)).collect();
        Self::of(dealer, numbers, coefficients, |_| Scalar::ZERO, rng)
    }

    /// A dealing of these coefficients, whose shares lie beside the polynomial by `error`.
    fn of(
        dealer: u8,
        numbers: &[u8],
        coefficients: Vec<Scalar>,
        error: impl Fn(ProviderId) -> Scalar,
        mut rng: ChaCha20Rng,
    ) -> Self {
        let mut peek = rng.clone();
        let (ephemeral, nonce) = (AgreementSecret::random(&mut peek), random_scalar(&mut peek));
        let share_of = |recipient| ShareScalar(evaluate(&coefficients, recipient) + error(recipient));
        let parties = (&CONTEXT, provider(dealer));
        let dealing = deal_shares(parties, &recipients(numbers), &coefficients, share_of, &mut rng).unwrap();
        Self { dealing, coefficients, ephemeral, nonce }
    }

    fn bytes(&self) -> Vec<u8> {
        self.dealing.encode()
    }
}

fn scalar(value: &Scalar) -> String {
    hex::encode(value.to_bytes())
}
