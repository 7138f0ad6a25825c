//! What tests of several modules share: three operators, their federation, a table, heads and their comparison.

use std::{sync::Arc, time::Duration};

use mosaic_crypto::signing::SigningKey;
use mosaic_federation::{Federation, FederationDescriptor, Independence, ProviderEntry, SignedDocument, Tile};
use mosaic_geo::synthetic_city;
use mosaic_types::{Period, ProviderId, ServiceClass, TableId, TileId, Timestamp};
use mosaic_wire::{
    BinTable, GenerationBlock, GenerationId, Groups, Head, HeadsReply, LaneShape, Stack, StackQuery, StackReply,
    TableDescriptor,
};

use crate::{
    AgentConfig, AgentCore, AgentState, TruthLog,
    alerts::Evidence,
    providers::Providers,
    reader::{Around, BlindReads, Reader, Wanted},
};

pub(crate) const PERIOD: Period = Period(122_478);

pub(crate) fn id(number: u8) -> ProviderId {
    ProviderId::new(number).unwrap()
}

/// The key of an operator; the fourth belongs to none.
pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

/// Three operators of a practice federation.
pub(crate) fn federation() -> Arc<Federation> {
    let entry = |number: u8| ProviderEntry {
        id: id(number),
        url: format!("https://127.0.0.1:{number}"),
        tls_pin: [number; 32],
        signing_key: key(number).verifying_key().to_bytes(),
        cell_key: [100 + number; 32],
        ceremony_key: [200 + number; 32],
        token_key: [50 + number; 32],
        operator: format!("operator {number}"),
        jurisdiction: "XX".to_owned(),
    };
    let tile = Tile { id: TileId(1), name: "Tessera".to_owned(), lat: -45.0, lng: 0.0, radius_m: 20_000 };
    let (practice, entries) = (Independence::Practice, (1..=3).map(entry).collect());
    let descriptor = FederationDescriptor::new("test", practice, PERIOD.start(), 100, tile, entries);
    let mut document = SignedDocument::draft(&descriptor).unwrap();
    (1..=3).for_each(|number| document.sign(id(number), &key(number)));
    Arc::new(document.verify().unwrap())
}

/// An agent of this federation in the built-in city, at the start of `PERIOD`; nothing was sent or asked yet.
pub(crate) fn agent(state: AgentState) -> AgentCore {
    let config = AgentConfig {
        federation: federation(),
        places: Arc::new(synthetic_city(1)),
        truth: TruthLog::Forget,
        pool: Arc::default(),
        blind_reads: BlindReads::BySize,
    };
    AgentCore::new(config, state, PERIOD.start())
}

/// A table without shares.
pub(crate) fn table() -> TableDescriptor {
    let lane = LaneShape { rows: 1 << 14, capacity: 64 };
    TableDescriptor {
        tile: TileId(1),
        period: PERIOD,
        valid_from: PERIOD.start(),
        threshold: 2,
        public_key: [0; 32],
        shares: Vec::new(),
        transcript: [0; 32],
        discovery: lane,
        rendezvous: lane,
        generation_s: [5, 60, 600],
        groups: Groups::DEFAULT,
    }
}

/// A device around its reader, as a test wants it.
pub(crate) struct Desk {
    pub(crate) rows: Option<u32>,
    pub(crate) wanted: Vec<u32>,
    pub(crate) live: Vec<ProviderId>,
}

impl Desk {
    /// Who knows every table and wants nothing in particular.
    pub(crate) fn new() -> Self {
        Self { rows: Some(1 << 14), wanted: Vec::new(), live: [1, 2, 3].map(id).to_vec() }
    }
}

impl Around for Desk {
    fn rows(&self, _: TableId) -> Option<u32> {
        self.rows
    }

    fn wanted(&self, _: TableId, _: &[GenerationId]) -> Wanted {
        Wanted { rows: self.wanted.clone(), essential: self.wanted.len() }
    }

    fn live(&self) -> &[ProviderId] {
        &self.live
    }
}

/// What a provider that holds these blocks answers to a blind read of a lane with `rows` rows.
pub(crate) fn sums(query: &StackQuery, blocks: &[GenerationBlock], rows: u32) -> StackReply {
    let wanted = query.id().wanted();
    let here =
        |block: &&GenerationBlock| wanted.contains(&GenerationId { segment: block.segment(), index: block.index() });
    let stack = Stack::of(blocks.iter().filter(here)).unwrap();
    let table = BinTable::cut(stack.records(), rows).unwrap();
    StackReply::answer(&table, query).unwrap()
}

/// A reader that looks blind where that costs less, or always.
pub(crate) fn reader(at: Timestamp, blind: BlindReads) -> Reader {
    Reader::new(ServiceClass::Balanced, Duration::ZERO, at, blind)
}

/// The heads of generations that follow each other, sealed at an instant.
pub(crate) fn chain(key: &SigningKey, at: Timestamp, blocks: &[GenerationBlock]) -> Vec<Head> {
    let mut previous = [0; 32];
    let seal = |block| {
        let head = Head::seal(block, previous, at, key);
        previous = head.hash();
        head
    };
    blocks.iter().map(seal).collect()
}

/// One round in which two providers show these heads of one segment.
pub(crate) fn compare(
    reader: &mut Reader,
    providers: &Providers,
    at: Timestamp,
    pair: [u8; 2],
    shown: [&[Head]; 2],
) -> Vec<Evidence> {
    let segment = shown.iter().flat_map(|heads| heads.first()).next().map(|head| head.segment);
    let periods = reader.periods(at);
    assert_eq!(reader.start_round(at, &periods, providers), 1);
    let asked = pair.map(id).map(|provider| (provider, reader.round_query(0, provider).unwrap()));
    let mut found = None;
    for ((provider, query), heads) in asked.into_iter().zip(shown) {
        let known = query.known().iter().find(|known| Some(known.segment) == segment).map_or(0, |known| known.count);
        let new = heads.iter().filter(|head| head.index >= known).copied();
        found = reader.take_heads(0, provider, HeadsReply::new(new), providers);
    }
    found.unwrap()
}
