use std::{collections::BTreeMap, net::IpAddr};

use mosaic_crypto::{agreement::AgreementPublic, sealed};
use mosaic_federation::{FederationDescriptor, ProviderEntry, SignedDocument};
use mosaic_types::ProviderId;
use mosaic_wire::{
    Address, CELL, Call, CallFailure, CellReply, CellRequest, GenerationsReply, HeadsReply, Problem, ProblemCode,
    Reply, SignedTable, SignedTerms, SignedTime, StackReply, TokensReply,
};

use crate::{ClientError, FetchError, HttpReply, Patience, Pin, PinnedHttp, Pins, http::IDLE, os_rng};

/// Where one provider listens and how it is recognised.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its number.
    pub provider: ProviderId,
    /// `https://host:port`.
    pub url: String,
    /// Its certificates.
    pub pins: Pins,
    /// The key that cells are sealed to.
    pub cell_key: AgreementPublic,
}

impl From<&ProviderEntry> for Endpoint {
    fn from(entry: &ProviderEntry) -> Self {
        Self {
            provider: entry.id,
            url: entry.url.clone(),
            pins: Pins::only(Pin::from_bytes(entry.tls_pin)),
            cell_key: AgreementPublic(entry.cell_key),
        }
    }
}

/// Carries [`Call`]s to the providers of one federation. Cells are sealed to the provider that answers
/// them, so that whoever relays sees the target, one constant size and the time.
#[derive(Clone, Debug)]
pub struct ProviderClient {
    routes: BTreeMap<ProviderId, Route>,
}

#[derive(Clone, Debug)]
struct Route {
    http: PinnedHttp,
    cell_key: AgreementPublic,
}

/// The largest refusal that is looked at, and thereby the least any reply may have.
const REFUSAL: usize = Problem::MAX_BYTES;
/// Heads reply: three bytes and at most 1,024 heads.
const HEADS: usize = 3 + HeadsReply::MOST * mosaic_wire::Head::SIZE;
/// Statements of all days that a provider keeps.
const STATEMENTS: usize = mosaic_wire::MOST_STATEMENTS * mosaic_wire::STATEMENT;
/// Connections that a provider keeps to each peer while it asks nothing.
const IDLE_OF_PROVIDER: usize = 16;
/// The largest message between providers.
const PEER: usize = GenerationsReply::MAX_BYTES;

impl ProviderClient {
    /// A client for `endpoints`; connections are opened when first used.
    ///
    /// # Errors
    /// [`ClientError`] when TLS 1.3 is not available.
    pub fn new(endpoints: impl IntoIterator<Item = Endpoint>, patience: Patience) -> Result<Self, ClientError> {
        Self::new_from(endpoints, patience, None)
    }

    /// As [`Self::new`], with connections that start at an address of this machine: practice runs give each device one
    /// of its own, so that who watches the line can tell them apart as on a real network.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn new_from(
        endpoints: impl IntoIterator<Item = Endpoint>,
        patience: Patience,
        from: Option<IpAddr>,
    ) -> Result<Self, ClientError> {
        Self::keeping(endpoints, patience, from, IDLE)
    }

    /// A provider's own client for its peers: several messages are on their way to each, and every further connection would
    /// be a handshake.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn of_provider(
        endpoints: impl IntoIterator<Item = Endpoint>,
        patience: Patience,
        from: Option<IpAddr>,
    ) -> Result<Self, ClientError> {
        Self::keeping(endpoints, patience, from, IDLE_OF_PROVIDER)
    }

    fn keeping(
        endpoints: impl IntoIterator<Item = Endpoint>,
        patience: Patience,
        from: Option<IpAddr>,
        idle: usize,
    ) -> Result<Self, ClientError> {
        let route = |end: Endpoint| {
            let http = PinnedHttp::new_from(&end.url, end.pins, patience, from, idle)?;
            Ok((end.provider, Route { http, cell_key: end.cell_key }))
        };
        Ok(Self { routes: endpoints.into_iter().map(route).collect::<Result<_, ClientError>>()? })
    }

    /// A client for every provider of a federation.
    ///
    /// # Errors
    /// [`ClientError`] when TLS 1.3 is not available.
    pub fn for_federation(descriptor: &FederationDescriptor, patience: Patience) -> Result<Self, ClientError> {
        Self::new(descriptor.providers.iter().map(Endpoint::from), patience)
    }

    /// Makes one call.
    ///
    /// # Errors
    /// [`CallFailure`]; a provider that the federation does not name is unreachable.
    pub async fn call(&self, to: &Address, call: &Call) -> Result<Reply, CallFailure> {
        let http = &self.route(to.provider)?.http;
        match call {
            Call::Federation => get(http, "/v1/federation", SignedDocument::MAX_BYTES).await.map(Reply::Federation),
            Call::Table(period) => {
                let body = get(http, &format!("/v1/tables/{}", period.0), SignedTable::SIZE).await?;
                read(SignedTable::decode(&body)).map(Reply::Table)
            }
            Call::Time => read(SignedTime::decode(&get(http, "/v1/time", SignedTime::SIZE).await?)).map(Reply::Time),
            Call::Terms => {
                read(SignedTerms::decode(&get(http, "/v1/terms", SignedTerms::SIZE).await?)).map(Reply::Terms)
            }
            Call::Tokens(query) => {
                let body = post(http, "/v1/tokens", query.encode(), TokensReply::MAX_BYTES).await?;
                read(TokensReply::decode(&body)).map(Reply::Tokens)
            }
            Call::Cell(request) => self.cell(to, request).await.map(Reply::Cell),
            Call::Heads(query) => {
                let body = post(http, "/v1/heads", query.encode().to_vec(), HEADS).await?;
                read(HeadsReply::decode(&body)).map(Reply::Heads)
            }
            Call::Generations(query) => {
                let most = GenerationsReply::MAX_BYTES;
                let body = post(http, "/v1/generations", query.encode().to_vec(), most).await?;
                read(GenerationsReply::decode(&body)).map(Reply::Generations)
            }
            Call::Stack(query) => {
                let body = post(http, "/v1/stack", query.encode(), StackReply::MAX_BYTES).await?;
                read(StackReply::decode(&body)).map(Reply::Stack)
            }
            Call::Statements => get(http, "/v1/aggregates", STATEMENTS).await.map(Reply::Statements),
        }
    }

    /// Forwards somebody's sealed cell to `target`, as a relay does, and brings the sealed reply back.
    ///
    /// # Errors
    /// [`CallFailure`].
    pub async fn forward(&self, target: ProviderId, cell: Vec<u8>) -> Result<Vec<u8>, CallFailure> {
        post(&self.route(target)?.http, "/v1/cell", cell, CELL).await
    }

    /// Sends a signed envelope to a fellow provider and brings its answer back.
    ///
    /// # Errors
    /// [`CallFailure`].
    pub async fn peer(&self, target: ProviderId, envelope: Vec<u8>) -> Result<Vec<u8>, CallFailure> {
        post(&self.route(target)?.http, "/v1/peer", envelope, PEER).await
    }

    async fn cell(&self, to: &Address, request: &CellRequest) -> Result<CellReply, CallFailure> {
        let target = self.route(to.provider)?;
        // without entropy nothing may leave, which is as good as no connection
        let mut rng = os_rng().map_err(|_| CallFailure::Unreachable)?;
        let (cell, key) =
            sealed::seal_cell(&target.cell_key, &request.encode(), &mut rng).map_err(|_| CallFailure::Unreachable)?;
        let answer = match to.via {
            None => post(&target.http, "/v1/cell", cell.to_vec(), CELL).await?,
            Some(relay) => {
                let path = format!("/v1/relay/{}", to.provider);
                post(&self.route(relay)?.http, &path, cell.to_vec(), CELL).await?
            }
        };
        let answer: [u8; CELL] = answer.try_into().map_err(|_| CallFailure::Garbled)?;
        let plain = key.open_reply(&answer).map_err(|_| CallFailure::Garbled)?;
        read(CellReply::decode(&plain))
    }

    fn route(&self, provider: ProviderId) -> Result<&Route, CallFailure> {
        self.routes.get(&provider).ok_or(CallFailure::Unreachable)
    }
}

async fn get(http: &PinnedHttp, path: &str, cap: usize) -> Result<Vec<u8>, CallFailure> {
    accept(http.get(path, cap.max(REFUSAL)).await, cap)
}

async fn post(http: &PinnedHttp, path: &str, body: Vec<u8>, cap: usize) -> Result<Vec<u8>, CallFailure> {
    accept(http.post(path, body, cap.max(REFUSAL)).await, cap)
}

fn accept(outcome: Result<HttpReply, FetchError>, cap: usize) -> Result<Vec<u8>, CallFailure> {
    let reply = outcome.map_err(|error| match error {
        FetchError::Unreachable(_) | FetchError::WrongHost(_) => CallFailure::Unreachable,
        FetchError::TimedOut => CallFailure::TimedOut,
        FetchError::TooLarge { .. } => CallFailure::Garbled,
    })?;
    match reply.status {
        200 if reply.body.len() <= cap => Ok(reply.body),
        200 => Err(CallFailure::Garbled),
        _ => Err(refusal(&reply)),
    }
}

/// A status without a known problem in its body still says whether to come back.
fn refusal(reply: &HttpReply) -> CallFailure {
    match (Problem::from_json(&reply.body), reply.status) {
        (Ok(problem), _) => CallFailure::Refused(problem),
        (Err(_), 429) => CallFailure::Refused(ProblemCode::Quota.into()),
        (Err(_), 503) => CallFailure::Refused(ProblemCode::Overloaded.into()),
        (Err(_), _) => CallFailure::Garbled,
    }
}

fn read<T, E>(decoded: Result<T, E>) -> Result<T, CallFailure> {
    decoded.map_err(|_| CallFailure::Garbled)
}
