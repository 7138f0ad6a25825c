//! Dealerless generation of a table's OPRF key (DESIGN.md section 6).
//!
//! Every provider may deal: it commits to a random polynomial over ristretto255 (Feldman), proves that it
//! knows the constant term (so that nobody can deal the negative of another), and seals each
//! recipient's share to its X25519 key. The key is the sum over the dealings; it exists nowhere, and it is
//! random as soon as one dealer was honest. As many dealers as the threshold suffice ([`min_dealers`]). A
//! provider that was absent opens the same dealings later and holds its share.
//!
//! A share that does not fit the commitments is met by a [`Complaint`]: the recipient reveals the one
//! Diffie-Hellman point under which it was sealed, with a proof, and anybody can then see that the dealer
//! lied. A false complaint gives away only its author's own share of that one dealing.
//! The last dealer to publish can bias the public key's bits (Gennaro et al. 1999), which an OPRF key tolerates.

mod complaint;
mod dealing;
mod envelope;
mod outcome;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use complaint::{COMPLAINT, Complaint, verify_complaint};
pub use dealing::{DealError, Dealing, MalformedDealing, ShareScalar, deal};
pub use envelope::{OpenShareError, open_share};
pub use outcome::{AssembleError, Outcome, OutcomeError, assemble, outcome};

/// Dealings a key of this threshold needs: two, since one dealer alone would know the key, and otherwise as many
/// as the threshold, so that whoever is too few to use the key is too few to have made it alone.
pub const fn min_dealers(threshold: u8) -> usize {
    if threshold < 2 { 2 } else { threshold as usize }
}
