use std::collections::BTreeMap;

use mosaic_types::{AnnouncementText, Epoch, GroupName};
use mosaic_wire::GroupFrame;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

use super::group::{Group, Kept, Queued, Slots};
use crate::{FrameId, GroupId, index::Listener};

/// Groups as the vault keeps them: the oldest state that is still needed and no older one, what waits to leave, and
/// announcements of the last 48 hours. To be sealed and for nothing else.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct StoredGroups(Vec<StoredGroup>);

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredGroup {
    id: [u8; 16],
    name: String,
    epoch: Epoch,
    state: [u8; 32],
    slots: (u8, u8),
    shared: bool,
    outbox: Vec<(Epoch, Vec<u8>)>,
    kept: Vec<StoredAnnouncement>,
    sent: BTreeMap<[u8; 8], Epoch>,
    heard: BTreeMap<u8, Epoch>,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredAnnouncement {
    slot: u8,
    message: [u8; 8],
    epoch: Epoch,
    text: String,
}

impl StoredGroups {
    pub(super) fn of<'a>(groups: impl Iterator<Item = &'a Group>) -> Self {
        Self(groups.filter_map(StoredGroup::of).collect())
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = &StoredGroup> {
        self.0.iter()
    }
}

impl StoredGroup {
    /// `None` only for a group without a state, which none is.
    fn of(group: &Group) -> Option<Self> {
        let (epoch, state) = group.oldest_state()?;
        let plain = |queued: &Queued| (queued.since, queued.frame.encode().to_vec());
        let kept = group.kept.iter().map(|kept| StoredAnnouncement {
            slot: kept.slot,
            message: kept.message,
            epoch: kept.epoch,
            text: kept.text.expose(str::to_owned),
        });
        Some(Self {
            id: group.id.0,
            name: group.name.expose(str::to_owned),
            epoch,
            state: *state,
            slots: (group.slots.first, group.slots.count),
            shared: group.shared,
            outbox: group.outbox.iter().map(plain).collect(),
            kept: kept.collect(),
            sent: group.sent.clone(),
            heard: group.heard.clone(),
        })
    }

    /// The group again; `None` for what no group of ours is. Frames that may have left leave once more: readers know
    /// them by their message.
    pub(super) fn restore(&self, listener: Listener, now: Epoch, mut number: impl FnMut() -> FrameId) -> Option<Group> {
        let (name, slots) = (GroupName::new(&self.name).ok()?, Slots::new(self.slots.0, self.slots.1)?);
        let mut group = Group::new(GroupId(self.id), name, self.state, self.epoch, slots, listener).closed_in(now);
        let queued = self.outbox.iter().filter_map(|(since, plain)| Some((*since, GroupFrame::decode(plain).ok()?)));
        group.outbox.extend(queued.map(|(since, frame)| Queued::new(number(), frame, since)));
        group.kept.extend(self.kept.iter().filter_map(|kept| {
            let text = AnnouncementText::new(&kept.text).ok()?;
            Some(Kept { slot: kept.slot, message: kept.message, epoch: kept.epoch, text })
        }));
        (group.shared, group.sent, group.heard) = (self.shared, self.sent.clone(), self.heard.clone());
        Some(group)
    }
}

impl Drop for StoredGroup {
    fn drop(&mut self) {
        self.state.zeroize();
        self.name.zeroize();
        self.outbox.iter_mut().for_each(|(_, plain)| plain.zeroize());
    }
}

impl Drop for StoredAnnouncement {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}
