use std::{fmt, str::FromStr};

use rand::CryptoRng;
use thiserror::Error;

/// A string that is no identifier of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an identifier has exactly 32 hexadecimal digits")]
pub struct InvalidId;

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) [u8; 16]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        /// Prints nothing of the value: identifiers are for the person, not for logs.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([hidden])"))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse_hex(text).map(Self).ok_or(InvalidId)
            }
        }
    };
}

hex_id!(
    /// Names a card towards the person: the first 16 bytes of a digest of its public key.
    CardId
);
hex_id!(
    /// Names an association towards the person. Random for a wave; a digest of the token otherwise,
    /// so that both sides find it again by the token.
    AssociationId
);

hex_id!(
    /// Names a group towards the person; random, and different on each member's device.
    GroupId
);

/// Names one frame between `outgoing` and the report whether it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(pub u64);

/// Random bytes, for what is named by chance.
pub(crate) fn drawn<const N: usize>(rng: &mut (impl CryptoRng + ?Sized)) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

impl CardId {
    /// The id of the card with this public key.
    pub fn of(public: &[u8; 32]) -> Self {
        Self(first_half(mosaic_crypto::digest(&[b"card", public])))
    }
}

pub(crate) fn first_half(digest: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}

fn parse_hex(text: &str) -> Option<[u8; 16]> {
    let digits = text.as_bytes();
    let mut bytes = [0; 16];
    if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_nothing_else_is_one() {
        let id = CardId::of(&[7; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().len(), 32);
        for bad in ["", "abc", &"g".repeat(32), &"+1".repeat(16), &"é".repeat(16)] {
            assert_eq!(bad.parse::<CardId>(), Err(InvalidId), "{bad}");
        }
        assert_eq!(format!("{id:?}"), "CardId([hidden])");
    }
}
