//! What time alone changes: windows, classes, expiries.

use std::time::Duration;

use mosaic_discovery::{AssociationEvent, GroupEvent, Interest};
use mosaic_types::{LatLng, Radius, SearchWindow, Sensitive, TableId, Timestamp};
use mosaic_wire::OprfInput;

use super::{AgentCore, AgentEvent};

/// How long reading may lag before rendezvous states of an epoch are kept no longer.
const SETTLED_AFTER: Duration = Duration::from_hours(2);

impl AgentCore {
    /// Does what the passing of time asks for; cheap when nothing does.
    pub(crate) fn turn(&mut self, now: Timestamp) {
        let before = self.turned.replace((now.window(), now.as_millis()));
        self.change_class(now);
        if before.is_some_and(|(window, at)| window == now.window() && at / 60_000 == now.as_millis() / 60_000) {
            return;
        }
        self.revise();
        self.reader.note_progress();
        let periods = self.reader.periods(now);
        let oldest = periods.first().copied().unwrap_or(now.period());
        self.tables.expire(now, oldest);
        self.oprf.expire(now.window().previous().start().period());
        self.reader.expire(now, &periods, &mut self.book);
        self.interests.expire(now);
        self.trail.expire(now);
        let lost = self.deposits.expire(now, TableId::new(oldest, mosaic_types::Lane::Discovery));
        self.requeue(&lost);
        let ended = self.associations.expire(now);
        self.note_associations(ended);
        self.settle();
        self.dirty |= self.groups.expire(now);
        self.drop_ended_broadcasts(now);
        self.follow_begun(now);
        if before.is_none_or(|(window, _)| window != now.window()) {
            self.refresh_own_cards(now);
        }
        self.replan(now);
    }

    /// When the next minute begins.
    pub(crate) fn next_turn(&self) -> Timestamp {
        Timestamp::from_millis(self.turned.map_or(0, |(_, at)| (at / 60_000 + 1) * 60_000))
    }

    fn change_class(&mut self, now: Timestamp) {
        let class = self.class(now);
        if self.schedule.class() == class {
            return;
        }
        self.door_until = self.door_until.filter(|until| now < *until);
        self.schedule.change(class, self.phase);
        let attention = self.attention(now);
        self.reader.change(class, self.phase, now, attention);
        self.associations.set_wave_limit(class.profile().waves_per_hour);
    }

    /// Everything published in epochs that ended long ago was read: their states are erased.
    fn settle(&mut self) {
        if let Some(read) = self.reader.caught_up() {
            let through = read.before(SETTLED_AFTER).epoch().previous();
            self.associations.settled(through);
            self.groups.settled(through);
        }
    }

    fn drop_ended_broadcasts(&mut self, now: Timestamp) {
        let standing: Vec<_> = self.releaser.broadcasts().filter(|b| !b.is_over(now)).map(|b| b.id).collect();
        let followed: Vec<_> = self.interests.of_broadcasts().map(|(id, _)| id).collect();
        followed.into_iter().filter(|id| !standing.contains(id)).for_each(|id| self.interests.unfollow(id));
    }

    /// After a restart the true places are gone: own broadcasts are followed around the public cell.
    pub(crate) fn resume(&mut self, now: Timestamp) {
        self.follow_begun(now);
        self.associations.set_wave_limit(self.mode().profile().waves_per_hour);
        self.trail.resume(now, &mut self.meter);
    }

    /// Mailboxes of the cards that are out, real and persona alike.
    pub(crate) fn refresh_own_cards(&mut self, now: Timestamp) {
        let cards = self.releaser.own_cards(now);
        self.book.set_own(cards.iter().map(|card| card.public));
        self.associations.set_own_cards(cards);
    }

    /// Plans which rows to read, asks for the outputs that are missing and watches the others.
    pub(crate) fn replan(&mut self, now: Timestamp) {
        let Some(table) = self.tables.get(now.period()) else { return };
        let reach = self.reach();
        let planned = self.interests.replan(now, reach, table.groups).clone();
        self.oprf.forget_wishes(&planned);
        let (here, missing): (Vec<_>, Vec<_>) =
            planned.into_iter().partition(|input| self.oprf.outputs.contains_key(input));
        self.oprf.want(missing);
        self.watch_only(&here);
    }

    /// Stops watching what is planned no more and starts with what is.
    fn watch_only(&mut self, inputs: &[OprfInput]) {
        let planned = self.interests.planned();
        for rows in self.reader.watched.values_mut() {
            rows.retain(|_, watched| {
                watched.retain(|input| planned.contains(input));
                !watched.is_empty()
            });
        }
        self.watch(inputs);
    }

    /// What happened in groups is in the vault too: its keys are erased once it was read.
    pub(crate) fn note_groups(&mut self, events: Vec<GroupEvent>) {
        self.dirty |= !events.is_empty();
        for event in events {
            self.note(match event {
                GroupEvent::Announced(id) => AgentEvent::Announced(id),
                GroupEvent::Joined(id) => AgentEvent::MemberHeard(id),
                GroupEvent::SlotShared(id) => AgentEvent::SlotShared(id),
            });
        }
    }

    pub(crate) fn note_associations(&mut self, events: Vec<AssociationEvent>) {
        for event in events {
            self.note(match event {
                AssociationEvent::Approached(id) => AgentEvent::Approached(id),
                AssociationEvent::Answered(id) => AgentEvent::Answered(id),
                AssociationEvent::ContactReceived(id) => AgentEvent::ContactReceived(id),
                AssociationEvent::Expired(id) => AgentEvent::Expired(id),
                AssociationEvent::Failed(id) => AgentEvent::Failed(id),
            });
        }
    }
}

/// What a person's own broadcast looks for.
pub(crate) fn own_interest(
    class: mosaic_types::ClassId,
    topics: Vec<mosaic_types::TopicId>,
    place: Sensitive<LatLng>,
) -> Interest {
    Interest { class, topics, place, radius: Radius::default(), window: SearchWindow::default() }
}
