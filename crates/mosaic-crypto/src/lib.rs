//! Committing AEAD, agreement, signatures, labelled derivation, Shamir, threshold OPRF, key ceremony, sealed requests, Merkle trees.
