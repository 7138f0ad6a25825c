//! Both sides of getting in touch (DESIGN section 4; PRIVACY section 5): waves at cards, single-use
//! tokens and codes, the exchange of contacts. In memory only (S-46, C-58): a restart forgets every association.
//!
//! One handshake message each way opens a channel; the pair's rows on the rendezvous lane come from a
//! root inside the first message. A persona's card runs exactly the code a person's card runs: it
//! answers the first message, and whether anything follows is up to a person in both cases.

mod act;
mod code;
mod decoy;
mod hello;
mod mailbox;
mod outbox;
mod pair;
mod receive;
mod view;

use std::{
    collections::{BTreeMap, VecDeque},
    ops::RangeInclusive,
    time::Duration,
};

use mosaic_types::{Epoch, Timestamp};
use mosaic_wire::rows;
use rand::CryptoRng;

pub use self::view::{
    AcceptError, AssociationEvent, AssociationState, AssociationView, CardOrigin, JoinError, Kind, OutgoingFrame,
    OwnCard, TokenError, UnknownAssociation, WaveError,
};
use self::{
    mailbox::{Mailbox, Tally},
    pair::{ANSWER_WITHIN, Pair, RECORD_LIFE},
    receive::Addressee,
};
use crate::{
    AssociationId, FrameId,
    counter::COUNTERS,
    index::{Indexes, Listener, RowIndex, Wanted},
    ratchet::KEPT_EPOCHS,
};

/// Most associations that this side began and that are not over.
const OWN_TOTAL: usize = 512;
/// Accepted associations a day (L5-20).
const ACCEPTED_A_DAY: usize = 5;
const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);

/// Every association of one device, for its person and its personas. Sans-I/O; no part of it can be
/// stored, and everything secret in it is erased on drop.
pub struct Associations {
    pairs: BTreeMap<AssociationId, Pair>,
    mailboxes: BTreeMap<[u8; 32], Mailbox>,
    indexes: Indexes,
    /// Who listens, as of the last [`Self::wanted`]; a name is never given twice.
    listening: BTreeMap<Listener, Addressee>,
    /// Whose frames were handed out and not reported.
    handed_out: BTreeMap<FrameId, AssociationId>,
    approaches: Tally,
    next_listener: Listener,
    next_frame: u64,
    settled: Epoch,
    waves_per_hour: usize,
    waves: VecDeque<Timestamp>,
    accepted: VecDeque<Timestamp>,
}

impl Default for Associations {
    fn default() -> Self {
        Self::new()
    }
}

impl Associations {
    /// Nothing yet; 25 waves an hour (DESIGN section 4).
    pub const fn new() -> Self {
        Self {
            pairs: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            indexes: Indexes::new(),
            listening: BTreeMap::new(),
            handed_out: BTreeMap::new(),
            approaches: Tally::new(),
            next_listener: 0,
            next_frame: 0,
            settled: Epoch(0),
            waves_per_hour: 25,
            waves: VecDeque::new(),
            accepted: VecDeque::new(),
        }
    }

    /// Sets how many waves an hour the mode allows.
    pub fn set_wave_limit(&mut self, per_hour: u32) {
        self.waves_per_hour = usize::try_from(per_hour).unwrap_or(usize::MAX);
    }

    /// Names the cards this device answers for, real and persona alike. A card that was named before
    /// keeps what it answered; one that is missing is answered for no longer.
    pub fn set_own_cards(&mut self, cards: Vec<OwnCard>) {
        let mut kept = BTreeMap::new();
        for card in cards {
            let mailbox = match self.mailboxes.remove(&card.public) {
                Some(known) => known,
                None => Mailbox::new(card.secret, card.origin, card.window, self.new_listener()),
            };
            kept.insert(card.public, mailbox);
        }
        self.mailboxes = kept;
    }

    /// Says that everything written up to and including `through` has been read: the states of those
    /// epochs are erased before their 48 hours are over, and their rows no longer wanted.
    pub fn settled(&mut self, through: Epoch) {
        self.settled = self.settled.max(through.next());
    }

    /// The rows worth opening in rendezvous tables of `rows` rows: the 64 of every own card, and those
    /// of every token and pair that waits, in all epochs that may hold something unread.
    pub fn wanted(&mut self, now: Timestamp, rows: u32) -> Wanted<'_> {
        self.wanted_for(now, rows, Epoch(0)..=Epoch(u32::MAX))
    }

    /// The same for the part of a table that was written in `epochs`, which is all a generation can hold:
    /// frames get their rows when they leave, and are sealed soon afterwards (a deposit that waits for a
    /// provider, an epoch or two later). Everything outside the 48 hours is left out. What is found there
    /// goes to [`Self::receive_from`] with the same epochs.
    pub fn wanted_for(&mut self, now: Timestamp, rows: u32, epochs: RangeInclusive<Epoch>) -> Wanted<'_> {
        let (oldest, newest) = self.span(now);
        self.advance(newest, oldest);
        self.listening = self.listeners();
        let mut index = self.indexes.take(rows);
        let epochs = (*epochs.start()).max(oldest)..=(*epochs.end()).min(newest);
        self.fill(&mut index, *epochs.start(), *epochs.end());
        index.purge((oldest, newest), |listener| self.listening.contains_key(&listener));
        self.indexes.put(index, epochs)
    }

    /// The epochs to look at: the next one too, for clocks that are ahead.
    fn span(&self, now: Timestamp) -> (Epoch, Epoch) {
        let oldest = Epoch(now.epoch().0.saturating_sub(KEPT_EPOCHS)).max(self.settled);
        (oldest, now.epoch().next())
    }

    fn advance(&mut self, newest: Epoch, oldest: Epoch) {
        self.mailboxes.values_mut().for_each(|mailbox| mailbox.forget_before(oldest));
        self.pairs.values_mut().for_each(|pair| pair.advance(newest, oldest));
    }

    /// Adds what is missing in the epochs from `oldest` to `newest`.
    fn fill(&self, index: &mut RowIndex, oldest: Epoch, newest: Epoch) {
        let table_rows = index.rows;
        let waves = u16::from(mosaic_wire::WAVE_ROWS);
        for (public, mailbox) in &self.mailboxes {
            let mut missing =
                mailbox.epochs(oldest, newest).filter(|epoch| !index.covers(mailbox.listener, *epoch)).peekable();
            if missing.peek().is_none() {
                continue;
            }
            let (rows, missing) = (rows::WaveRows::of(public), missing.collect::<Vec<_>>());
            index.cover(mailbox.listener, missing.into_iter(), waves, |epoch, j, chain| {
                Some(rows.row(epoch, u8::try_from(j).ok()?, chain, table_rows))
            });
        }
        for pair in self.pairs.values() {
            fill_pair(index, pair, oldest, newest);
        }
        index.sort();
    }

    fn listeners(&self) -> BTreeMap<Listener, Addressee> {
        let cards = self.mailboxes.iter().map(|(public, mailbox)| (mailbox.listener, Addressee::Card(*public)));
        cards.chain(self.pairs.values().map(|pair| (pair.listener, Addressee::Pair(pair.id)))).collect()
    }

    /// Up to `most` frames for the rendezvous event that leaves at `leaving`, into a table of `rows`
    /// rows. A frame stays queued until [`Self::left`] names it; one that [`Self::requeue`] names is
    /// offered again at once, with other rows, and one that nobody names after 40 minutes.
    pub fn outgoing(
        &mut self,
        leaving: Timestamp,
        rows: u32,
        most: usize,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<OutgoingFrame> {
        let (oldest, _) = self.span(leaving);
        self.advance(leaving.epoch(), oldest);
        self.give_due_contacts(leaving);
        self.shelve_late_replies(leaving);
        let queued =
            self.pairs.values().flat_map(|pair| pair.outbox.iter().map(|queued| (queued, pair.id, pair.stranger())));
        let ready = outbox::in_turn(queued.filter(|(queued, ..)| queued.is_free(leaving)), most);
        let mut frames = Vec::new();
        for (frame, pair) in ready {
            if frames.len() >= most {
                break;
            }
            let Some((queued, way)) = self.pairs.get_mut(&pair).and_then(|pair| pair.way_of(frame)) else { continue };
            let handed = queued.hand_out(leaving, rows, way, rng);
            self.handed_out.extend(handed.iter().map(|handed| (handed.id, pair)));
            frames.extend(handed);
        }
        frames
    }

    /// These frames are stored: the receipt says so.
    pub fn left(&mut self, ids: &[FrameId]) {
        for frame in ids {
            let Some(id) = self.handed_out.remove(frame) else { continue };
            let Some(pair) = self.pairs.get_mut(&id) else { continue };
            pair.left(*frame);
            if pair.is_spent() {
                self.pairs.remove(&id);
            }
        }
    }

    /// These frames are not stored: no room in the event, full rows, or no receipt.
    pub fn requeue(&mut self, ids: &[FrameId]) {
        for frame in ids {
            let pair = self.handed_out.get(frame).and_then(|id| self.pairs.get_mut(id));
            if let Some((queued, _)) = pair.and_then(|pair| pair.way_of(*frame)) {
                queued.take_back();
            }
        }
    }

    /// Automatic answers that found no room in two epochs leave no more: what strangers can queue is
    /// bounded. It is the same for a person's card and a persona's.
    fn shelve_late_replies(&mut self, now: Timestamp) {
        self.pairs.values_mut().for_each(|pair| pair.shelve_late_reply(now));
        self.pairs.retain(|_, pair| !pair.is_spent());
    }

    /// How many frames wait to leave or to be reported.
    pub fn queued(&self) -> usize {
        self.pairs.values().map(|pair| pair.outbox.len()).sum()
    }

    /// Whether something that two who share a token or a code have to say to each other is ready at `now` and not handed
    /// out: the event that left had no room for it.
    pub fn agreed_waits(&self, now: Timestamp) -> bool {
        let agreed = self.pairs.values().filter(|pair| pair.kind != Kind::Wave && pair.is_shown());
        agreed.flat_map(|pair| pair.outbox.iter()).any(|queued| queued.is_free(now))
    }

    /// The person's associations, newest first. Those of personas are not among them.
    pub fn list(&self) -> Vec<AssociationView> {
        let mut views: Vec<_> = self.pairs.values().filter(|pair| pair.is_shown()).map(Pair::view).collect();
        views.sort_by_key(|view| (std::cmp::Reverse(view.since), view.id));
        views
    }

    /// One association of the person.
    pub fn get(&self, id: AssociationId) -> Option<AssociationView> {
        self.pairs.get(&id).filter(|pair| pair.is_shown()).map(Pair::view)
    }

    /// Ends what is due: first messages, tokens and codes nobody answered within 24 h, and, after 48 h, every
    /// association with all that is left of it.
    pub fn expire(&mut self, now: Timestamp) -> Vec<AssociationEvent> {
        let mut events = Vec::new();
        for pair in self.pairs.values_mut() {
            let age = now.since(pair.since);
            if (pair.is_unanswered() && age >= ANSWER_WITHIN) || (age >= RECORD_LIFE && !pair.is_over()) {
                pair.expire();
                events.extend(pair.is_shown().then_some(AssociationEvent::Expired(pair.id)));
            }
        }
        let over = |pair: &Pair| now.since(pair.since) >= RECORD_LIFE || (pair.tries.is_some() && pair.is_over());
        self.pairs.retain(|_, pair| !over(pair));
        self.shelve_late_replies(now);
        self.handed_out.retain(|_, pair| self.pairs.contains_key(pair));
        let (oldest, newest) = self.span(now);
        self.advance(newest, oldest);
        events
    }

    fn new_listener(&mut self) -> Listener {
        self.next_listener = self.next_listener.wrapping_add(1);
        self.next_listener
    }

    fn new_frame(&mut self) -> FrameId {
        self.next_frame += 1;
        FrameId(self.next_frame)
    }
}

fn fill_pair(index: &mut RowIndex, pair: &Pair, oldest: Epoch, newest: Epoch) {
    let table_rows = index.rows;
    let theirs = pair.direction.reversed();
    if let Some(meeting) = pair.meeting() {
        let first = pair.since.epoch().previous().max(oldest);
        let missing = (first.0..=newest.0).map(Epoch).filter(|epoch| !index.covers(pair.listener, *epoch));
        // one state serves 32 rows: derive it once per epoch
        let states: BTreeMap<Epoch, _> = missing.map(|epoch| (epoch, meeting.at(epoch))).collect();
        index.cover(pair.listener, states.keys().copied(), COUNTERS, |epoch, counter, chain| {
            Some(states.get(&epoch)?.row(theirs, counter, chain, table_rows))
        });
    } else if let Some(ratchet) = pair.ratchet.as_ref().filter(|_| pair.listens()) {
        let epochs = ratchet.epochs().filter(|epoch| *epoch >= oldest && *epoch <= newest);
        index.cover(pair.listener, epochs, COUNTERS, |epoch, counter, chain| {
            Some(ratchet.at(epoch)?.row(theirs, counter, chain, table_rows))
        });
    }
}

#[cfg(test)]
mod tests;
