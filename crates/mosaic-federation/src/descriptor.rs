use std::collections::{BTreeMap, BTreeSet};

use mosaic_types::{Lane, LatLng, ProviderId, Stream, TileId, Timestamp};
use mosaic_wire::TableDescriptor;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    hex, jurisdiction,
    sizing::{Load, TableShape},
};

/// What a practice federation must show wherever it is used, permanently (DESIGN section 2).
pub const PRACTICE_BANNER: &str = "all three operators are you: no privacy";

/// The only format this version reads.
const FORMAT: &str = "mosaic/federation/1";

/// Whether the operators are meant to be independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Independence {
    /// Operators and jurisdictions are checked (C-23, L4-26).
    Checked,
    /// One person runs everything, to try it out; shows [`PRACTICE_BANNER`] for ever.
    Practice,
}

/// One operator's entry. All of it is public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderEntry {
    /// Number of the provider, also the x-coordinate of its key shares.
    pub id: ProviderId,
    /// Where it listens: `https://host:port`, no path.
    pub url: String,
    /// SHA-256 of its TLS certificate.
    #[serde(with = "hex")]
    pub tls_pin: [u8; 32],
    /// Ed25519 key under which it signs everything.
    #[serde(with = "hex")]
    pub signing_key: [u8; 32],
    /// X25519 key to which agents seal their cells.
    #[serde(with = "hex")]
    pub cell_key: [u8; 32],
    /// X25519 key to which other providers seal shares of table keys.
    #[serde(with = "hex")]
    pub ceremony_key: [u8; 32],
    /// Ristretto255 key of its tokens. It stands here so that everybody is issued under the same one.
    #[serde(with = "hex")]
    pub token_key: [u8; 32],
    /// Who runs it, as a name the public knows.
    pub operator: String,
    /// Whose law it is under, as an ISO 3166 code such as `DE` or `US-CA`.
    pub jurisdiction: String,
}

/// The public area a federation serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// Number on the wire.
    pub id: TileId,
    /// Name for people.
    pub name: String,
    /// Coarse centre, latitude in degrees.
    pub lat: f64,
    /// Coarse centre, longitude in degrees.
    pub lng: f64,
    /// Radius in metres, 1,000 to 200,000.
    pub radius_m: u32,
}

/// What every agent of one federation must agree on: who the providers are and how tables are cut.
///
/// It becomes binding as a [`crate::SignedDocument`]; [`crate::Federation`] is the checked result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederationDescriptor {
    /// Always `mosaic/federation/1`.
    pub format: String,
    /// Name for people.
    pub name: String,
    /// Whether the operators claim to be independent.
    pub independence: Independence,
    /// When it was written, in milliseconds since the Unix epoch.
    pub created: Timestamp,
    /// Providers needed to evaluate a table's key (L4-23: at least 2, fewer than all).
    pub threshold: u8,
    /// Active agents the tables are sized for.
    pub declared_agents: u32,
    /// The area served.
    pub tile: Tile,
    /// Seconds between sealed generations of the fast, steady and slow stream.
    pub generation_seconds: [u16; 3],
    /// The operators, in ascending order of their numbers.
    pub providers: Vec<ProviderEntry>,
}

/// Why a descriptor describes no federation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DescriptorError {
    /// Written in another format.
    #[error("this federation file is of a format this version does not read")]
    Format,
    /// Fewer than three providers: then threshold secrecy means nothing.
    #[error("a federation needs at least 3 providers, this one names {named}")]
    TooFewProviders {
        /// How many it names.
        named: usize,
    },
    /// More than five providers: a table descriptor has room for five shares.
    #[error("a federation has at most 5 providers, this one names {named}")]
    TooManyProviders {
        /// How many it names.
        named: usize,
    },
    /// Numbers not strictly ascending.
    #[error("provider numbers must ascend without repetition")]
    Order,
    /// Threshold out of range.
    #[error("the threshold must be at least 2 and below the number of providers")]
    Threshold,
    /// Two providers share a key, a certificate or an address.
    #[error("providers {first} and {second} share a key, a certificate or an address")]
    SharedIdentity {
        /// One of the two.
        first: ProviderId,
        /// The other.
        second: ProviderId,
    },
    /// Two providers are run by one operator.
    #[error("providers {first} and {second} have the same operator; they must be independent")]
    SharedOperator {
        /// One of the two.
        first: ProviderId,
        /// The other.
        second: ProviderId,
    },
    /// One jurisdiction could compel a threshold of providers.
    #[error("the jurisdiction {code} holds {count} providers, enough to evaluate a table key together")]
    Jurisdiction {
        /// Its code.
        code: Jurisdiction,
        /// How many providers it holds.
        count: usize,
    },
    /// Operator or jurisdiction left empty.
    #[error("provider {provider} must name its operator and an ISO 3166 code such as DE or US-CA")]
    Anonymous {
        /// Which.
        provider: ProviderId,
    },
    /// An address that is not `https://host:port`.
    #[error("the address of provider {provider} must read https://host:port")]
    Url {
        /// Which.
        provider: ProviderId,
    },
    /// Centre or radius out of range.
    #[error("the tile's centre or radius is out of range")]
    Tile,
    /// No active agents, or more than the largest table carries.
    #[error("declared agents must lie between 1 and {most}")]
    Agents {
        /// How many the largest tables carry.
        most: u32,
    },
    /// A generation length of zero, above an hour, or not ascending.
    #[error("generation lengths must ascend and lie between 1 and 3600 seconds")]
    Generations,
}

/// A normalised jurisdiction code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Jurisdiction(String);

impl std::fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl FederationDescriptor {
    /// A descriptor with the standard lengths (5, 60 and 600 s) and threshold 2, or 3 from five
    /// providers on (L4-23, L4-24). Sorts the providers; checks nothing yet.
    pub fn new(
        name: impl Into<String>,
        independence: Independence,
        created: Timestamp,
        declared_agents: u32,
        tile: Tile,
        mut providers: Vec<ProviderEntry>,
    ) -> Self {
        providers.sort_by_key(|entry| entry.id);
        let threshold = if providers.len() >= 5 { 3 } else { 2 };
        Self {
            format: FORMAT.into(),
            name: name.into(),
            independence,
            created,
            threshold,
            declared_agents,
            tile,
            generation_seconds: [5, 60, 600],
            providers,
        }
    }

    /// Checks everything that does not need a signature.
    ///
    /// # Errors
    /// [`DescriptorError`] with the first finding.
    pub fn check(&self) -> Result<(), DescriptorError> {
        self.check_format()?;
        self.check_numbers()?;
        self.check_identities()?;
        match self.independence {
            Independence::Checked => self.check_independence(),
            Independence::Practice => Ok(()),
        }
    }

    fn check_format(&self) -> Result<(), DescriptorError> {
        let [fast, steady, slow] = self.generation_seconds;
        if self.format != FORMAT {
            return Err(DescriptorError::Format);
        }
        if fast == 0 || fast > steady || steady > slow || slow > 3_600 {
            return Err(DescriptorError::Generations);
        }
        if LatLng::new(self.tile.lat, self.tile.lng).is_err() || !(1_000..=200_000).contains(&self.tile.radius_m) {
            return Err(DescriptorError::Tile);
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<(), DescriptorError> {
        let named = self.providers.len();
        if named < 3 {
            return Err(DescriptorError::TooFewProviders { named });
        }
        if named > TableDescriptor::MAX_SHARES {
            return Err(DescriptorError::TooManyProviders { named });
        }
        if !self.providers.is_sorted_by(|a, b| a.id < b.id) {
            return Err(DescriptorError::Order);
        }
        if self.threshold < 2 || usize::from(self.threshold) >= named {
            return Err(DescriptorError::Threshold);
        }
        let most = Load::most_agents(u32::try_from(named).unwrap_or(u32::MAX));
        if self.declared_agents == 0 || self.declared_agents > most {
            return Err(DescriptorError::Agents { most });
        }
        Ok(())
    }

    fn check_identities(&self) -> Result<(), DescriptorError> {
        for entry in &self.providers {
            if !is_origin(&entry.url) {
                return Err(DescriptorError::Url { provider: entry.id });
            }
            let practice = self.independence == Independence::Practice && entry.jurisdiction == jurisdiction::NOWHERE;
            if entry.operator.trim().is_empty() || !(practice || jurisdiction::is_code(&entry.jurisdiction)) {
                return Err(DescriptorError::Anonymous { provider: entry.id });
            }
        }
        let shares = |a: &ProviderEntry, b: &ProviderEntry| {
            a.url.eq_ignore_ascii_case(&b.url) || a.tls_pin == b.tls_pin || !keys(a).is_disjoint(&keys(b))
        };
        match self.pair_where(shares) {
            Some((first, second)) => Err(DescriptorError::SharedIdentity { first, second }),
            None => Ok(()),
        }
    }

    /// Distinct operators, and no jurisdiction with a threshold of providers (C-23, L4-26).
    fn check_independence(&self) -> Result<(), DescriptorError> {
        let same = |a: &ProviderEntry, b: &ProviderEntry| normal(&a.operator) == normal(&b.operator);
        if let Some((first, second)) = self.pair_where(same) {
            return Err(DescriptorError::SharedOperator { first, second });
        }
        let mut held: BTreeMap<String, usize> = BTreeMap::new();
        for entry in &self.providers {
            // `US-CA` and `US-NY` answer to one state
            *held.entry(jurisdiction::state(&entry.jurisdiction)).or_default() += 1;
        }
        match held.into_iter().find(|(_, count)| *count >= usize::from(self.threshold)) {
            Some((code, count)) => Err(DescriptorError::Jurisdiction { code: Jurisdiction(code), count }),
            None => Ok(()),
        }
    }

    fn pair_where(&self, alike: impl Fn(&ProviderEntry, &ProviderEntry) -> bool) -> Option<(ProviderId, ProviderId)> {
        self.providers
            .iter()
            .enumerate()
            .find_map(|(at, a)| self.providers[at + 1..].iter().find(|b| alike(a, b)).map(|b| (a.id, b.id)))
    }

    /// The entry of `id`.
    pub fn provider(&self, id: ProviderId) -> Option<&ProviderEntry> {
        self.providers.iter().find(|entry| entry.id == id)
    }

    /// All numbers, ascending.
    pub fn ids(&self) -> impl Iterator<Item = ProviderId> + '_ {
        self.providers.iter().map(|entry| entry.id)
    }

    /// All numbers but `me`, starting with the one that follows it in the ring.
    pub fn peers_of(&self, me: ProviderId) -> Vec<ProviderId> {
        let (before, after): (Vec<_>, Vec<_>) = self.ids().filter(|id| *id != me).partition(|id| *id < me);
        after.into_iter().chain(before).collect()
    }

    /// Rows and capacity of the tables of `lane`.
    pub fn shape(&self, lane: Lane) -> TableShape {
        let origins = u32::try_from(self.providers.len()).unwrap_or(u32::MAX);
        Load { agents: self.declared_agents, origins }.shape(lane)
    }

    /// Seconds between sealed generations of `stream`.
    pub fn generation_of(&self, stream: Stream) -> std::time::Duration {
        std::time::Duration::from_secs(self.generation_seconds[usize::from(stream.number())].into())
    }

    /// The sentence that must stay on every screen, if any.
    pub fn banner(&self) -> Option<&'static str> {
        (self.independence == Independence::Practice).then_some(PRACTICE_BANNER)
    }
}

fn is_origin(url: &str) -> bool {
    let Some(authority) = url.strip_prefix("https://") else { return false };
    let Some((host, port)) = authority.rsplit_once(':') else { return false };
    !host.is_empty() && !host.contains(['/', '@', '?', '#', ' ']) && port.parse::<u16>().is_ok_and(|port| port != 0)
}

fn keys(entry: &ProviderEntry) -> BTreeSet<[u8; 32]> {
    [entry.signing_key, entry.cell_key, entry.ceremony_key, entry.token_key].into()
}

fn normal(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
#[path = "descriptor_tests.rs"]
mod tests;
