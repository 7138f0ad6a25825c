use std::collections::{BTreeMap, BTreeSet, HashMap};

use mosaic_crypto::{
    oprf::OprfOutput,
    record::{self, RecordNonce},
};
use mosaic_geo::{Cell, Resolution};
use mosaic_obfuscate::{Cast, Granularity, PersonaBundle, Round, RoundId};
use mosaic_types::{ClassId, Lane, NoiseRatio, Stream, TableId, Timestamp, TopicId, TtlHours};
use mosaic_wire::{Bundle, CardText, Carrier, OprfInput, Part, SLOTS, TableDescriptor, TopicLayer, rows};
use rand::CryptoRng;

use crate::{
    Broadcast, BroadcastId, ReleaseError, ReleasedEvent, Releaser, SlotTruth,
    builder::{EventBuilder, Heading},
    preview::GivingWay,
    retry::Fit,
    slot::Slot,
    state::{Slate, Source},
    turn::Turns,
};

/// Where evaluated outputs are kept. They serve a whole table: only new inputs cost an evaluation.
pub trait OprfOutputs {
    /// The output for `input`, if it is here.
    fn get(&self, input: &OprfInput) -> Option<&OprfOutput>;
}

impl OprfOutputs for BTreeMap<OprfInput, OprfOutput> {
    fn get(&self, input: &OprfInput) -> Option<&OprfOutput> {
        Self::get(self, input)
    }
}

impl OprfOutputs for HashMap<OprfInput, OprfOutput> {
    fn get(&self, input: &OprfInput) -> Option<&OprfOutput> {
        Self::get(self, input)
    }
}

/// A discovery event carries at most one of the person's bundles (DESIGN section 4).
pub(crate) const MOST_REAL: u32 = 1;
/// The share of decoys that every event for strangers has at least, nine of ten. That the builder keeps to it is CL-02;
/// that no more than this may be read off single cards is measured, not promised.
pub const DECOYS_AT_LEAST: f64 = 0.9;
const _: () = assert!(MOST_REAL == 1 && SLOTS == 10);
/// Times that a persona's bundle is exchanged because its row number met another's.
pub(crate) const MOST_EXCHANGES: usize = 32;

/// One bundle that goes into the event, before sealing: the person's and the personas' look the same.
pub(crate) struct Pick {
    pub(crate) source: Source,
    pub(crate) class: ClassId,
    pub(crate) cell: u64,
    topics: [TopicId; 8],
    text: CardText,
    pub(crate) ttl: TtlHours,
    row: OprfInput,
    topic: OprfInput,
}

/// What stays out of an event: rounds that give way, and rows whose numbers met another's.
#[derive(Default)]
pub(crate) struct PassedOver {
    pub(crate) rounds: BTreeSet<RoundId>,
    pub(crate) rows: BTreeSet<OprfInput>,
}

/// What is asked for: an event leaving at an instant, at a resolution, under a table.
#[derive(Clone, Copy)]
pub(crate) struct Occasion<'a> {
    at: Timestamp,
    resolution: Resolution,
    table: &'a TableDescriptor,
}

impl<'a> Occasion<'a> {
    pub(crate) fn new(at: Timestamp, resolution: u8, table: &'a TableDescriptor) -> Result<Self, ReleaseError> {
        if table.period != at.period() {
            return Err(ReleaseError::WrongTable);
        }
        let known = Resolution::from_number(resolution).ok().filter(|_| table.groups.at(resolution).is_some());
        Ok(Self { at, resolution: known.ok_or(ReleaseError::BadTable)?, table })
    }

    pub(crate) fn slate(self) -> Slate {
        Slate { window: self.at.window(), resolution: self.resolution.number() }
    }

    pub(crate) fn fit(self) -> Fit {
        let table = TableId::new(self.table.period, Lane::Discovery);
        Fit { table, resolution: Some(self.resolution.number()) }
    }
}

impl Releaser {
    /// The OPRF inputs whose outputs the event leaving at `at` needs: rows of its bundles and their
    /// first topics. `resolution` is 6, 7 or 8.
    ///
    /// # Errors
    /// [`ReleaseError`] when the table does not serve `at`, or too few places are known.
    pub fn discovery_needs(
        &self,
        at: Timestamp,
        resolution: u8,
        table: &TableDescriptor,
    ) -> Result<Vec<OprfInput>, ReleaseError> {
        let occasion = Occasion::new(at, resolution, table)?;
        let retried = self.retries.fitting(occasion.fit(), at, MOST_REAL as usize);
        let picks = self.picks(occasion, &retried, &self.giving_way.at(occasion.slate()))?;
        let inputs: BTreeSet<OprfInput> = picks.iter().flat_map(|pick| [pick.row, pick.topic]).collect();
        Ok(inputs.into_iter().collect())
    }

    /// Builds the discovery event that leaves at `at`: one bundle of a broadcast not yet written for
    /// this table, window and resolution, if there is one, and personas' bundles up to ten.
    ///
    /// # Errors
    /// [`ReleaseError::Missing`] names the outputs to fetch before calling again (rarely more than
    /// [`Self::discovery_needs`] said: two row numbers may meet); others as there. Nothing is marked as
    /// written unless an event is returned.
    pub fn discovery_event(
        &mut self,
        at: Timestamp,
        resolution: u8,
        table: &TableDescriptor,
        stream: Stream,
        outputs: &impl OprfOutputs,
        rng: &mut impl CryptoRng,
    ) -> Result<ReleasedEvent, ReleaseError> {
        let occasion = Occasion::new(at, resolution, table)?;
        let retried = self.retries.fitting(occasion.fit(), at, MOST_REAL as usize);
        let picks = self.picks_with_distinct_rows(occasion, &retried, outputs)?;
        let mut slots = retried.clone();
        for pick in &picks {
            slots.push(self.seal(pick, occasion, outputs, rng)?);
        }
        let id = TableId::new(table.period, Lane::Discovery);
        let heading = Heading { at, table, id, stream, resolution: Some(resolution) };
        let most_real = self.most_real(&picks);
        let event = EventBuilder::new(slots, most_real)?.release(&heading, &self.keys.order, rng)?;
        self.retries.settle(&retried, at);
        self.mark_written(occasion.slate(), picks.iter().map(|pick| pick.source));
        self.giving_way = GivingWay::default();
        Ok(event)
    }

    /// One at most, and never more than the strictest floor among the bundles allows.
    fn most_real(&self, picks: &[Pick]) -> usize {
        let floors = picks.iter().filter_map(|pick| match pick.source {
            Source::Broadcast(id) => self.state.broadcasts.get(&id).map(Broadcast::effective_discovery),
            Source::Persona { .. } => None,
        });
        let strictest = floors.fold(NoiseRatio::LOWEST, NoiseRatio::at_least);
        strictest.most_real_of(SLOTS as u32).min(MOST_REAL) as usize
    }

    fn mark_written(&mut self, slate: Slate, sources: impl Iterator<Item = Source>) {
        let oldest = slate.window.previous().previous().previous();
        self.state.written.retain(|written, _| written.window >= oldest);
        let written = self.state.written.entry(slate).or_default();
        for source in sources {
            if let (Source::Broadcast(id), Some(combined)) = (source, self.state.combined.as_mut()) {
                combined.shown(id.0);
            }
            written.push(source);
        }
    }

    /// Picks bundles until no two row numbers meet; personas give way, then fresh bundles to retried ones.
    fn picks_with_distinct_rows(
        &self,
        occasion: Occasion<'_>,
        retried: &[Slot],
        outputs: &impl OprfOutputs,
    ) -> Result<Vec<Pick>, ReleaseError> {
        let mut passed_over = self.giving_way.at(occasion.slate());
        for _ in 0..MOST_EXCHANGES {
            let picks = self.picks(occasion, retried, &passed_over)?;
            let missing = missing(&picks, outputs);
            if !missing.is_empty() {
                return Err(ReleaseError::Missing(missing));
            }
            let mut used: BTreeSet<u32> = retried.iter().map(Slot::row).collect();
            let row = |pick: &Pick| outputs.get(&pick.row).map(|output| chain_row(output, 0, occasion.table));
            let met = picks.iter().find(|pick| row(pick).is_none_or(|row| !used.insert(row)));
            match met {
                None => return Ok(picks),
                Some(pick) => passed_over.rows.insert(pick.row),
            };
        }
        Err(ReleaseError::TooFewPlaces)
    }

    /// The bundles of an event, no two with one row input: those of the round that is due. The person's rounds
    /// come first, then those of one quiet company after the other.
    pub(crate) fn picks(
        &self,
        occasion: Occasion<'_>,
        retried: &[Slot],
        passed_over: &PassedOver,
    ) -> Result<Vec<Pick>, ReleaseError> {
        let wanted = SLOTS - retried.len();
        if wanted == 0 {
            return Ok(Vec::new());
        }
        let turns = Turns::new(&self.state.written, occasion.slate(), occasion.resolution);
        let own = self.state.broadcasts.values().filter(|broadcast| {
            broadcast.stands(occasion.at) && !self.is_passed_over(broadcast, occasion, passed_over)
        });
        let no_more_of_ours = retried.iter().any(|slot| slot.truth.is_real());
        let in_question = |round: &Round| !passed_over.rounds.contains(&round.id);
        let own = if no_more_of_ours { None } else { turns.due(own.map(Broadcast::round).filter(in_question)) };
        let quiet = (1..=Cast::QUIET).map(|company| self.cast.quiet(company, occasion.at).into_iter());
        let quiet = quiet.filter_map(|rounds| turns.due(rounds.filter(in_question)));
        let mut rounds = own.into_iter().chain(quiet).map(|round| self.round(&round, occasion, wanted, passed_over));
        rounds.find(|picks| picks.len() == wanted).ok_or(ReleaseError::TooFewPlaces)
    }

    /// Whether the person's own bundle would lie in a row that is to stay out. Where the draw left it out, it lies in none.
    fn is_passed_over(&self, broadcast: &Broadcast, occasion: Occasion<'_>, passed_over: &PassedOver) -> bool {
        let row = || Said::by_person(broadcast).row(occasion, occasion.resolution);
        !passed_over.rows.is_empty()
            && self.cast.includes_the_person(&broadcast.round())
            && row().is_some_and(|row| passed_over.rows.contains(&row))
    }

    /// The bundles of one round, the person's first. Row inputs differ at every resolution, so that all ten are shown
    /// at each; only where a region is too small for that do personas change what they say from one to the other.
    fn round(&self, round: &Round, occasion: Occasion<'_>, wanted: usize, passed_over: &PassedOver) -> Vec<Pick> {
        let resolutions = match round.granularity {
            Granularity::Fine => &[Resolution::R6, Resolution::R7, Resolution::R8][..],
            Granularity::Zone => &[Resolution::R6],
        };
        let everywhere = self.gather(round, occasion, resolutions, wanted, passed_over);
        if everywhere.len() == wanted {
            return everywhere;
        }
        self.gather(round, occasion, &[occasion.resolution], wanted, passed_over)
    }

    fn gather(
        &self,
        round: &Round,
        occasion: Occasion<'_>,
        resolutions: &[Resolution],
        wanted: usize,
        passed_over: &PassedOver,
    ) -> Vec<Pick> {
        let (mut picks, mut taken) = (Vec::with_capacity(wanted), passed_over.rows.clone());
        if let RoundId::Own(number) = round.id {
            picks.extend(
                self.on_the_persons_seat(number, round).and_then(|said| said.pick(occasion, resolutions, &mut taken)),
            );
        }
        let mut silent = self.cast.members(round);
        for turn in 0..Cast::TURNS {
            silent.retain(|persona| {
                if picks.len() == wanted {
                    return true;
                }
                let wish = self.cast.wish(*persona, round, turn);
                let free = wish.filter(|wish| {
                    rows_at(occasion, resolutions, wish.class, wish.cell).is_some_and(|rows| is_free(&rows, &taken))
                });
                let bundle = free.and_then(|wish| self.cast.worded(*persona, round, turn, wish));
                let source = Source::Persona { persona: *persona, round: round.id, turn };
                let said = bundle.map(|bundle| Said::by_persona(source, bundle));
                let pick = said.and_then(|said| said.pick(occasion, resolutions, &mut taken));
                let silent = pick.is_none();
                picks.extend(pick);
                silent
            });
        }
        picks
    }

    /// The person's bundle, or, where the draw left it out, that of whoever speaks instead.
    fn on_the_persons_seat(&self, number: u64, round: &Round) -> Option<Said> {
        if self.cast.includes_the_person(round) {
            return self.state.broadcasts.get(&BroadcastId(number)).map(Said::by_person);
        }
        let persona = self.cast.understudy_of_the_person();
        let source = Source::Persona { persona, round: round.id, turn: 0 };
        self.cast.bundle(persona, round, 0).map(|bundle| Said::by_persona(source, bundle))
    }

    /// Seals one bundle: the same steps whoever it belongs to.
    fn seal(
        &self,
        pick: &Pick,
        occasion: Occasion<'_>,
        outputs: &impl OprfOutputs,
        rng: &mut impl CryptoRng,
    ) -> Result<Slot, ReleaseError> {
        let missing = || ReleaseError::Missing(vec![pick.row, pick.topic]);
        let row = outputs.get(&pick.row).ok_or_else(missing)?;
        let topic = outputs.get(&pick.topic).ok_or_else(missing)?;
        let (nonce, mut link) = (RecordNonce::draw(rng), [0; 16]);
        rng.fill_bytes(&mut link);
        let carrier = Carrier::of(occasion.at.window(), occasion.resolution.number());
        let layer = TopicLayer { topics: pick.topics, text: pick.text.carried(carrier) };
        let (topics_sealed, nonce) = record::seal_inner(&rows::topic_key(topic), nonce, &layer.encode());
        let bundle = Bundle {
            coded: Part::WHOLE,
            class: pick.class,
            cell: pick.cell,
            window: occasion.at.window(),
            ttl: pick.ttl,
            public: self.keys.card_secret(pick.source, occasion.at.window()).public().to_bytes(),
            link,
            topics_sealed,
        };
        Ok(Slot {
            rows: std::array::from_fn(|chain| chain_row(row, chain as u8, occasion.table)),
            chain: 0,
            record: record::seal_record(&rows::discovery_key(row), nonce, &bundle.encode()),
            truth: truth(pick.source),
        })
    }
}

/// What somebody says, before it is fitted to an event: the person's and the personas' look the same.
struct Said {
    source: Source,
    class: ClassId,
    cell: Cell,
    topics: [TopicId; 8],
    text: CardText,
    ttl: TtlHours,
}

impl Said {
    fn by_person(broadcast: &Broadcast) -> Self {
        Self {
            source: Source::Broadcast(broadcast.id),
            class: broadcast.class,
            cell: broadcast.cell,
            topics: first_eight(&broadcast.topics),
            text: CardText::clipped(&broadcast.text),
            ttl: broadcast.ttl(),
        }
    }

    fn by_persona(source: Source, bundle: PersonaBundle) -> Self {
        let (topics, text) = (first_eight(&bundle.topics), CardText::clipped(&bundle.text));
        Self { source, class: bundle.class, cell: bundle.cell, topics, text, ttl: bundle.ttl }
    }

    fn row(&self, occasion: Occasion<'_>, resolution: Resolution) -> Option<OprfInput> {
        row_at(occasion, resolution, self.class, self.cell)
    }

    /// Fits it to an event, unless one of its row inputs at `resolutions` is `taken`; then they are.
    fn pick(self, occasion: Occasion<'_>, resolutions: &[Resolution], taken: &mut BTreeSet<OprfInput>) -> Option<Pick> {
        let rows = rows_at(occasion, resolutions, self.class, self.cell).filter(|rows| is_free(rows, taken))?;
        let row = self.row(occasion, occasion.resolution)?;
        let cell = self.cell.parent(occasion.resolution)?.raw();
        taken.extend(rows);
        let topic = occasion.table.topic_input(self.class, self.topics[0]);
        let Self { source, class, topics, text, ttl, .. } = self;
        Some(Pick { source, class, cell, topics, text, ttl, row, topic })
    }
}

fn row_at(occasion: Occasion<'_>, resolution: Resolution, class: ClassId, cell: Cell) -> Option<OprfInput> {
    let cell = cell.parent(resolution)?.raw();
    occasion.table.row_input(resolution.number(), cell, occasion.at.window(), class)
}

/// The row inputs of a class and cell at these resolutions; `None` where it cannot be said at one of them.
fn rows_at(occasion: Occasion<'_>, resolutions: &[Resolution], class: ClassId, cell: Cell) -> Option<Vec<OprfInput>> {
    resolutions.iter().map(|resolution| row_at(occasion, *resolution, class, cell)).collect()
}

fn is_free(rows: &[OprfInput], taken: &BTreeSet<OprfInput>) -> bool {
    rows.iter().all(|row| !taken.contains(row))
}

fn first_eight(topics: &[TopicId]) -> [TopicId; 8] {
    let mut eight = [TopicId::NONE; 8];
    eight.iter_mut().zip(topics).for_each(|(place, topic)| *place = *topic);
    eight
}

fn missing(picks: &[Pick], outputs: &impl OprfOutputs) -> Vec<OprfInput> {
    let needed: BTreeSet<OprfInput> = picks.iter().flat_map(|pick| [pick.row, pick.topic]).collect();
    needed.into_iter().filter(|input| outputs.get(input).is_none()).collect()
}

fn chain_row(output: &OprfOutput, chain: u8, table: &TableDescriptor) -> u32 {
    rows::discovery_row(output, chain, table.discovery.rows)
}

pub(crate) const fn truth(source: Source) -> SlotTruth {
    match source {
        Source::Broadcast(id) => SlotTruth::Broadcast(id),
        Source::Persona { persona, .. } => SlotTruth::Persona(persona),
    }
}

#[cfg(test)]
mod tests;
