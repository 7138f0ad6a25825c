//! Events: built when the cadence says so, deposited until somebody signs for them.

use mosaic_discovery::{FrameId, OutgoingFrame};
use mosaic_net::{PathKind, Scheduled};
use mosaic_release::{Measuring, Reading, ReleaseError, ReleasedEvent};
use mosaic_types::{Lane, ProviderId, Stream, Timestamp};
use mosaic_wire::{Call, CellRequest, TableDescriptor, TokenPurpose, event_hash};
use rand::CryptoRng;

use super::{AgentCore, AgentEvent, EventTruth};
use crate::post::Errand;

/// Whether an event left.
enum Departure {
    Left,
    /// Outputs or the table are missing: hold it back a little.
    Held,
    /// It cannot be built at all.
    Impossible,
}

impl AgentCore {
    pub(crate) fn keep_schedule(&mut self, now: Timestamp, rng: &mut impl CryptoRng) {
        while let Some(urgent) = self.schedule.due_urgent(now) {
            if matches!(self.depart(now, urgent, rng), Departure::Held) && now < self.schedule.held_until(urgent) {
                break;
            }
            self.schedule.urgent_left(urgent);
            // answers to many waves can fill an event; what was agreed on does not wait for the cadence behind them
            if urgent.lane == Lane::Rendezvous && self.associations.agreed_waits(now) {
                self.schedule.hurry(now, Lane::Rendezvous, rng);
            }
        }
        let next = self.schedule.next(now, rng);
        if next.leave_at > now {
            return self.prepare(next);
        }
        let held = matches!(self.depart(now, next, rng), Departure::Held);
        if !held || now >= self.schedule.held_until(next) {
            self.schedule.advance(now, rng);
            if let Some(following) = self.schedule.peek() {
                self.prepare(following);
            }
        }
    }

    /// Asks for the outputs of an event before it is due.
    fn prepare(&mut self, event: Scheduled) {
        if self.schedule.prepared {
            return;
        }
        let Some(resolution) = event.resolution else {
            self.schedule.prepared = true;
            return;
        };
        let Some(table) = self.tables.get(event.leave_at.period()) else { return };
        self.schedule.prepared = true;
        // what gives way then gives way now, so that its outputs are not fetched in vain
        drop(self.measure(event.leave_at, resolution, &table));
        if let Ok(needs) = self.releaser.discovery_needs(event.leave_at, resolution, &table) {
            self.oprf.want_urgently(needs);
        }
    }

    fn depart(&mut self, now: Timestamp, event: Scheduled, rng: &mut impl CryptoRng) -> Departure {
        let stream = Stream::from(self.class(now));
        let built = match event.resolution {
            Some(resolution) => self.build_discovery(now, resolution, stream, rng),
            None => self.build_rendezvous(now, stream, rng).map(|built| built.map(|event| (event, None))),
        };
        match built {
            Ok(Some((released, reading))) => self.release(now, released, reading.as_ref()),
            Ok(None) => Departure::Held,
            Err(ReleaseError::Missing(inputs)) => {
                self.oprf.want_urgently(inputs);
                Departure::Held
            }
            Err(error) => {
                tracing::warn!(%error, lane = ?event.lane, "an event could not be built");
                Departure::Impossible
            }
        }
    }

    fn build_discovery(
        &mut self,
        now: Timestamp,
        resolution: u8,
        stream: Stream,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<(ReleasedEvent, Option<Reading>)>, ReleaseError> {
        let Some(table) = self.tables.get(now.period()) else { return Ok(None) };
        let reading = self.measure(now, resolution, &table)?;
        let event = self.releaser.discovery_event(now, resolution, &table, stream, &self.oprf.outputs, rng)?;
        self.answers.settle_tastes();
        self.dirty = true;
        self.refresh_own_cards(now);
        Ok(Some((event, Some(reading))))
    }

    /// Looks at the next discovery event as the best attacker at hand would; below the floor, bundles give way.
    fn measure(&mut self, at: Timestamp, resolution: u8, table: &TableDescriptor) -> Result<Reading, ReleaseError> {
        let (mode, floor) = (self.mode(), self.settings.effective_floor());
        self.meter.measure(&mut self.releaser, &Measuring { at, resolution, table, mode, floor })
    }

    fn build_rendezvous(
        &mut self,
        now: Timestamp,
        stream: Stream,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<ReleasedEvent>, ReleaseError> {
        let Some(table) = self.tables.get(now.period()) else { return Ok(None) };
        let ratio = self.releaser.rendezvous_ratio(now, self.rendezvous_floor());
        let most = usize::try_from(ratio.most_real_of(10)).unwrap_or(0);
        self.associations.perhaps_decoy(now, || self.book.iter(), rng);
        let frames = self.rendezvous_frames(now, table.lane(Lane::Rendezvous).rows, most, rng);
        let offered: Vec<_> = frames.iter().map(|frame| frame.id).collect();
        let built = self.releaser.rendezvous_event(now, &table, stream, self.rendezvous_floor(), frames, rng);
        let taken = built.as_ref().map(ReleasedEvent::frames).unwrap_or_default();
        let stayed: Vec<_> = offered.into_iter().filter(|id| !taken.contains(id)).collect();
        self.requeue(&stayed);
        built.map(Some)
    }

    /// What goes into the next rendezvous event: a quarter of it is kept for groups, and what one side leaves free the
    /// other may use, so that neither holds up the other.
    fn rendezvous_frames(
        &mut self,
        now: Timestamp,
        rows: u32,
        most: usize,
        rng: &mut impl CryptoRng,
    ) -> Vec<OutgoingFrame> {
        let mut frames = self.groups.outgoing(now, rows, most.div_ceil(4));
        frames.extend(self.associations.outgoing(now, rows, most - frames.len(), rng));
        frames.extend(self.groups.outgoing(now, rows, most - frames.len()));
        frames
    }

    /// These frames did not leave: they go with a later event, to other rows.
    pub(crate) fn requeue(&mut self, frames: &[FrameId]) {
        self.associations.requeue(frames);
        self.groups.requeue(frames);
    }

    fn release(&mut self, now: Timestamp, event: ReleasedEvent, reading: Option<&Reading>) -> Departure {
        let lane = event.lane();
        let (resolution, class) = (event.resolution(), self.class(now));
        let slots = event.slot_truth().clone();
        let Some(deposit) = self.deposits.add(now, event) else { return Departure::Impossible };
        slots.expose(|slots| self.trail.add(now, lane, slots, reading, deposit));
        if let Some(reading) = reading {
            self.meter.absorb(now, &reading.bundles);
            self.trail.note(now, self.mode(), self.settings.effective_floor().highest(), reading);
        }
        let bytes = self.deposits.newest().map(|deposit| event_hash(&deposit.bytes)).unwrap_or_default();
        self.log_truth(|| EventTruth { at: now, lane, resolution, class, event: bytes, slots: slots.into_exposed() });
        tracing::debug!(?lane, ?class, "an event was released");
        self.counters.released += 1;
        self.note(AgentEvent::Released(lane));
        Departure::Left
    }

    /// Sends every deposit that waits to a random provider that has not failed it yet.
    pub(crate) fn send_deposits(&mut self, now: Timestamp, rng: &mut impl CryptoRng) {
        let kind = PathKind::of(self.class(now));
        for id in self.deposits.ready(now) {
            let Some(deposit) = self.deposits.get(id) else { continue };
            let tried = deposit.tried.clone();
            let live = self.paths.live(now);
            if !live.is_empty() && live.iter().all(|id| tried.contains(id)) {
                self.deposits.forget_tried(id);
            }
            let fresh = live.iter().filter(|id| !tried.contains(id) || live.iter().all(|id| tried.contains(id)));
            let can_pay = |to: &ProviderId| {
                self.deposits.token(now, id, *to).is_some() || self.wallet.has(now, *to, TokenPurpose::Deposit)
            };
            let stocked: Vec<_> = fresh.copied().filter(can_pay).collect();
            let Some(origin) = pick(&stocked, rng) else { continue };
            let Some(to) = self.paths.address(now, origin, kind, &[], rng) else { continue };
            let paid = self.deposits.token(now, id, origin).cloned();
            let token = paid.or_else(|| self.wallet.take(now, origin, TokenPurpose::Deposit));
            let Some(token) = token else { continue };
            let Some(event) = self.deposits.get(id).map(|deposit| *deposit.bytes) else { continue };
            self.deposits.sent(now, id, origin, token.clone());
            self.post.send(to, Call::Cell(CellRequest::Deposit { token, event }), Errand::Deposit(id));
        }
    }
}

/// One of the list, uniformly.
pub(crate) fn pick<T: Copy>(items: &[T], rng: &mut impl CryptoRng) -> Option<T> {
    use rand::RngExt as _;
    if items.is_empty() { None } else { items.get(rng.random_range(0..items.len())).copied() }
}
