use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, OnceLock},
};

use mosaic_crypto::kdf::{Label, Root};
use mosaic_geo::{Category, Cell, PlaceIndex, Resolution};
use mosaic_types::{ClassId, Timestamp, TopicId};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha20Rng;

use super::{PersonaBundle, PersonaId, Round, Whereabouts, rounds, text};
use crate::Vocabulary;

/// Share of bundles drawn evenly from everything, so that every class in every cell, and every topic, is
/// possible: otherwise a key never seen before would be a true one (novelty, PRIVACY 1.1 and 2.3). More than
/// that would show: people mostly return to where they were and to what they like (Song et al. 2010).
const UNIFORM_SHARE: f64 = 0.1;
/// A region with fewer occupied r8 cells is widened by whole rings up to this many, so that ten bundles
/// can differ in their rows.
const FEWEST_CELLS: usize = 64;
/// Most places a persona keeps returning to, after home and work; it has at least one, and the n-th is visited
/// 1 / n as often as the first.
const HAUNTS: usize = 6;
/// How quickly a persona's tastes fall off: its n-th class has weight n to the minus this. From people who like
/// many things to people who want one.
const FALL_OFF: std::ops::Range<f64> = 0.7..2.5;
/// Topics a persona cares for in each class.
const FAVOURITES: usize = 5;

/// People who do not exist, over the public places of a region.
pub struct Cast {
    root: Root,
    /// Every r8 cell a bundle may name, with its number of meeting places plus one.
    cells: Vec<(Cell, u32)>,
    /// Where they lived when the device last looked.
    kept: Whereabouts,
    /// By company, made when first asked for.
    companies: Vec<OnceLock<Vec<Member>>>,
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
    /// Personas beside the person: with one person that makes ten.
    pub const COMPANIONS: usize = 9;
    /// Personas of a quiet company.
    pub const COMPANY: usize = 10;
    /// Quiet companies, numbered from 1. With some 250 rounds at a time, four times what an open door writes in
    /// a window.
    pub const QUIET: u16 = 128;
    /// Quiet companies whose whereabouts are kept: those that a device without an open door ever shows.
    const KEPT: u16 = 8;

    /// The personas of the device with this seed over these places. They stay where `kept` says, unless a place
    /// there is known no more; nothing else moves. Without any place there is no bundle to be had; the
    /// release then refuses.
    pub fn new(seed: &[u8; 32], places: &Arc<PlaceIndex>, kept: &Whereabouts) -> Self {
        let (root, cells) = (Root::new(seed), support(places));
        let companies = (0..=Self::QUIET).map(|_| OnceLock::new()).collect();
        Self { root, cells, kept: kept.clone(), companies }
    }

    /// Where the companions and the first quiet companies live now, to be kept for the next index of places.
    /// Empty without places.
    pub fn whereabouts(&self) -> Whereabouts {
        let members = (0..=Self::KEPT).flat_map(|company| self.company(company));
        Whereabouts(members.map(|member| member.cells.clone()).collect())
    }

    /// Every r8 cell that a bundle may name, sorted.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = Cell> {
        self.cells.iter().map(|(cell, _)| *cell)
    }

    /// Whether a bundle may name `cell`: only such a cell may be released as true.
    pub fn may_name(&self, cell: Cell) -> bool {
        self.cells.binary_search_by_key(&cell, |(known, _)| *known).is_ok()
    }

    /// How much goes on in `cell`, as everybody knows: its public meeting places and one. Zero where no bundle may name
    /// it.
    pub fn weight(&self, cell: Cell) -> u32 {
        let known = self.cells.binary_search_by_key(&cell, |(known, _)| *known).ok();
        known.and_then(|at| self.cells.get(at)).map_or(0, |(_, weight)| *weight)
    }

    /// The rounds of a quiet company (1 to [`Self::QUIET`]) that stand at `at`; always the same answer, and few or
    /// none, like the broadcasts of one person. None for other companies or without places.
    pub fn quiet(&self, company: u16, at: Timestamp) -> Vec<Round> {
        if company == 0 || self.company(company).is_empty() {
            return Vec::new();
        }
        let name = company.to_be_bytes();
        let mean = rounds::activity(&mut self.rng(&[b"activity", &name]));
        let begun = rounds::blocks(at).into_iter().flat_map(|block| {
            let mut rng = self.rng(&[b"begun", &name, &block.to_be_bytes()]);
            rounds::begun(company, block, mean, &mut rng)
        });
        begun.filter(|round| round.life.stands(at)).collect()
    }

    /// The personas that speak in a round, in an order of their own for each round: nine beside the person, or a
    /// quiet company's ten. None without places.
    pub fn members(&self, round: &Round) -> Vec<PersonaId> {
        let company = round.id.company();
        let mut members: Vec<PersonaId> =
            (0..).take(self.company(company).len()).map(|member| PersonaId { company, member }).collect();
        members.shuffle(&mut self.rng(&[b"order", &round.id.to_bytes()]));
        members
    }

    /// What `persona` says in `round`: the same for as long as the round stands. If that cannot be shown beside what
    /// the others say, it has further things to say, by `turn`. `None` for unknown personas or without places.
    pub fn bundle(&self, persona: PersonaId, round: &Round, turn: u8) -> Option<PersonaBundle> {
        let member = self.company(persona.company).get(usize::from(persona.member))?;
        let mut rng = self.rng(&[b"bundle", &persona.to_bytes(), &round.id.to_bytes(), &[turn]]);
        let uniform = rng.random_bool(UNIFORM_SHARE);
        let vocabulary = Vocabulary::builtin();
        let class = if uniform { any_class(&mut rng) } else { member.class(&mut rng) };
        let began = round.life.since().window().0;
        let cell = if uniform { self.any_cell(&mut rng)? } else { member.cell(began, &mut rng) };
        let topics = self.topics(persona, class, uniform, &mut rng);
        let first = topics.first().and_then(|topic| vocabulary.topic_name(*topic)).unwrap_or_default();
        Some(PersonaBundle { class, text: text::sentence(first, &mut rng), topics, cell, ttl: round.life.ttl() })
    }

    /// The members of a company; nobody without places or beyond the last.
    fn company(&self, company: u16) -> &[Member] {
        let Some(members) = self.companies.get(usize::from(company)).filter(|_| !self.cells.is_empty()) else {
            return &[];
        };
        let many = if company == 0 { Self::COMPANIONS } else { Self::COMPANY };
        members.get_or_init(|| {
            let names = (0..).take(many).map(|member| PersonaId { company, member });
            names.map(|name| Member::new(&self.root, name, &self.cells, self.kept.of(name))).collect()
        })
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
    fn topics(&self, persona: PersonaId, class: ClassId, uniform: bool, rng: &mut ChaCha20Rng) -> Vec<TopicId> {
        let all: Vec<_> = Vocabulary::builtin().topics_of(class).collect();
        let mut liking = self.rng(&[b"favourites", &persona.to_bytes(), &[class.get()]]);
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
    fn new(root: &Root, name: PersonaId, cells: &[(Cell, u32)], kept: &[Cell]) -> Self {
        let mut rng = ChaCha20Rng::from_seed(root.derive(Label::PersonaSeed, &[b"member", &name.to_bytes()]));
        // more people live where there is more, though less than in proportion
        let home = by_weight(cells, |(_, places)| f64::from(*places).sqrt(), &mut rng).map_or(cells[0].0, |one| one.0);
        let mut own =
            vec![home, by_weight(cells, |(_, places)| f64::from(*places), &mut rng).map_or(home, |(cell, _)| cell)];
        let haunts = rng.random_range(1..=HAUNTS);
        let near: Vec<(Cell, f64)> =
            cells.iter().map(|(cell, places)| (*cell, attraction(home, *cell, *places))).collect();
        own.extend(
            (0..haunts).map(|_| by_weight(&near, |(_, weight)| *weight, &mut rng).map_or(home, |(cell, _)| cell)),
        );
        let known = |cell: &Cell| cells.binary_search_by_key(cell, |(known, _)| *known).is_ok();
        for (own, kept) in own.iter_mut().zip(kept).filter(|(_, kept)| known(kept)) {
            *own = *kept;
        }
        // of its own draws, so that no index of places changes what somebody likes
        let mut rng = ChaCha20Rng::from_seed(root.derive(Label::PersonaSeed, &[b"tastes", &name.to_bytes()]));
        Self { cells: own, tastes: tastes(&mut rng) }
    }

    fn class(&self, rng: &mut ChaCha20Rng) -> ClassId {
        let numbered: Vec<(ClassId, f64)> =
            (0..).map_while(|number| ClassId::new(number).ok()).zip(self.tastes).collect();
        by_weight(&numbered, |(_, taste)| *taste, rng).map_or_else(|| any_class(rng), |(class, _)| class)
    }

    /// Where the persona is in the window in which the round began: home at night, work on weekdays, out in the evening.
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
        if draw < home {
            return self.cells[0];
        }
        if draw < home + work {
            return self.cells[1];
        }
        let haunts: Vec<(usize, Cell)> = (1..).zip(self.cells[2..].iter().copied()).collect();
        by_weight(&haunts, |(rank, _)| 1.0 / *rank as f64, rng).map_or(self.cells[0], |(_, cell)| cell)
    }
}

/// The classes in an order that the public aggregate favours, each with less weight than the one before it.
fn tastes(rng: &mut ChaCha20Rng) -> [f64; ClassId::COUNT as usize] {
    let fall_off = rng.random_range(FALL_OFF);
    let mut left: Vec<(usize, f64)> =
        Vocabulary::builtin().classes().iter().map(|class| class.prior).enumerate().collect();
    let mut tastes = [0.0; ClassId::COUNT as usize];
    for rank in 1.. {
        let Some((class, prior)) = by_weight(&left, |(_, prior)| *prior, rng) else { break };
        left.retain(|other| *other != (class, prior));
        if let Some(taste) = tastes.get_mut(class) {
            *taste = f64::from(rank).powf(-fall_off);
        }
    }
    tastes
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
