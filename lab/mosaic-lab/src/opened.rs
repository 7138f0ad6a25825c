//! What two colluding providers see of the discovery lane: they hold the OPRF key between them, walk through the
//! public vocabulary and open the outer layer of every record, so that class and cell lie before them.
//!
//! The view is stronger than the design grants: every event is linked to its writer. Topics and text stay sealed:
//! whoever guesses the topic reads them too (limits of CL-12), which no attacker here uses.

use std::sync::Arc;

use anyhow::{Result, bail};
use mosaic_attack::SeenBundle;
use mosaic_discovery::Card;
use mosaic_geo::{Cell, PlaceIndex};
use mosaic_release::{OprfOutputs, ReleasedEvent, SlotTruth};
use mosaic_types::{ClassId, Lane, Timestamp, TtlHours};
use mosaic_wire::encode;

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
    /// 0 is the person, then the personas: for the judge, and for attackers who are given whose is whose.
    pub(crate) identity: u8,
    /// The row, all a single provider sees; tables apart.
    pub(crate) row: u64,
}

impl OpenedSlot {
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

/// Records and opens the discovery events of a population, user after user, each in order of time.
pub(crate) fn record_opened(
    places: &Arc<PlaceIndex>,
    plan: PopulationPlan,
    life: Life,
    progress: &Progress<'_>,
) -> Result<Vec<Opened>> {
    play_all(places, plan, progress, &|device: Device<'_>, tables: &mut Tables| {
        lead(device, places, plan, life, tables)
    })
}

fn lead(
    mut device: Device<'_>,
    places: &PlaceIndex,
    plan: PopulationPlan,
    life: Life,
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
        events.push(open(device.user, resolution, &event, tables)?);
    }
}

pub(crate) fn open(user: u32, resolution: u8, event: &ReleasedEvent, tables: &Tables) -> Result<Opened> {
    let (at, fields) = (event.leaves(), event.fields());
    debug_assert_eq!(fields.table.lane(), Lane::Discovery);
    let truth = event.slot_truth().expose(|truth| *truth);
    let mut slots = Vec::with_capacity(truth.len());
    for ((tag, record), truth) in fields.rows.iter().zip(&fields.slots).zip(truth) {
        let period = fields.table.period();
        let cards = tables.leading_to(period, tag.row()).iter();
        let mut cards = cards.filter_map(|input| Card::open(at, input, tables.get(input)?, &[], record));
        let Some(card) = cards.next() else { bail!("a bundle does not open at its own row") };
        let identity = match truth {
            SlotTruth::Persona(persona) => persona + 1,
            SlotTruth::Broadcast(_) | SlotTruth::Frame(_) | SlotTruth::Uniform => 0,
        };
        let row = u64::from(fields.table.0) << 24 | u64::from(tag.row());
        let ttl = TtlHours::new(card.ttl.into())?;
        slots.push(OpenedSlot { class: card.class, cell: card.cell, ttl, identity, row });
    }
    Ok(Opened { user, at, resolution, bytes: encode(event).len(), slots })
}
