use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use mosaic_attack::{FloorAction, SeenBundle};
use mosaic_geo::Cell;
use mosaic_release::{BroadcastId, Meter, Reading, SlotTruth, Suspected};
use mosaic_types::{ClassId, Lane, Mode, Timestamp, TtlHours};
use serde::{Deserialize, Serialize};

/// Most events that are kept: two days of balanced mode are 480, and an open door adds 120.
const MOST_EVENTS: usize = 1_024;
/// How long it is said that a broadcast was held back, after it last was.
const SAID_FOR: Duration = Duration::from_hours(4);

/// What this device released in the last 48 hours: what the meter needs after a restart, and the person's own
/// receipts. Sealed in the vault; nothing of it leaves but through the local API.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Trail {
    events: VecDeque<TrailEvent>,
    #[serde(skip)]
    held: BTreeMap<BroadcastId, HeldBack>,
}

/// One event.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct TrailEvent {
    pub(crate) at: Timestamp,
    discovery: bool,
    /// Slots with something of the person.
    pub(crate) real: u8,
    pub(crate) receipt: Receipted,
    /// Of a discovery event, what strangers see.
    bundles: Vec<(u8, u64, u8)>,
    /// What the meter stated, if a bundle of the person left.
    pub(crate) stated: Option<Stated>,
    /// Whether a bundle of the person gave way and none left.
    pub(crate) held_back: bool,
    #[serde(skip)]
    deposit: Option<u64>,
}

/// What the meter stated of one event.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Stated {
    pub(crate) probability: f64,
    pub(crate) hypotheses: f64,
    pub(crate) shares: [f64; 10],
}

/// What became of an event at the providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Receipted {
    Waiting,
    Acknowledged,
    Lost,
}

/// A broadcast that gave way.
#[derive(Clone, Copy)]
pub(crate) struct HeldBack {
    pub(crate) at: Timestamp,
    pub(crate) probability: f64,
    pub(crate) action: FloorAction,
}

impl TrailEvent {
    pub(crate) const fn lane(&self) -> Lane {
        if self.discovery { Lane::Discovery } else { Lane::Rendezvous }
    }

    fn seen(&self) -> Vec<SeenBundle> {
        let bundle = |(class, cell, ttl): &(u8, u64, u8)| {
            Some(SeenBundle {
                class: ClassId::new(*class).ok()?,
                cell: Cell::from_raw(*cell).ok()?,
                ttl: TtlHours::new((*ttl).into()).ok()?,
            })
        };
        self.bundles.iter().filter_map(bundle).collect()
    }
}

impl Trail {
    /// What came from the vault: nobody signs any more for what was on its way when the agent stopped, and what
    /// strangers may remember the meter does too.
    pub(crate) fn resume(&mut self, now: Timestamp, meter: &mut Meter) {
        self.expire(now);
        for event in &mut self.events {
            if event.receipt == Receipted::Waiting {
                event.receipt = Receipted::Lost;
            }
            if event.discovery {
                meter.absorb(event.at, &event.seen());
            }
        }
    }

    /// Takes in an event that left, as deposit number `deposit`.
    pub(crate) fn add(
        &mut self,
        at: Timestamp,
        lane: Lane,
        truth: &[SlotTruth],
        reading: Option<&Reading>,
        deposit: u64,
    ) {
        let bundle = |seen: &SeenBundle| (seen.class.get(), seen.cell.raw(), seen.ttl.hours());
        let stated = reading.and_then(|reading| {
            let own = reading.own?;
            Some(Stated { probability: own.probability, hypotheses: reading.hypotheses, shares: reading.shares })
        });
        self.events.push_back(TrailEvent {
            at,
            discovery: lane == Lane::Discovery,
            real: u8::try_from(truth.iter().filter(|slot| slot.is_real()).count()).unwrap_or(u8::MAX),
            receipt: Receipted::Waiting,
            bundles: reading.map(|reading| reading.bundles.iter().map(bundle).collect()).unwrap_or_default(),
            stated,
            held_back: reading.is_some_and(|reading| !reading.held_back.is_empty() && reading.own.is_none()),
            deposit: Some(deposit),
        });
        self.expire(at);
    }

    /// Notes which broadcasts gave way in an event that left, and which need to no longer.
    pub(crate) fn note(&mut self, at: Timestamp, mode: Mode, highest: f64, reading: &Reading) {
        let action = FloorAction::from(mode);
        for Suspected { broadcast, probability } in &reading.held_back {
            self.held.insert(*broadcast, HeldBack { at, probability: *probability, action });
        }
        if let Some(own) = reading.own.filter(|own| own.probability <= highest) {
            self.held.remove(&own.broadcast);
        }
    }

    /// What became of a deposit.
    pub(crate) fn receipted(&mut self, deposit: u64, receipt: Receipted) {
        if let Some(event) = self.events.iter_mut().rev().find(|event| event.deposit == Some(deposit)) {
            event.receipt = receipt;
        }
    }

    pub(crate) fn expire(&mut self, now: Timestamp) {
        let oldest = now.before(Meter::MEMORY);
        while self.events.len() > MOST_EVENTS || self.events.front().is_some_and(|event| event.at < oldest) {
            self.events.pop_front();
        }
        self.held.retain(|_, held| now.since(held.at) < SAID_FOR);
    }

    /// Oldest first.
    pub(crate) fn events(&self) -> impl DoubleEndedIterator<Item = &TrailEvent> {
        self.events.iter()
    }

    /// What the meter did about a broadcast lately.
    pub(crate) fn held(&self, id: BroadcastId, now: Timestamp) -> Option<HeldBack> {
        self.held.get(&id).copied().filter(|held| now.since(held.at) < SAID_FOR)
    }

    /// The last broadcast that gave way, if any did lately.
    pub(crate) fn last_held(&self, now: Timestamp) -> Option<HeldBack> {
        let lately = self.held.values().filter(|held| now.since(held.at) < SAID_FOR);
        lately.max_by_key(|held| held.at).copied()
    }

    /// The mode or the floor changed: what was done under the other one is done no more.
    pub(crate) fn forget_held(&mut self) {
        self.held.clear();
    }
}
