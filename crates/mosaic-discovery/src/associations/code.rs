//! Associations by a code that is read out (PRIVACY section 5, `docs/spec/codes.md`): CPace at the nameplate's rows,
//! then the handshake of a token under the key that came of it.
//!
//! Whoever makes a code answers three different first messages and no more; whoever joins reads one answer. Each is
//! one guess for who does not know the password.

use mosaic_crypto::{
    cpace::{self, Answer, AwaitAnswer, AwaitConfirmation, CONFIRMATION, Opening, SESSION, SHARE, SessionKey, Shared},
    digest,
    handshake::{AwaitReply, Channel, Initiator, Responder},
    kdf::{Label, derive},
};
use mosaic_types::{Code, Epoch, Nameplate};
use rand::CryptoRng;
use zeroize::Zeroizing;

use super::hello;
use crate::{
    ids::first_half,
    ratchet::{Meeting, Ratchet},
};

/// First messages that the maker of a code answers.
const TRIES: usize = 3;
/// Epoch 4 ‖ session 16 ‖ share 32.
const OPENING: usize = 4 + SESSION + SHARE;

/// A code that was made here and waits.
pub(super) struct CodeOffer {
    code: Code,
    meeting: Meeting,
    answered: Vec<[u8; 16]>,
}

/// What a try leaves with the maker, and the answer to send.
pub(super) struct CodeTry {
    pub(super) message: Vec<u8>,
    /// Where the answer goes.
    pub(super) meeting: Meeting,
    pub(super) ratchet: Ratchet,
    pub(super) waiting: AwaitProof,
}

/// An answered first message; the next message proves the password or ends the try.
pub(super) struct AwaitProof {
    confirmation: AwaitConfirmation,
    handshake: AwaitReply,
}

/// A code that somebody else made, joined here.
pub(super) struct CodeJoin {
    nameplate: Nameplate,
    /// Where the answer comes.
    meeting: Meeting,
    base: Epoch,
    waiting: AwaitAnswer,
}

/// The other side proved the password; it gets the proof in return.
pub(super) struct Proved {
    pub(super) message: Vec<u8>,
    pub(super) channel: Channel,
    pub(super) ratchet: Ratchet,
}

impl CodeOffer {
    pub(super) fn new(code: Code) -> Self {
        Self { meeting: Meeting::at_nameplate(code.nameplate()), code, answered: Vec::new() }
    }

    pub(super) fn nameplate(&self) -> Nameplate {
        self.code.nameplate()
    }

    pub(super) const fn meeting(&self) -> &Meeting {
        &self.meeting
    }

    /// First messages that would still be answered.
    pub(super) fn tries_left(&self) -> u8 {
        u8::try_from(TRIES.saturating_sub(self.answered.len())).unwrap_or(0)
    }

    /// Spends a try. `None` for what is no first message, for one that was answered, and when no try is left.
    pub(super) fn answer(
        &mut self,
        now: Epoch,
        message: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Option<CodeTry> {
        let mark = first_half(digest(&[b"opening", message]));
        if self.tries_left() == 0 || self.answered.contains(&mark) {
            return None;
        }
        let (base, opening) = decode_opening(message, now)?;
        let channel = channel(self.nameplate());
        let (answer, confirmation) = self.code.expose_password(|password| {
            cpace::answer(Shared { password, channel: &channel }, &opening, &base.0.to_be_bytes(), rng).ok()
        })?;
        let key = confirmation.unconfirmed();
        let (first, handshake) = Initiator::token(&psk(key)).start(&[], rng).ok()?;
        let ratchet = ratchet(key, base);
        self.answered.push(mark);
        Some(CodeTry {
            message: [&answer.share[..], &answer.confirmation, &first].concat(),
            meeting: Meeting::of_answer(message),
            ratchet,
            waiting: AwaitProof { confirmation, handshake },
        })
    }
}

impl AwaitProof {
    /// The channel, if the message proves the password.
    pub(super) fn finish(self, message: &[u8]) -> Option<Channel> {
        let (confirmation, reply) = message.split_first_chunk::<CONFIRMATION>()?;
        self.confirmation.confirm(confirmation).ok()?;
        Some(self.handshake.finish(reply).ok()?.1)
    }
}

impl CodeJoin {
    /// The first message, where it goes, and what waits for the answer.
    pub(super) fn begin(code: &Code, base: Epoch, rng: &mut (impl CryptoRng + ?Sized)) -> (Vec<u8>, Meeting, Self) {
        let nameplate = code.nameplate();
        let (channel, epoch) = (channel(nameplate), base.0.to_be_bytes());
        let (opening, waiting) =
            code.expose_password(|password| cpace::start(Shared { password, channel: &channel }, &epoch, rng));
        let message = [&epoch[..], &opening.session, &opening.share].concat();
        let meeting = Meeting::of_answer(&message);
        (message, Meeting::at_nameplate(nameplate), Self { nameplate, meeting, base, waiting })
    }

    pub(super) const fn nameplate(&self) -> Nameplate {
        self.nameplate
    }

    pub(super) const fn meeting(&self) -> &Meeting {
        &self.meeting
    }

    /// Reads the one answer. `None` if it does not prove the password: nothing is sent then.
    pub(super) fn finish(self, message: &[u8], rng: &mut (impl CryptoRng + ?Sized)) -> Option<Proved> {
        let (share, rest) = message.split_first_chunk::<SHARE>()?;
        let (confirmation, first) = rest.split_first_chunk::<CONFIRMATION>()?;
        let answer = Answer { share: *share, confirmation: *confirmation };
        let (confirmation, key) = self.waiting.finish(&answer).ok()?;
        let (_, received) = Responder::token(&psk(&key)).receive(first).ok()?;
        let (reply, channel) = received.reply(&[], rng).ok()?;
        Some(Proved { message: [&confirmation[..], &reply].concat(), channel, ratchet: ratchet(&key, self.base) })
    }
}

/// The channel identifier: what the exchange is for, and at which nameplate.
fn channel(nameplate: Nameplate) -> Vec<u8> {
    [&b"mosaic/1/code"[..], &nameplate.number().to_be_bytes()].concat()
}

fn psk(key: &SessionKey) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(derive(key.as_bytes(), Label::CodePsk, &[]))
}

fn ratchet(key: &SessionKey, base: Epoch) -> Ratchet {
    Ratchet::new(derive(key.as_bytes(), Label::CodeRoot, &[]), base)
}

/// `None` for a wrong size, or an epoch that is neither recent nor just about to begin.
fn decode_opening(message: &[u8], now: Epoch) -> Option<(Epoch, Opening)> {
    let message: &[u8; OPENING] = message.try_into().ok()?;
    let (epoch, rest) = message.split_first_chunk::<4>()?;
    let (session, share) = rest.split_first_chunk::<SESSION>()?;
    let base = Epoch(u32::from_be_bytes(*epoch));
    hello::is_recent(base, now).then_some((base, Opening { session: *session, share: share.try_into().ok()? }))
}
