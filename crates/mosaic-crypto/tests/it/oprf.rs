//! The threshold OPRF against an independent RFC 9497 and against liars.

use mosaic_crypto::oprf::{
    Blind, Evaluation, KeyShare, OprfError, WholeKey, blind, combine, combine_and_finalize, finalize_all,
    verify_evaluation,
};
use mosaic_crypto::shamir;
use mosaic_types::ProviderId;
use proptest::prelude::*;
use subtle::ConstantTimeEq as _;
use voprf::{EvaluationElement, OprfServer, Ristretto255};

use crate::support::{provider, rng};

/// Shares of a random degree-1 key for providers 1 to 3: two of them define the line, the third follows.
fn line(seed: u64) -> [KeyShare; 3] {
    use curve25519_dalek::scalar::Scalar;
    use rand::Rng as _;
    let mut bytes = [0; 64];
    let mut rng = rng(seed);
    let mut scalar = || {
        rng.fill_bytes(&mut bytes);
        Scalar::from_bytes_mod_order_wide(&bytes)
    };
    let (key, slope) = (scalar(), scalar());
    [1_u8, 2, 3].map(|x| KeyShare::from_bytes(&(key + slope * Scalar::from(x)).to_bytes()).unwrap())
}

fn whole(shares: &[KeyShare; 3]) -> WholeKey {
    WholeKey::from_shares(&[(provider(1), &shares[0]), (provider(2), &shares[1])]).unwrap()
}

fn blinds(count: usize, seed: u64) -> (Vec<Blind>, Vec<[u8; 32]>) {
    let mut rng = rng(seed);
    (0..count).map(|i| blind(format!("input {i}").as_bytes(), &mut rng).unwrap()).unzip()
}

#[test]
fn any_two_or_all_three_equal_the_whole_key() {
    let shares = line(1);
    let (kept, points) = blinds(16, 2);
    let evaluated: Vec<Evaluation> = shares.iter().map(|share| share.evaluate(&points, &mut rng(3)).unwrap()).collect();
    for (share, evaluation) in shares.iter().zip(&evaluated) {
        verify_evaluation(share.public_share(), &points, evaluation).unwrap();
    }
    for set in [&[0, 1][..], &[0, 2], &[2, 1], &[0, 1, 2]] {
        let parts: Vec<(ProviderId, &[[u8; 32]])> =
            set.iter().map(|&i| (provider(i as u8 + 1), evaluated[i].points.as_slice())).collect();
        let combined = combine(&parts).unwrap();
        let batch = finalize_all(&kept, &combined).unwrap();
        let fused = combine_and_finalize(&kept, &parts).unwrap();
        assert!(batch.iter().zip(&fused).all(|(a, b)| bool::from(a.ct_eq(b))));
        for (i, ((blind, point), output)) in kept.iter().zip(&combined).zip(&batch).enumerate() {
            let expected = whole(&shares).evaluate(format!("input {i}").as_bytes()).unwrap();
            assert_eq!(blind.finalize(point).unwrap().as_bytes(), expected.as_bytes());
            assert_eq!(output.as_bytes(), expected.as_bytes());
        }
    }
}

#[test]
fn one_provider_alone_makes_another_function() {
    let shares = line(4);
    let (kept, points) = blinds(1, 5);
    let alone = shares[0].evaluate(&points, &mut rng(6)).unwrap();
    let output = kept[0].finalize(&alone.points[0]).unwrap();
    assert_ne!(output.as_bytes(), whole(&shares).evaluate(b"input 0").unwrap().as_bytes());
}

#[test]
fn a_wrong_share_order_point_or_proof_is_refused() {
    let shares = line(7);
    let (_, points) = blinds(4, 8);
    let good = shares[0].evaluate(&points, &mut rng(9)).unwrap();
    let check = |evaluation: &Evaluation| verify_evaluation(shares[0].public_share(), &points, evaluation);
    assert_eq!(check(&good), Ok(()));
    assert_eq!(check(&shares[1].evaluate(&points, &mut rng(9)).unwrap()), Err(OprfError::BadProof), "wrong share");
    let mut swapped = good.clone();
    swapped.points.swap(0, 1);
    assert_eq!(check(&swapped), Err(OprfError::BadProof), "order");
    let mut one_wrong = good.clone();
    one_wrong.points[2] = shares[1].evaluate(&points, &mut rng(9)).unwrap().points[2];
    assert_eq!(check(&one_wrong), Err(OprfError::BadProof), "one wrong point");
    for bit in 0..512 {
        let mut bent = good.clone();
        bent.proof[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(check(&bent), Err(OprfError::BadProof), "bit {bit}");
    }
    let mut other = points.clone();
    other.swap(0, 3);
    assert_eq!(verify_evaluation(shares[0].public_share(), &other, &good), Err(OprfError::BadProof), "question");
}

#[test]
fn encodings_must_be_canonical_and_not_the_identity() {
    let shares = line(10);
    // RFC 9496 appendix A.3: non-canonical, negative, and non-square encodings.
    let bad = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
    ];
    let (kept, points) = blinds(1, 11);
    for text in bad {
        let mut point = [0; 32];
        hex::decode_to_slice(text, &mut point).unwrap();
        let refused = Some(OprfError::InvalidPoint);
        assert_eq!(shares[0].evaluate(&[points[0], point], &mut rng(12)).err(), refused, "{text}");
        assert_eq!(kept[0].finalize(&point).err(), refused);
        assert_eq!(combine(&[(provider(1), &[point]), (provider(2), &points)]).err(), refused);
        let evaluation = Evaluation { points: vec![point], proof: [0; 64] };
        assert_eq!(verify_evaluation(shares[0].public_share(), &points, &evaluation).err(), refused);
        assert_eq!(
            verify_evaluation(&point, &points, &shares[0].evaluate(&points, &mut rng(1)).unwrap()).err(),
            refused
        );
    }
    assert_eq!(KeyShare::from_bytes(&[0; 32]).err(), Some(OprfError::InvalidScalar));
    assert_eq!(KeyShare::from_bytes(&[0xff; 32]).err(), Some(OprfError::InvalidScalar));
}

#[test]
fn batches_and_quorums_have_bounds() {
    let shares = line(13);
    let (kept, points) = blinds(2, 14);
    assert_eq!(shares[0].evaluate(&[], &mut rng(1)).err(), Some(OprfError::BatchSize));
    let short = Evaluation { points: points[..1].to_vec(), proof: [0; 64] };
    assert_eq!(verify_evaluation(shares[0].public_share(), &points, &short), Err(OprfError::BatchSize));
    assert_eq!(combine(&[(provider(1), &points)]), Err(OprfError::TooFewParts));
    assert_eq!(combine(&[(provider(1), &points), (provider(1), &points)]), Err(OprfError::TooFewParts));
    assert_eq!(combine(&[(provider(1), &points), (provider(2), &points[..1])]), Err(OprfError::BatchSize));
    assert_eq!(
        combine_and_finalize(&kept[..1], &[(provider(1), &points), (provider(2), &points)]).err(),
        Some(OprfError::BatchSize)
    );
    assert_eq!(finalize_all(&kept, &points[..1]).err(), Some(OprfError::BatchSize));
    assert_eq!(blind(&vec![0; 65_536], &mut rng(1)).err(), Some(OprfError::InvalidInput));
}

/// The base-mode function differs from ours in its context string only; the verifiable mode of the `voprf`
/// crate is the same function, so a foreign server and our client must agree on every byte.
#[test]
fn a_foreign_client_accepts_our_evaluation() {
    use voprf::{BlindedElement, Proof, VoprfClient, VoprfServer};
    let share = &line(15)[0];
    let server = VoprfServer::<Ristretto255>::new_with_key(&*share.to_bytes()).unwrap();
    assert_eq!(server.get_public_key().compress().to_bytes(), *share.public_share());
    let (kept, points) = blinds(1, 16);
    let evaluation = share.evaluate(&points, &mut rng(17)).unwrap();
    let blinded = BlindedElement::<Ristretto255>::deserialize(&points[0]).unwrap();
    let foreign = server.blind_evaluate(&mut old_rng::Old(rng(18)), &blinded);
    assert_eq!(foreign.message.serialize().as_slice(), evaluation.points[0]);
    let theirs = Evaluation {
        points: vec![foreign.message.serialize().as_slice().try_into().unwrap()],
        proof: foreign.proof.serialize().as_slice().try_into().unwrap(),
    };
    verify_evaluation(share.public_share(), &points, &theirs).unwrap();
    let mine = kept[0].finalize(&theirs.points[0]).unwrap();
    assert_eq!(server.evaluate(b"input 0").unwrap().as_slice(), mine.as_bytes());
    // And the other way round: their client against our server.
    let client = VoprfClient::<Ristretto255>::blind(b"input 0", &mut old_rng::Old(rng(19))).unwrap();
    let point: [u8; 32] = client.message.serialize().as_slice().try_into().unwrap();
    let ours = share.evaluate(&[point], &mut rng(20)).unwrap();
    let output = client.state.finalize(
        b"input 0",
        &EvaluationElement::deserialize(&ours.points[0]).unwrap(),
        &Proof::deserialize(&ours.proof).unwrap(),
        server.get_public_key(),
    );
    assert_eq!(output.unwrap().as_slice(), mine.as_bytes());
    let base = OprfServer::<Ristretto255>::new_with_key(&*share.to_bytes()).unwrap();
    assert_ne!(base.evaluate(b"input 0").unwrap().as_slice(), mine.as_bytes(), "modes are separated");
}

/// The `voprf` crate's issuer and ours are one function, and each client takes the other's answers.
#[test]
fn a_foreign_issuer_of_partial_evaluations_and_ours_agree() {
    use mosaic_crypto::oprf::partial::{self, PartialKey};
    use voprf::{PoprfClient, PoprfServer, Proof};
    let (seed, info) = ([9; 32], b"what everybody may know");
    let key = PartialKey::derive(&seed, b"key info").unwrap();
    let server = PoprfServer::<Ristretto255>::new_from_seed(&seed, b"key info").unwrap();
    assert_eq!(server.get_public_key().compress().to_bytes(), *key.public());
    let client = PoprfClient::<Ristretto255>::blind(b"input", &mut old_rng::Old(rng(21))).unwrap();
    let point: [u8; 32] = client.message.serialize().as_slice().try_into().unwrap();
    let ours = key.evaluate(&[point], info, &mut rng(22)).unwrap();
    let output = client.state.finalize(
        b"input",
        &EvaluationElement::deserialize(&ours.points[0]).unwrap(),
        &Proof::deserialize(&ours.proof).unwrap(),
        server.get_public_key(),
        Some(info),
    );
    let (kept, point) = partial::blind(b"input", &mut rng(23)).unwrap();
    let blinded = voprf::BlindedElement::<Ristretto255>::deserialize(&point).unwrap();
    let foreign = server.blind_evaluate(&mut old_rng::Old(rng(24)), &blinded, Some(info)).unwrap();
    let theirs = Evaluation {
        points: vec![foreign.message.serialize().as_slice().try_into().unwrap()],
        proof: foreign.proof.serialize().as_slice().try_into().unwrap(),
    };
    let mine = partial::finalize(key.public(), info, (&[kept], &[point]), &theirs).unwrap();
    assert_eq!(output.unwrap().as_slice(), mine[0].as_bytes());
    assert_eq!(key.output(b"input", info).unwrap().as_bytes(), mine[0].as_bytes());
}

#[test]
fn a_partial_evaluation_for_another_public_input_key_or_order_is_refused() {
    use mosaic_crypto::oprf::partial::{self, PartialKey};
    let [key, other] = [1, 2].map(|seed| PartialKey::derive(&[seed; 32], b"").unwrap());
    let (kept, points): (Vec<Blind>, Vec<[u8; 32]>) =
        (0..3_u8).map(|i| partial::blind(&[i], &mut rng(30 + u64::from(i))).unwrap()).unzip();
    let good = key.evaluate(&points, b"ten o'clock", &mut rng(31)).unwrap();
    let finalize = |info: &[u8], evaluation: &Evaluation| {
        partial::finalize(key.public(), info, (&kept, &points), evaluation).map(|_| ())
    };
    assert_eq!(finalize(b"ten o'clock", &good), Ok(()));
    assert_eq!(finalize(b"eleven o'clock", &good), Err(OprfError::BadProof));
    let foreign = other.evaluate(&points, b"ten o'clock", &mut rng(32)).unwrap();
    assert_eq!(finalize(b"ten o'clock", &foreign), Err(OprfError::BadProof));
    let mut swapped = good.clone();
    swapped.points.swap(0, 2);
    assert_eq!(finalize(b"ten o'clock", &swapped), Err(OprfError::BadProof));
    let short = Evaluation { points: good.points[..2].to_vec(), proof: good.proof };
    assert_eq!(finalize(b"ten o'clock", &short), Err(OprfError::BatchSize));
    assert_eq!(key.evaluate(&[[0xff; 32]], b"", &mut rng(33)).err(), Some(OprfError::InvalidPoint));
    assert_eq!(key.output(&vec![0; 65_536], b"").err(), Some(OprfError::InvalidInput));
    let outputs = [&b"ten o'clock"[..], b"eleven o'clock"].map(|info| key.output(b"x", info).unwrap());
    assert!(!bool::from(outputs[0].ct_eq(&outputs[1])));
}

/// The generation of generators that the `voprf` crate still asks for.
pub(crate) mod old_rng {
    use rand::Rng as _;
    use rand_chacha::ChaCha20Rng;
    use rand_core_06::{CryptoRng, Error, RngCore};

    pub(crate) struct Old(pub(crate) ChaCha20Rng);

    impl RngCore for Old {
        fn next_u32(&mut self) -> u32 {
            self.0.next_u32()
        }

        fn next_u64(&mut self) -> u64 {
            self.0.next_u64()
        }

        fn fill_bytes(&mut self, dest: &mut [u8]) {
            self.0.fill_bytes(dest);
        }

        fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Error> {
            self.0.fill_bytes(dest);
            Ok(())
        }
    }

    impl CryptoRng for Old {}
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_input_comes_out_as_under_the_whole_key(input in proptest::collection::vec(any::<u8>(), 0..200), seed: u64) {
        let shares = line(seed);
        let mut rng = rng(seed ^ 1);
        let (kept, point) = blind(&input, &mut rng).unwrap();
        let parts = [0, 2].map(|i: usize| shares[i].evaluate(&[point], &mut rng).unwrap().points);
        let combined = combine(&[(provider(1), &parts[0]), (provider(3), &parts[1])]).unwrap();
        let output = kept.finalize(&combined[0]).unwrap();
        let expected = whole(&shares).evaluate(&input).unwrap();
        prop_assert_eq!(output.as_bytes(), expected.as_bytes());
    }

    #[test]
    fn any_quorum_reconstructs(secret in proptest::collection::vec(any::<u8>(), 1..80), seed: u64) {
        for (k, n, picks) in [(2, 3, &[0, 2][..]), (2, 3, &[2, 1]), (3, 5, &[4, 0, 2]), (3, 5, &[1, 3, 4, 0])] {
            let mut shares = shamir::split(&secret, k, n, &mut rng(seed)).unwrap();
            let mut chosen = Vec::new();
            for &pick in picks {
                chosen.push(shamir::Share::from_bytes(&shares[pick].to_bytes()).unwrap());
            }
            shares.clear();
            let quorum = shamir::Quorate::check(&chosen, k).unwrap();
            prop_assert_eq!(&*shamir::reconstruct(&quorum), &secret);
        }
    }
}
