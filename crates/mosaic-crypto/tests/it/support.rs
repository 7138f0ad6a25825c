//! Seeded randomness, providers and vector files.

use mosaic_types::ProviderId;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use serde_json::Value;

/// A generator that replays.
pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// Provider `number`.
pub(crate) fn provider(number: u8) -> ProviderId {
    ProviderId::new(number).unwrap()
}

/// A file of the repository's `vectors/`.
pub(crate) fn vectors(name: &str) -> Value {
    let path = format!("{}/../../vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Bytes of a hexadecimal field.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// The same, of a known length.
pub(crate) fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}
