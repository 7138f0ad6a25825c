//! The only way out of the device (DESIGN section 3, step 2).
//!
//! A [`Draft`] holds a true place and true words and has no encoding. [`Releaser::draft`] reads the
//! words as class and topics, blurs and snaps the place and charges the ledger; from then on the true
//! values are gone. Every event on the wire is built here, always ten slots: [`Releaser::discovery_event`]
//! fills them with complete bundles of personas, [`Releaser::rendezvous_event`] with uniform bytes. An
//! event can be had only together with [`FloorMet`], the evidence that its own count of decoys was
//! taken again from the finished slots and met the lane's floor (L3-02, L3-12, L3-13).
//!
//! Before a discovery event is sealed, [`Releaser::preview`] shows its ten bundles as strangers would see them, and
//! lets some give way to others: the anonymity [`Meter`] looks at it.
//!
//! This crate alone implements [`mosaic_wire::Releasable`].

mod builder;
mod combined;
mod discovery;
mod draft;
#[cfg(test)]
mod fixtures;
mod floor;
mod meter;
mod own;
mod preview;
mod query;
mod released;
mod releaser;
mod rendezvous;
mod report;
mod retry;
mod slot;
mod state;
mod turn;

pub use combined::{Spendings, WhyZone};
pub use discovery::{DECOYS_AT_LEAST, OprfOutputs};
pub use draft::{Accepted, Draft, Included, Refusal};
pub use floor::{FloorMet, FloorMissed};
pub use meter::{Measuring, Meter, Reading, Suspected, town};
pub use mosaic_discovery::{CardOrigin, FrameId, OutgoingFrame, OwnCard};
pub use mosaic_obfuscate::Granularity;
pub use preview::{Preview, ShownBundle};
pub use query::{Evaluating, QueryError};
pub use released::{ReleaseError, ReleasedAnnouncement, ReleasedContact, ReleasedEvaluation, ReleasedEvent};
pub use releaser::{Releaser, TightenError, Tightening, Withdrawal, reading_of};
pub use rendezvous::RendezvousFloor;
pub use report::ReleasedReport;
pub use slot::SlotTruth;
pub use state::{Broadcast, BroadcastId, ReleaserState};
