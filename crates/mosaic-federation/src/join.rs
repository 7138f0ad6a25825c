use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::hex;

/// What one person gives another to join a federation: `mosaic:join?at=HOST:PORT&pin=HEX&doc=HEX`.
///
/// `at` names any provider, `pin` its TLS certificate, `doc` the federation document
/// ([`crate::SignedDocument::digest`]). That provider therefore cannot hand out another federation than
/// the one the link was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinLink {
    host: String,
    port: u16,
    tls_pin: [u8; 32],
    digest: [u8; 32],
}

/// A text that is no join link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidJoinLink {
    /// Does not start with `mosaic:join?`, or names something else than `at`, `pin` and `doc`.
    #[error("a join link reads mosaic:join?at=HOST:PORT&pin=HEX&doc=HEX")]
    Form,
    /// `at` is not `HOST:PORT`.
    #[error("the link's address must read HOST:PORT")]
    Address,
    /// `pin` or `doc` is not 64 lower-case hexadecimal digits.
    #[error("the link's pins must have 64 hexadecimal digits")]
    Pin,
}

impl JoinLink {
    /// A link to the document with this digest, held by the provider at `host` and `port` whose TLS
    /// certificate has the SHA-256 `tls_pin`.
    ///
    /// # Errors
    /// [`InvalidJoinLink::Address`] for a host with characters no host has, or port 0.
    pub fn new(host: &str, port: u16, tls_pin: [u8; 32], digest: [u8; 32]) -> Result<Self, InvalidJoinLink> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._[]:".contains(&b);
        // a colon is legal inside the brackets of an IPv6 address only
        let bracketed = host.starts_with('[') && host.ends_with(']');
        let fits = !host.is_empty() && host.len() <= 253 && host.bytes().all(plain) && port != 0;
        if !fits || (host.contains([':', '[', ']']) && !bracketed) {
            return Err(InvalidJoinLink::Address);
        }
        Ok(Self { host: host.to_owned(), port, tls_pin, digest })
    }

    /// `https://HOST:PORT` of the provider to ask.
    pub fn url(&self) -> String {
        format!("https://{}:{}", self.host, self.port)
    }

    /// SHA-256 of the certificate that the provider must show.
    pub const fn tls_pin(&self) -> &[u8; 32] {
        &self.tls_pin
    }

    /// Digest that the fetched document must have.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

impl fmt::Display for JoinLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pin, digest) = (hex::print(&self.tls_pin), hex::print(&self.digest));
        write!(f, "mosaic:join?at={}:{}&pin={pin}&doc={digest}", self.host, self.port)
    }
}

impl FromStr for JoinLink {
    type Err = InvalidJoinLink;

    fn from_str(text: &str) -> Result<Self, InvalidJoinLink> {
        let query = text.trim().strip_prefix("mosaic:join?").ok_or(InvalidJoinLink::Form)?;
        let (mut at, mut pin, mut doc) = (None, None, None);
        for pair in query.split('&') {
            match pair.split_once('=') {
                Some(("at", value)) if at.is_none() => at = Some(value),
                Some(("pin", value)) if pin.is_none() => pin = Some(value),
                Some(("doc", value)) if doc.is_none() => doc = Some(value),
                _ => return Err(InvalidJoinLink::Form),
            }
        }
        let (host, port) = at.and_then(|at| at.rsplit_once(':')).ok_or(InvalidJoinLink::Address)?;
        let port = port.parse().map_err(|_| InvalidJoinLink::Address)?;
        let read = |text: Option<&str>| hex::parse(text.unwrap_or_default()).ok_or(InvalidJoinLink::Pin);
        Self::new(host, port, read(pin)?, read(doc)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_round_trip() {
        for host in ["192.0.2.7", "provider.example", "[2001:db8::1]"] {
            let link = JoinLink::new(host, 7_443, [0xab; 32], [0xcd; 32]).unwrap();
            assert_eq!(link.to_string().parse(), Ok(link.clone()));
            assert_eq!(link.url(), format!("https://{host}:7443"));
        }
    }

    #[test]
    fn what_is_no_link_says_why() {
        let pin = "ab".repeat(32);
        let read = |text: &str| text.parse::<JoinLink>().unwrap_err();
        assert_eq!(read("https://example"), InvalidJoinLink::Form);
        assert_eq!(read(&format!("mosaic:join?at=h:1&pin={pin}&doc={pin}&x=1")), InvalidJoinLink::Form);
        assert_eq!(read(&format!("mosaic:join?at=h:1&at=g:1&pin={pin}&doc={pin}")), InvalidJoinLink::Form);
        assert_eq!(read(&format!("mosaic:join?at=h&pin={pin}&doc={pin}")), InvalidJoinLink::Address);
        assert_eq!(read(&format!("mosaic:join?at=h/x:1&pin={pin}&doc={pin}")), InvalidJoinLink::Address);
        assert_eq!(read("mosaic:join?at=h:1&pin=abcd&doc=abcd"), InvalidJoinLink::Pin);
    }
}
