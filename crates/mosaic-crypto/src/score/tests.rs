//! The outcome against the plain sum, vectors, and what either side gets when it cheats.

use mosaic_vectors::{Edit, kind, seed, settle};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use serde_json::json;

use super::*;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn marks(shared: &[usize]) -> [bool; INTERESTS] {
    std::array::from_fn(|at| shared.contains(&at))
}

fn run(weights: &[u8; INTERESTS], shared: &[usize], seed: u64) -> Agreement {
    let mut rng = rng(seed);
    let (query, waiting) = ask(weights, &mut rng).unwrap();
    let reply = answer(&marks(shared), &query, &mut rng).unwrap();
    assert_eq!((query.len(), reply.len()), (QUERY, ANSWER), "sizes never tell");
    waiting.finish(&reply).unwrap()
}

#[test]
fn the_boundary_is_at_three() {
    let mut weights = [0; INTERESTS];
    (weights[0], weights[1], weights[2]) = (1, 1, 2);
    let expected = [Agreement::Below, Agreement::Below, Agreement::Reached, Agreement::Reached];
    assert_eq!(
        [run(&weights, &[], 1), run(&weights, &[0, 1, 9], 2), run(&weights, &[1, 2], 3), run(&weights, &[0, 1, 2], 4)],
        expected
    );
    let most: Vec<usize> = (0..SHARED).collect();
    assert_eq!(run(&[HEAVIEST; INTERESTS], &most, 5), Agreement::Reached, "48 is among them");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_outcome_is_that_of_the_plain_sum(
        weights in prop::collection::vec(prop_oneof![3 => Just(0_u8), 1 => 0..=HEAVIEST], INTERESTS),
        shared in prop::collection::btree_set(0..INTERESTS, 0..=SHARED),
        seed: u64,
    ) {
        let weights: [u8; INTERESTS] = weights.try_into().unwrap();
        let sum: u8 = shared.iter().map(|at| weights[*at]).sum();
        let shared: Vec<usize> = shared.into_iter().collect();
        let expected = if sum < ENOUGH { Agreement::Below } else { Agreement::Reached };
        prop_assert_eq!(run(&weights, &shared, seed), expected);
    }
}

#[test]
fn what_is_no_message_is_refused() {
    let mut rng = rng(6);
    let mut weights = [0; INTERESTS];
    let (query, waiting) = ask(&weights, &mut rng).unwrap();
    let many: Vec<usize> = (0..=SHARED).collect();
    assert_eq!(answer(&marks(&many), &query, &mut rng).err(), Some(ScoreError::TooMany));
    weights[63] = HEAVIEST + 1;
    assert_eq!(ask(&weights, &mut rng).err(), Some(ScoreError::Weight));
    let mut waiting = Some(waiting);
    for _ in 0..2_000 {
        let mut junk = vec![0; QUERY + usize::from(rng.next_u32().is_multiple_of(4))];
        rng.fill_bytes(&mut junk);
        assert_eq!(answer(&marks(&[]), &junk, &mut rng).err(), Some(ScoreError::Malformed));
        let key = waiting.take().map_or(Scalar::ONE, |waiting| waiting.key);
        assert_eq!(AwaitAnswer { key }.finish(&junk[..ANSWER]).err(), Some(ScoreError::Malformed));
    }
}

/// A changed holder forces the bit: it encrypts zero. Why an outcome gates an offer only.
#[test]
fn a_changed_holder_forces_the_bit() {
    let mut rng = rng(7);
    let (query, waiting) = ask(&[0; INTERESTS], &mut rng).unwrap();
    let key = decode_point(query.first_chunk().unwrap()).unwrap();
    let zeros = (0..SUMS).flat_map(|_| {
        let random = random_scalar(&mut rng);
        [BASE * &random, key * random].map(|point| point.compress().to_bytes()).concat()
    });
    assert_eq!(waiting.finish(&zeros.collect::<Vec<_>>()), Ok(Agreement::Reached));
}

/// An asker that knows its own randomness learns nothing from that of the reply: two replies to one query share no
/// number, although key, weights and sums are the same, and where the sum is enough exactly one encrypts zero.
#[test]
fn replies_are_encrypted_afresh() {
    let mut rng = rng(8);
    let (query, waiting) = ask(&[1; INTERESTS], &mut rng).unwrap();
    let replies: Vec<_> = (0..2).map(|_| answer(&marks(&[1, 2, 3, 4]), &query, &mut rng).unwrap()).collect();
    let mut numbers: Vec<&[u8]> = replies.iter().flat_map(|reply| reply.chunks(32)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 4 * SUMS);
    for reply in &replies {
        let points = points(reply, ANSWER).unwrap();
        let zeros = points.as_chunks::<2>().0.iter().filter(|[random, value]| random * waiting.key == *value);
        assert_eq!(zeros.count(), 1);
    }
}

#[test]
fn the_file_says_what_a_run_computes() {
    let mut weights = [0; INTERESTS];
    (weights[3], weights[5], weights[60]) = (1, 2, 3);
    let mut rng = rng(9);
    let (query, waiting) = ask(&weights, &mut rng).unwrap();
    let key = waiting.key;
    let (enough, little) = (answer(&marks(&[3, 5]), &query, &mut rng), answer(&marks(&[5, 9]), &query, &mut rng));
    let (enough, little) = (enough.unwrap(), little.unwrap());
    let edits = [
        ("too short", Edit::Length(ANSWER - 64)),
        ("too long", Edit::Append(vec![0; 64])),
        ("the identity", Edit::Replace(0, vec![0; 32])),
        ("a point that is not canonical", Edit::Replace(32, vec![0xFF; 32])),
    ];
    let malformed = edits.map(|(name, edit)| {
        let error = kind(AwaitAnswer { key }.finish(&edit.apply(&enough)).unwrap_err());
        json!({ "name": name, "base": "enough", "edit": edit.json(), "error": error })
    });
    assert_eq!(AwaitAnswer { key }.finish(&enough), Ok(Agreement::Reached));
    assert_eq!(AwaitAnswer { key }.finish(&little), Ok(Agreement::Below));
    let content = json!({
        "object": "score over encrypted weights", "specification": "docs/spec/matching.md",
        "key": hex::encode(key.to_bytes()), "weights": weights.to_vec(), "query": hex::encode(&query),
        "enough_shared": [3, 5], "enough": hex::encode(&enough), "little_shared": [5, 9], "little": hex::encode(&little),
        "malformed": malformed,
    });
    settle("crypto-score.json", &content);
    seed("crypto_score", "query", &query);
    seed("crypto_score", "answer", &enough);
}
