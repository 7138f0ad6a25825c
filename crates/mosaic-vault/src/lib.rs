//! Sealed local state: one file, everything in it (S-43, S-46).
//!
//! In memory a vault is a small SQLite database of [`Item`]s that never touches a disk; on disk it is a
//! fixed header and one committing AEAD blob around the database image, padded to a power of two, so
//! that its size says little. Without the password it can be deleted, not read: the key is Argon2id of the
//! password ([`KdfCost`], L3-69). A commit replaces the file as a whole; whatever moment the
//! power fails at, the old or the new vault is there.
//!
//! ```text
//! file = header 64 | nonce 24 | commitment 32 | ciphertext | tag 16 | checksum 32      (a power of two, ≥ 32 KiB)
//! header = "MOSAICVT" | version 1 | 0 0 0 | memory KiB 4 | passes 4 | lanes 4 | salt 32 | digest of all this, first 8
//! plaintext = image length 8 | SQLite image | zeros
//! ```
//!
//! The checksum is no secret and protects nothing; it tells a damaged file from a wrong password.
//! What this does not do: hide that there is a vault, or resist somebody who changes the program.

mod backend;
mod header;
mod image;
mod vault;

pub use header::{BadHeader, KdfCost, read_header};
pub use image::Item;
pub use vault::{ChangePasswordError, CommitError, CreateError, ItemError, OpenError, Vault};
