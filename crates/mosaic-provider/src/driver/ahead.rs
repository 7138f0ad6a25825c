//! The arithmetic of tokens, done where a request arrives: the engine decides about all of them one after the other, and has
//! better things to wait for.

use std::sync::Arc;

use mosaic_federation::{
    Issuer,
    peer::{PeerRequest, Signed},
};
use mosaic_types::{Clock, ProviderId};
use mosaic_wire::{Call, CellRequest, TokenPurpose, WireToken};

/// Whoever looks ahead decides nothing.
pub(super) struct Ahead {
    issuer: Arc<Issuer>,
    clock: Arc<dyn Clock>,
    me: ProviderId,
}

impl Ahead {
    pub(super) fn new(issuer: Arc<Issuer>, clock: Arc<dyn Clock>, me: ProviderId) -> Self {
        Self { issuer, clock, me }
    }

    /// The token of an agent's request: one multiplication, as opening the cell was.
    pub(super) fn of_call(&self, call: &Call) {
        let (token, purpose) = match call {
            Call::Cell(CellRequest::Deposit { token, .. } | CellRequest::Report { token, .. }) => {
                (token, TokenPurpose::Deposit)
            }
            Call::Cell(CellRequest::Evaluate { token, .. }) => (token, TokenPurpose::Evaluate),
            _ => return,
        };
        self.issuer.look_ahead(self.clock.now(), token, purpose, self.me);
    }

    /// The tokens of a peer's deposits, up to 512 of them, beside the tasks that answer others.
    pub(super) async fn of_peer(&self, signed: &Signed<'_>) {
        let (Some(PeerRequest::Replicate(deposits)), Some(origin)) = (signed.peek(), signed.from()) else { return };
        let (issuer, now) = (Arc::clone(&self.issuer), self.clock.now());
        let look = move || {
            for token in deposits.iter().filter_map(|deposit| WireToken::decode(&deposit.token).ok()) {
                issuer.look_ahead(now, &token, TokenPurpose::Deposit, origin);
            }
        };
        // one that panicked has prepared nothing, and the engine looks itself
        let _prepared = tokio::task::spawn_blocking(look).await;
    }
}
