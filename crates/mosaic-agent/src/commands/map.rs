//! What a map shows of the person's own wishes and of cards: released cells, never a true place.

use mosaic_geo::tile::Patch;
use mosaic_types::Timestamp;

use crate::core::AgentCore;

/// Patches in one tile; the newest cards stay.
const MOST_CARDS: usize = 2_000;

impl AgentCore {
    /// The cells of the person's own standing broadcasts, as they were released, and of cards that were opened.
    pub(crate) fn patches(&self, now: Timestamp) -> Vec<Patch> {
        let standing = self.releaser.broadcasts().filter(|broadcast| !broadcast.is_over(now));
        let own = standing.map(|broadcast| Patch { kind: "own", id: broadcast.id.to_string(), cell: broadcast.cell });
        let mut cards: Vec<_> = self.book.iter().filter(|card| now < card.ends()).collect();
        cards.sort_by_key(|card| (std::cmp::Reverse(card.first_seen), card.public));
        let cards = cards.into_iter().take(MOST_CARDS);
        let cards = cards.map(|card| Patch { kind: "card", id: card.id().to_string(), cell: card.cell });
        own.chain(cards).collect()
    }
}
