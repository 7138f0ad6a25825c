//! What providers and people say to each other under keys.
//!
//! A fuzzer cannot sign or encrypt, so these targets do it: what lies behind a signature or a seal is fed once as it
//! came and once under keys that the target holds, so that the parser behind it is reached.

use std::sync::LazyLock;

use mosaic_aggregate::{Batch, Counted, NoisedSum, ReportFields, SignedStatement};
use mosaic_crypto::{
    agreement::AgreementSecret,
    cpace::{self, Answer, CpaceError, Opening, Shared},
    handshake::{Initiator, Responder},
    oprf::OprfOutput,
    psi,
    record::{self, RecordNonce},
    score,
    signing::{SignContext, SigningKey},
};
use mosaic_discovery::{Card, Invitation};
use mosaic_federation::{
    Federation, SignedDealing, SignedDocument,
    peer::{self, PeerReply, PeerRequest, ReplayGuard},
};
use mosaic_geo::{Cell, Resolution};
use mosaic_types::{LatLng, Period, ProviderId, Timestamp, TopicId};
use mosaic_wire::{OprfInput, rows};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

use crate::Target;

pub(crate) const TARGETS: &[Target] = &[
    Target { name: "federation_peer_reply", run: |bytes| drop(postcard::from_bytes::<PeerReply>(bytes)) },
    Target { name: "federation_envelope", run: envelope },
    Target { name: "aggregate_sum", run: noised_sum },
    Target { name: "aggregate_statement", run: statement },
    Target { name: "aggregate_report", run: report },
    Target { name: "federation_signed_dealing", run: signed_dealing },
    Target { name: "crypto_handshake", run: handshake },
    Target { name: "crypto_cpace", run: cpace },
    Target { name: "crypto_psi", run: psi },
    Target { name: "crypto_score", run: score },
    Target { name: "discovery_card", run: card },
    Target { name: "discovery_invitation", run: invitation },
];

/// The federation of the seeds, whose provider `n` signs with the seed `[n; 32]`.
static FEDERATION: LazyLock<Option<Federation>> = LazyLock::new(|| {
    let document = include_bytes!("../../../fuzz/corpus/federation_document/three-providers");
    SignedDocument::parse(document).ok()?.verify().ok()
});

/// When everything here happens.
const NOW: Timestamp = Timestamp::from_secs(1_763_683_200);

/// The digest of the request that replies in the corpus refer to.
const REQUEST: [u8; 32] = [7; 32];

fn providers() -> Option<[ProviderId; 2]> {
    Some([ProviderId::new(1).ok()?, ProviderId::new(2).ok()?])
}

fn noised_sum(bytes: &[u8]) {
    if let Some(sum) = NoisedSum::decode(bytes) {
        assert!(sum.encode() == bytes, "accepted, but written differently");
    }
}

/// A statement as it came, under the keys of the federation and under any key.
fn statement(bytes: &[u8]) {
    let all: Vec<u8> = SignedStatement::decode_all(bytes).iter().flat_map(SignedStatement::encode).collect();
    assert!(bytes.starts_with(&all), "a list that is written differently");
    let Ok(statement) = SignedStatement::decode(bytes) else { return };
    assert!(statement.encode() == bytes, "accepted, but written differently");
    if let Some(federation) = FEDERATION.as_ref()
        && let Ok(published) = statement.verify(|provider| federation.signing_key(provider))
    {
        assert!(published.class_shares().is_ok(), "published, and of no use");
    }
}

/// A share of a report goes through everything up to the other aggregator's answer, which is taken to be its own.
fn report(bytes: &[u8]) {
    let Ok(report) = ReportFields::decode(bytes) else { return };
    let counted = Counted { tile: report.tile, day: report.day };
    let Some(mut batch) = Batch::open(counted, report.side, [9; 32]) else { return };
    if let Ok(begun) = batch.begin(&report) {
        let theirs = *begun.verifier_share();
        assert!(batch.finish(begun, &theirs).is_err() && batch.reports() == 0, "counted without the other share");
    }
}

/// A request to and a reply for provider 2, as they came and signed by provider 1.
fn envelope(bytes: &[u8]) {
    let (Some(federation), Some([from, me])) = (FEDERATION.as_ref(), providers()) else { return };
    let open = |bytes: &[u8]| {
        let request = ReplayGuard::default().open_request::<PeerRequest>(federation, me, NOW, bytes);
        let reply = peer::open_reply::<PeerReply>(federation, (from, me), NOW, &REQUEST, bytes);
        assert!(request.is_err() || reply.is_err(), "one envelope is a request and a reply");
    };
    open(bytes);
    let signed = bytes.get(..bytes.len().saturating_sub(64)).unwrap_or_default();
    let signature = SigningKey::from_bytes(&[1; 32]).sign(SignContext::PeerMessage, signed);
    open(&[signed, &signature].concat());
}

/// A signed dealing as it travels, and the same bytes as a dealing that its dealer signed.
fn signed_dealing(bytes: &[u8]) {
    let Some(federation) = FEDERATION.as_ref() else { return };
    let open = |dealing: SignedDealing| {
        if let Ok(opened) = dealing.open(federation) {
            assert!(federation.signing_key(opened.dealer()).is_some(), "a stranger's dealing was opened");
            drop(dealing.open_for(federation, Period(0)));
        }
    };
    if let Ok(dealing) = postcard::from_bytes(bytes) {
        open(dealing);
    }
    let dealer = bytes.get(1).copied().unwrap_or_default();
    let signature = SigningKey::from_bytes(&[dealer; 32]).sign(SignContext::Dealing, bytes);
    let Ok(resigned) = postcard::to_allocvec(&(bytes, signature.as_slice())) else { return };
    if let Ok(dealing) = postcard::from_bytes(&resigned) {
        open(dealing);
    }
}

/// The card and the token of the handshakes in the corpus.
const CARD: [u8; 32] = [0x21; 32];
const PSK: [u8; 32] = [0x22; 32];

/// First messages, replies and channel messages of both handshakes; then `bytes` as the payload of whole ones.
fn handshake(bytes: &[u8]) {
    let card = AgreementSecret::from_bytes(CARD);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let sides =
        [(Initiator::wave(&card.public()), Responder::wave(&card)), (Initiator::token(&PSK), Responder::token(&PSK))];
    for (initiator, responder) in sides {
        drop(responder.receive(bytes));
        let Ok((first, waiting)) = initiator.start(bytes, &mut rng) else { continue };
        let Ok((payload, received)) = responder.receive(&first) else { unreachable!("an honest message was refused") };
        assert!(payload == bytes, "the payload changed");
        let Ok((second, mut answering)) = received.reply(b"", &mut rng) else { continue };
        drop(answering.open(bytes));
        let Ok((_, mut asking)) = waiting.finish(&second) else { unreachable!("an honest reply was refused") };
        drop(asking.open(bytes));
        let sealed = asking.seal(b"still in step").and_then(|message| answering.open(&message));
        assert!(sealed.is_ok_and(|text| text == b"still in step"), "a refused message moved the channel");
    }
    if let Ok((_, waiting)) = Initiator::token(&PSK).start(b"", &mut rng) {
        drop(waiting.finish(bytes));
    }
}

/// What is shared in the corpus.
const SHARED: Shared<'static> = Shared { password: b"0741538", channel: b"a channel" };

/// Openings, answers and confirmations of somebody who does not know the password: none convinces.
fn cpace(bytes: &[u8]) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (opening, waiting) = cpace::start(SHARED, b"", &mut rng);
    if let Some((session, rest)) = bytes.split_first_chunk()
        && let Ok(share) = rest.try_into()
        && let Ok((_, answered)) = cpace::answer(SHARED, &Opening { session: *session, share }, b"", &mut rng)
    {
        let confirmed = answered.confirm(&share);
        assert!(confirmed == Err(CpaceError::Refused), "a share confirms itself");
    }
    if let Some((share, rest)) = bytes.split_first_chunk()
        && let Ok(confirmation) = rest.try_into()
    {
        let finished = waiting.finish(&Answer { share: *share, confirmation });
        assert!(finished.is_err(), "an answer without the password was taken");
    }
    if let Ok(confirmation) = bytes.try_into()
        && let Ok((_, answered)) = cpace::answer(SHARED, &opening, b"", &mut rng)
    {
        assert!(answered.confirm(&confirmation).is_err(), "a confirmation without the key was taken");
    }
}

/// Queries and replies of the threshold intersection, as they came: an asker with an empty set finds nothing in any.
fn psi(bytes: &[u8]) {
    let (session, mut rng) = ([7; 32], ChaCha20Rng::seed_from_u64(1));
    if let Ok(reply) = psi::answer(&[b"tea", b"go"], &session, bytes, &mut rng) {
        assert!(reply.len() == psi::ANSWER, "the size of a reply tells");
    }
    if let Ok((_, waiting)) = psi::ask(&[], &session, &mut rng) {
        let outcome = waiting.finish(&session, bytes);
        assert!(outcome != Ok(psi::Agreement::Reached), "nothing agrees with something");
    }
}

/// Queries and replies of the score, as they came: only who knows the asker's key encrypts a zero.
fn score(bytes: &[u8]) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    if let Ok(reply) = score::answer(&[false; score::INTERESTS], bytes, &mut rng) {
        assert!(reply.len() == score::ANSWER, "the size of a reply tells");
    }
    if let Ok((_, waiting)) = score::ask(&[3; score::INTERESTS], &mut rng) {
        let outcome = waiting.finish(bytes);
        assert!(outcome != Ok(psi::Agreement::Reached), "a zero was encrypted without the key");
    }
}

/// An invitation as somebody pasted it, and the same with the check it would need.
fn invitation(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = |text: &str| {
        if let Ok(invitation) = Invitation::parse(text) {
            assert!(invitation.to_text().expose(|again| again == text.trim()), "read, but written differently");
        }
    };
    read(text);
    let body = text.trim().rsplit_once("&check=").map_or(text.trim(), |(body, _)| body);
    let [a, b, c, d, ..] = mosaic_crypto::digest(&[b"group invitation", body.as_bytes()]);
    read(&format!("{body}&check={a:02x}{b:02x}{c:02x}{d:02x}"));
}

/// A sealed record as it was found (192 bytes), or a bundle of 136 bytes and a topic layer of 57 that we seal.
fn card(bytes: &[u8]) {
    let output = OprfOutput::from_bytes([1; 64]);
    let topic = (TopicId(7), [9; 32]);
    let Ok(place) = LatLng::new(41.15, -8.62) else { return };
    let (cell, window) = (Cell::at(place, Resolution::R8).raw(), NOW.window());
    let input = OprfInput::Row { period: NOW.period(), resolution: 8, cell, window, groups: 1, group: 0 };
    let open = |sealed: &[u8; 192]| Card::open(NOW, &input, &output, &[topic], sealed);
    if let Ok(sealed) = bytes.try_into() {
        drop(open(sealed));
    }
    let (mut bundle, mut layer) = ([0; 136], [0; 57]);
    bundle.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    layer.iter_mut().zip(bytes.iter().skip(136)).for_each(|(to, from)| *to = *from);
    let (inner, nonce) = record::seal_inner(&topic.1, RecordNonce::fixed_for_vectors([4; 24]), &layer);
    bundle[63..].copy_from_slice(&inner);
    if let Some(card) = open(&record::seal_record(&rows::discovery_key(&output), nonce, &bundle)) {
        assert!(card.cell.raw() == cell && card.window == window, "a card from elsewhere was opened");
    }
}
