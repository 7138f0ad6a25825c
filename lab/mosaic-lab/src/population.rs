//! What one provider sees of the discovery lane of a population.
//!
//! The view is stronger than the design grants: every event is linked to its writer and every provider's
//! segment is seen. Devices do not meet on this lane, so each is played by itself, on all cores; no row is
//! ever full here (the evening of [`crate::evening`] has full rows and retries).

use std::{
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Result, anyhow};
use mosaic_attack::EventView;
use mosaic_geo::{PlaceIndex, Resident, Residents};
use mosaic_types::{Mode, Timestamp};

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
    let residents = Residents::generate(places, plan.agents as usize, plan.seed)?;
    let waiting = Mutex::new((0..).zip(residents.all()));
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let recorded: Result<Vec<Vec<EventView>>> = thread::scope(|scope| {
        let workers = (0..cores).map(|_| scope.spawn(|| play(&waiting, places, plan, progress)));
        let workers: Vec<_> = workers.collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| anyhow!("a recording stopped"))?).collect()
    });
    let mut events = recorded?.concat();
    events.sort_by_key(|event| (event.at, event.user));
    Ok(events)
}

/// Plays one device after another until none waits. Outputs are kept per worker: most are needed by many.
fn play<'a>(
    waiting: &Mutex<impl Iterator<Item = (u32, &'a Resident)>>,
    places: &Arc<PlaceIndex>,
    plan: PopulationPlan,
    progress: &Progress<'_>,
) -> Result<Vec<EventView>> {
    let (mut tables, mut events) = (Tables::new(plan.agents, plan.seed)?, Vec::new());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    while let Some((user, resident)) = next() {
        let device = Device::new(user, resident, places, plan);
        live(device, places, plan.start.after(plan.length), plan.start, &mut tables, &mut events)?;
        progress.step();
    }
    Ok(events)
}

fn live(
    mut device: Device<'_>,
    places: &PlaceIndex,
    end: Timestamp,
    mut now: Timestamp,
    tables: &mut Tables,
    events: &mut Vec<EventView>,
) -> Result<()> {
    loop {
        let send = device.next(now);
        if send.leave_at >= end {
            return Ok(());
        }
        device.wish(send.leave_at, places)?;
        if let Some(resolution) = send.resolution {
            let event = device.discovery(send.leave_at, resolution, tables)?;
            events.push(view(device.user, &event));
        }
        now = send.tick;
    }
}
