use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Where the spent set of a provider's fronts is: `redis://HOST:PORT,HOST:PORT…`, a few nodes of one Redis Cluster.
///
/// In clear to this machine only; `rediss://` is TLS to any. Nothing secret has a place in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpentAddress {
    tls: bool,
    nodes: Vec<(String, u16)>,
}

/// Text that is no [`SpentAddress`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a spent set is `redis://HOST:PORT,HOST:PORT` on this machine, or `rediss://` with TLS anywhere")]
pub struct InvalidSpentAddress;

impl SpentAddress {
    /// The most nodes that are named; the cluster itself names the others.
    const MOST: usize = 16;

    /// A URL for each node.
    pub(crate) fn urls(&self) -> impl Iterator<Item = String> + '_ {
        let scheme = self.scheme();
        self.nodes.iter().map(move |(host, port)| format!("{scheme}://{host}:{port}"))
    }

    const fn scheme(&self) -> &'static str {
        if self.tls { "rediss" } else { "redis" }
    }
}

impl fmt::Display for SpentAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes: Vec<String> = self.nodes.iter().map(|(host, port)| format!("{host}:{port}")).collect();
        write!(f, "{}://{}", self.scheme(), nodes.join(","))
    }
}

impl FromStr for SpentAddress {
    type Err = InvalidSpentAddress;

    fn from_str(text: &str) -> Result<Self, InvalidSpentAddress> {
        let (tls, nodes) = match (text.strip_prefix("redis://"), text.strip_prefix("rediss://")) {
            (Some(nodes), _) => (false, nodes),
            (_, Some(nodes)) => (true, nodes),
            _ => return Err(InvalidSpentAddress),
        };
        let nodes: Option<Vec<_>> = nodes.split(',').map(|node| node_of(node, tls)).collect();
        let nodes = nodes.filter(|nodes| nodes.len() <= Self::MOST).ok_or(InvalidSpentAddress)?;
        Ok(Self { tls, nodes })
    }
}

/// A host and a port, and nothing that could hold a name or a password.
fn node_of(text: &str, tls: bool) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let bare = host.strip_prefix('[').map_or(Some(host), |rest| rest.strip_suffix(']'))?;
    let address: Option<IpAddr> = bare.parse().ok();
    let named = bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let written = match address {
        Some(IpAddr::V6(_)) => bare.len() < host.len(),
        _ => bare.len() == host.len() && named && !bare.is_empty(),
    };
    let here = bare == "localhost" || address.is_some_and(|address| address.is_loopback());
    let port = port.parse().ok().filter(|port| *port != 0)?;
    (written && (tls || here)).then(|| (host.to_owned(), port))
}

impl TryFrom<String> for SpentAddress {
    type Error = InvalidSpentAddress;

    fn try_from(text: String) -> Result<Self, InvalidSpentAddress> {
        text.parse()
    }
}

impl From<SpentAddress> for String {
    fn from(address: SpentAddress) -> Self {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        let texts =
            ["redis://127.0.0.1:7001", "redis://[::1]:7001,localhost:7002", "rediss://a.example:6379,10.0.0.2:1"];
        for text in texts {
            assert_eq!(text.parse::<SpentAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn secrets_and_clear_text_to_elsewhere_have_no_place() {
        let texts = [
            "",
            "127.0.0.1:7001",
            "redis://",
            "redis://127.0.0.1",
            "redis://127.0.0.1:0",
            "redis://127.0.0.1:70000",
            "redis://127.0.0.1:7001,",
            "redis://10.0.0.2:7001",
            "redis://a.example:7001",
            "redis://:secret@127.0.0.1:7001",
            "rediss://user:secret@a.example:7001",
            "redis://127.0.0.1:7001/1",
            "redis://::1:7001",
            "redis://[127.0.0.1:7001",
        ];
        for text in texts {
            assert_eq!(text.parse::<SpentAddress>(), Err(InvalidSpentAddress), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_alike(text in "rediss?://[-.a-z0-9:,@/\\[\\]]{0,40}") {
            if let Ok(address) = text.parse::<SpentAddress>() {
                prop_assert_eq!(address.to_string().parse(), Ok(address));
            }
        }
    }
}
