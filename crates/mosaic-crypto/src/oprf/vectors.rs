//! `vectors/crypto-threshold-oprf.json`: one batch from inputs to outputs through every quorum of three providers.
//!
//! RFC 9497's own vectors fix what one share does; these fix what the threshold adds.

use curve25519_dalek::scalar::Scalar;
use mosaic_types::ProviderId;
use mosaic_vectors::{Edit, kind, settle};
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};

use super::suite::decode_scalar;
use super::{Blind, Evaluation, KeyShare, WholeKey, combine, combine_and_finalize, random_scalar, verify_evaluation};

const INPUTS: [&str; 2] = ["", "mosaic, twice"];

/// Every quorum, with λ = numerators / denominator as the specification's formula gives them.
const QUORUMS: [(&[u8], &[i64], u64); 4] =
    [(&[1, 2], &[2, -1], 1), (&[1, 3], &[3, -1], 2), (&[2, 3], &[3, -2], 1), (&[1, 2, 3], &[3, -3, 1], 1)];

fn provider(number: u8) -> ProviderId {
    ProviderId::new(number).unwrap()
}

/// What one provider evaluated.
type OnePart<'a> = (ProviderId, &'a [[u8; 32]]);

/// One table key, its three shares, one client's batch and what the providers answer.
struct Story {
    key: Scalar,
    shares: [KeyShare; 3],
    scalars: Vec<Scalar>,
    blinds: Vec<Blind>,
    blinded: Vec<[u8; 32]>,
    nonces: [Scalar; 3],
    evaluations: [Evaluation; 3],
}

fn story() -> Story {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let (key, slope) = (random_scalar(&mut rng), random_scalar(&mut rng));
    let shares = [1_u8, 2, 3].map(|number| KeyShare::from_scalar(key + slope * Scalar::from(number)).unwrap());
    let scalars: Vec<Scalar> = INPUTS.iter().map(|_| random_scalar(&mut rng)).collect();
    let (blinds, blinded): (Vec<Blind>, Vec<[u8; 32]>) =
        INPUTS.iter().zip(&scalars).map(|(input, by)| Blind::with_scalar(input.as_bytes(), *by).unwrap()).unzip();
    let nonces = [(); 3].map(|()| random_scalar(&mut rng));
    let evaluations = [0, 1, 2].map(|i| shares[i].evaluate_with(&blinded, &nonces[i]).unwrap());
    Story { key, shares, scalars, blinds, blinded, nonces, evaluations }
}

fn hexes(points: &[[u8; 32]]) -> Vec<String> {
    points.iter().map(hex::encode).collect()
}

impl Story {
    fn parts(&self, quorum: &[u8]) -> Vec<OnePart<'_>> {
        quorum.iter().map(|n| (provider(*n), self.evaluations[usize::from(*n) - 1].points.as_slice())).collect()
    }

    fn evaluations(&self) -> Vec<Value> {
        let entry = |((number, share), (nonce, evaluation)): ((u8, &KeyShare), (&Scalar, &Evaluation))| {
            verify_evaluation(share.public_share(), &self.blinded, evaluation).unwrap();
            json!({
                "provider": number, "share": hex::encode(*share.to_bytes()),
                "public_share": hex::encode(share.public_share()), "proof_nonce": hex::encode(nonce.to_bytes()),
                "points": hexes(&evaluation.points), "proof": hex::encode(evaluation.proof),
            })
        };
        (1..).zip(&self.shares).zip(self.nonces.iter().zip(&self.evaluations)).map(entry).collect()
    }

    fn quorums(&self) -> Vec<Value> {
        let entry = |(quorum, numerators, denominator): (&'static [u8], &'static [i64], u64)| {
            let parts = self.parts(quorum);
            json!({
                "providers": quorum, "numerators": numerators, "denominator": denominator,
                "points": hexes(&combine(&parts).unwrap()),
            })
        };
        QUORUMS.map(entry).to_vec()
    }

    /// The outputs, the same through every quorum and under the whole key.
    fn outputs(&self) -> Vec<String> {
        let whole = WholeKey::from_bytes(&self.key.to_bytes()).unwrap();
        let expected: Vec<String> =
            INPUTS.iter().map(|input| hex::encode(whole.evaluate(input.as_bytes()).unwrap().as_bytes())).collect();
        for (quorum, ..) in QUORUMS {
            let outputs = combine_and_finalize(&self.blinds, &self.parts(quorum)).unwrap();
            let outputs: Vec<String> = outputs.iter().map(|output| hex::encode(output.as_bytes())).collect();
            assert_eq!(outputs, expected, "{quorum:?}");
        }
        expected
    }

    /// Edits of provider 1's points ‖ proof that its proof or the group refuses.
    fn refused_evaluations(&self) -> Vec<Value> {
        let good = [self.evaluations[0].points.as_flattened(), &self.evaluations[0].proof].concat();
        let other = self.evaluations[1].points.as_flattened();
        let swapped = [&good[32..64], &good[..32]].concat();
        let mut order = (-Scalar::ONE).to_bytes().to_vec();
        order[0] += 1;
        let edits = [
            ("another provider's points", Edit::Replace(0, other.to_vec()), "BadProof"),
            ("points in another order", Edit::Replace(0, swapped), "BadProof"),
            ("one point of another share", Edit::Replace(32, other[32..].to_vec()), "BadProof"),
            ("the identity", Edit::Replace(0, vec![0; 32]), "InvalidPoint"),
            ("a point that is not canonical", Edit::Replace(0, vec![0xFF; 32]), "InvalidPoint"),
            ("another challenge", Edit::flip(&good, 64), "BadProof"),
            ("another response", Edit::flip(&good, 96), "BadProof"),
            ("a challenge that is not canonical", Edit::Replace(64, order.clone()), "BadProof"),
            ("a response that is not canonical", Edit::Replace(96, order), "BadProof"),
        ];
        edits
            .map(|(name, edit, error)| {
                let spoilt = edit.apply(&good);
                let (points, proof) = spoilt.split_last_chunk::<64>().unwrap();
                let evaluation = Evaluation { points: points.as_chunks::<32>().0.to_vec(), proof: *proof };
                let verdict = verify_evaluation(self.shares[0].public_share(), &self.blinded, &evaluation);
                assert_eq!(verdict.map_err(kind), Err(error.to_owned()), "{name}");
                json!({ "name": name, "base": "points ‖ proof of provider 1", "edit": edit.json(), "error": error })
            })
            .to_vec()
    }

    /// Sets of parts that no quorum is.
    fn refused_quorums(&self) -> Vec<Value> {
        let points = |number: usize| self.evaluations[number - 1].points.as_slice();
        let sets: [(&str, Vec<OnePart<'_>>, &str); 4] = [
            ("one provider alone", vec![(provider(1), points(1))], "TooFewParts"),
            ("one provider twice", vec![(provider(1), points(1)), (provider(1), points(1))], "TooFewParts"),
            ("lists of different lengths", vec![(provider(1), points(1)), (provider(2), &points(2)[..1])], "BatchSize"),
            ("empty lists", vec![(provider(1), &[]), (provider(2), &[])], "BatchSize"),
        ];
        sets.map(|(name, parts, error)| {
            assert_eq!(combine(&parts).map_err(kind), Err(error.to_owned()), "{name}");
            let parts: Vec<_> = parts.iter().map(|(id, points)| json!([id.get(), hexes(points)])).collect();
            json!({ "name": name, "parts": parts, "error": error })
        })
        .to_vec()
    }
}

#[test]
fn the_file_says_what_a_quorum_computes() {
    let story = story();
    let scalars: Vec<_> = story.scalars.iter().map(|scalar| hex::encode(scalar.to_bytes())).collect();
    let whole = WholeKey::from_bytes(&story.key.to_bytes()).unwrap();
    let content = json!({
        "object": "threshold OPRF", "specification": "docs/spec/ceremony.md", "threshold": 2,
        "key": hex::encode(story.key.to_bytes()), "public_key": hex::encode(whole.public_key()),
        "inputs": INPUTS.map(hex::encode), "blinds": scalars, "blinded": hexes(&story.blinded),
        "evaluations": story.evaluations(), "quorums": story.quorums(), "outputs": story.outputs(),
        "malformed_evaluations": story.refused_evaluations(), "malformed_quorums": story.refused_quorums(),
    });
    settle("crypto-threshold-oprf.json", &content);
}

/// The numerators above, as an implementer would compute them: λᵢ = ∏ j / (j - i).
#[test]
fn the_stated_weights_interpolate() {
    let story = story();
    for (quorum, numerators, denominator) in QUORUMS {
        let inverse = Scalar::from(denominator).invert();
        let weighted = quorum.iter().zip(numerators).map(|(number, numerator)| {
            let magnitude = Scalar::from(numerator.unsigned_abs()) * inverse;
            let share = decode_scalar(&story.shares[usize::from(*number) - 1].to_bytes()).unwrap();
            if *numerator < 0 { -(share * magnitude) } else { share * magnitude }
        });
        assert_eq!(weighted.sum::<Scalar>(), story.key, "{quorum:?}");
    }
}
