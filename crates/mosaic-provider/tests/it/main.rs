//! Three providers in one process: deposits, replication, generations, keys, retirement and faults.

#![expect(clippy::unwrap_used, reason = "helpers of tests end at the first surprise, as tests do")]

mod buying;
mod cluster;
mod counting;
mod deposits;
mod faults;
mod fronts;
mod keys;
mod kills;
mod limits;
mod past;
mod reads;
mod redis;
mod retirement;
mod server;
mod sockets;
mod spent;
mod stores;
mod tokens;
