//! A month of friends: pairs that spend an evening together, now and then, have a token between them that day and
//! exchange contacts over the rendezvous lane. Everything else a device sends is what devices always send.
//!
//! Frames come out of the real `Associations` and events out of the real release, on the real cadence. Left out are the
//! discovery lane, which says nothing of friends, and full rows: so few people never fill one.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Result;
use mosaic_geo::{PlaceIndex, Society};
use mosaic_types::{Lane, Timestamp};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::{Meetings, meeting::Neighbour, provider::Providers};
use crate::{device::Device, population::PopulationPlan, tables::Tables};

/// What was recorded of a month.
#[derive(Debug, Default)]
pub(crate) struct Month {
    /// Every rendezvous event: when, by whom, and its tables and rows.
    pub(crate) sent: Vec<(Timestamp, u32, Vec<u64>)>,
    /// Friendships, the smaller number first.
    pub(crate) friends: Vec<(u32, u32)>,
    /// Contacts that arrived: proof that friends were in touch.
    pub(crate) contacts: u64,
    /// Where everybody was at the start of every hour: what no provider sees, for the baseline.
    pub(crate) places: Vec<(Timestamp, u32, mosaic_types::LatLng)>,
}

/// How often a device looks whether something is for it.
const LOOK: Duration = Duration::from_mins(30);
/// The hour of the day (UTC) from which friends agree on their evening.
const AGREE: u64 = 15;

/// Lets `plan.agents` friends live for `plan.length`.
///
/// # Errors
/// When nobody can live in `places` or the release refuses something, with what it said.
pub(crate) fn record_month(places: &Arc<PlaceIndex>, plan: PopulationPlan) -> Result<Month> {
    let society = Society::generate(places, plan.agents as usize, plan.seed)?;
    let devices = (0..).zip(society.residents()).map(|(user, one)| Device::new(user, one, places, plan));
    let mut people: Vec<Neighbour<'_>> = devices.map(Neighbour::new).collect();
    let mut tables = Tables::new(plan.agents, plan.seed)?;
    let mut providers = Providers::new(people.len(), ChaCha20Rng::seed_from_u64(!plan.seed));
    let mut month = Month { friends: society.friends().pairs().collect(), ..Month::default() };
    let (mut agenda, mut met) = (BTreeMap::new(), Meetings::default());
    let mut agreed: Vec<Option<u64>> = vec![None; people.len()];
    for user in 0..plan.agents {
        agenda.insert((plan.start, user, true), None);
        agenda.insert((plan.start, user, false), Some(Lane::Discovery));
    }
    let end = plan.start.after(plan.length);
    while let Some(((now, user, _), act)) = agenda.pop_first().filter(|((now, ..), _)| *now < end) {
        let at = user as usize;
        let Some(lane) = act else {
            people[at].tidy(now);
            people[at].read(now, &mut tables, &providers, &mut met)?;
            if let Some((friend, token)) = agree(&society, now, user, &mut agreed[at], &mut people[at])? {
                people[friend as usize].hear(token, user);
            }
            people[at].join_what_was_heard(now)?;
            agenda.insert((now.after(LOOK), user, true), None);
            continue;
        };
        let person = &mut people[at];
        if lane == Lane::Rendezvous {
            let event = person.rendezvous(now, &mut tables)?;
            let table = u64::from(event.fields().table.0) << 24;
            let rows = event.fields().rows.iter().map(|tag| table | u64::from(tag.row())).collect();
            month.sent.push((now, user, rows));
            providers.keep(now, user, &event);
            person.acknowledged(&event, 0);
        }
        let next = person.device.next(person.tick.unwrap_or(now));
        person.tick = Some(next.tick);
        agenda.insert((next.leave_at, user, false), Some(next.lane));
    }
    for hour in 0..plan.length.as_secs() / 3_600 {
        let now = plan.start.after(Duration::from_hours(hour));
        let placed = |user: u32| Some((now, user, society.day(user, now)?.position_at(now)?));
        month.places.extend((0..plan.agents).filter_map(placed));
    }
    month.contacts = met.contacts;
    Ok(month)
}

/// The first of two friends who meet that evening makes a token, once a day.
fn agree(
    society: &Society,
    now: Timestamp,
    user: u32,
    agreed: &mut Option<u64>,
    person: &mut Neighbour<'_>,
) -> Result<Option<(u32, mosaic_types::Token)>> {
    let (day, hour) = (now.as_secs() / 86_400, now.as_secs() / 3_600 % 24);
    if hour < AGREE || *agreed == Some(day) {
        return Ok(None);
    }
    *agreed = Some(day);
    let Some(friend) = society.meets(user, now).filter(|friend| user < *friend) else { return Ok(None) };
    person.make_token(now, friend)
}
