use std::{collections::BTreeMap, sync::Arc};

use mosaic_crypto::oprf::{OprfOutput, WholeKey};
use mosaic_discovery::Card;
use mosaic_geo::{Place, PlaceIndex, PlaceKind, PlaceTag, Provenance};
use mosaic_release::{Draft, OprfOutputs, OutgoingFrame, ReleaseError, ReleasedEvent, Releaser, ReleaserState};
use mosaic_types::{
    ContextText, Enrichment, LatLng, Mode, NoiseRatio, Period, RowTag, Sensitive, Stream, TileId, Timestamp, TtlHours,
};
use mosaic_wire::{Groups, LaneShape, OprfInput, TableDescriptor, rows};
use rand_chacha::ChaCha20Rng;
use zeroize::Zeroizing;

/// A Friday evening, in the middle of a window.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_763_748_000);

/// 400 cafés on a grid of about 5 km.
pub(crate) fn town() -> Arc<PlaceIndex> {
    let place = |number: i32| Place {
        position: LatLng::new(41.15 + f64::from(number % 20) * 0.0023, -8.62 + f64::from(number / 20) * 0.003).unwrap(),
        kind: PlaceKind::new(PlaceTag::Amenity, "cafe"),
        name: String::new(),
        hours: None,
    };
    Arc::new(PlaceIndex::from_places((0..400).map(place).collect(), Provenance::new("test", None)))
}

pub(crate) fn releaser(seed: u8) -> Releaser {
    Releaser::new([seed; 32], town(), ReleaserState::default())
}

pub(crate) fn table(period: Period) -> TableDescriptor {
    TableDescriptor {
        tile: TileId(7),
        period,
        valid_from: period.start(),
        threshold: 2,
        public_key: [0; 32],
        shares: Vec::new(),
        transcript: [0; 32],
        discovery: LaneShape { rows: 1 << 14, capacity: 64 },
        rendezvous: LaneShape { rows: 1 << 17, capacity: 10 },
        generation_s: [5, 60, 600],
        groups: Groups::DEFAULT,
    }
}

pub(crate) fn draft(words: &str, requested: f64, mode: Mode) -> Draft {
    Draft {
        place: Sensitive::new(LatLng::new(41.171, -8.595).unwrap()),
        words: ContextText::new(words).unwrap(),
        requested: NoiseRatio::new(requested).unwrap(),
        mode,
        ttl: TtlHours::default(),
        enrichment: Enrichment::default(),
    }
}

/// Evaluates with the whole key, as any two providers would together.
pub(crate) struct Oracle {
    key: WholeKey,
    pub(crate) outputs: BTreeMap<OprfInput, OprfOutput>,
}

impl Oracle {
    pub(crate) fn new() -> Self {
        let mut scalar = [0; 32];
        scalar[0] = 9;
        Self { key: WholeKey::from_bytes(&scalar).unwrap(), outputs: BTreeMap::new() }
    }

    pub(crate) fn learn(&mut self, inputs: &[OprfInput]) {
        for input in inputs {
            self.outputs.entry(*input).or_insert_with(|| self.key.evaluate(&input.encode()).unwrap());
        }
    }

    /// Releases an event, fetching what is missing, as an agent does.
    pub(crate) fn event(
        &mut self,
        releaser: &mut Releaser,
        at: Timestamp,
        resolution: u8,
        rng: &mut ChaCha20Rng,
    ) -> ReleasedEvent {
        let table = table(at.period());
        let needs = releaser.discovery_needs(at, resolution, &table).unwrap();
        self.learn(&needs);
        loop {
            match releaser.discovery_event(at, resolution, &table, Stream::Steady, &self.outputs, rng) {
                Ok(event) => return event,
                Err(ReleaseError::Missing(inputs)) => self.learn(&inputs),
                Err(other) => panic!("{other}"),
            }
        }
    }

    /// What somebody reads who can name every row and topic that was evaluated: all ten cards, by slot.
    pub(crate) fn opened(&self, event: &ReleasedEvent, at: Timestamp) -> Vec<Card> {
        let rows_of_event = table(at.period()).discovery.rows;
        let topic = |(input, output): (&OprfInput, &OprfOutput)| match input {
            OprfInput::Topic { topic, .. } => Some((*topic, rows::topic_key(output))),
            OprfInput::Row { .. } => None,
        };
        let keys: Vec<_> = self.outputs.iter().filter_map(topic).collect();
        let is_at = |input: &OprfInput, output: &OprfOutput, row| {
            matches!(input, OprfInput::Row { .. }) && rows::discovery_row(output, 0, rows_of_event) == row
        };
        let fields = event.fields();
        let card = |(tag, sealed): (&RowTag, &[u8; 192])| {
            let mut known = self.outputs.iter().filter(|(input, output)| is_at(input, output, tag.row()));
            known.find_map(|(input, output)| Card::open(at, input, output, &keys, sealed))
        };
        let cards = fields.rows.iter().zip(&fields.slots).map(card);
        cards.map(|card| card.expect("every slot opens for who knows its row")).collect()
    }
}

impl OprfOutputs for Oracle {
    fn get(&self, input: &OprfInput) -> Option<&OprfOutput> {
        self.outputs.get(input)
    }
}

/// A frame whose four rows lie `1,000` apart.
pub(crate) fn frame(number: u64, row: u32) -> OutgoingFrame {
    OutgoingFrame {
        id: mosaic_release::FrameId(number),
        rows: [row, row + 1_000, row + 2_000, row + 3_000],
        key: Zeroizing::new([number as u8; 32]),
        plain: Zeroizing::new([7; 136]),
    }
}
