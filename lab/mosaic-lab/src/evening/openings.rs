use std::collections::HashMap;

use mosaic_crypto::oprf::OprfOutput;
use mosaic_discovery::Card;
use mosaic_types::{Period, Timestamp, TopicId};
use mosaic_wire::{OprfInput, RECORD};

/// What everybody together has opened so far. A record opens for everybody alike, so each layer is tried once in an
/// evening and not once a reader; the cards are those that every reader would open.
#[derive(Default)]
pub(super) struct Openings(HashMap<(Slot, OprfInput), Attempts>);

/// A stored record: its table and row, and the how-manieth of the row it is.
pub(super) type Slot = ((Period, u32), usize);

/// What became of one record under one input.
struct Attempts {
    /// The card as somebody sees it who can name no topic; none where the outer layer stays shut.
    outer: Option<Card>,
    /// Topic keys that were tried, each named by its first eight bytes, and what they opened.
    tried: Vec<(u64, Option<Box<Card>>)>,
}

impl Openings {
    /// [`Card::open`] for the record in `slot`.
    pub(super) fn open(
        &mut self,
        now: Timestamp,
        slot: Slot,
        (input, output): (&OprfInput, &OprfOutput),
        keys: &[(TopicId, [u8; 32])],
        sealed: &[u8; RECORD],
    ) -> Option<Card> {
        let outer = || Attempts { outer: Card::open(now, input, output, &[], sealed), tried: Vec::new() };
        let attempts = self.0.entry((slot, *input)).or_insert_with(outer);
        let plain = attempts.outer.as_ref()?;
        for key in keys {
            // keys are uniform: eight of their bytes name them
            let name = key.1.first_chunk().copied().map_or(0, u64::from_be_bytes);
            let known = attempts.tried.iter().position(|(tried, _)| *tried == name);
            let at = known.unwrap_or_else(|| {
                let opened = Card::open(now, input, output, std::slice::from_ref(key), sealed);
                let shown = opened.filter(|card| !card.topics.is_empty() || card.text.is_some());
                attempts.tried.push((name, shown.map(Box::new)));
                attempts.tried.len() - 1
            });
            if let Some(card) = &attempts.tried[at].1 {
                return Some(Card { first_seen: now, ..Card::clone(card) });
            }
        }
        Some(Card { first_seen: now, ..plain.clone() })
    }
}
