use std::{collections::BTreeSet, fmt, sync::Arc};

use mosaic_crypto::kdf::{Label, Root};
use mosaic_geo::{Category, Cell, PlaceIndex, Resolution};
use mosaic_types::{ClassId, Timestamp, TopicId};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::{PersonaBundle, Whereabouts, Wish, text, wishes};
use crate::Vocabulary;

/// Share of bundles drawn evenly from everything, so that every class in every cell, and every topic, is
/// possible: otherwise a key never seen before would be a true one (novelty, PRIVACY 1.1 and 2.3).
const UNIFORM_SHARE: f64 = 0.2;
/// A region with fewer occupied r8 cells is widened by whole rings up to this many, so that ten bundles
/// can differ in their rows.
const FEWEST_CELLS: usize = 64;
/// Places a persona keeps returning to, after home and work.
const HAUNTS: usize = 4;
/// Topics a persona cares for in each class.
const FAVOURITES: usize = 5;

/// Nine people who do not exist, over the public places of a region.
pub struct Cast {
    root: Root,
    /// Every r8 cell a bundle may name, with its number of meeting places plus one.
    cells: Vec<(Cell, u32)>,
    members: Vec<Member>,
}

impl fmt::Debug for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cast([hidden])")
    }
}

/// One persona: where it spends time and what it likes.
struct Member {
    /// Home, work, then haunts.
    cells: Vec<Cell>,
    /// Weight of each class.
    tastes: [f64; ClassId::COUNT as usize],
}

impl Cast {
    /// How many personas a device has: with one person that makes ten.
    pub const MEMBERS: u8 = 9;

    /// The personas of the device with this seed over these places. They stay where `kept` says, unless a place
    /// there is known no more; nothing else moves. Without any place there is no bundle to be had; the
    /// release then refuses.
    pub fn new(seed: &[u8; 32], places: &Arc<PlaceIndex>, kept: &Whereabouts) -> Self {
        let (root, cells) = (Root::new(seed), support(places));
        let member = |number| Member::new(&root, number, &cells, kept.of(number));
        let members = if cells.is_empty() { Vec::new() } else { (0..Self::MEMBERS).map(member).collect() };
        Self { root, cells, members }
    }

    /// Where they live now, to be kept for the next index of places. Empty without places.
    pub fn whereabouts(&self) -> Whereabouts {
        Whereabouts(self.members.iter().map(|member| member.cells.clone()).collect())
    }

    /// Every r8 cell that a bundle may name, sorted.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = Cell> {
        self.cells.iter().map(|(cell, _)| *cell)
    }

    /// Whether a bundle may name `cell`: only such a cell may be released as true.
    pub fn may_name(&self, cell: Cell) -> bool {
        self.cells.binary_search_by_key(&cell, |(known, _)| *known).is_ok()
    }

    /// The wishes of `persona` (below [`Self::MEMBERS`]) on its list number `list` that stand at `at`; always the
    /// same answer, and few or none, like the broadcasts of one person. A persona has as many lists as are asked
    /// for: events need more decoys than nine people would have wishes. None for other personas or without
    /// places.
    pub fn standing(&self, persona: u8, list: u16, at: Timestamp) -> Vec<Wish> {
        if usize::from(persona) >= self.members.len() {
            return Vec::new();
        }
        let names: [&[u8]; 2] = [&[persona], &list.to_be_bytes()];
        let mean = wishes::activity(&mut self.rng(&[b"list", names[0], names[1]]));
        let begun = wishes::blocks(at).into_iter().flat_map(|block| {
            let mut rng = self.rng(&[b"begun", names[0], names[1], &block.to_be_bytes()]);
            wishes::begun(list, block, mean, &mut rng)
        });
        begun.filter(|wish| wish.life.stands(at)).collect()
    }

    /// What `persona` says of `wish`, one of its [`Self::standing`]: the same for as long as the wish stands.
    /// `None` for other personas or without places.
    pub fn bundle(&self, persona: u8, wish: &Wish) -> Option<PersonaBundle> {
        let member = self.members.get(usize::from(persona))?;
        let mut rng = self.rng(&[b"bundle", &[persona], &wish.id.to_bytes()]);
        let uniform = rng.random_bool(UNIFORM_SHARE);
        let vocabulary = Vocabulary::builtin();
        let class = if uniform { any_class(&mut rng) } else { member.class(&mut rng) };
        let began = wish.life.since().window().0;
        let cell = if uniform { self.any_cell(&mut rng)? } else { member.cell(began, &mut rng) };
        let topics = self.topics(persona, class, uniform, &mut rng);
        let first = topics.first().and_then(|topic| vocabulary.topic_name(*topic)).unwrap_or_default();
        Some(PersonaBundle { class, text: text::sentence(first, &mut rng), topics, cell, ttl: wish.life.ttl() })
    }

    fn rng(&self, context: &[&[u8]]) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(self.root.derive(Label::PersonaSeed, context))
    }

    /// Every cell alike, by the greatest of keyed numbers (rendezvous hashing): a cell that is added or goes
    /// changes the answers that were or become that cell, and no other.
    fn any_cell(&self, rng: &mut ChaCha20Rng) -> Option<Cell> {
        let key = rng.random::<u64>();
        self.cells().max_by_key(|cell| scrambled(cell.raw() ^ key))
    }

    /// One to four topics of the class: mostly the persona's favourites.
    fn topics(&self, persona: u8, class: ClassId, uniform: bool, rng: &mut ChaCha20Rng) -> Vec<TopicId> {
        let all: Vec<_> = Vocabulary::builtin().topics_of(class).collect();
        let mut liking = self.rng(&[b"favourites", &[persona], &[class.get()]]);
        let favourites: Vec<TopicId> = (0..FAVOURITES)
            .filter_map(|_| by_weight(&all, |topic| topic.weight, &mut liking))
            .map(|topic| topic.id)
            .collect();
        if favourites.is_empty() {
            return Vec::new();
        }
        let count = [1, 1, 2, 2, 3, 4][rng.random_range(0..6_usize)];
        let mut topics: Vec<TopicId> = Vec::with_capacity(count);
        for _ in 0..count {
            let favourite = !uniform && rng.random_bool(1.0 - UNIFORM_SHARE);
            let topic = if favourite {
                favourites[rng.random_range(0..favourites.len())]
            } else {
                all[rng.random_range(0..all.len())].id
            };
            if !topics.contains(&topic) {
                topics.push(topic);
            }
        }
        topics
    }
}

impl Member {
    fn new(root: &Root, number: u8, cells: &[(Cell, u32)], kept: &[Cell]) -> Self {
        let mut rng = ChaCha20Rng::from_seed(root.derive(Label::PersonaSeed, &[b"member", &[number]]));
        let home = cells[rng.random_range(0..cells.len())].0;
        let mut own =
            vec![home, by_weight(cells, |(_, places)| f64::from(*places), &mut rng).map_or(home, |(cell, _)| cell)];
        let near: Vec<(Cell, f64)> =
            cells.iter().map(|(cell, places)| (*cell, attraction(home, *cell, *places))).collect();
        own.extend(
            (0..HAUNTS).map(|_| by_weight(&near, |(_, weight)| *weight, &mut rng).map_or(home, |(cell, _)| cell)),
        );
        let known = |cell: &Cell| cells.binary_search_by_key(cell, |(known, _)| *known).is_ok();
        for (own, kept) in own.iter_mut().zip(kept).filter(|(_, kept)| known(kept)) {
            *own = *kept;
        }
        let prior = |class: &crate::Class| class.prior;
        // of its own draws, so that no index of places changes what somebody likes
        let mut rng = ChaCha20Rng::from_seed(root.derive(Label::PersonaSeed, &[b"tastes", &[number]]));
        let mut tastes = [0.0; ClassId::COUNT as usize];
        for (taste, class) in tastes.iter_mut().zip(Vocabulary::builtin().classes()) {
            // Some like a class much, most a little: a square of a uniform draw spreads them out.
            *taste = prior(class) * (0.1 + 3.0 * rng.random::<f64>().powi(2));
        }
        Self { cells: own, tastes }
    }

    fn class(&self, rng: &mut ChaCha20Rng) -> ClassId {
        let numbered: Vec<(ClassId, f64)> =
            (0..).map_while(|number| ClassId::new(number).ok()).zip(self.tastes).collect();
        by_weight(&numbered, |(_, taste)| *taste, rng).map_or_else(|| any_class(rng), |(class, _)| class)
    }

    /// Where the persona is in the window in which the wish began: home at night, work on weekdays, out in the evening.
    fn cell(&self, window: u32, rng: &mut ChaCha20Rng) -> Cell {
        // Day 0 was a Thursday; days 2 and 3 are the weekend.
        let (hour, weekend) = ((window % 12) * 2, matches!((window / 12) % 7, 2 | 3));
        let [home, work] = match (hour, weekend) {
            (0..8, _) => [0.90, 0.03],
            (8..18, false) => [0.15, 0.70],
            (8..18, true) => [0.40, 0.05],
            _ => [0.45, 0.10],
        };
        let draw = rng.random::<f64>();
        let place = if draw < home {
            0
        } else if draw < home + work {
            1
        } else {
            2 + rng.random_range(0..HAUNTS)
        };
        self.cells[place]
    }
}

/// People go out where there is something, and rather close to home.
fn attraction(home: Cell, cell: Cell, places: u32) -> f64 {
    let km = mosaic_geo::distance_m(home.center(), cell.center()) / 1_000.0;
    f64::from(places) / (1.0 + km * km)
}

/// The occupied r8 cells, widened by rings where a region is small.
fn support(places: &PlaceIndex) -> Vec<(Cell, u32)> {
    let occupied = places.cells(Resolution::R8);
    let mut cells: Vec<(Cell, u32)> =
        occupied.iter().map(|(cell, _)| (*cell, 1 + meeting_places(places, *cell))).collect();
    let mut known: BTreeSet<Cell> = cells.iter().map(|(cell, _)| *cell).collect();
    while !known.is_empty() && known.len() < FEWEST_CELLS {
        let ring: BTreeSet<Cell> =
            known.iter().flat_map(|cell| cell.disk(1)).filter(|cell| !known.contains(cell)).collect();
        cells.extend(ring.iter().map(|cell| (*cell, 1)));
        known.extend(ring);
    }
    cells.sort_unstable();
    cells
}

/// Public places in the cell; generated homes are nobody's anchor.
fn meeting_places(places: &PlaceIndex, cell: Cell) -> u32 {
    let public = places.in_cell(cell).iter().filter(|place| place.kind.category() != Category::Home).count();
    u32::try_from(public).unwrap_or(u32::MAX - 1)
}

fn any_class(rng: &mut ChaCha20Rng) -> ClassId {
    ClassId::new(rng.random_range(0..ClassId::COUNT)).unwrap_or_else(|_| Vocabulary::builtin().classes()[0].id)
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a permutation that mixes every bit.
const fn scrambled(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

fn by_weight<T: Clone>(items: &[T], weight: impl Fn(&T) -> f64, rng: &mut ChaCha20Rng) -> Option<T> {
    let total: f64 = items.iter().map(&weight).sum();
    let mut left = rng.random::<f64>() * total;
    let hit = items.iter().find(|item| {
        left -= weight(item);
        left < 0.0
    });
    hit.or(items.last()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_drawn_from_nothing_and_every_class_has_topics() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        assert_eq!(by_weight(&[] as &[u8], |_| 1.0, &mut rng), None);
        assert_eq!(by_weight(&[7_u8], |_| 0.0, &mut rng), Some(7));
        for class in Vocabulary::builtin().classes() {
            assert!(Vocabulary::builtin().topics_of(class.id).len() > 0, "{}", class.name);
        }
    }
}
