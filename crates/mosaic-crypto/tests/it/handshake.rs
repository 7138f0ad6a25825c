//! Wave and token handshakes, honest and not.

use mosaic_crypto::agreement::{AgreementPublic, AgreementSecret};
use mosaic_crypto::handshake::{Channel, HANDSHAKE_OVERHEAD, HandshakeError, Initiator, Responder};

use crate::support::rng;

/// One whole token handshake.
fn token(psk: &[u8; 32], seed: u64) -> (Vec<u8>, Vec<u8>, Channel, Channel) {
    let mut rng = rng(seed);
    let (first, waiting) = Initiator::token(psk).start(b"hello", &mut rng).unwrap();
    let (read, received) = Responder::token(psk).receive(&first).unwrap();
    assert_eq!(read, b"hello");
    let (second, theirs) = received.reply(b"welcome", &mut rng).unwrap();
    let (read, mine) = waiting.finish(&second).unwrap();
    assert_eq!(read, b"welcome");
    (first, second, mine, theirs)
}

#[test]
fn a_wave_reaches_the_card_and_nobody_else() {
    let mut rng = rng(1);
    let card = AgreementSecret::random(&mut rng);
    let (first, waiting) = Initiator::wave(&card.public()).start(b"contact", &mut rng).unwrap();
    assert_eq!(first.len(), 7 + HANDSHAKE_OVERHEAD);
    assert!(!first.windows(7).any(|window| window == b"contact"));
    let stranger = AgreementSecret::random(&mut rng);
    assert_eq!(Responder::wave(&stranger).receive(&first).err(), Some(HandshakeError::Refused));
    let responder = Responder::wave(&card);
    let (payload, received) = responder.receive(&first).unwrap();
    assert_eq!(payload, b"contact");
    let (second, mut theirs) = received.reply(b"", &mut rng).unwrap();
    let (payload, mut mine) = waiting.finish(&second).unwrap();
    assert!(payload.is_empty());
    assert_eq!(mine.binding(), theirs.binding());
    let sealed = mine.seal(b"on my way").unwrap();
    assert_eq!(theirs.open(&sealed).unwrap(), b"on my way");
}

#[test]
fn a_wrong_token_is_refused() {
    let (first, _) = Initiator::token(&[1; 32]).start(b"hello", &mut rng(2)).unwrap();
    assert_eq!(Responder::token(&[2; 32]).receive(&first).err(), Some(HandshakeError::Refused));
    // The pattern's name and the prologue separate the two handshakes.
    let card = AgreementSecret::from_bytes([1; 32]);
    assert!(Responder::wave(&card).receive(&first).is_err());
}

#[test]
fn channel_messages_cannot_be_replayed_reordered_reflected_or_altered() {
    let (_, _, mut mine, mut theirs) = token(&[3; 32], 3);
    let (one, two) = (mine.seal(b"one").unwrap(), mine.seal(b"two").unwrap());
    assert_eq!(theirs.open(&two), Err(HandshakeError::Refused), "reordered");
    assert_eq!(mine.open(&one), Err(HandshakeError::Refused), "reflected");
    for bit in 0..one.len() * 8 {
        let mut bent = one.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(theirs.open(&bent), Err(HandshakeError::Refused), "bit {bit}");
    }
    assert_eq!(theirs.open(&one).unwrap(), b"one");
    assert_eq!(theirs.open(&one), Err(HandshakeError::Refused), "replayed");
    assert_eq!(theirs.open(&two).unwrap(), b"two");
    assert!(theirs.open(b"short").is_err() && theirs.open(b"").is_err());
}

#[test]
fn handshake_messages_cannot_be_altered_replayed_or_reflected() {
    let psk = [4; 32];
    let (first, second, ..) = token(&psk, 4);
    for byte in 0..first.len() {
        let mut bent = first.clone();
        bent[byte] ^= 1;
        assert!(Responder::token(&psk).receive(&bent).is_err(), "byte {byte}");
    }
    assert!(Responder::token(&psk).receive(&first[..first.len() - 1]).is_err());
    // A reply answers one first message: to a second initiator it is a replay, to its own author a reflection.
    let mut rng = rng(5);
    let (_, waiting) = Initiator::token(&psk).start(b"hello", &mut rng).unwrap();
    assert!(waiting.finish(&second).is_err(), "replayed reply");
    let (own, waiting) = Initiator::token(&psk).start(b"hello", &mut rng).unwrap();
    assert!(waiting.finish(&own).is_err(), "reflected first message");
    for byte in 0..second.len() {
        let mut rng = crate::support::rng(4);
        let (_, waiting) = Initiator::token(&psk).start(b"hello", &mut rng).unwrap();
        let mut bent = second.clone();
        bent[byte] ^= 1;
        assert!(waiting.finish(&bent).is_err(), "byte {byte}");
    }
}

/// A replayed first message can be read again, but its answers lead to different channels.
#[test]
fn a_replayed_first_message_leads_to_no_old_channel() {
    let psk = [5; 32];
    let (first, _, mut mine, theirs) = token(&psk, 6);
    let (_, received) = Responder::token(&psk).receive(&first).unwrap();
    let (_, mut replayed) = received.reply(b"welcome", &mut rng(7)).unwrap();
    assert_ne!(replayed.binding(), theirs.binding());
    assert!(replayed.open(&mine.seal(b"secret").unwrap()).is_err());
}

#[test]
fn one_seed_gives_one_exchange() {
    let (a, b) = (token(&[6; 32], 8), token(&[6; 32], 8));
    assert_eq!((&a.0, &a.1, a.2.binding()), (&b.0, &b.1, b.2.binding()));
    assert_ne!(a.0, token(&[6; 32], 9).0);
}

#[test]
fn weak_cards_and_oversized_payloads_are_refused() {
    let weak = Initiator::wave(&AgreementPublic([0; 32])).start(b"", &mut rng(1));
    assert_eq!(weak.err(), Some(HandshakeError::WeakKey));
    let long = vec![0; 65_535];
    assert_eq!(Initiator::token(&[1; 32]).start(&long, &mut rng(1)).err(), Some(HandshakeError::TooLong));
    let (_, _, mut mine, _) = token(&[1; 32], 1);
    assert_eq!(mine.seal(&long), Err(HandshakeError::TooLong));
}
