use std::collections::{BTreeMap, BTreeSet, HashMap};

use mosaic_crypto::{
    oprf::OprfOutput,
    record::{self, RecordNonce},
};
use mosaic_geo::Resolution;
use mosaic_obfuscate::{Cast, Wish};
use mosaic_types::{ClassId, Lane, NoiseRatio, Stream, TableId, Timestamp, TopicId, TtlHours};
use mosaic_wire::{Bundle, OprfInput, Part, SLOTS, ShortText, TableDescriptor, TopicLayer, rows};
use rand::CryptoRng;

use crate::{
    Broadcast, ReleaseError, ReleasedEvent, Releaser, SlotTruth,
    builder::{EventBuilder, Heading},
    preview::GivingWay,
    retry::Fit,
    slot::Slot,
    state::{Slate, Source},
    turn::{Candidate, Turns},
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
/// Lists of one persona that are looked at for a free row before giving up: with some 1,600 wishes, four
/// times what an open door writes in a window.
const MOST_LISTS: u16 = 128;
/// Times that a persona's bundle is exchanged because its row number met another's.
pub(crate) const MOST_EXCHANGES: usize = 32;

/// One bundle that goes into the event, before sealing: the person's and the personas' look the same.
pub(crate) struct Pick {
    pub(crate) source: Source,
    pub(crate) class: ClassId,
    pub(crate) cell: u64,
    topics: [TopicId; 8],
    text: ShortText,
    pub(crate) ttl: TtlHours,
    row: OprfInput,
    topic: OprfInput,
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
        self.state.written.entry(slate).or_default().extend(sources);
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
                Some(pick) => passed_over.insert(pick.source),
            };
        }
        Err(ReleaseError::TooFewPlaces)
    }

    /// The bundles of an event, no two with one row input: from the person's list the one that is due, then
    /// from each persona's first list, and so on through their further lists until there are ten.
    pub(crate) fn picks(
        &self,
        occasion: Occasion<'_>,
        retried: &[Slot],
        passed_over: &BTreeSet<Source>,
    ) -> Result<Vec<Pick>, ReleaseError> {
        let wanted = SLOTS - retried.len();
        let turns = Turns::new(&self.state.written, occasion.slate(), occasion.resolution);
        let (mut picks, mut taken) = (Vec::with_capacity(wanted), BTreeSet::new());
        let mut take = |list: Vec<Candidate<'_>>, picks: &mut Vec<Pick>| {
            let due = turns.due(list.into_iter().filter(|candidate| !passed_over.contains(&candidate.source())));
            let mut fitting = due.iter().filter_map(|candidate| self.pick(candidate, occasion));
            if let Some(pick) = fitting.find(|pick| !taken.contains(&pick.row)) {
                taken.insert(pick.row);
                picks.push(pick);
            }
        };
        if wanted > 0 && !retried.iter().any(|slot| slot.truth.is_real()) {
            let standing = self.state.broadcasts.values().filter(|broadcast| broadcast.stands(occasion.at));
            take(standing.map(Candidate::Broadcast).collect(), &mut picks);
        }
        for (list, persona) in (0..MOST_LISTS).flat_map(|list| (0..Cast::MEMBERS).map(move |persona| (list, persona))) {
            if picks.len() >= wanted {
                return Ok(picks);
            }
            let standing = self.cast.standing(persona, list, occasion.at).into_iter();
            take(standing.map(|wish| Candidate::Persona { persona, wish }).collect(), &mut picks);
        }
        Err(ReleaseError::TooFewPlaces)
    }

    fn pick(&self, candidate: &Candidate<'_>, occasion: Occasion<'_>) -> Option<Pick> {
        match candidate {
            Candidate::Broadcast(broadcast) => broadcast_pick(broadcast, occasion),
            Candidate::Persona { persona, wish } => self.persona_pick(*persona, wish, occasion),
        }
    }

    fn persona_pick(&self, persona: u8, wish: &Wish, occasion: Occasion<'_>) -> Option<Pick> {
        let bundle = self.cast.bundle(persona, wish)?;
        let cell = bundle.cell.parent(occasion.resolution)?.raw();
        let words = ShortText::clipped(&bundle.text);
        let content = Content { class: bundle.class, cell, topics: &bundle.topics, text: words, ttl: bundle.ttl };
        pick(Source::Persona { persona, wish: wish.id }, occasion, content)
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
        let layer = TopicLayer { topics: pick.topics, text: pick.text.clone() };
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

struct Content<'a> {
    class: ClassId,
    cell: u64,
    topics: &'a [TopicId],
    text: ShortText,
    ttl: TtlHours,
}

fn broadcast_pick(broadcast: &Broadcast, occasion: Occasion<'_>) -> Option<Pick> {
    let cell = broadcast.cell.parent(occasion.resolution)?.raw();
    let words = ShortText::clipped(&broadcast.text);
    let content =
        Content { class: broadcast.class, cell, topics: &broadcast.topics, text: words, ttl: broadcast.ttl() };
    pick(Source::Broadcast(broadcast.id), occasion, content)
}

fn pick(source: Source, occasion: Occasion<'_>, content: Content<'_>) -> Option<Pick> {
    let table = occasion.table;
    let row = table.row_input(occasion.resolution.number(), content.cell, occasion.at.window(), content.class)?;
    let mut topics = [TopicId::NONE; 8];
    topics.iter_mut().zip(content.topics).for_each(|(place, topic)| *place = *topic);
    let topic = table.topic_input(content.class, topics[0]);
    let Content { class, cell, text, ttl, .. } = content;
    Some(Pick { source, class, cell, topics, text, ttl, row, topic })
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
