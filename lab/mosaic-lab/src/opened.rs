//! What two colluding providers see of the discovery lane: they hold the OPRF key between them, walk through the
//! public vocabulary and open the outer layer of every record, so that class and cell lie before them.
//!
//! The view is stronger than the design grants: every event is linked to its writer. Topics and text stay sealed but to
//! the attacker who walks through the topics as well (limits of CL-12); its row stands apart.

use std::sync::Arc;

use anyhow::{Result, bail};
use mosaic_attack::SeenBundle;
use mosaic_discovery::Card;
use mosaic_geo::{Cell, PlaceIndex};
use mosaic_obfuscate::{PersonaId, Vocabulary};
use mosaic_release::{OprfOutputs, ReleasedEvent, SlotTruth};
use mosaic_types::{ClassId, Lane, Timestamp, TopicId, TtlHours};
use mosaic_wire::{OprfInput, RECORD, encode, rows};

use crate::{
    Progress,
    device::Device,
    population::{PopulationPlan, play_all},
    tables::Tables,
};

/// An opened event.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub(crate) user: u32,
    pub(crate) at: Timestamp,
    pub(crate) resolution: u8,
    /// Bytes on the wire.
    pub(crate) bytes: usize,
    pub(crate) slots: Vec<OpenedSlot>,
}

/// An opened bundle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenedSlot {
    pub(crate) class: ClassId,
    pub(crate) cell: Cell,
    pub(crate) ttl: TtlHours,
    /// 0 is the person, then the companions, then the quiet companies, last the understudies: for the judge, and for
    /// attackers who are given whose is whose.
    pub(crate) identity: u16,
    /// The row, all a single provider sees; tables apart.
    pub(crate) row: u64,
    /// What the inner layer says, where it was opened as well.
    pub(crate) named: Option<Named>,
}

/// Topics and text of a bundle, for whoever walks through the topics too (limits of CL-12).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    /// The first topic.
    pub(crate) topic: TopicId,
    /// How many there are.
    pub(crate) topics: u8,
    /// Characters and words of the text.
    pub(crate) letters: u8,
    pub(crate) words: u8,
    /// Whether the text is the topic's public name and nothing else, and whether it holds anything but letters.
    pub(crate) bare: bool,
    pub(crate) marks: bool,
}

/// Where the identities of understudies begin: that of the person first.
const UNDERSTUDIES: u16 = 60_000;

impl OpenedSlot {
    /// Whether it is in the person's place, the person's or not.
    pub(crate) const fn is_of_the_person(&self) -> bool {
        matches!(self.identity, 0 | UNDERSTUDIES)
    }

    /// One number for what was wanted and where.
    pub(crate) fn key(&self) -> u64 {
        self.seen().key()
    }

    /// As the library of attackers describes it.
    pub(crate) const fn seen(&self) -> SeenBundle {
        SeenBundle { class: self.class, cell: self.cell, ttl: self.ttl }
    }
}

impl Opened {
    /// Its bundles, in wire order.
    pub(crate) fn bundles(&self) -> Vec<SeenBundle> {
        self.slots.iter().map(OpenedSlot::seen).collect()
    }

    /// Where the real bundle stands, if there is one.
    pub(crate) fn real(&self) -> Option<usize> {
        self.slots.iter().position(|slot| slot.identity == 0)
    }
}

/// How the people of a recording live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// They move about and want something else every one to three hours; every event is recorded.
    Ordinary,
    /// They want one thing at home all the time; only events of the finest cells are recorded.
    Steady,
}

/// How far an attacker opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layers {
    /// Class, cell and window.
    Outer,
    /// Topics and text as well, of the events with something to find: walking through the topics costs more than
    /// all the rest.
    Both,
}

/// Records and opens the discovery events of a population, user after user, each in order of time.
pub(crate) fn record_opened(
    places: &Arc<PlaceIndex>,
    plan: PopulationPlan,
    life: Life,
    layers: Layers,
    progress: &Progress<'_>,
) -> Result<Vec<Opened>> {
    play_all(places, plan, progress, &|device: Device<'_>, tables: &mut Tables| {
        lead(device, places, plan, life, layers, tables)
    })
}

fn lead(
    mut device: Device<'_>,
    places: &PlaceIndex,
    plan: PopulationPlan,
    life: Life,
    layers: Layers,
    tables: &mut Tables,
) -> Result<Vec<Opened>> {
    let (mut now, mut events) = (plan.start, Vec::new());
    if life == Life::Steady {
        device.stand(plan.start)?;
    }
    loop {
        let send = device.next(now);
        if send.leave_at >= plan.start.after(plan.length) {
            return Ok(events);
        }
        now = send.tick;
        if life == Life::Ordinary {
            device.wish(send.leave_at, places)?;
        }
        let Some(resolution) = send.resolution.filter(|resolution| life == Life::Ordinary || *resolution == 8) else {
            continue;
        };
        let event = device.discovery(send.leave_at, resolution, tables)?;
        events.push(open(device.user, resolution, &event, layers, tables)?);
    }
}

pub(crate) fn open(
    user: u32,
    resolution: u8,
    event: &ReleasedEvent,
    layers: Layers,
    tables: &mut Tables,
) -> Result<Opened> {
    let (at, fields) = (event.leaves(), event.fields());
    debug_assert_eq!(fields.table.lane(), Lane::Discovery);
    let truth = event.slot_truth().expose(|truth| *truth);
    let walks = layers == Layers::Both && truth.iter().any(|truth| !matches!(truth, SlotTruth::Persona(_)));
    let mut slots = Vec::with_capacity(truth.len());
    for ((tag, record), truth) in fields.rows.iter().zip(&fields.slots).zip(truth) {
        let period = fields.table.period();
        let cards = tables.leading_to(period, tag.row()).iter();
        let mut cards =
            cards.filter_map(|input| Some((*input, Card::open(at, input, tables.get(input)?, &[], record)?)));
        let Some((input, card)) = cards.next() else { bail!("a bundle does not open at its own row") };
        let named = if walks { named(at, &input, card.class, record, tables)? } else { None };
        let identity = match truth {
            SlotTruth::Persona(PersonaId { company: 0, member }) if member > 8 => UNDERSTUDIES + u16::from(member) - 9,
            SlotTruth::Persona(PersonaId { company, member }) => {
                10 * company + u16::from(member) + u16::from(company == 0)
            }
            SlotTruth::Broadcast(_) | SlotTruth::Frame(_) | SlotTruth::Uniform => 0,
        };
        let row = u64::from(fields.table.0) << 24 | u64::from(tag.row());
        let ttl = TtlHours::new(card.ttl.into())?;
        slots.push(OpenedSlot { class: card.class, cell: card.cell, ttl, identity, row, named });
    }
    Ok(Opened { user, at, resolution, bytes: encode(event).len(), slots })
}

/// Opens the inner layer with the key of every topic of the class, one after the other.
fn named(
    at: Timestamp,
    input: &OprfInput,
    class: ClassId,
    record: &[u8; RECORD],
    tables: &mut Tables,
) -> Result<Option<Named>> {
    let vocabulary = Vocabulary::builtin();
    let topic_input = |topic| OprfInput::Topic { period: input.period(), class, topic };
    let inputs: Vec<OprfInput> = vocabulary.topics_of(class).map(|topic| topic_input(topic.id)).collect();
    tables.evaluate(&inputs)?;
    let key = |input: &OprfInput| match input {
        OprfInput::Topic { topic, .. } => Some((*topic, rows::topic_key(tables.get(input)?))),
        OprfInput::Row { .. } => None,
    };
    let keys: Vec<_> = inputs.iter().filter_map(key).collect();
    let Some(output) = tables.get(input) else { return Ok(None) };
    let card = Card::open(at, input, output, &keys, record).filter(|card| !card.topics.is_empty());
    let describe = |card: Card| {
        let (topic, text) = (card.topics[0], card.text.unwrap_or_default());
        let few = |count: usize| u8::try_from(count).unwrap_or(u8::MAX);
        Named {
            topic,
            topics: few(card.topics.len()),
            letters: few(text.chars().count()),
            words: few(text.split_whitespace().count()),
            bare: vocabulary.topic_name(topic) == Some(text.as_str()),
            marks: text.chars().any(|letter| !letter.is_alphanumeric() && !letter.is_whitespace()),
        }
    };
    Ok(card.map(describe))
}
