use std::collections::{BTreeMap, VecDeque};

use mosaic_types::{AnnouncementText, Epoch, GroupName, Timestamp};
use mosaic_wire::{Announcement, GroupFrame, GroupFrameKind};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{
    Groups,
    view::{AnnouncementView, GroupEvent, GroupView, Sent},
};
use crate::{
    FrameId, GroupId, OutgoingFrame,
    counter::{COUNTERS, Counter, REPORT_WITHIN, chain},
    index::{Listener, RowIndex},
    ratchet::{KEPT_EPOCHS, Ratchet},
};

/// Frames that wait at a time: eight of the longest announcements.
const MOST_QUEUED: usize = 32;
/// Announcements kept of one member slot: a flood costs the flooder's own.
const KEPT_A_SLOT: usize = 16;
/// Messages of one member slot of which parts are missing.
const UNFINISHED_A_SLOT: usize = 4;

/// Member slots that a device holds: it writes in the first and may give the others away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slots {
    pub(super) first: u8,
    /// At least one.
    pub(super) count: u8,
}

impl Slots {
    pub(super) const fn all() -> Self {
        Self { first: 0, count: Groups::MEMBERS }
    }

    /// `None` unless there is at least one and all are below [`Groups::MEMBERS`].
    pub(super) fn new(first: u8, count: u8) -> Option<Self> {
        let end = first.checked_add(count)?;
        (count >= 1 && end <= Groups::MEMBERS).then_some(Self { first, count })
    }

    /// How many can be given away.
    pub(super) const fn spare(self) -> u8 {
        self.count - 1
    }

    /// Gives the last `count` away. `None` when there are not so many, or none is asked for.
    pub(super) fn split(&mut self, count: u8) -> Option<Self> {
        if count == 0 || count > self.spare() {
            return None;
        }
        self.count -= count;
        Some(Self { first: self.first + self.count, count })
    }
}

/// A frame that waits.
pub(super) struct Queued {
    pub(super) id: FrameId,
    pub(super) frame: GroupFrame,
    pub(super) since: Epoch,
    handed_out: Option<Timestamp>,
}

/// An announcement that is whole.
pub(super) struct Kept {
    pub(super) slot: u8,
    pub(super) message: [u8; 8],
    pub(super) epoch: Epoch,
    pub(super) text: AnnouncementText,
}

/// Parts of a message whose others have not come.
struct Unfinished {
    epoch: Epoch,
    total: u8,
    parts: BTreeMap<u8, Zeroizing<Vec<u8>>>,
}

/// One group, as one member's device knows it.
pub(super) struct Group {
    pub(super) id: GroupId,
    pub(super) name: GroupName,
    pub(super) listener: Listener,
    pub(super) slots: Slots,
    /// Somebody else wrote in our slot: an invitation went to two people, or a member lies. Nothing is written any more.
    pub(super) shared: bool,
    pub(super) ratchet: Ratchet,
    pub(super) outbox: VecDeque<Queued>,
    pub(super) kept: Vec<Kept>,
    /// Our own messages, to know them again when they are read.
    pub(super) sent: BTreeMap<[u8; 8], Epoch>,
    /// When a member slot was heard last.
    pub(super) heard: BTreeMap<u8, Epoch>,
    counter: Counter,
    unfinished: BTreeMap<(u8, [u8; 8]), Unfinished>,
}

impl Group {
    pub(super) fn new(
        id: GroupId,
        name: GroupName,
        state: [u8; 32],
        base: Epoch,
        slots: Slots,
        listener: Listener,
    ) -> Self {
        Self {
            id,
            name,
            listener,
            slots,
            shared: false,
            ratchet: Ratchet::new(state, base),
            outbox: VecDeque::new(),
            kept: Vec::new(),
            sent: BTreeMap::new(),
            heard: BTreeMap::new(),
            counter: Counter::default(),
            unfinished: BTreeMap::new(),
        }
    }

    /// Writes nothing in `epoch` and before.
    pub(super) fn closed_in(self, epoch: Epoch) -> Self {
        Self { counter: Counter::closed_in(epoch), ..self }
    }

    /// Derives the states up to `newest`, however long the device was off, and erases those before `oldest`.
    pub(super) fn advance(&mut self, (oldest, newest): (Epoch, Epoch)) {
        loop {
            let before = self.ratchet.epochs().last();
            self.ratchet.advance(newest);
            self.ratchet.forget_before(oldest);
            if self.ratchet.epochs().last() == before {
                return;
            }
        }
    }

    /// The state of an epoch, if it is held.
    pub(super) fn state(&self, epoch: Epoch) -> Option<Zeroizing<[u8; 32]>> {
        self.ratchet.at(epoch).map(|state| state.expose(|bytes| Zeroizing::new(*bytes)))
    }

    /// The oldest state held, from which the others come.
    pub(super) fn oldest_state(&self) -> Option<(Epoch, Zeroizing<[u8; 32]>)> {
        let oldest = self.ratchet.epochs().next()?;
        Some((oldest, self.state(oldest)?))
    }

    /// Whether both are one group.
    pub(super) fn shares_state(&self, other: &Self) -> bool {
        let mut epochs = self.ratchet.epochs();
        epochs.any(|epoch| match (self.state(epoch), other.state(epoch)) {
            (Some(mine), Some(theirs)) => bool::from(mine.as_slice().ct_eq(theirs.as_slice())),
            _ => false,
        })
    }

    pub(super) fn has_room_for(&self, frames: usize) -> bool {
        self.outbox.len() + frames <= MOST_QUEUED
    }

    /// Queues the frames of one message.
    pub(super) fn say(&mut self, frames: &[GroupFrame], now: Epoch, numbers: impl Iterator<Item = FrameId>) {
        let queued = frames.iter().zip(numbers);
        self.sent.extend(frames.iter().map(|frame| (frame.message(), now)));
        self.outbox.extend(queued.map(|(frame, id)| Queued::new(id, frame.clone(), now)));
    }

    /// Lists an announcement of our own.
    pub(super) fn keep_own(&mut self, message: [u8; 8], epoch: Epoch, text: AnnouncementText) {
        self.keep(Kept { slot: self.slots.first, message, epoch, text });
    }

    fn keep(&mut self, announcement: Kept) {
        let slot = announcement.slot;
        self.kept.push(announcement);
        if self.kept.iter().filter(|kept| kept.slot == slot).count() > KEPT_A_SLOT
            && let Some(oldest) = self.kept.iter().position(|kept| kept.slot == slot)
        {
            self.kept.remove(oldest);
        }
    }

    /// Adds the rows of all member slots that are missing in the epochs held.
    pub(super) fn fill(&self, index: &mut RowIndex, oldest: Epoch, newest: Epoch) {
        let table_rows = index.rows;
        let held = self.ratchet.epochs().filter(|epoch| (oldest..=newest).contains(epoch));
        let missing: Vec<_> = held.filter(|epoch| !index.covers(self.listener, *epoch)).collect();
        for epoch in missing {
            let Some(rows) = self.ratchet.at(epoch).map(mosaic_wire::RendezvousState::group_rows) else { continue };
            let all = u16::from(Groups::MEMBERS) * COUNTERS;
            index.cover(self.listener, std::iter::once(epoch), all, |_, at, chain| {
                let (slot, counter) = place_of(at)?;
                Some(rows.row(slot, counter, chain, table_rows))
            });
        }
    }

    pub(super) fn key(&self, epoch: Epoch, slot: u8, counter: u8) -> Option<Zeroizing<[u8; 32]>> {
        Some(self.ratchet.at(epoch)?.group_rows().key(slot, counter))
    }

    /// Takes a frame that was found in `slot`.
    pub(super) fn take(&mut self, slot: u8, epoch: Epoch, frame: &GroupFrame) -> Option<GroupEvent> {
        if self.sent.contains_key(&frame.message()) {
            return None;
        }
        if slot == self.slots.first {
            return self.give_slot_up();
        }
        let known = self.heard.insert(slot, epoch.max(self.heard.get(&slot).copied().unwrap_or(epoch)));
        match frame.kind() {
            GroupFrameKind::Joined => known.is_none().then_some(GroupEvent::Joined(self.id)),
            GroupFrameKind::Announcement => self.take_part(slot, epoch, frame),
        }
    }

    fn give_slot_up(&mut self) -> Option<GroupEvent> {
        let news = !self.shared;
        self.shared = true;
        self.outbox.clear();
        news.then_some(GroupEvent::SlotShared(self.id))
    }

    fn take_part(&mut self, slot: u8, epoch: Epoch, frame: &GroupFrame) -> Option<GroupEvent> {
        let name = (slot, frame.message());
        if self.kept.iter().any(|kept| (kept.slot, kept.message) == name) {
            return None;
        }
        let of_slot = self.unfinished.keys().filter(|(of, _)| *of == slot).count();
        if of_slot >= UNFINISHED_A_SLOT && !self.unfinished.contains_key(&name) {
            let oldest = self.unfinished.iter().filter(|((of, _), _)| *of == slot).min_by_key(|(_, kept)| kept.epoch);
            let oldest = oldest.map(|(name, _)| *name)?;
            self.unfinished.remove(&oldest);
        }
        let (part, text) = (frame.part(), Zeroizing::new(frame.text().to_vec()));
        let parts = self.unfinished.entry(name).or_insert_with(|| Unfinished::new(epoch, part.total()));
        if parts.total == part.total() {
            parts.parts.entry(part.index()).or_insert(text);
        }
        if parts.parts.len() < usize::from(parts.total) {
            return None;
        }
        let whole = self.unfinished.remove(&name)?;
        let bytes = Zeroizing::new(whole.parts.values().flat_map(|part| part.iter().copied()).collect::<Vec<u8>>());
        let text = Announcement::decode(&bytes).ok()?.text;
        self.keep(Kept { slot, message: name.1, epoch: whole.epoch, text });
        Some(GroupEvent::Announced(self.id))
    }

    /// Frames that may be handed out.
    pub(super) fn free(&self, now: Timestamp) -> impl Iterator<Item = (FrameId, GroupId)> {
        let is_free = move |queued: &&Queued| queued.handed_out.is_none_or(|at| now.since(at) >= REPORT_WITHIN);
        self.outbox.iter().filter(is_free).map(|queued| (queued.id, self.id))
    }

    /// Gives a frame a row of our slot that was never used; `None` when this epoch has none left.
    pub(super) fn hand_out(&mut self, frame: FrameId, leaving: Timestamp, table_rows: u32) -> Option<OutgoingFrame> {
        let epoch = leaving.epoch();
        let rows = self.ratchet.at(epoch)?.group_rows();
        let queued = self.outbox.iter_mut().find(|queued| queued.id == frame)?;
        let (slot, counter) = (self.slots.first, u8::try_from(self.counter.take(epoch)?).ok()?);
        queued.handed_out = Some(leaving);
        Some(OutgoingFrame {
            id: frame,
            rows: chain(|full| rows.row(slot, counter, full, table_rows)),
            key: rows.key(slot, counter),
            plain: Zeroizing::new(queued.frame.encode()),
        })
    }

    pub(super) fn left(&mut self, frame: FrameId) {
        self.outbox.retain(|queued| queued.id != frame);
    }

    pub(super) fn take_back(&mut self, frame: FrameId) {
        self.outbox.iter_mut().filter(|queued| queued.id == frame).for_each(|queued| queued.handed_out = None);
    }

    pub(super) fn queued(&self) -> usize {
        self.outbox.len()
    }

    /// Forgets what is older than 48 hours. Whether anything was, or a state.
    pub(super) fn forget(&mut self, span: (Epoch, Epoch)) -> bool {
        let before = (self.ratchet.epochs().next(), self.kept.len(), self.outbox.len());
        self.advance(span);
        let oldest = Epoch(span.1.0.saturating_sub(KEPT_EPOCHS + 1));
        self.kept.retain(|kept| kept.epoch >= oldest);
        self.outbox.retain(|queued| queued.since >= oldest);
        self.sent.retain(|_, epoch| *epoch >= oldest);
        self.heard.retain(|_, epoch| *epoch >= oldest);
        self.unfinished.retain(|_, unfinished| unfinished.epoch >= oldest);
        before != (self.ratchet.epochs().next(), self.kept.len(), self.outbox.len())
    }

    pub(super) fn view(&self) -> GroupView {
        GroupView {
            id: self.id,
            name: self.name.clone(),
            heard: u8::try_from(self.heard.len()).unwrap_or(u8::MAX),
            spare_slots: self.slots.spare(),
            waiting: self.outbox.len(),
            slot_shared: self.shared,
        }
    }

    pub(super) fn announcements(&self) -> Vec<AnnouncementView> {
        let mut views: Vec<_> = self.kept.iter().map(|kept| self.announcement(kept)).collect();
        views.sort_by_key(|view| view.at);
        views
    }

    fn announcement(&self, kept: &Kept) -> AnnouncementView {
        let own = self.sent.contains_key(&kept.message);
        let waits = self.outbox.iter().any(|queued| queued.frame.message() == kept.message);
        AnnouncementView {
            id: format!("{:02x}{}", kept.slot, hex::encode(kept.message)),
            at: kept.epoch.start(),
            slot: kept.slot,
            text: kept.text.clone(),
            sent: match (own, waits) {
                (false, _) => Sent::ByAnother,
                (true, true) => Sent::Waiting,
                (true, false) if self.shared => Sent::Waiting,
                (true, false) => Sent::Stored,
            },
        }
    }
}

/// The member slot and the counter in it that a number of the row index stands for.
pub(super) fn place_of(at: u16) -> Option<(u8, u8)> {
    Some((u8::try_from(at / COUNTERS).ok()?, u8::try_from(at % COUNTERS).ok()?))
}

impl Queued {
    pub(super) const fn new(id: FrameId, frame: GroupFrame, since: Epoch) -> Self {
        Self { id, frame, since, handed_out: None }
    }
}

impl Unfinished {
    const fn new(epoch: Epoch, total: u8) -> Self {
        Self { epoch, total, parts: BTreeMap::new() }
    }
}
