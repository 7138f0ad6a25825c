use std::time::Duration;

use mosaic_types::{Lane, ServiceClass, Timestamp};
use rand::CryptoRng;

use crate::draw;

/// H3 resolutions of successive discovery events: a fixed public order, so that the resolution of an
/// event says nothing (DESIGN section 4).
pub const RESOLUTIONS: [u8; 5] = [8, 7, 8, 6, 8];

/// The resolution of every urgent discovery event: fixed and public as well.
pub const URGENT_RESOLUTION: u8 = 8;

/// One event that will leave, whether or not there is anything to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// Which table it goes to.
    pub lane: Lane,
    /// H3 resolution of a discovery event; none on the rendezvous lane.
    pub resolution: Option<u8>,
    /// The tick it belongs to; ask for the next event with this instant.
    pub tick: Timestamp,
    /// When it leaves: not before the tick, and before the next tick of the same lane.
    pub leave_at: Timestamp,
}

/// The fixed cadence of a service class: the two lanes take turns every half lane interval.
///
/// All devices of a class tick together, on a grid counted from the Unix epoch, so a tick's time tells
/// no two of them apart; maximum mode, whose ticks are rare, has a phase of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    class: ServiceClass,
    phase: Duration,
}

impl Cadence {
    /// The cadence of `class`, shifted by `phase` (taken modulo the lane interval).
    pub fn new(class: ServiceClass, phase: Duration) -> Self {
        let interval = class.profile().lane_interval.as_millis();
        let phase = u64::try_from(phase.as_millis().checked_rem(interval).unwrap_or(0)).unwrap_or(0);
        Self { class, phase: Duration::from_millis(phase) }
    }

    /// The cadence of a device that starts: maximum mode draws its own phase, the others share the grid.
    pub fn draw(class: ServiceClass, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let phase = match class {
            ServiceClass::Maximum => draw::below(class.profile().lane_interval, rng),
            ServiceClass::Emergency | ServiceClass::Balanced | ServiceClass::OpenDoor => Duration::ZERO,
        };
        Self::new(class, phase)
    }

    /// The class.
    pub const fn class(&self) -> ServiceClass {
        self.class
    }

    /// The phase: store it, so that a restart keeps the grid.
    pub const fn phase(&self) -> Duration {
        self.phase
    }

    /// Time from one tick to the next, of either lane.
    pub fn step(&self) -> Duration {
        self.class.profile().lane_interval / 2
    }

    /// The event of the first tick after `after`.
    pub fn next(&self, after: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> Scheduled {
        let step = u64::try_from(self.step().as_millis()).unwrap_or(u64::MAX).max(1);
        let phase = u64::try_from(self.phase.as_millis()).unwrap_or(0);
        let number = after.as_millis().checked_sub(phase).map_or(0, |since| since / step + 1);
        let tick = Timestamp::from_millis(phase.saturating_add(number.saturating_mul(step)));
        let profile = self.class.profile();
        let delay = draw::below(profile.send_delay.min(profile.lane_interval), rng);
        let lane = if number.is_multiple_of(2) { Lane::Discovery } else { Lane::Rendezvous };
        Scheduled { lane, resolution: resolution_of(lane, number / 2), tick, leave_at: tick.after(delay) }
    }

    /// An event out of turn, in emergency mode only: it leaves within the mode's send delay and shows the
    /// moment. The regular cadence goes on beside it.
    pub fn urgent(&self, now: Timestamp, lane: Lane, rng: &mut (impl CryptoRng + ?Sized)) -> Option<Scheduled> {
        if self.class != ServiceClass::Emergency {
            return None;
        }
        let resolution = (lane == Lane::Discovery).then_some(URGENT_RESOLUTION);
        let leave_at = now.after(draw::below(self.class.profile().send_delay, rng));
        Some(Scheduled { lane, resolution, tick: now, leave_at })
    }
}

/// The resolution of discovery tick `number`.
fn resolution_of(lane: Lane, number: u64) -> Option<u8> {
    let place = usize::try_from(number % 5).unwrap_or(0);
    RESOLUTIONS.get(place).copied().filter(|_| lane == Lane::Discovery)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    const CLASSES: [ServiceClass; 4] =
        [ServiceClass::Emergency, ServiceClass::Balanced, ServiceClass::Maximum, ServiceClass::OpenDoor];

    fn run(cadence: Cadence, from: Timestamp, events: usize, rng: &mut ChaCha20Rng) -> Vec<Scheduled> {
        let mut after = from;
        std::iter::repeat_with(|| {
            let event = cadence.next(after, rng);
            after = event.tick;
            event
        })
        .take(events)
        .collect()
    }

    #[test]
    fn balanced_sends_five_and_five_an_hour_and_an_open_door_one_a_minute() {
        let hour = Timestamp::from_secs(1_763_683_200);
        let count = |class| {
            let mut rng = ChaCha20Rng::seed_from_u64(1);
            let events = run(Cadence::new(class, Duration::ZERO), hour, 120, &mut rng);
            let inside = events.iter().filter(|event| event.tick <= hour.after(Duration::from_hours(1)));
            let lanes: Vec<_> = inside.map(|event| event.lane).collect();
            let discovery = lanes.iter().filter(|lane| **lane == Lane::Discovery).count();
            (discovery, lanes.len() - discovery)
        };
        assert_eq!(CLASSES.map(count), [(5, 5), (5, 5), (1, 1), (30, 30)]);
    }

    #[test]
    fn resolutions_follow_the_public_order() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let cadence = Cadence::new(ServiceClass::Balanced, Duration::ZERO);
        let events = run(cadence, Timestamp::from_millis(0), 21, &mut rng);
        let order: Vec<_> = events.iter().filter_map(|event| event.resolution).collect();
        // The tick at the epoch itself, number 0, lies before the first one here.
        assert_eq!(order, [7, 8, 6, 8, 8, 7, 8, 6, 8, 8]);
        assert_eq!(cadence.next(Timestamp::from_millis(0), &mut rng).lane, Lane::Rendezvous);
    }

    #[test]
    fn only_emergency_sends_out_of_turn() {
        let (now, mut rng) = (Timestamp::from_secs(9_000), ChaCha20Rng::seed_from_u64(3));
        for class in CLASSES {
            let urgent = Cadence::new(class, Duration::ZERO).urgent(now, Lane::Discovery, &mut rng);
            assert_eq!(urgent.is_some(), class == ServiceClass::Emergency);
            assert!(urgent.is_none_or(|event| event.leave_at.since(now) < Duration::from_secs(60)));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// One event per lane and interval, lanes in turns, delays inside their bounds, whatever the class,
        /// phase and start.
        #[test]
        fn one_event_per_lane_and_interval(class in 0..4_usize, start in 0..4_000_000_000_u64, phase in 0..10_000_000_u64, seed: u64) {
            let class = CLASSES[class];
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let cadence = Cadence::new(class, Duration::from_millis(phase));
            let from = Timestamp::from_millis(1_700_000_000_000 + start);
            let events = run(cadence, from, 40, &mut rng);
            prop_assert!(events[0].tick > from && events[0].tick.since(from) <= cadence.step());
            for pair in events.windows(2) {
                prop_assert_eq!(pair[1].tick.since(pair[0].tick), cadence.step());
                prop_assert_ne!(pair[0].lane, pair[1].lane);
                prop_assert!(pair[0].leave_at <= pair[1].leave_at || class == ServiceClass::Maximum);
            }
            for event in &events {
                let profile = class.profile();
                prop_assert!(event.leave_at >= event.tick && event.leave_at.since(event.tick) < profile.send_delay);
                prop_assert!(event.leave_at < event.tick.after(profile.lane_interval));
                prop_assert_eq!(event.resolution.is_some(), event.lane == Lane::Discovery);
            }
        }

        /// A restart anywhere between two ticks meets the same grid, lanes and resolutions.
        #[test]
        fn the_grid_survives_a_restart(seed: u64, gap in 0..360_000_u64) {
            let cadence = Cadence::new(ServiceClass::Balanced, Duration::ZERO);
            let tick = Timestamp::from_secs(1_763_683_200);
            let event = |after| {
                let event = cadence.next(after, &mut ChaCha20Rng::seed_from_u64(seed));
                (event.lane, event.resolution, event.tick)
            };
            prop_assert_eq!(event(tick), event(tick.after(Duration::from_millis(gap))));
        }

        /// What a device does meanwhile moves nothing: one that is busy after each event (it seals, sends, reads)
        /// and asks for the next at any moment before the next tick sends at the same times as one that has
        /// nothing to do and asks at once.
        #[test]
        fn being_busy_cannot_move_an_event(class in 0..4_usize, seed: u64, phase in 0..10_000_000_u64, busy in prop::collection::vec(0.0..1.0_f64, 30)) {
            let cadence = Cadence::new(CLASSES[class], Duration::from_millis(phase));
            let from = Timestamp::from_secs(1_763_683_200);
            let idle = run(cadence, from, busy.len(), &mut ChaCha20Rng::seed_from_u64(seed));
            let (mut rng, mut asked) = (ChaCha20Rng::seed_from_u64(seed), from);
            for (busy, idle) in busy.iter().zip(idle) {
                let event = cadence.next(asked, &mut rng);
                prop_assert_eq!(event, idle);
                asked = event.tick.after(cadence.step().mul_f64(*busy));
            }
        }
    }
}
