//! The provider: stores opaque records in rows it cannot interpret, evaluates its share of a table's
//! key, seals what it took into signed generations, and forgets on time (DESIGN section 6).
//!
//! [`ProviderCore`] is the whole protocol without sockets, files or clocks, over a [`store::Store`].
//! [`Provider`] puts TLS, a thread and a clock around it, out of a [`ProviderFolder`].
//!
//! Holds: an acknowledged deposit is durable here and at one peer; nothing that was signed is ever
//! contradicted after a crash; a retired table answers 410 and its share is destroyed. Does not hold: a
//! provider cannot prove that it did not log or copy what it saw.

mod core;
mod counters;
mod driver;
mod folder;
mod keys;
mod layout;
mod migration;
mod policy;
pub mod spent;
pub mod store;

pub use crate::{
    core::{
        FrontCore, IssueJob, Issued, OpenError, Outgoing, Paying, PeerCallId, PeerFailure, ProviderCore, Scan,
        ScanToCome, Step, Ticket,
    },
    counters::{Counters, Gauges},
    driver::{Front, FrontPlace, Provider, Recording, RunError},
    folder::{FolderError, ProviderConfig, ProviderFolder},
    keys::ProviderKeys,
    migration::MoveError,
    policy::{Policy, Price},
};
