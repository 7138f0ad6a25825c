//! The outcome against plain counting, vectors, and what either side gets when it cheats.

use mosaic_vectors::{Edit, kind, seed, settle};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use serde_json::json;

use super::*;
use crate::oprf::decode_scalar;

const SESSION: [u8; 32] = [7; 32];

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// Topics as elements.
fn bytes(topics: &[u16]) -> Vec<[u8; 2]> {
    topics.iter().map(|topic| topic.to_be_bytes()).collect()
}

fn slices(bytes: &[[u8; 2]]) -> Vec<&[u8]> {
    bytes.iter().map(<[u8; 2]>::as_slice).collect()
}

fn run(ours: &[u16], theirs: &[u16], seed: u64) -> Agreement {
    let (ours, theirs, mut rng) = (bytes(ours), bytes(theirs), rng(seed));
    let (query, waiting) = ask(&slices(&ours), &SESSION, &mut rng).unwrap();
    let reply = answer(&slices(&theirs), &SESSION, &query, &mut rng).unwrap();
    assert_eq!((query.len(), reply.len()), (QUERY, ANSWER), "sizes never tell");
    waiting.finish(&SESSION, &reply).unwrap()
}

#[test]
fn the_boundary_is_at_three() {
    let ours: Vec<u16> = (0..16).collect();
    for common in 0..=16_u16 {
        let theirs: Vec<u16> = (16 - common..32 - common).collect();
        let expected = if common < 3 { Agreement::Below } else { Agreement::Reached };
        assert_eq!(run(&ours, &theirs, u64::from(common)), expected, "{common} in common");
    }
    assert_eq!([run(&[], &[], 1), run(&[1, 1, 1], &[1, 1, 1], 2)], [Agreement::Below; 2], "one thing counts once");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_outcome_is_that_of_plain_counting(
        ours in prop::collection::btree_set(0_u16..24, 0..=16),
        theirs in prop::collection::btree_set(0_u16..24, 0..=16),
        seed: u64,
    ) {
        let expected = if ours.intersection(&theirs).count() < 3 { Agreement::Below } else { Agreement::Reached };
        let (ours, theirs): (Vec<_>, Vec<_>) = (ours.into_iter().collect(), theirs.into_iter().collect());
        prop_assert_eq!(run(&ours, &theirs, seed), expected);
    }
}

#[test]
fn what_is_no_message_is_refused() {
    let mut rng = rng(3);
    let many: Vec<[u8; 2]> = (0..17_u16).map(u16::to_be_bytes).collect();
    assert_eq!(ask(&slices(&many), &SESSION, &mut rng).err(), Some(PsiError::TooMany));
    let (query, _) = ask(&[], &SESSION, &mut rng).unwrap();
    assert_eq!(answer(&slices(&many), &SESSION, &query, &mut rng).err(), Some(PsiError::TooMany));
    for _ in 0..2_000 {
        let mut junk = vec![0; ANSWER - usize::from(rng.next_u32().is_multiple_of(4))];
        rng.fill_bytes(&mut junk);
        assert_eq!(answer(&[], &SESSION, &junk[..QUERY], &mut rng).err(), Some(PsiError::Malformed));
        let (_, waiting) = ask(&[], &SESSION, &mut rng).unwrap();
        assert_eq!(waiting.finish(&SESSION, &junk).err(), Some(PsiError::Malformed));
    }
}

#[test]
fn a_run_belongs_to_its_session() {
    let topics = bytes(&[1, 2, 3, 4]);
    let mut rng = rng(4);
    let (query, waiting) = ask(&slices(&topics), &SESSION, &mut rng).unwrap();
    let reply = answer(&slices(&topics), &[8; 32], &query, &mut rng).unwrap();
    assert_eq!(waiting.finish(&SESSION, &reply), Ok(Agreement::Below));
}

/// What an asker with no share, one and two of them computes of a reply is uniform: it depends on nothing that differs
/// between the three. Shown as far as a test can: for two shares of any secret there is a polynomial of the holder's that
/// gives them, so the two fix no secret; and beyond the shares every value is behind a pad of its own.
#[test]
fn two_shares_fit_every_secret() {
    let mut rng = rng(5);
    let [one, two, real, other] = [(); 4].map(|()| random_scalar(&mut rng));
    let (slope, curve) = (random_scalar(&mut rng), random_scalar(&mut rng));
    let quadratic = |at: &Scalar| evaluate(&[real, slope, curve], at);
    let shares = [(one, quadratic(&one)), (two, quadratic(&two))];
    // the quadratic through both shares and another secret at 0
    let through = interpolate(&[Scalar::ZERO, one, two], &[other, shares[0].1, shares[1].1]);
    assert!(shares.iter().all(|(at, value)| evaluate(&through, at) == *value) && through[0] == other);
}

/// The values an asker finds where nothing is common differ with every run, and so do those it finds where something is.
#[test]
fn an_asker_sees_no_difference_between_none_and_two_in_common() {
    let (ours, mut rng) = (bytes(&[1, 2]), rng(6));
    let mut found = BTreeSet::new();
    for theirs in [&[1_u16, 2, 9, 10][..], &[3, 4, 9, 10]] {
        for _ in 0..32 {
            let (query, mut waiting) = ask(&slices(&ours), &SESSION, &mut rng).unwrap();
            let reply = answer(&slices(&bytes(theirs)), &SESSION, &query, &mut rng).unwrap();
            Scalar::invert_batch_alloc(&mut waiting.blinds);
            let coefficients: Vec<Scalar> =
                pieces(&reply[QUERY..2 * QUERY]).unwrap().iter().map(|b| decode_scalar(b).unwrap()).collect();
            for (point, inverse) in points(&reply[..QUERY]).unwrap().iter().zip(&waiting.blinds) {
                let output = Output::of(&(point * inverse));
                found.insert((evaluate(&coefficients, &output.place) - output.pad).to_bytes());
            }
        }
    }
    assert_eq!(found.len(), 2 * 32 * ELEMENTS, "no value is seen twice");
}

/// A holder that answers for more than sixteen elements needs a polynomial through more points than coefficients. Its own
/// secret gives it no room either: what counts is the difference of the two polynomials.
#[test]
fn a_changed_holder_serves_at_most_sixteen() {
    let mut rng = rng(7);
    let key = random_scalar(&mut rng);
    let topics = bytes(&(0..20).collect::<Vec<u16>>());
    let outputs: Vec<Output> = topics
        .iter()
        .map(|topic| hash_to_group_as(&[&SESSION[..], topic].concat(), DST_GROUP).unwrap())
        .map(|point| Output::of(&(point * key)))
        .collect();
    // polynomial(place) − secret(place) = pad, in sixteen and three unknowns
    let row = |output: &Output| {
        let powers = std::iter::successors(Some(Scalar::ONE), |power| Some(power * output.place));
        let powers: Vec<Scalar> = powers.take(ELEMENTS).collect();
        let secret: Vec<Scalar> = powers[..THRESHOLD].iter().map(|power| -power).collect();
        [&powers[..], &secret, &[output.pad]].concat()
    };
    let serves = |count: usize| is_solvable(outputs[..count].iter().map(row).collect());
    assert!(serves(16) && !serves(17));
}

/// Whether linear equations have a solution; the last number of each is its right side.
fn is_solvable(mut rows: Vec<Vec<Scalar>>) -> bool {
    let unknowns = rows[0].len() - 1;
    let mut done = 0;
    for column in 0..unknowns {
        let Some(pivot) = (done..rows.len()).find(|at| rows[*at][column] != Scalar::ZERO) else { continue };
        rows.swap(done, pivot);
        let inverse = rows[done][column].invert();
        let lead: Vec<Scalar> = rows[done].iter().map(|value| value * inverse).collect();
        for row in rows.iter_mut().skip(done + 1) {
            let factor = row[column];
            row.iter_mut().zip(&lead).for_each(|(value, lead)| *value -= factor * lead);
        }
        done += 1;
    }
    rows[done..].iter().all(|row| row[unknowns] == Scalar::ZERO)
}

#[test]
fn the_file_says_what_a_run_computes() {
    let (ours, theirs) = (bytes(&[1, 2, 3, 4, 5]), bytes(&[3, 4, 5, 6]));
    let mut rng = rng(8);
    let (query, waiting) = ask(&slices(&ours), &SESSION, &mut rng).unwrap();
    let blinds: Vec<_> = waiting.blinds.iter().map(|blind| hex::encode(blind.to_bytes())).collect();
    let reply = answer(&slices(&theirs), &SESSION, &query, &mut rng).unwrap();
    let edits = [
        ("too short", Edit::Length(ANSWER - 1)),
        ("too long", Edit::Append(vec![0])),
        ("the identity", Edit::Replace(0, vec![0; 32])),
        ("a point that is not canonical", Edit::Replace(32, vec![0xFF; 32])),
        ("a coefficient that is not canonical", Edit::Replace(QUERY, vec![0xFF; 32])),
    ];
    let malformed = edits.map(|(name, edit)| {
        let waiting = AwaitAnswer { blinds: waiting.blinds.clone() };
        let error = kind(waiting.finish(&SESSION, &edit.apply(&reply)).unwrap_err());
        json!({ "name": name, "base": "answer", "edit": edit.json(), "error": error })
    });
    let below = AwaitAnswer { blinds: waiting.blinds.clone() }.finish(&[8; 32], &reply).unwrap();
    let content = json!({
        "object": "threshold private set intersection", "specification": "docs/spec/matching.md",
        "session": hex::encode(SESSION), "asker": ours.iter().map(hex::encode).collect::<Vec<_>>(),
        "holder": theirs.iter().map(hex::encode).collect::<Vec<_>>(), "blinds": blinds,
        "query": hex::encode(&query), "answer": hex::encode(&reply),
        "outcome": format!("{:?}", waiting.finish(&SESSION, &reply).unwrap()),
        "outcome_in_another_session": format!("{below:?}"), "malformed": malformed,
    });
    settle("crypto-psi.json", &content);
    seed("crypto_psi", "query", &query);
    seed("crypto_psi", "answer", &reply);
}
