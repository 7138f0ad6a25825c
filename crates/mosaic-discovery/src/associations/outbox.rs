use std::collections::{BTreeMap, BTreeSet};

use mosaic_types::{Epoch, Timestamp};
use mosaic_wire::{Direction, Frame, FrameKind, RendezvousState, rows};
use rand::{CryptoRng, RngExt};
use zeroize::Zeroizing;

use super::view::OutgoingFrame;
use crate::{
    AssociationId, FrameId,
    counter::{COUNTERS, Counter, REPORT_WITHIN, chain},
    ratchet::{Meeting, Ratchet},
};

/// Epochs in which an automatic answer to a wave may leave, the one in which the wave came included.
const REPLY_EPOCHS: u32 = 2;

/// In which order the frames that are ready are offered to an event of `most` frames.
///
/// What a person does (contacts, waves, tokens) and what cards do by themselves (answers to strangers)
/// each have half of every event, and more when the other has less: neither can hold up the other. The
/// answers take turns by card, so that many waves at one card hold up the others by one each.
pub(super) fn in_turn<'a>(
    ready: impl Iterator<Item = (&'a Queued, AssociationId, Option<[u8; 32]>)>,
    most: usize,
) -> Vec<(FrameId, AssociationId)> {
    let (mut own, mut cards) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
    for (queued, pair, card) in ready {
        match card.filter(|_| queued.is_reply()) {
            Some(card) => cards.entry(card).or_default().push((queued.id, pair)),
            None => own.push((queued.order(), pair)),
        }
    }
    own.sort_unstable();
    let mut answers = Vec::new();
    for of_card in cards.values_mut() {
        of_card.sort_unstable();
        answers.extend(of_card.iter().enumerate().map(|(turn, frame)| (turn, *frame)));
    }
    answers.sort_unstable();
    let mut own = own.into_iter().map(|((_, frame), pair)| (frame, pair));
    let mut answers = answers.into_iter().map(|(_, frame)| frame);
    let mut order: Vec<_> = own.by_ref().take(most.div_ceil(2)).collect();
    order.extend(answers.by_ref().take(most / 2));
    order.extend(own.chain(answers));
    order
}

/// Where a frame goes.
pub(super) enum Route {
    /// One of the 64 rows of somebody's card.
    Mailbox([u8; 32]),
    /// Rows that two people find before they share a state.
    Meeting(Meeting),
    /// The pair's own rows.
    Pair,
}

/// A frame on its way out. A (state, direction, counter) is used at most once, also by a second try.
pub(super) struct Queued {
    pub(super) id: FrameId,
    route: Route,
    kind: FrameKind,
    plain: Zeroizing<[u8; 136]>,
    handed_out: Option<Timestamp>,
    used: BTreeSet<(Epoch, u16)>,
}

/// What a frame needs of its pair to get a row.
pub(super) struct Way<'a> {
    pub(super) ratchet: Option<&'a Ratchet>,
    pub(super) counter: &'a mut Counter,
    pub(super) direction: Direction,
}

impl Queued {
    pub(super) fn new(id: FrameId, route: Route, frame: &Frame) -> Self {
        let plain = Zeroizing::new(frame.encode());
        Self { id, route, kind: frame.kind(), plain, handed_out: None, used: BTreeSet::new() }
    }

    /// Whether the frame may be handed out: it is not, or nothing was heard of it for too long.
    pub(super) fn is_free(&self, now: Timestamp) -> bool {
        self.handed_out.is_none_or(|at| now.since(at) >= REPORT_WITHIN)
    }

    /// Contacts before handshakes, then first come, first served: a person is waiting for the former.
    const fn order(&self) -> (bool, FrameId) {
        (!matches!(self.kind, FrameKind::Data), self.id)
    }

    /// Whether this is the automatic answer.
    pub(super) fn is_reply(&self) -> bool {
        self.kind == FrameKind::Reply
    }

    /// Whether it is an answer to a wave of epoch `since` that found no room in time.
    pub(super) fn is_late(&self, since: Epoch, now: Timestamp) -> bool {
        let late = now.epoch().0 >= since.0.saturating_add(REPLY_EPOCHS);
        late && self.is_reply() && self.is_free(now)
    }

    /// Makes it available again.
    pub(super) fn take_back(&mut self) {
        self.handed_out = None;
    }

    /// Gives the frame fresh rows in the epoch in which it leaves; `None` when that epoch has none left.
    pub(super) fn hand_out(
        &mut self,
        leaving: Timestamp,
        table_rows: u32,
        way: Way<'_>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Option<OutgoingFrame> {
        let epoch = leaving.epoch();
        let (rows, key) = match &self.route {
            Route::Mailbox(card) => {
                let j = free(&mut self.used, epoch, u16::from(mosaic_wire::WAVE_ROWS), rng)?;
                let j = u8::try_from(j).ok()?;
                (chain(|i| rows::wave_row(card, epoch, j, i, table_rows)), rows::wave_key(card, epoch, j).into())
            }
            Route::Meeting(meeting) => {
                let counter = free(&mut self.used, epoch, COUNTERS, rng)?;
                addressed(&meeting.at(epoch), way.direction, counter, table_rows)
            }
            Route::Pair => {
                let state = way.ratchet?.at(epoch)?;
                addressed(state, way.direction, way.counter.take(epoch)?, table_rows)
            }
        };
        self.handed_out = Some(leaving);
        Some(OutgoingFrame { id: self.id, rows, key, plain: self.plain.clone() })
    }
}

fn addressed(
    state: &RendezvousState,
    direction: Direction,
    counter: u16,
    table_rows: u32,
) -> ([u32; 4], Zeroizing<[u8; 32]>) {
    (chain(|i| state.row(direction, counter, i, table_rows)), state.key(direction, counter))
}

/// A random counter below `most` that this frame has not used in this epoch.
fn free(
    used: &mut BTreeSet<(Epoch, u16)>,
    epoch: Epoch,
    most: u16,
    rng: &mut (impl CryptoRng + ?Sized),
) -> Option<u16> {
    let open: Vec<u16> = (0..most).filter(|counter| !used.contains(&(epoch, *counter))).collect();
    if open.is_empty() {
        return None;
    }
    let counter = *open.get(rng.random_range(0..open.len()))?;
    used.insert((epoch, counter));
    Some(counter)
}
