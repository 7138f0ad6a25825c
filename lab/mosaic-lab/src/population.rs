//! What one provider sees of the discovery lane of a population.
//!
//! The view is stronger than the design grants: every event is linked to its writer and every provider's
//! segment is seen. Devices do not meet on this lane, so each is played by itself, on all cores; no row is
//! ever full here (the evening of [`crate::evening()`] has full rows and retries).

use std::{
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Result, anyhow};
use mosaic_attack::EventView;
use mosaic_geo::{PlaceIndex, Residents};
use mosaic_types::{ClassShares, Mode, Timestamp};

use crate::{
    Progress,
    device::{Device, view},
    tables::Tables,
};

/// How many people, how long, from which seed.
#[derive(Clone, Copy, Debug)]
pub struct PopulationPlan {
    /// People; each has one device.
    pub agents: u32,
    /// Length of the recording.
    pub length: Duration,
    /// Everything is drawn from it.
    pub seed: u64,
    /// The mode of all devices.
    pub mode: Mode,
    /// First instant; a Saturday evening in the demo.
    pub start: Timestamp,
    /// How popular the classes are there, where that was published before the devices began.
    pub liked: Option<ClassShares>,
}

/// Lets `plan.agents` people live in `places` and records the discovery events of their devices, in order
/// of time. The same plan gives the same recording on any number of cores.
///
/// # Errors
/// When nobody can live there or the release refuses something, with what it said.
pub fn record_discovery(
    places: &Arc<PlaceIndex>,
    plan: PopulationPlan,
    progress: &Progress<'_>,
) -> Result<Vec<EventView>> {
    let live = |device: Device<'_>, tables: &mut Tables| live(device, places, plan, tables);
    let mut events = play_all(places, plan, progress, &live)?;
    events.sort_by_key(|event| (event.at, event.user));
    Ok(events)
}

/// Plays every device of a population by itself, on all cores, and gathers what `live` records, in order of users.
pub(crate) fn play_all<T: Send>(
    places: &Arc<PlaceIndex>,
    plan: PopulationPlan,
    progress: &Progress<'_>,
    live: &(impl Fn(Device<'_>, &mut Tables) -> Result<Vec<T>> + Sync),
) -> Result<Vec<T>> {
    let residents = Residents::generate(places, plan.agents as usize, plan.seed)?;
    let waiting = Mutex::new((0_u32..).zip(residents.all()));
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    // outputs are kept per worker: most are needed by many
    let worker = || -> Result<Vec<(u32, Vec<T>)>> {
        let (mut tables, mut recorded) = (Tables::new(plan.agents, plan.seed)?, Vec::new());
        while let Some((user, resident)) = next() {
            recorded.push((user, live(Device::new(user, resident, places, plan), &mut tables)?));
            progress.step();
        }
        Ok(recorded)
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let recorded: Result<Vec<_>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| anyhow!("a recording stopped"))?).collect()
    });
    let mut recorded: Vec<_> = recorded?.into_iter().flatten().collect();
    recorded.sort_by_key(|(user, _)| *user);
    Ok(recorded.into_iter().flat_map(|(_, events)| events).collect())
}

fn live(
    mut device: Device<'_>,
    places: &PlaceIndex,
    plan: PopulationPlan,
    tables: &mut Tables,
) -> Result<Vec<EventView>> {
    let (mut now, mut events) = (plan.start, Vec::new());
    loop {
        let send = device.next(now);
        if send.leave_at >= plan.start.after(plan.length) {
            return Ok(events);
        }
        device.wish(send.leave_at, places)?;
        if let Some(resolution) = send.resolution {
            let event = device.discovery(send.leave_at, resolution, tables)?;
            events.push(view(device.user, &event));
        }
        now = send.tick;
    }
}
