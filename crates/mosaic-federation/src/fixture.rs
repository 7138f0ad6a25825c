//! Three providers with fixed keys, for tests.

use std::sync::Arc;

use mosaic_crypto::{agreement::AgreementSecret, signing::SigningKey};
use mosaic_types::{Period, ProviderId, TileId, Timestamp};

use crate::{Federation, FederationDescriptor, Independence, Issuer, ProviderEntry, SignedDocument, Tile};

pub(crate) struct Town {
    pub(crate) federation: Arc<Federation>,
    pub(crate) signing: Vec<SigningKey>,
    pub(crate) ceremony: Vec<AgreementSecret>,
}

pub(crate) fn id(number: u8) -> ProviderId {
    ProviderId::new(number).unwrap()
}

pub(crate) fn now() -> Timestamp {
    Period(122_478).start()
}

impl Town {
    pub(crate) fn new() -> Self {
        let signing: Vec<SigningKey> = (1..=3).map(|n| SigningKey::from_bytes(&[n; 32])).collect();
        let ceremony: Vec<AgreementSecret> = (1..=3).map(|n| AgreementSecret::from_bytes([n | 0x40; 32])).collect();
        let entry = |number: u8| ProviderEntry {
            id: id(number),
            url: format!("https://127.0.0.1:{}", 7_000 + u16::from(number)),
            tls_pin: [number; 32],
            signing_key: signing[usize::from(number) - 1].verifying_key().to_bytes(),
            cell_key: [number | 0x20; 32],
            ceremony_key: ceremony[usize::from(number) - 1].public().to_bytes(),
            token_key: *Issuer::key(&Self::token_seed(number)).unwrap().public(),
            operator: format!("operator {number}"),
            jurisdiction: ["FR", "DE", "US"][usize::from(number) - 1].into(),
        };
        let tile = Tile { id: TileId(1), name: "Porto".into(), lat: 41.15, lng: -8.62, radius_m: 20_000 };
        let entries = (1..=3).map(entry).collect();
        let descriptor = FederationDescriptor::new("test", Independence::Checked, now(), 100, tile, entries);
        let mut document = SignedDocument::draft(&descriptor).unwrap();
        (1..=3).zip(&signing).for_each(|(number, key)| document.sign(id(number), key));
        Self { federation: Arc::new(document.verify().unwrap()), signing, ceremony }
    }

    pub(crate) fn token_seed(number: u8) -> [u8; 32] {
        [number | 0x60; 32]
    }
}
