//! Real sockets on loopback; every wait ends with an event, never with a pause.

mod calls;
mod pinning;
mod support;
mod versions;
