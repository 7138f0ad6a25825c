use std::{collections::VecDeque, time::Duration};

use mosaic_net::{Cadence, Scheduled};
use mosaic_types::{Lane, ServiceClass, Timestamp};
use rand::CryptoRng;

/// When events leave. It knows nothing of what they carry.
pub(crate) struct Schedule {
    cadence: Cadence,
    next: Option<Scheduled>,
    /// Emergency mode only.
    urgent: VecDeque<Scheduled>,
    /// Whether the OPRF outputs of the next event were asked for.
    pub(crate) prepared: bool,
}

impl Schedule {
    pub(crate) fn new(class: ServiceClass, phase: Duration) -> Self {
        Self { cadence: cadence(class, phase), next: None, urgent: VecDeque::new(), prepared: false }
    }

    pub(crate) const fn class(&self) -> ServiceClass {
        self.cadence.class()
    }

    /// Another class, another cadence; the event that was next under the old one does not leave.
    pub(crate) fn change(&mut self, class: ServiceClass, phase: Duration) {
        *self = Self::new(class, phase);
    }

    /// The next event of the cadence.
    pub(crate) fn next(&mut self, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> Scheduled {
        match self.next {
            Some(next) => next,
            None => *self.next.insert(self.cadence.next(now, rng)),
        }
    }

    pub(crate) const fn peek(&self) -> Option<Scheduled> {
        self.next
    }

    /// Goes on to the following event; ticks that passed unused (the device slept) are not made up for.
    pub(crate) fn advance(&mut self, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) {
        let from = self.next.map_or(now, |done| done.tick.max(now.before(self.cadence.step())));
        self.next = Some(self.cadence.next(from, rng));
        self.prepared = false;
    }

    /// Books an event out of turn; does nothing outside emergency mode.
    pub(crate) fn hurry(&mut self, now: Timestamp, lane: Lane, rng: &mut (impl CryptoRng + ?Sized)) {
        if self.urgent.len() < 8 && !self.urgent.iter().any(|booked| booked.lane == lane) {
            self.urgent.extend(self.cadence.urgent(now, lane, rng));
        }
    }

    /// An urgent event whose time has come.
    pub(crate) fn due_urgent(&self, now: Timestamp) -> Option<Scheduled> {
        self.urgent.iter().find(|booked| booked.leave_at <= now).copied()
    }

    pub(crate) fn urgent_left(&mut self, done: Scheduled) {
        self.urgent.retain(|booked| *booked != done);
    }

    /// Until when an event that cannot be built yet is held back.
    pub(crate) fn held_until(&self, event: Scheduled) -> Timestamp {
        event.tick.after(self.cadence.step())
    }

    pub(crate) fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let due = self
            .next
            .iter()
            .chain(&self.urgent)
            .map(|event| if event.leave_at > now { event.leave_at } else { self.held_until(*event) });
        due.min()
    }
}

/// Maximum mode has a phase of its own; the others tick on the common grid.
fn cadence(class: ServiceClass, phase: Duration) -> Cadence {
    let own = class == ServiceClass::Maximum;
    Cadence::new(class, if own { phase } else { Duration::ZERO })
}
