//! The client of an agent's local API: what a program of the same person says to their own agent, on this machine.
//!
//! [`Client::of_agent`] finds a running agent by its folder and reads its token; every operation of
//! [`mosaic_api::Operation`] is a method with the types of its body and its answer. [`Client::socket`] opens the socket for
//! news and requests, [`Client::watch`] opens it again whenever its session rotates.
//!
//! What holds: it talks to a loopback address only and through no proxy; tokens and places go into headers and bodies,
//! never into a URL; an address is believed only while its agent holds the vault, since anybody may listen at one that was
//! left behind. The two forms that the API has for URLs (`GET /v1/proximity`, `GET /v1/association/{token}`) are left out for
//! that reason.

mod discovery;
mod error;
mod http;
mod operations;
mod socket;

pub use discovery::{ADDRESS_FILE, FindError, TOKEN_FILE, forget_stale_address, url_of};
pub use error::CallError;
pub use http::Client;
pub use socket::{Socket, SocketError, Watch};
