use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, OnceLock},
};

use mosaic_crypto::kdf::{Label, Root};
use mosaic_geo::{Category, Cell, PlaceIndex, Resolution, offset_m};
use mosaic_types::{ClassId, ClassShares, Mode, Timestamp, TopicId, Week};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha20Rng;

use super::{
    Habits, PersonaBundle, PersonaId, PersonaWish, Round, RoundId, Whereabouts,
    habits::Shown,
    inclusion::Seat,
    member::{Member, attraction, by_weight},
    rounds, text,
};
use crate::{Vocabulary, blur};

/// Share of bundles drawn evenly from everything, so that every class in every cell, and every topic, is
/// possible: otherwise a key never seen before would be a true one (novelty, PRIVACY 1.1 and 2.3). More than
/// that would show: people mostly return to where they were and to what they like (Song et al. 2010).
pub(super) const UNIFORM_SHARE: f64 = 0.1;
/// The first of a persona's turns that is drawn evenly whatever the draw says: whoever found no free row with that many
/// things of its own speaks of anything anywhere, because a round with one voice less does not leave at all.
const EVEN_FROM: u8 = 128;
/// A region with fewer occupied r8 cells is widened by whole rings up to this many, so that ten bundles
/// can differ in their rows.
const FEWEST_CELLS: usize = 64;
/// Topics a persona cares for in each class.
const FAVOURITES: usize = 5;
/// Within how many metres of the middle of its cell somebody lives or works: mostly inside the cell.
const AROUND_M: f64 = 400.0;
/// Times that a companion looks for a place where it was not shown before, before it goes to a new one.
const LOOKS: usize = 8;

/// People who do not exist, over the public places of a region.
pub struct Cast {
    root: Root,
    /// Every r8 cell a bundle may name, with its number of meeting places plus one.
    cells: Vec<(Cell, u32)>,
    /// Where they lived when the device last looked.
    kept: Whereabouts,
    /// What is popular in the region, where it was published before they lived.
    liked: Option<ClassShares>,
    /// By company, made when first asked for.
    companies: Vec<OnceLock<Vec<Member>>>,
    /// By member of the person's company: where it was shown while the person was shown at each of their cells.
    beside: Beside,
}

/// The companions' cells beside those of a chapter of the person's habits.
#[derive(Default)]
struct Beside {
    chapter: u16,
    cells: Vec<Vec<Cell>>,
}

impl fmt::Debug for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cast([hidden])")
    }
}

impl Cast {
    /// Personas beside the person: with one person that makes ten.
    pub const COMPANIONS: usize = 9;
    /// Personas of a quiet company.
    pub const COMPANY: usize = 10;
    /// Quiet companies, numbered from 1. With some 250 rounds at a time, four times what an open door writes in
    /// a window.
    pub const QUIET: u16 = 128;
    /// Things that a persona has to say in a round, until one can be shown beside what the others say. In a region of
    /// one r6 cell there are sixteen rows, one a class: the last ones, drawn evenly, then meet a taken one 64 times
    /// with a probability below 2^-50.
    pub const TURNS: u8 = EVEN_FROM + 64;
    /// Quiet companies whose whereabouts are kept: those that a device without an open door ever shows.
    pub(super) const KEPT: u16 = 8;

    /// The personas of the device with this seed over these places. They stay where `kept` says, unless a place
    /// there is known no more; nothing else moves. Without any place there is no bundle to be had; the
    /// release then refuses.
    pub fn new(seed: &[u8; 32], places: &Arc<PlaceIndex>, kept: &Whereabouts) -> Self {
        let (root, cells) = (Root::new(seed), support(places));
        let companies = (0..=Self::QUIET).map(|_| OnceLock::new()).collect();
        Self { root, cells, kept: kept.clone(), liked: None, companies, beside: Beside::default() }
    }

    /// The same personas with tastes that follow what is popular in their region. Tastes are for life: a device gives the
    /// same shares again every time, or its personas would all change at once and only the person would not.
    pub fn liking(self, liked: Option<ClassShares>) -> Self {
        let companies = (0..=Self::QUIET).map(|_| OnceLock::new()).collect();
        Self { liked, companies, ..self }
    }

    /// Lets the companions come along with what the person has shown. To be called whenever that grew: a companion has
    /// nothing to say to an [`Echo`](super::Echo) of later habits.
    pub fn follow(&mut self, habits: &Habits) {
        if self.beside.chapter != habits.chapter() || self.beside.cells.is_empty() {
            let empty = vec![Vec::new(); self.company(0).len()];
            self.beside = Beside { chapter: habits.chapter(), cells: empty };
        }
        let mut beside = std::mem::take(&mut self.beside.cells);
        for (member, own) in (0..).zip(&mut beside) {
            let persona = PersonaId { company: 0, member };
            for shown in habits.cells().iter().skip(own.len()) {
                own.extend(self.next_beside(persona, *shown, own));
            }
        }
        self.beside.cells = beside;
    }

    /// Where a companion is shown while the person is shown at a cell for the first time: at another of its places, or
    /// near home where it never was, if it was shown at all of them.
    fn next_beside(&self, persona: PersonaId, shown: Shown, before: &[Cell]) -> Option<Cell> {
        let member = self.member(persona)?;
        let number = u16::try_from(before.len()).unwrap_or(u16::MAX);
        let context = [self.beside.chapter.to_be_bytes(), number.to_be_bytes()].concat();
        let mut rng = self.rng(&[b"beside", &persona.to_bytes(), &context]);
        let week = shown.first.start().week();
        for _ in 0..LOOKS {
            let spot = member.spot(shown.first.0, &mut rng);
            let cell = self.shown_at(persona, spot, week, shown.mode)?;
            if !before.contains(&cell) {
                return Some(cell);
            }
        }
        let home = *member.cells.first()?;
        let new: Vec<(Cell, f64)> = self
            .cells
            .iter()
            .filter(|(cell, _)| !before.contains(cell))
            .map(|(cell, places)| (*cell, attraction(home, *cell, *places)))
            .collect();
        Some(by_weight(&new, |(_, weight)| *weight, &mut rng).map_or(home, |(cell, _)| cell))
    }

    /// The cell at which a persona shows one of its places in a week: blurred by as much as a person's is, and snapped
    /// likewise. Nobody is protected by this noise, so it is drawn the quick way.
    fn shown_at(&self, persona: PersonaId, spot: usize, week: Week, mode: Mode) -> Option<Cell> {
        let cell = *self.member(persona)?.cells.get(spot)?;
        let (name, raw) = (persona.to_bytes(), cell.raw().to_be_bytes());
        let mut door = self.rng(&[b"door", &name, &raw]);
        let mut aside = || door.random_range(-1.0..1.0) * AROUND_M * std::f64::consts::FRAC_1_SQRT_2;
        let place = offset_m(cell.center(), aside(), aside());
        let mut noise = self.rng(&[b"noise", &name, &raw, &week.0.to_be_bytes(), &[mode as u8]]);
        let mut log = || (1.0 - noise.random::<f64>()).ln();
        // the distance of a planar Laplace: a Gamma of shape 2 (Andres et al. 2013)
        let away = -(log() + log()) * mode.profile().location_scale_m / 4.0_f64.ln();
        let (east, north) = (noise.random::<f64>() * std::f64::consts::TAU).sin_cos();
        let point = offset_m(place, away * east, away * north);
        let inside = Cell::at(point, Resolution::R8);
        if self.may_name(inside) {
            return Some(inside);
        }
        Some(blur::snap(point, &|cell| self.may_name(cell)).unwrap_or(cell))
    }

    /// Where everybody of the person's company and of the first quiet companies lives now, to be kept for the next
    /// index of places. Empty without places.
    pub fn whereabouts(&self) -> Whereabouts {
        let cells = |company: u16| self.company(company).iter().map(|member| member.cells.clone());
        let mut all: Vec<Vec<Cell>> = cells(0).take(Self::COMPANIONS).collect();
        all.extend((1..=Self::KEPT).flat_map(cells));
        all.extend(cells(0).skip(Self::COMPANIONS));
        Whereabouts(all)
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
        self.begun(company, rounds::blocks(at), |round| round.life.stands(at))
    }

    /// The rounds of a quiet company that begin from one instant on and before another, in order of time; whether they
    /// stand for long or not. None for other companies or without places.
    pub fn quiet_begun(&self, company: u16, from: Timestamp, until: Timestamp) -> Vec<Round> {
        let blocks = rounds::blocks(from)[1]..=rounds::blocks(until)[1];
        let mut begun = self.begun(company, blocks, |round| (from..until).contains(&round.life.since()));
        begun.sort_by_key(|round| (round.life.since(), round.id));
        begun
    }

    fn begun(&self, company: u16, blocks: impl IntoIterator<Item = u32>, keep: impl Fn(&Round) -> bool) -> Vec<Round> {
        if company == 0 || self.company(company).is_empty() {
            return Vec::new();
        }
        let name = company.to_be_bytes();
        let mean = rounds::activity(&mut self.rng(&[b"activity", &name]));
        let begun = blocks.into_iter().flat_map(|block| {
            let mut rng = self.rng(&[b"begun", &name, &block.to_be_bytes()]);
            rounds::begun(company, block, mean, &mut rng)
        });
        let worded = |round: Round| {
            let parts = rounds::parts(&mut self.rng(&[b"parts", &round.id.to_bytes()]));
            Round { parts, ..round }
        };
        begun.filter(keep).map(worded).collect()
    }

    /// The personas that speak in a round, in an order of their own for each theme: one on each of the nine seats
    /// beside the person's, or a quiet company's ten. None without places.
    pub fn members(&self, round: &Round) -> Vec<PersonaId> {
        let company = round.id.company();
        if self.company(company).is_empty() {
            return Vec::new();
        }
        let mut members: Vec<PersonaId> = match round.id {
            RoundId::Own(_) => Seat::companions().map(|seat| self.speaker(seat, round)).collect(),
            RoundId::Quiet { .. } => (0..).take(Self::COMPANY).map(|member| PersonaId { company, member }).collect(),
        };
        members.shuffle(&mut self.rng(&[b"order", &round.theme()]));
        members
    }

    /// What `persona` says in `round`: the same for as long as the round stands, and again in any round of the person's
    /// that repeats it. If that cannot be shown beside what the others say, it has further things to say, by `turn`
    /// below [`Self::TURNS`]. `None` for unknown personas, without places, or for an echo that the cast did not
    /// [follow](Self::follow).
    pub fn bundle(&self, persona: PersonaId, round: &Round, turn: u8) -> Option<PersonaBundle> {
        self.worded(persona, round, turn, self.wish(persona, round, turn)?)
    }

    /// The class and cell of [`Self::bundle`], for whoever looks for one that can be shown: words cost more.
    pub fn wish(&self, persona: PersonaId, round: &Round, turn: u8) -> Option<PersonaWish> {
        let mut rng = self.rng(&[b"wish", &persona.to_bytes(), &round.theme(), &[turn]]);
        let even = rng.random_bool(UNIFORM_SHARE) || turn >= EVEN_FROM;
        let (class, cell) = if even {
            (any_class(&mut rng), self.any_cell(&mut rng)?)
        } else if turn == 0 {
            self.alike(persona, round)?
        } else {
            self.apart(persona, round, &mut rng)?
        };
        Some(PersonaWish { class, cell, even })
    }

    /// The bundle of a [wish](Self::wish), in the persona's words.
    pub fn worded(&self, persona: PersonaId, round: &Round, turn: u8, wish: PersonaWish) -> Option<PersonaBundle> {
        let PersonaWish { class, cell, even } = wish;
        let mut rng = self.rng(&[b"words", &persona.to_bytes(), &round.wording(), &[turn]]);
        let topics = self.topics(persona, class, even, &mut rng);
        let first = topics.first().and_then(|topic| Vocabulary::builtin().topic(*topic))?;
        let text = text::words(first, &self.member(persona)?.hand, round.parts, &mut rng);
        Some(PersonaBundle { class, text, topics, cell, ttl: round.life.ttl() })
    }

    /// What everybody of a company does alike, each with what is dear to it at a place of its own. Beside the person the
    /// person leads, in a quiet company the first of it.
    fn alike(&self, persona: PersonaId, round: &Round) -> Option<(ClassId, Cell)> {
        let member = self.member(persona)?;
        if let Some(echo) = round.echo {
            let beside =
                self.beside.cells.get(usize::from(persona.member)).filter(|_| self.beside.chapter == echo.chapter);
            return Some((*member.classes.get(usize::from(echo.class))?, *beside?.get(usize::from(echo.cell))?));
        }
        let leader = self.company(persona.company).first()?;
        self.led(leader, persona, round, &mut self.rng(&[b"leads", &round.theme()]))
    }

    /// Something else that a persona wants at another of its places.
    fn apart(&self, persona: PersonaId, round: &Round, rng: &mut ChaCha20Rng) -> Option<(ClassId, Cell)> {
        self.led(self.member(persona)?, persona, round, rng)
    }

    /// What a persona wants, and where, when it does with its own likings and places what `leader` draws.
    fn led(
        &self,
        leader: &Member,
        persona: PersonaId,
        round: &Round,
        rng: &mut ChaCha20Rng,
    ) -> Option<(ClassId, Cell)> {
        // the window whose hour decides where somebody is: that in which the round began
        let began = round.life.since().window();
        let (rank, spot) = (leader.rank(rng), leader.spot(began.0, rng));
        let cell = self.shown_at(persona, spot, began.start().week(), Mode::Balanced)?;
        Some((*self.member(persona)?.classes.get(rank)?, cell))
    }

    pub(super) fn member(&self, persona: PersonaId) -> Option<&Member> {
        self.company(persona.company).get(usize::from(persona.member))
    }

    /// The members of a company; nobody without places or beyond the last.
    fn company(&self, company: u16) -> &[Member] {
        let Some(members) = self.companies.get(usize::from(company)).filter(|_| !self.cells.is_empty()) else {
            return &[];
        };
        let many = if company == 0 { Self::COMPANIONS + Seat::COUNT } else { Self::COMPANY };
        members.get_or_init(|| {
            let names = (0..).take(many).map(|member| PersonaId { company, member });
            let member = |name| Member::new(&self.root, name, (&self.cells, self.kept.of(name)), self.liked.as_ref());
            names.map(member).collect()
        })
    }

    pub(super) fn rng(&self, context: &[&[u8]]) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(self.root.derive(Label::PersonaSeed, context))
    }

    /// Every cell alike, by the greatest of keyed numbers (rendezvous hashing): a cell that is added or goes
    /// changes the answers that were or become that cell, and no other.
    fn any_cell(&self, rng: &mut ChaCha20Rng) -> Option<Cell> {
        let key = rng.random::<u64>();
        self.cells().max_by_key(|cell| scrambled(cell.raw() ^ key))
    }

    /// One to four topics of the class: mostly the persona's favourites.
    fn topics(&self, persona: PersonaId, class: ClassId, even: bool, rng: &mut ChaCha20Rng) -> Vec<TopicId> {
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
            let favourite = !even && rng.random_bool(1.0 - UNIFORM_SHARE);
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
pub(super) const fn scrambled(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}
