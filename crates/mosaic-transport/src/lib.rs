//! Real sockets under the sans-I/O protocols: pinned TLS 1.3 on both ends, sealed requests directly or
//! through a relay, a plain loopback listener for the agent's own API, and the machine's clock.
//!
//! Holds: a client talks only to a host whose certificate it pinned (L2-02), only over TLS 1.3
//! (L2-01), and buffers no more than the largest honest reply. A relay sees target, size and time of a
//! sealed cell, never its content. Does not hold: nothing here hides that the host runs MOSAIC.

mod client;
mod clock;
mod entropy;
mod http;
mod identity;
mod join;
mod open;
mod pin;
mod server;
mod tls;

pub use client::{Endpoint, ProviderClient};
pub use clock::SystemClock;
pub use entropy::os_rng;
pub use http::{ClientError, FetchError, HttpReply, Patience, PinnedHttp};
pub use identity::{Identity, IdentityError};
pub use join::{JoinError, fetch_federation};
pub use open::OpenHttp;
pub use pin::{InvalidPin, Pin, Pins};
pub use server::{BindError, Limits, ServeError, bind, bind_loopback, serve_loopback, serve_tls};
pub use tls::install_crypto;
