//! What agents and providers both reason about, as pure functions of bytes, time and keys.
//!
//! - Who the providers are: [`FederationDescriptor`], signed as a [`SignedDocument`], checked into a
//!   [`Federation`]; [`JoinLink`] carries its digest from person to person.
//! - What they store: [`OpenTable`] decides what a row takes, [`HeadChain`] and [`VerifiedBlock`] check
//!   what was sealed, [`Evidence`] convicts who lies about it; [`sizing`] says how big tables are.
//! - Which keys they hold: [`TableCeremony`] makes a table's key without a dealer to trust, and
//!   [`TableState`] walks it to its destruction.
//! - How they talk: [`peer`]; whom they admit: [`Issuer`] and, on the other side, [`Purchase`].
//!
//! Holds: fewer than the threshold of providers learn no table key; one provider that signs two
//! histories or drops what it acknowledged is convicted by its own signatures. Does not hold: shares
//! are sealed to long-lived ceremony keys, so whoever recorded the dealings of a table and later steals
//! a threshold of these keys rebuilds its key. Destruction needs honest providers, and says so.

mod admission;
mod ceremony;
mod chain;
mod dealing;
mod descriptor;
mod document;
mod evidence;
#[cfg(test)]
mod fixture;
mod gathering;
mod hex;
mod join;
mod jurisdiction;
pub mod peer;
mod purchase;
mod retirement;
mod segment;
pub mod sizing;
#[cfg(test)]
mod vectors;

pub use admission::{Issuer, Issuers, NotAdmitted, Quota, TOKEN_GRACE, TOKEN_KIND, challenge, day, hour};
pub use ceremony::{CeremonyRecord, CountersignError, DealingVerdict, IncompleteTable, Proposal, TableCeremony};
pub use chain::{ChainError, Comparison, HeadChain, Linked, VerifiedBlock, compare};
pub use dealing::{SignedDealing, UnsoundDealing, ceremony_context};
pub use descriptor::{
    DescriptorError, FederationDescriptor, Independence, Jurisdiction, PRACTICE_BANNER, ProviderEntry, Tile,
};
pub use document::{Federation, SignedDocument, UntrustedFederation};
pub use evidence::{Dropped, Evidence, NoProof, TwoTables};
pub use gathering::{Gathering, GatheringPlace, InvalidGathering};
pub use join::{InvalidJoinLink, JoinLink};
pub use purchase::{NotIssued, Purchase, Span};
pub use retirement::{
    DEPOSIT_GRACE, Deposits, MAX_SKEW, RetirementStep, TABLE_LIFE, TableState, retires_at, takes_deposits,
};
pub use segment::{Admitted, OpenSegment, OpenTable, Sealed, Verdict, records_of};
