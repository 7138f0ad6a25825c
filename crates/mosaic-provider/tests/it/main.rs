//! Three providers in one process: deposits, replication, generations, keys, retirement and faults.

mod cluster;
mod deposits;
mod faults;
mod keys;
mod reads;
mod retirement;
mod sockets;
mod stores;
