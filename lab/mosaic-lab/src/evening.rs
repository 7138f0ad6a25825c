//! An evening of people who meet: what one provider sees of the rendezvous lane.
//!
//! Every frame comes out of the real `Associations`: people read the discovery cards around them with the
//! real plan, wave at those that fit (most are personas' cards, whose devices answer by themselves), accept
//! who approached them, exchange contacts, and pairs of friends meet by a token. Events leave on the real
//! cadence through the real release; rows fill up as at a provider, and one of the three reports some of
//! its rows full that are not, to watch what comes back.
//!
//! Two shortcuts, neither of which changes a byte that is sent: a device looks only at records of devices
//! that have something to do with it, and knows only those of its own cards that somebody waved at. What it
//! would find of the others is nothing, and finding nothing sends nothing.

mod meeting;
mod month;
mod openings;
mod provider;
mod several;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::Result;
use mosaic_attack::EventView;
use mosaic_geo::{PlaceIndex, Residents};
use mosaic_types::{Lane, Timestamp};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use self::{meeting::Neighbour, openings::Openings, provider::Providers};
pub(crate) use self::{
    month::{Month, record_month},
    several::{Evenings, record_evenings},
};
use crate::{
    Progress,
    device::{Device, view},
    population::PopulationPlan,
    tables::Tables,
};

/// What was recorded of an evening.
#[derive(Debug)]
pub struct Evening {
    /// Rendezvous events in order of time.
    pub rendezvous: Vec<EventView>,
    /// What happened between them: proof that people met.
    pub met: Meetings,
    /// Pairs that waved or handed over a token, the smaller number first: the judge of edge attacks.
    pub pairs: BTreeSet<(u32, u32)>,
    /// What each origin took in, on both lanes, in order of time.
    pub(crate) taken: Vec<Taken>,
}

/// An event at the origin that took it in.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// Which of the three providers.
    pub(crate) origin: u8,
    pub(crate) at: Timestamp,
    /// Who wrote it; the judge's knowledge behind a relay.
    pub(crate) by: u32,
    /// Tables and rows.
    pub(crate) rows: Vec<u64>,
}

/// What happened between people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meetings {
    /// Waves made.
    pub waves: u64,
    /// Automatic answers that came back.
    pub answers: u64,
    /// People who were told of a wave or of a joined token.
    pub approaches: u64,
    /// Contacts that arrived.
    pub contacts: u64,
    /// Slots of either lane that met a full row, or were told so.
    pub full: u64,
}

/// How often a person looks, taps "wave at all" and accepts, and the device polls: the pace of a balanced
/// device on its own.
const LOOK: Duration = Duration::from_mins(10);

/// What comes next for one person.
#[derive(Clone, Copy)]
enum Act {
    Send(Lane, Option<u8>),
    Look,
}

/// Lets people live, meet and talk, and records what they write on the rendezvous lane.
///
/// # Errors
/// When nobody can live in `places` or the release refuses something, with what it said.
pub fn record_evening(places: &Arc<PlaceIndex>, plan: PopulationPlan, progress: &Progress<'_>) -> Result<Evening> {
    let residents = Residents::generate(places, plan.agents as usize, plan.seed)?;
    let devices = (0..).zip(residents.all()).map(|(user, resident)| Device::new(user, resident, places, plan));
    let mut city = City {
        people: devices.map(Neighbour::new).collect(),
        tables: Tables::new(plan.agents, plan.seed)?,
        providers: Providers::new(plan.agents as usize, ChaCha20Rng::seed_from_u64(!plan.seed)),
        openings: Openings::default(),
        evening: Evening {
            rendezvous: Vec::new(),
            met: Meetings::default(),
            pairs: BTreeSet::new(),
            taken: Vec::new(),
        },
    };
    let (mut agenda, end) = (BTreeMap::new(), plan.start.after(plan.length));
    for user in 0..plan.agents {
        city.schedule(&mut agenda, user, plan.start);
        let phase = LOOK.mul_f64(f64::from(user) / f64::from(plan.agents.max(1)));
        agenda.insert((plan.start.after(phase), user, true), Act::Look);
    }
    let mut minute = plan.start;
    while let Some(((now, user, _), act)) = agenda.pop_first().filter(|((now, ..), _)| *now < end) {
        while minute.after(Duration::from_mins(1)) <= now {
            minute = minute.after(Duration::from_mins(1));
            progress.step();
        }
        match act {
            Act::Send(lane, resolution) => {
                city.send(user, now, lane, resolution)?;
                city.schedule(&mut agenda, user, now);
            }
            Act::Look => {
                city.look(places, user, now)?;
                agenda.insert((now.after(LOOK), user, true), Act::Look);
            }
        }
    }
    city.evening.rendezvous.sort_by_key(|event| (event.at, event.user));
    Ok(city.evening)
}

/// Everybody, the tables, and what the providers hold.
struct City<'a> {
    people: Vec<Neighbour<'a>>,
    tables: Tables,
    providers: Providers,
    openings: Openings,
    evening: Evening,
}

type Agenda = BTreeMap<(Timestamp, u32, bool), Act>;

impl City<'_> {
    /// Books the next event of a device. Ticks, not departures, count on: delays never shift the grid.
    fn schedule(&mut self, agenda: &mut Agenda, user: u32, start: Timestamp) {
        let person = &mut self.people[user as usize];
        let after = person.tick.unwrap_or(start);
        let next = person.device.next(after);
        person.tick = Some(next.tick);
        agenda.insert((next.leave_at, user, false), Act::Send(next.lane, next.resolution));
    }

    fn send(&mut self, user: u32, now: Timestamp, lane: Lane, resolution: Option<u8>) -> Result<()> {
        let person = &mut self.people[user as usize];
        let event = match resolution {
            Some(resolution) => person.device.discovery(now, resolution, &mut self.tables)?,
            None => person.rendezvous(now, &mut self.tables)?,
        };
        if lane == Lane::Rendezvous {
            self.evening.rendezvous.push(view(user, &event));
        }
        let (full, origin) = self.providers.deposit(now, user, &event, self.tables.shape(lane));
        let rows = view(user, &event).slots.iter().map(|slot| slot.key).collect();
        self.evening.taken.push(Taken { origin, at: now, by: user, rows });
        self.evening.met.full += u64::from(full.count_ones());
        person.acknowledged(&event, full);
        Ok(())
    }

    fn look(&mut self, places: &PlaceIndex, user: u32, now: Timestamp) -> Result<()> {
        let partner = self.partner_of(user);
        let person = &mut self.people[user as usize];
        person.wish(now, places)?;
        person.read(now, &mut self.tables, &self.providers, &mut self.evening.met)?;
        person.accept_everybody(now)?;
        if let Some((friend, token)) = person.hand_over_token(now, partner)? {
            self.people[friend as usize].hear(token, user);
            self.evening.pairs.insert((user.min(friend), user.max(friend)));
        }
        let person = &mut self.people[user as usize];
        person.join_what_was_heard(now)?;
        person.discover(now, &mut self.tables, &self.providers, &mut self.openings)?;
        for (card, owner) in person.wave_at_all(now, &mut self.evening.met)? {
            self.people[owner as usize].is_waved_at(card, user);
            self.evening.pairs.insert((user.min(owner), user.max(owner)));
        }
        Ok(())
    }

    /// One in six has a friend to meet by a token: neighbours by number, as good as any.
    fn partner_of(&self, user: u32) -> Option<u32> {
        let friend = user + 1;
        (user.is_multiple_of(12) && (friend as usize) < self.people.len()).then_some(friend)
    }
}
