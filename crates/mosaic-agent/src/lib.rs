//! Everything a person's device does: a sans-I/O core and a thin driver around it.
//!
//! [`AgentCore`] holds every secret and takes every decision. It touches no socket, file or clock: it is
//! asked for calls ([`AgentCore::poll`]), told what became of them ([`AgentCore::on_reply`]) and
//! commanded in the bounded types of `mosaic-api`. A simulation drives hundreds of cores in virtual time;
//! [`run`] drives one with real sockets, a sealed vault and the local API.
//!
//! What holds: events leave at the times of the cadence alone, on both lanes, whether or not there is
//! anything to say; what was read comes with equal signed heads of two providers; an acknowledged
//! record that was left out is found and its evidence kept; session keys and contacts stay in memory
//! (S-46, C-58). What does not yet: evaluations leave when they are needed, so their times
//! depend on what a person does, and whole generations are downloaded instead of private reads.

mod alerts;
mod answers;
mod blocks;
mod browsers;
mod commands;
mod core;
mod crowd;
mod deposits;
mod driver;
#[cfg(test)]
mod fixtures;
mod interests;
#[cfg(test)]
mod lies;
mod oprf;
mod post;
mod providers;
mod qr;
mod reader;
mod repeats;
mod schedule;
mod server;
mod session;
mod state;
mod tables;
mod trail;
mod tries;
mod wallet;

pub use alerts::{Evidence, EvidenceKind};
pub use blocks::BlockPool;
pub use commands::{
    AssociateError, Beginning, BroadcastError, CountedTry, GroupCommandError, ImportError, ImportMode, LookupError,
    ProximityError, UpdateError, WaveRefusal,
};
pub use core::{AgentConfig, AgentCore, AgentEvent, EventTruth, TruthLog};
pub use driver::{Agent, Recording, RunConfig, RunError, StartError, VaultCost, run};
pub use post::{CallId, Outgoing};
pub use reader::BlindReads;
pub use state::{AgentState, DecodeStateError};
