use std::sync::Arc;

use mosaic_crypto::signing::VerifyingKey;
use mosaic_federation::{Federation, FederationDescriptor, Independence};
use mosaic_types::{ProviderId, TileId};

/// The pinned federation, as far as an agent asks about it.
pub(crate) struct Providers(Arc<Federation>);

impl Providers {
    pub(crate) const fn new(federation: Arc<Federation>) -> Self {
        Self(federation)
    }

    pub(crate) fn descriptor(&self) -> &FederationDescriptor {
        self.0.descriptor()
    }

    #[cfg(test)]
    pub(crate) fn federation(&self) -> &Federation {
        &self.0
    }

    pub(crate) fn pin(&self) -> [u8; 32] {
        self.0.digest()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = ProviderId> + '_ {
        self.descriptor().ids()
    }

    pub(crate) fn key(&self, id: ProviderId) -> Option<VerifyingKey> {
        self.0.signing_key(id)
    }

    pub(crate) fn tile(&self) -> TileId {
        self.descriptor().tile.id
    }

    pub(crate) fn is_practice(&self) -> bool {
        self.descriptor().independence == Independence::Practice
    }
}
