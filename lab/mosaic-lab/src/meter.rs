//! The agent's anonymity meter: trained here on generated people, and played here on devices that use it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Result;
use mosaic_attack::{Choice, History, Lesson, MeterModel, MeterPlan, contrast};
use mosaic_geo::PlaceIndex;
use mosaic_release::{Measuring, Meter, town};
use mosaic_types::{AnonymityFloor, Mode};

use crate::{
    Part, PopulationPlan, Progress,
    device::Device,
    opened::{Layers, Life, Opened, OpenedSlot, open, record_opened},
    population::play_all,
    runs::evening,
    tables::Tables,
};

/// The modes a meter is trained for, each on people of its own.
const MODES: [Mode; 3] = [Mode::Emergency, Mode::Balanced, Mode::Maximum];

/// The people a meter learns from are others than those of a run with the same seed.
const OTHERS: u64 = 0x6D65_7465_7200_0000;

/// Makes a meter: generated people of each mode lead an ordinary life, and the attacker learns from the events of
/// some ([`Part::Train`]) and how sure to be from those of others ([`Part::Tune`]). The same plan over the same
/// places gives the same model, byte for byte on one kind of machine: logarithms and exponentials are the
/// platform's.
///
/// # Errors
/// When nobody can live in `places`, or the release refuses something.
pub fn make_meter(places: &Arc<PlaceIndex>, plan: MeterPlan, progress: &Progress<'_>) -> Result<MeterModel> {
    let (mut training, mut tuning) = (Vec::new(), Vec::new());
    for (number, mode) in (0_u32..).zip(MODES) {
        progress.stage(&format!("{} people in {mode} mode", plan.people), plan.people.into());
        let population = PopulationPlan {
            agents: plan.people,
            length: Duration::from_hours(plan.hours.into()),
            seed: (plan.seed ^ OTHERS).wrapping_add(number.into()),
            mode,
            start: evening(),
            liked: None,
        };
        let opened = record_opened(places, population, Life::Ordinary, Layers::Outer, progress)?;
        for lesson in lessons(places, mode, &opened) {
            match Part::of(&format!("{mode}-{}", lesson.choice.user), plan.seed) {
                Part::Train => training.push(lesson),
                Part::Tune | Part::Test => tuning.push(lesson),
            }
        }
    }
    progress.stage("learning", 0);
    Ok(MeterModel::fit(plan, &training, &tuning))
}

/// The events that carry something real, as the meter of the device that sent them would see them.
pub(crate) fn lessons(places: &Arc<PlaceIndex>, mode: Mode, opened: &[Opened]) -> Vec<Lesson> {
    let (town, mut lessons) = (town(Arc::clone(places)), Vec::new());
    for own in opened.chunk_by(|a, b| a.user == b.user) {
        let mut history = History::of_the_last(Meter::MEMORY);
        for event in own {
            let bundles = event.bundles();
            if let Some(truth) = event.real() {
                let rows = contrast(&history.rows(event.at, &bundles, &town));
                // with the person are companions only, whose numbers are small
                let small = |slot: &OpenedSlot| u8::try_from(slot.identity).unwrap_or(u8::MAX);
                let identities = event.slots.iter().map(small).collect();
                lessons.push(Lesson { mode, choice: Choice { user: event.user, rows, truth }, identities });
            }
            history.absorb(event.at, &bundles);
        }
    }
    lessons
}

/// What devices with a meter sent, and what their meters did.
#[derive(Default)]
pub(crate) struct Metered {
    pub(crate) opened: Vec<Opened>,
    /// By person: discovery events in which a bundle of theirs was due, and those in which it was held back.
    pub(crate) due: BTreeMap<u32, (u32, u32)>,
}

/// [`record_opened`] with the meter at work in every device.
pub(crate) fn record_metered(
    places: &Arc<PlaceIndex>,
    plan: PopulationPlan,
    floor: AnonymityFloor,
    progress: &Progress<'_>,
) -> Result<Metered> {
    let recorded = play_all(places, plan, progress, &|device: Device<'_>, tables: &mut Tables| {
        lead(device, places, plan, floor, tables)
    })?;
    let mut metered = Metered::default();
    for (event, due, held_back) in recorded {
        let count = metered.due.entry(event.user).or_default();
        *count = (count.0 + u32::from(due), count.1 + u32::from(held_back));
        metered.opened.push(event);
    }
    Ok(metered)
}

fn lead(
    mut device: Device<'_>,
    places: &Arc<PlaceIndex>,
    plan: PopulationPlan,
    floor: AnonymityFloor,
    tables: &mut Tables,
) -> Result<Vec<(Opened, bool, bool)>> {
    let (mut now, mut events, mut meter) = (plan.start, Vec::new(), Meter::new(Arc::clone(places)));
    loop {
        let send = device.next(now);
        if send.leave_at >= plan.start.after(plan.length) {
            return Ok(events);
        }
        now = send.tick;
        device.wish(send.leave_at, places)?;
        let Some(resolution) = send.resolution else { continue };
        let (at, table) = (send.leave_at, tables.descriptor(send.leave_at.period()));
        let measuring = Measuring { at, resolution, table: &table, mode: device.mode, floor };
        let reading = meter.measure(&mut device.releaser, &measuring)?;
        let event = device.discovery(at, resolution, tables)?;
        meter.absorb(at, &reading.bundles);
        let held_back = !reading.held_back.is_empty() && reading.own.is_none();
        let due = reading.own.is_some() || held_back;
        events.push((open(device.user, resolution, &event, Layers::Outer, tables)?, due, held_back));
    }
}

#[cfg(test)]
mod tests {
    use mosaic_geo::synthetic_city;

    use super::*;

    const SMALL: MeterPlan = MeterPlan { seed: 5, people: 8, hours: 6 };

    fn make(plan: MeterPlan) -> Vec<u8> {
        make_meter(&Arc::new(synthetic_city(1)), plan, &Progress::SILENT).unwrap().encode()
    }

    /// Seed 5, eight people of each mode, six hours.
    #[test]
    fn the_same_plan_makes_the_same_model() {
        let bytes = make(SMALL);
        assert_eq!(bytes, make(SMALL));
        assert_ne!(bytes, make(MeterPlan { seed: 6, ..SMALL }));
    }

    /// The whole of what ships, made again: minutes, and only on the kind of machine that it was made on.
    #[test]
    #[ignore = "minutes; `mosaic lab meter --out` and a comparison of files do the same"]
    fn the_shipped_model_is_what_the_command_makes() {
        let shipped = include_bytes!("../../../models/meter.bin");
        assert!(make(MeterPlan::SHIPPED) == shipped, "models/meter.bin is not what `mosaic lab meter` makes");
    }
}
