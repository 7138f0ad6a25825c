use std::time::Duration;

use super::*;
use crate::fixture::{Town, id, now};

const REFERENCE: [u8; 32] = [4; 32];

fn request(town: &Town, from: u8, to: u8, at: Timestamp) -> Vec<u8> {
    let body = PeerRequest::FetchTable(Period(9));
    seal((id(from), id(to)), Direction::Request, at, &REFERENCE, &body, &town.signing[usize::from(from) - 1]).0
}

fn open_as(town: &Town, me: u8, at: Timestamp, bytes: &[u8]) -> Result<Opened<PeerRequest>, EnvelopeError> {
    ReplayGuard::default().open_request(&town.federation, id(me), at, bytes)
}

#[test]
fn an_envelope_opens_once_for_its_reader() {
    let town = Town::new();
    let bytes = request(&town, 1, 2, now());
    let mut guard = ReplayGuard::default();
    let mut open = || guard.open_request::<PeerRequest>(&town.federation, id(2), now(), &bytes);
    let opened = open().unwrap();
    assert_eq!((opened.from, opened.body), (id(1), PeerRequest::FetchTable(Period(9))));
    assert_eq!(open(), Err(EnvelopeError::Replayed));
    assert_eq!(open_as(&town, 3, now(), &bytes), Err(EnvelopeError::Misdirected));
    assert_eq!(open_as(&town, 1, now(), &bytes), Err(EnvelopeError::Misdirected));
}

#[test]
fn an_old_or_early_envelope_is_refused() {
    let town = Town::new();
    let bytes = request(&town, 1, 2, now());
    let minutes = Duration::from_mins;
    assert!(open_as(&town, 2, now().after(minutes(5)), &bytes).is_ok());
    assert_eq!(open_as(&town, 2, now().after(minutes(6)), &bytes), Err(EnvelopeError::Skew));
    assert_eq!(open_as(&town, 2, now().before(minutes(6)), &bytes), Err(EnvelopeError::Skew));
    // the guard forgets only what is too old to pass anyway
    let mut guard = ReplayGuard::default();
    let mut open = |at, bytes: &[u8]| guard.open_request::<PeerRequest>(&town.federation, id(2), at, bytes);
    open(now(), &bytes).unwrap();
    open(now().after(minutes(9)), &request(&town, 1, 2, now().after(minutes(9)))).unwrap();
    assert_eq!(open(now().after(minutes(5)), &bytes), Err(EnvelopeError::Replayed));
}

#[test]
fn no_bit_of_an_envelope_can_be_changed() {
    let town = Town::new();
    let bytes = request(&town, 1, 2, now());
    for bit in 0..bytes.len() * 8 {
        let mut bent = bytes.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        assert!(open_as(&town, 2, now(), &bent).is_err(), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert!(open_as(&town, 2, now(), &bytes[..length]).is_err());
    }
}

#[test]
fn a_reply_answers_one_request_of_one_peer() {
    let town = Town::new();
    let asked = [7; 32];
    let (bytes, _) = seal((id(2), id(1)), Direction::Reply, now(), &asked, &PeerReply::Done, &town.signing[1]);
    let open = |from: u8, request: &[u8; 32]| {
        open_reply::<PeerReply>(&town.federation, (id(from), id(1)), now(), request, &bytes).map(|opened| opened.body)
    };
    assert_eq!(open(2, &asked), Ok(PeerReply::Done));
    assert_eq!(open(3, &asked), Err(EnvelopeError::Misdirected));
    assert_eq!(open(2, &[8; 32]), Err(EnvelopeError::Misdirected));
    assert_eq!(open_as(&town, 1, now(), &bytes), Err(EnvelopeError::Misdirected), "a reply is no request");
}

#[test]
fn a_full_request_fits_and_no_list_may_be_longer() {
    let town = Town::new();
    let verdict = Verdict {
        stream: mosaic_types::Stream::Slow,
        generation: u32::MAX,
        accepted: u16::MAX,
        full: u16::MAX,
        time: now(),
        receipt_key: [0xff; 32],
    };
    let (records, token) = (vec![0xff; 1_950], vec![0xff; mosaic_wire::WireToken::SIZE]);
    let deposit = ReplicaDeposit { table: TableId(u32::MAX), event: [0xff; 32], verdict, records, token };
    let full = |count| PeerRequest::Replicate(vec![deposit.clone(); count]);
    let (bytes, _) = seal((id(1), id(2)), Direction::Request, now(), &REFERENCE, &full(MAX_DEPOSITS), &town.signing[0]);
    assert!(bytes.len() <= MAX_REQUEST, "{}", bytes.len());
    assert!(open_as(&town, 2, now(), &bytes).is_ok_and(|opened| opened.body.is_bounded()));
    assert!(!full(MAX_DEPOSITS + 1).is_bounded());
    let segment = SegmentId { table: TableId(1), origin: id(1), stream: mosaic_types::Stream::Fast };
    for (count, bounded) in [(0, true), (1, false)] {
        assert_eq!(PeerRequest::Announce(vec![Vec::new(); MAX_HEADS + count]).is_bounded(), bounded);
        assert_eq!(PeerRequest::Heads(vec![(segment, 0); MAX_SEGMENTS + count]).is_bounded(), bounded);
        assert_eq!(PeerRequest::Blocks(vec![(segment, 0); MAX_BLOCKS + count]).is_bounded(), bounded);
    }
}

#[test]
fn a_request_that_is_too_long_is_not_even_hashed() {
    let town = Town::new();
    let mut bytes = request(&town, 1, 2, now());
    bytes.resize(MAX_REQUEST + 1, 0);
    assert_eq!(open_as(&town, 2, now(), &bytes), Err(EnvelopeError::Malformed));
}
