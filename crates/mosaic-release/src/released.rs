use std::fmt;

use mosaic_discovery::FrameId;
use mosaic_types::{AnnouncementText, ContactText, Lane, Sensitive, Timestamp};
use mosaic_wire::{Announcement, ContactCard, EvaluateFields, EventFields, OprfInput, Releasable, SLOTS};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{FloorMet, FloorMissed, SlotTruth, builder::Heading, slot::Slot};

/// Why no event was released. Nothing left, nothing was marked as written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// OPRF outputs are needed first: evaluate these inputs and call again.
    #[error("{} OPRF outputs are missing", .0.len())]
    Missing(Vec<OprfInput>),
    /// The event would have fallen short of its noise floor (L3-12).
    #[error("the noise floor was not met")]
    Floor(#[from] FloorMissed),
    /// The table does not serve the instant of sending.
    #[error("the table does not serve this time")]
    WrongTable,
    /// The table's sizes or resolution are none that an event can name.
    #[error("the table's description cannot be used")]
    BadTable,
    /// Too few public places are known to fill ten different rows with decoys.
    #[error("too few public places are known to make decoys of")]
    TooFewPlaces,
}

/// Ten sealed slots that may leave the device. The evidence is part of the value.
pub struct ReleasedEvent {
    fields: EventFields,
    floor: FloorMet,
    truth: Sensitive<[SlotTruth; SLOTS]>,
    slots: Sensitive<Vec<Slot>>,
    receipt_secret: Zeroizing<[u8; 32]>,
    leaves: Timestamp,
    resolution: Option<u8>,
}

impl ReleasedEvent {
    pub(crate) fn new(
        fields: EventFields,
        floor: FloorMet,
        slots: Sensitive<Vec<Slot>>,
        receipt_secret: [u8; 32],
        heading: &Heading<'_>,
    ) -> Self {
        let mut truth = [SlotTruth::Uniform; SLOTS];
        slots.expose(|slots| truth.iter_mut().zip(slots).for_each(|(truth, slot)| *truth = slot.truth));
        let receipt_secret = Zeroizing::new(receipt_secret);
        Self {
            fields,
            floor,
            truth: Sensitive::new(truth),
            slots,
            receipt_secret,
            leaves: heading.at,
            resolution: heading.resolution,
        }
    }

    /// The public fields, as providers will see them.
    pub const fn fields(&self) -> &EventFields {
        &self.fields
    }

    /// The lane it goes to.
    pub const fn lane(&self) -> Lane {
        self.fields.table.lane()
    }

    /// The instant it was built to leave at.
    pub const fn leaves(&self) -> Timestamp {
        self.leaves
    }

    /// Resolution of a discovery event; `None` on the rendezvous lane.
    pub const fn resolution(&self) -> Option<u8> {
        self.resolution
    }

    /// Evidence and measure of its noise.
    pub const fn floor(&self) -> FloorMet {
        self.floor
    }

    /// What each slot truly is, in wire order. Never encoded.
    pub const fn slot_truth(&self) -> &Sensitive<[SlotTruth; SLOTS]> {
        &self.truth
    }

    /// The frames that leave with it.
    pub fn frames(&self) -> Vec<FrameId> {
        self.stored(0)
    }

    /// The frames whose rows were not full (bit `i` of `full` for slot `i`, as the receipt says): the only
    /// ones that are stored.
    pub fn stored(&self, full: u16) -> Vec<FrameId> {
        let frame = |(at, truth): (usize, &SlotTruth)| match truth {
            SlotTruth::Frame(id) if full >> at & 1 == 0 => Some(*id),
            _ => None,
        };
        self.truth.expose(|truth| truth.iter().enumerate().filter_map(frame).collect())
    }

    /// The fresh key whose hash the event and its receipt name: showing it proves whose receipt it is.
    pub fn receipt_secret(&self) -> &[u8; 32] {
        &self.receipt_secret
    }

    pub(crate) const fn slots(&self) -> &Sensitive<Vec<Slot>> {
        &self.slots
    }
}

impl Releasable for ReleasedEvent {
    type Object = EventFields;

    fn object(&self) -> &EventFields {
        &self.fields
    }
}

impl fmt::Debug for ReleasedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReleasedEvent({:?})", self.lane())
    }
}

/// Sixteen blinded points that may leave the device: the points are uniform whatever they blind.
#[derive(Debug)]
pub struct ReleasedEvaluation(pub(crate) EvaluateFields);

impl Releasable for ReleasedEvaluation {
    type Object = EvaluateFields;

    fn object(&self) -> &EvaluateFields {
        &self.0
    }
}

/// Words that the person decided to tell a group: they leave only in sealed group frames.
#[derive(Clone, Debug)]
pub struct ReleasedAnnouncement(Announcement);

impl ReleasedAnnouncement {
    pub(crate) const fn new(text: AnnouncementText) -> Self {
        Self(Announcement { text })
    }
}

impl Releasable for ReleasedAnnouncement {
    type Object = Announcement;

    fn object(&self) -> &Announcement {
        &self.0
    }
}

/// A contact that the person decided to give: it leaves only inside a sealed channel.
#[derive(Clone, Debug)]
pub struct ReleasedContact(ContactCard);

impl ReleasedContact {
    pub(crate) const fn new(text: ContactText) -> Self {
        Self(ContactCard { text })
    }
}

impl Releasable for ReleasedContact {
    type Object = ContactCard;

    fn object(&self) -> &ContactCard {
        &self.0
    }
}
