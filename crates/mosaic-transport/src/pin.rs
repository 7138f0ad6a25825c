use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};
use thiserror::Error;

/// SHA-256 of a provider's certificate in DER: what a client trusts instead of an authority (L2-02).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin([u8; 32]);

impl Pin {
    /// The pin with these bytes, as a federation descriptor or a join link states it.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The pin of a certificate.
    pub fn of(certificate_der: &[u8]) -> Self {
        Self(Sha256::digest(certificate_der).into())
    }

    /// The 32 bytes, borrowed.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 32 bytes.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

/// A string that is no pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a certificate pin is 64 hexadecimal digits")]
pub struct InvalidPin;

impl FromStr for Pin {
    type Err = InvalidPin;

    fn from_str(raw: &str) -> Result<Self, InvalidPin> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(raw, &mut bytes).map_err(|_| InvalidPin)?;
        Ok(Self(bytes))
    }
}

/// The certificates a client accepts from one host: the present one and, during a change, the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pins {
    /// The certificate in use.
    pub primary: Pin,
    /// A second one, announced before the operator changes to it.
    pub backup: Option<Pin>,
}

impl Pins {
    /// One certificate only.
    pub const fn only(primary: Pin) -> Self {
        Self { primary, backup: None }
    }

    /// Whether `certificate_der` is one of the two. Pins are public, so the comparison need not hide
    /// its duration.
    pub fn accept(&self, certificate_der: &[u8]) -> bool {
        let pin = Pin::of(certificate_der);
        pin == self.primary || Some(pin) == self.backup
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_print_and_parse() {
        let pin = Pin::of(b"certificate");
        assert_eq!(pin.to_string().parse(), Ok(pin));
        assert_eq!("abc".parse::<Pin>(), Err(InvalidPin));
        assert_eq!("zz".repeat(32).parse::<Pin>(), Err(InvalidPin));
    }

    #[test]
    fn either_pin_is_enough_and_no_other_is() {
        let pins = Pins { primary: Pin::of(b"now"), backup: Some(Pin::of(b"next")) };
        assert!(pins.accept(b"now") && pins.accept(b"next") && !pins.accept(b"other"));
    }
}
