//! The draft's vectors, vectors of ours for what surrounds them, and what attackers get.

use mosaic_vectors::{Edit, kind, seed, settle};
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};

use super::*;

const SHARED: Shared<'static> = Shared { password: b"0741538", channel: b"a channel" };
const EPOCH: &[u8] = &[0, 1, 2, 3];

fn draft() -> Value {
    serde_json::from_str(include_str!("../../../../vectors/draft-irtf-cfrg-cpace-21-ristretto255.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn scalar(value: &Value) -> Scalar {
    Scalar::from_canonical_bytes(array(value)).unwrap()
}

#[test]
fn the_draft_s_vectors() {
    let file = draft();
    let (password, channel, session) = (bytes(&file["PRS"]), bytes(&file["CI"]), array::<SESSION>(&file["sid"]));
    let shared = Shared { password: &password, channel: &channel };
    assert_eq!(*shared.generator_string(&session), bytes(&file["generator_string"]));
    assert_eq!(shared.generator(&session).compress().to_bytes(), array(&file["g"]));
    let (ya, yb) = (scalar(&file["ya"]), scalar(&file["yb"]));
    let (share_a, share_b) = (shared.share(&session, &ya), shared.share(&session, &yb));
    assert_eq!((share_a, share_b), (array(&file["Ya"]), array(&file["Yb"])));
    assert_eq!((decode_point(&share_b).unwrap() * ya).compress().to_bytes(), array(&file["K"]));
    let (said_a, said_b) = (bytes(&file["ADa"]), bytes(&file["ADb"]));
    let a = Said { share: &share_a, associated: &said_a };
    let b = Said { share: &share_b, associated: &said_b };
    for (own, theirs) in [(ya, share_b), (yb, share_a)] {
        let key = session_key(&session, &own, &theirs, a, b).unwrap();
        assert_eq!(key.0, array(&file["ISK_IR"]));
    }
}

#[test]
fn the_draft_s_points_that_must_end_a_run() {
    let file = &draft()["scalar_mult_vfy"];
    let (share, own) = (array(&file["X"]), scalar(&file["s"]));
    assert_eq!((decode_point(&share).unwrap() * own).compress().to_bytes(), array(&file["result"]));
    for invalid in file["invalid"].as_array().unwrap() {
        let share = array(invalid);
        let opening = Opening { session: [1; SESSION], share };
        let answered = answer(SHARED, &opening, EPOCH, &mut rng(1));
        assert_eq!(answered.err(), Some(CpaceError::InvalidShare));
        let (_, waiting) = start(SHARED, EPOCH, &mut rng(2));
        let finished = waiting.finish(&Answer { share, confirmation: [0; CONFIRMATION] });
        assert_eq!(finished.err(), Some(CpaceError::InvalidShare));
    }
}

#[test]
fn the_draft_s_lengths() {
    for vector in draft()["prepend_len"].as_array().unwrap() {
        if let Some(length) = vector["data_bytes"].as_u64() {
            let data: Vec<u8> = (0..length).map(|at| at as u8).collect();
            assert_eq!(*lv_cat(&[&data]), [bytes(&vector["prefix"]), data].concat());
        } else {
            assert_eq!(*lv_cat(&[&bytes(&vector["data"])]), bytes(&vector["result"]));
        }
    }
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// One run between two who share, or do not share, the same; the keys and whether each side was convinced.
struct Run {
    opening: Opening,
    answer: Answer,
    confirmation: Option<[u8; CONFIRMATION]>,
    keys: Option<[[u8; 64]; 2]>,
}

fn run(a: Shared<'_>, b: Shared<'_>, seed: u64) -> Run {
    let mut rng = rng(seed);
    let (opening, waiting) = start(a, EPOCH, &mut rng);
    let (answer, answered) = answer(b, &opening, EPOCH, &mut rng).unwrap();
    let Ok((confirmation, key)) = waiting.finish(&answer) else {
        return Run { opening, answer, confirmation: None, keys: None };
    };
    answered.confirm(&confirmation).unwrap();
    let keys = Some([*key.as_bytes(), *answered.unconfirmed().as_bytes()]);
    Run { opening, answer, confirmation: Some(confirmation), keys }
}

#[test]
fn who_shares_the_password_shares_the_key() {
    let first = run(SHARED, SHARED, 1);
    let [a, b] = first.keys.unwrap();
    assert_eq!(a, b);
    assert_ne!(run(SHARED, SHARED, 2).keys.unwrap()[0], a, "another run, another key");
    assert_eq!(run(SHARED, SHARED, 1).keys.unwrap()[0], a, "one seed, one run");
}

/// The error is the same whichever digit is wrong, and so is everything that was sent before it.
#[test]
fn a_wrong_password_yields_a_refusal_and_nothing_else() {
    let honest = run(SHARED, SHARED, 3);
    for wrong in [&b"0741539"[..], b"1741538", b"9999999", b"", b"07415380"] {
        let run = run(SHARED, Shared { password: wrong, ..SHARED }, 3);
        assert_eq!((run.confirmation, run.opening), (None, honest.opening));
        assert_ne!(run.answer, honest.answer);
        let (opening, waiting) = start(SHARED, EPOCH, &mut rng(3));
        assert_eq!(opening, run.opening);
        assert_eq!(waiting.finish(&run.answer).err(), Some(CpaceError::Refused));
        let (_, answered) = answer(Shared { password: wrong, ..SHARED }, &opening, EPOCH, &mut rng(4)).unwrap();
        assert_eq!(answered.confirm(&honest.confirmation.unwrap()), Err(CpaceError::Refused));
    }
}

#[test]
fn a_run_belongs_to_its_channel_session_and_epoch() {
    let elsewhere = Shared { channel: b"another channel", ..SHARED };
    assert!(run(SHARED, elsewhere, 5).keys.is_none(), "an unknown key share across channels");
    for (session, associated) in [([9; SESSION], EPOCH), ([0; SESSION], &[0, 1, 2, 4][..])] {
        let (opening, waiting) = start(SHARED, EPOCH, &mut rng(6));
        let session = if associated == EPOCH { session } else { opening.session };
        let (answer, answered) = answer(SHARED, &Opening { session, ..opening }, associated, &mut rng(7)).unwrap();
        assert_eq!(waiting.finish(&answer).err(), Some(CpaceError::Refused));
        assert_eq!(answered.confirm(&answer.confirmation), Err(CpaceError::Refused));
    }
}

#[test]
fn nothing_of_a_run_serves_in_another_or_against_its_author() {
    let old = run(SHARED, SHARED, 8);
    let mut rng = rng(9);
    let (opening, waiting) = start(SHARED, EPOCH, &mut rng);
    assert_eq!(waiting.finish(&old.answer).err(), Some(CpaceError::Refused), "replayed answer");
    let (answer, answered) = answer(SHARED, &old.opening, EPOCH, &mut rng).unwrap();
    assert_eq!(answered.confirm(&old.confirmation.unwrap()), Err(CpaceError::Refused), "replayed opening");
    assert_eq!(answered.confirm(&answer.confirmation), Err(CpaceError::Refused), "reflected confirmation");
    let (opened, waiting) = start(SHARED, EPOCH, &mut rng);
    let reflected = Answer { share: opened.share, confirmation: answer.confirmation };
    assert_eq!(waiting.finish(&reflected).err(), Some(CpaceError::Refused), "reflected share");
    assert_ne!(opening, opened);
}

/// Two who both began, and two who both answered, share the password and no key: the roles are in the transcript.
#[test]
fn swapped_roles_share_no_key() {
    let mut rng = rng(10);
    let session = [4; SESSION];
    let (ya, yb) = (random_scalar(&mut rng), random_scalar(&mut rng));
    let (first, waits_first) = start_with(SHARED, EPOCH, session, ya);
    let (second, waits_second) = start_with(SHARED, EPOCH, session, yb);
    let (of_first, ab) = answer_with(SHARED, &first, EPOCH, yb).unwrap();
    let (of_second, ba) = answer_with(SHARED, &second, EPOCH, ya).unwrap();
    assert_ne!(ab.unconfirmed().as_bytes(), ba.unconfirmed().as_bytes());
    let crossed = |share, confirmation| Answer { share, confirmation };
    assert!(waits_first.finish(&crossed(second.share, of_second.confirmation)).is_err());
    assert!(waits_second.finish(&crossed(first.share, of_first.confirmation)).is_err());
    assert!(ab.confirm(&of_second.confirmation).is_err() && ba.confirm(&of_first.confirmation).is_err());
}

/// Seed 11, 100,000 transcripts of which one message was altered, cut from another run, or drawn: nobody is convinced.
#[test]
fn no_altered_transcript_convinces_anybody() {
    let mut rng = rng(11);
    let (ya, session) = (random_scalar(&mut rng), [5; SESSION]);
    let (opening, _) = start_with(SHARED, EPOCH, session, ya);
    let (honest, answered) = answer_with(SHARED, &opening, EPOCH, random_scalar(&mut rng)).unwrap();
    let other = run(SHARED, SHARED, 12);
    let waiting = || AwaitAnswer { scalar: ya, opening, associated: EPOCH.to_vec() };
    let (confirmation, _) = waiting().finish(&honest).unwrap();
    let mut read = 0;
    for _ in 0..100_000 {
        let at = rng.random_range(0..SHARE);
        let mut edit = |bytes: &mut [u8; 32], theirs: &[u8; 32]| match rng.random_range(0..3) {
            0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => *bytes = *theirs,
            _ => rng.fill_bytes(bytes),
        };
        let (mut opened, mut answer, mut confirmed) = (opening, honest, confirmation);
        match at % 4 {
            0 => edit(&mut opened.share, &other.opening.share),
            1 => edit(&mut answer.share, &other.answer.share),
            2 => edit(&mut answer.confirmation, &other.answer.confirmation),
            _ => edit(&mut confirmed, &other.confirmation.unwrap()),
        }
        if opened != opening {
            let Ok((made, answered)) = answer_with(SHARED, &opened, EPOCH, ya) else { continue };
            assert!(waiting().finish(&made).is_err() && answered.confirm(&confirmation).is_err());
        } else if confirmed != confirmation {
            assert_eq!(answered.confirm(&confirmed), Err(CpaceError::Refused));
        } else {
            assert!(waiting().finish(&answer).is_err());
        }
        read += 1;
    }
    assert!(read > 50_000, "most alterations were read: {read}");
}

/// A vector file of ours: the draft has none for confirmations and for what each side refuses.
#[test]
fn the_file_says_what_a_run_computes() {
    let mut rng = rng(13);
    let (ya, yb) = (random_scalar(&mut rng), random_scalar(&mut rng));
    let (opening, waiting) = start_with(SHARED, EPOCH, [6; SESSION], ya);
    let (answer, answered) = answer_with(SHARED, &opening, EPOCH, yb).unwrap();
    let (confirmation, key) = waiting.finish(&answer).unwrap();
    answered.confirm(&confirmation).unwrap();
    let good = [answer.share, answer.confirmation].concat();
    let edits = [
        ("the identity", Edit::Replace(0, vec![0; 32])),
        ("a point that is not canonical", Edit::Replace(0, vec![0xFF; 32])),
        ("the initiator's own share", Edit::Replace(0, opening.share.to_vec())),
        ("another confirmation", Edit::flip(&good, 32)),
        ("the initiator's confirmation", Edit::Replace(32, confirmation.to_vec())),
    ];
    let malformed = edits.map(|(name, edit)| {
        let spoilt = edit.apply(&good);
        let (share, confirmation) = spoilt.split_at(32);
        let spoilt = Answer { share: share.try_into().unwrap(), confirmation: confirmation.try_into().unwrap() };
        let (_, waiting) = start_with(SHARED, EPOCH, [6; SESSION], ya);
        let error = kind(waiting.finish(&spoilt).err().unwrap());
        json!({ "name": name, "base": "answer_share ‖ answer_confirmation", "edit": edit.json(), "error": error })
    });
    let content = json!({
        "object": "CPace run", "specification": "docs/spec/codes.md",
        "password": hex::encode(SHARED.password), "channel": hex::encode(SHARED.channel), "associated": hex::encode(EPOCH),
        "session": hex::encode(opening.session), "ya": hex::encode(ya.to_bytes()), "yb": hex::encode(yb.to_bytes()),
        "opening_share": hex::encode(opening.share),
        "answer_share": hex::encode(answer.share), "answer_confirmation": hex::encode(answer.confirmation),
        "confirmation": hex::encode(confirmation), "key": hex::encode(key.as_bytes()), "malformed": malformed,
    });
    settle("crypto-cpace.json", &content);
    let opening = [&opening.session[..], &opening.share].concat();
    for (name, bytes) in [("opening", opening), ("answer", good), ("confirmation", confirmation.to_vec())] {
        seed("crypto_cpace", name, &bytes);
    }
}
