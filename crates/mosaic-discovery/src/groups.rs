//! Groups (L5-25, PRIVACY section 8): people who were handed one secret, and tell each other things without saying
//! where they are (`docs/spec/groups.md`, ADR 0027).
//!
//! The secret is a rendezvous state of the epoch in which it was handed on, so a new member reads nothing of before.
//! Each member writes in a *member slot* of its own, which its invitation gave to it and to nobody else: no two
//! members ever write one row. Frames replace chaff in events that leave anyway; whatever is read is read by everybody.

mod group;
mod invitation;
mod stored;
mod view;

use std::{collections::BTreeMap, ops::RangeInclusive};

use mosaic_crypto::record;
use mosaic_types::{Epoch, GroupName, Timestamp};
use mosaic_wire::{Announcement, GroupFrame, Releasable};
use rand::CryptoRng;
use zeroize::Zeroizing;

use self::group::{Group, Slots, place_of};
pub use self::{
    invitation::{Invitation, InvitationError, InvitationText},
    stored::StoredGroups,
    view::{
        AnnounceError, AnnouncementView, GroupError, GroupEvent, GroupJoinError, GroupView, InviteError, Sent,
        UnknownGroup,
    },
};
use crate::{
    FrameId, GroupId, OutgoingFrame,
    ids::drawn,
    index::{Indexes, Listener, Source, Wanted},
    ratchet::KEPT_EPOCHS,
};

/// Groups a device is in at a time.
const MOST_GROUPS: usize = 8;
/// Frame numbers of groups begin here, beyond those of associations.
const FIRST_FRAME: u64 = 1 << 63;

/// Every group of one device. Sans-I/O; what is secret in it is erased on drop.
pub struct Groups {
    /// Digest of the federation's document: an invitation of another federation leads nowhere.
    federation: [u8; 32],
    groups: BTreeMap<GroupId, Group>,
    indexes: Indexes,
    handed_out: BTreeMap<FrameId, GroupId>,
    next_listener: Listener,
    next_frame: u64,
    settled: Epoch,
}

impl Groups {
    /// Most members of a group: an invitation comes with a number below.
    pub const MEMBERS: u8 = 64;

    /// None yet, in the federation whose document has this digest.
    pub const fn new(federation: [u8; 32]) -> Self {
        Self {
            federation,
            groups: BTreeMap::new(),
            indexes: Indexes::new(),
            handed_out: BTreeMap::new(),
            next_listener: 0,
            next_frame: FIRST_FRAME,
            settled: Epoch(0),
        }
    }

    /// Those of before a restart. They write nothing more in the epoch of `now`: what was written in it may be newer
    /// than what was stored, and no row is written twice.
    pub fn restored(federation: [u8; 32], stored: &StoredGroups, now: Timestamp) -> Self {
        let mut groups = Self::new(federation);
        for kept in stored.groups().take(MOST_GROUPS) {
            let listener = groups.new_listener();
            let mut first = groups.next_frame;
            let restored = kept.restore(listener, now.epoch(), || {
                first += 1;
                FrameId(first)
            });
            groups.next_frame = first;
            groups.groups.extend(restored.map(|group| (group.id, group)));
        }
        groups
    }

    /// What outlives a restart, for the vault alone.
    pub fn stored(&self) -> StoredGroups {
        StoredGroups::of(self.groups.values())
    }

    /// Makes a group whose secret is drawn here.
    ///
    /// # Errors
    /// [`GroupError`] when the device is in as many groups as it can be.
    pub fn create(
        &mut self,
        now: Timestamp,
        name: GroupName,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<GroupId, GroupError> {
        if self.groups.len() >= MOST_GROUPS {
            return Err(GroupError);
        }
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill_bytes(secret.as_mut_slice());
        let (id, listener) = (GroupId(drawn(rng)), self.new_listener());
        let group = Group::new(id, name, *secret, now.epoch(), Slots::all(), listener);
        self.groups.insert(id, group);
        Ok(id)
    }

    /// Joins a group by an invitation, and says there that its member slot is in use from now on.
    ///
    /// # Errors
    /// [`GroupJoinError`]; nothing was changed then.
    pub fn join(
        &mut self,
        now: Timestamp,
        name: GroupName,
        invitation: &Invitation,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<GroupId, GroupJoinError> {
        if invitation.federation != self.federation {
            return Err(GroupJoinError::OtherFederation);
        }
        if !invitation.is_valid(now.epoch()) {
            return Err(GroupJoinError::TooOld);
        }
        if self.groups.len() >= MOST_GROUPS {
            return Err(GroupJoinError::Full);
        }
        let (id, listener) = (GroupId(drawn(rng)), self.new_listener());
        let mut group = Group::new(id, name, *invitation.state, invitation.epoch, invitation.slots, listener);
        group.advance(self.span(now));
        let span = self.span(now);
        self.groups.values_mut().for_each(|known| known.advance(span));
        if let Some(known) = self.groups.values().find(|known| known.shares_state(&group)) {
            return Err(GroupJoinError::Again(known.id));
        }
        let message = drawn(rng);
        group.say(&[GroupFrame::joined(message)], now.epoch(), self.frame_numbers());
        self.groups.insert(id, group);
        Ok(id)
    }

    /// Gives a part of the group's member slots away: one for who only joins, more for who invites others in turn.
    ///
    /// # Errors
    /// [`InviteError`]; nothing was changed then.
    pub fn invite(&mut self, now: Timestamp, id: GroupId, slots: u8) -> Result<Invitation, InviteError> {
        let (federation, span) = (self.federation, self.span(now));
        let group = self.groups.get_mut(&id).ok_or(InviteError::Unknown)?;
        group.advance(span);
        let state = group.state(now.epoch()).ok_or(InviteError::Clock)?;
        let slots = group.slots.split(slots).ok_or(InviteError::NoSlots { left: group.slots.spare() })?;
        Ok(Invitation { epoch: now.epoch(), slots, state, federation })
    }

    /// Queues an announcement: it leaves with the next events and replaces chaff in them.
    ///
    /// # Errors
    /// [`AnnounceError`]; nothing was changed then.
    pub fn announce(
        &mut self,
        now: Timestamp,
        id: GroupId,
        announcement: &impl Releasable<Object = Announcement>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), AnnounceError> {
        let bytes = Zeroizing::new(mosaic_wire::encode(announcement));
        self.announce_bytes(now, id, &bytes, rng)
    }

    fn announce_bytes(
        &mut self,
        now: Timestamp,
        id: GroupId,
        bytes: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), AnnounceError> {
        let group = self.groups.get(&id).ok_or(AnnounceError::Unknown)?;
        if group.shared {
            return Err(AnnounceError::SlotShared);
        }
        let (message, text) = (drawn(rng), Announcement::decode(bytes).map_err(|_| AnnounceError::Text)?.text);
        let frames = GroupFrame::split(message, bytes).ok_or(AnnounceError::Text)?;
        if !group.has_room_for(frames.len()) {
            return Err(AnnounceError::Queue);
        }
        let numbers = self.frame_numbers();
        if let Some(group) = self.groups.get_mut(&id) {
            group.say(&frames, now.epoch(), numbers);
            group.keep_own(message, now.epoch(), text);
        }
        Ok(())
    }

    /// Leaves: everything of the group is erased here, and nothing is said in it.
    ///
    /// # Errors
    /// [`UnknownGroup`].
    pub fn leave(&mut self, id: GroupId) -> Result<(), UnknownGroup> {
        self.groups.remove(&id).map(drop).ok_or(UnknownGroup)
    }

    /// The person's groups, in the order of their ids.
    pub fn list(&self) -> Vec<GroupView> {
        self.groups.values().map(Group::view).collect()
    }

    /// One group.
    pub fn get(&self, id: GroupId) -> Option<GroupView> {
        self.groups.get(&id).map(Group::view)
    }

    /// What was announced in the last 48 hours, oldest first.
    ///
    /// # Errors
    /// [`UnknownGroup`].
    pub fn announcements(&self, id: GroupId) -> Result<Vec<AnnouncementView>, UnknownGroup> {
        self.groups.get(&id).map(Group::announcements).ok_or(UnknownGroup)
    }

    /// Says that everything written up to and including `through` has been read; see
    /// [`crate::Associations::settled`].
    pub fn settled(&mut self, through: Epoch) {
        self.settled = self.settled.max(through.next());
    }

    /// The rows worth opening in rendezvous tables of `rows` rows: those of all member slots, in all epochs that may
    /// hold something unread.
    pub fn wanted(&mut self, now: Timestamp, rows: u32) -> Wanted<'_> {
        let (oldest, newest) = self.span(now);
        let mut index = self.indexes.take(rows);
        for group in self.groups.values_mut() {
            group.advance((oldest, newest));
            group.fill(&mut index, oldest, newest);
        }
        index.sort();
        let groups = &self.groups;
        index.purge((oldest, newest), |listener| groups.values().any(|group| group.listener == listener));
        self.indexes.put(index, oldest..=newest)
    }

    fn span(&self, now: Timestamp) -> (Epoch, Epoch) {
        let oldest = Epoch(now.epoch().0.saturating_sub(KEPT_EPOCHS)).max(self.settled);
        (oldest, now.epoch().next())
    }

    /// Tries a record found at `row` with every key that the row may mean. Junk leaves no trace; the same record may
    /// come again and changes nothing then.
    pub fn receive(&mut self, row: u32, sealed: &[u8; 192]) -> Vec<GroupEvent> {
        let any: RangeInclusive<Epoch> = Epoch(0)..=Epoch(u32::MAX);
        for source in self.indexes.sources(row, &any) {
            let Some(group) = self.groups.values_mut().find(|group| group.listener == source.listener) else {
                continue;
            };
            let Some((slot, frame)) = open(group, source, sealed) else { continue };
            return group.take(slot, source.epoch, &frame).into_iter().collect();
        }
        Vec::new()
    }

    /// Up to `most` frames for the rendezvous event that leaves at `leaving`; see
    /// [`crate::Associations::outgoing`].
    pub fn outgoing(&mut self, leaving: Timestamp, rows: u32, most: usize) -> Vec<OutgoingFrame> {
        let (oldest, _) = self.span(leaving);
        let mut free: Vec<_> = self.groups.values().flat_map(|group| group.free(leaving)).collect();
        free.sort_unstable();
        let mut frames = Vec::new();
        for (frame, id) in free {
            if frames.len() >= most {
                break;
            }
            let Some(group) = self.groups.get_mut(&id) else { continue };
            group.advance((oldest, leaving.epoch()));
            let handed = group.hand_out(frame, leaving, rows);
            self.handed_out.extend(handed.iter().map(|handed| (handed.id, id)));
            frames.extend(handed);
        }
        frames
    }

    /// These frames are stored: the receipt says so. Whether any was ours.
    pub fn left(&mut self, ids: &[FrameId]) -> bool {
        let mut ours = false;
        for frame in ids {
            let Some(group) = self.handed_out.remove(frame).and_then(|id| self.groups.get_mut(&id)) else { continue };
            group.left(*frame);
            ours = true;
        }
        ours
    }

    /// These frames are not stored; they are offered again, with other rows.
    pub fn requeue(&mut self, ids: &[FrameId]) {
        for frame in ids {
            if let Some(group) = self.handed_out.get(frame).and_then(|id| self.groups.get_mut(id)) {
                group.take_back(*frame);
            }
        }
    }

    /// How many frames wait to leave or to be reported.
    pub fn queued(&self) -> usize {
        self.groups.values().map(Group::queued).sum()
    }

    /// Forgets what is 48 hours old, announcements and states. Whether anything was.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let span = self.span(now);
        let forgotten: Vec<_> = self.groups.values_mut().map(|group| group.forget(span)).collect();
        self.handed_out.retain(|_, group| self.groups.contains_key(group));
        forgotten.contains(&true)
    }

    fn new_listener(&mut self) -> Listener {
        self.next_listener = self.next_listener.wrapping_add(1);
        self.next_listener
    }

    /// Numbers for the frames of one message.
    fn frame_numbers(&mut self) -> impl Iterator<Item = FrameId> + use<> {
        let first = self.next_frame + 1;
        self.next_frame += u64::from(GroupFrame::PARTS);
        (first..).map(FrameId)
    }
}

fn open(group: &Group, source: Source, sealed: &[u8; 192]) -> Option<(u8, GroupFrame)> {
    let (slot, counter) = place_of(source.counter)?;
    let key = group.key(source.epoch, slot, counter)?;
    let plain = record::open_record(&key, sealed)?;
    Some((slot, GroupFrame::decode(plain.as_slice()).ok()?))
}

#[cfg(test)]
mod tests;
