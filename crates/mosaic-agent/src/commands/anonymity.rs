//! What the meter says to the person: the status, each broadcast, and the receipts.

use mosaic_api::{
    AnonymityReport, AnonymityView, AttackerView, BroadcastAnonymity, DENIABILITY, MeterAction, ReceiptStatus,
    ReceiptView, ReceiptsReply, Warning, WarningKind,
};
use mosaic_attack::FloorAction;
use mosaic_release::BroadcastId;
use mosaic_types::{Lane, Timestamp};

use crate::{
    core::AgentCore,
    tables::LATE_DEPOSITS,
    trail::{HeldBack, Receipted, TrailEvent},
};

/// Slots of an event, and identities of a device.
const TEN: f64 = 10.0;

const RENDEZVOUS: &str = "exact for one provider, whatever it knows: the share of slots that carried something";
const DISCOVERY: &str = "one in ten at best; the lab measures how much better a provider does";
const OPENED: &str = "stated by a model that was trained on generated people and judged on others; real people may \
                      be easier or harder to tell";
const IDENTITIES: &str = "stated by the same model, given whose bundles belong together, for all events at once";
const UNMEASURED: &str = "this program has no model: nothing is measured and nothing gives way";

impl AgentCore {
    /// What attackers would conclude from the last 48 hours, and what the meter did about it.
    pub(super) fn anonymity(&self, now: Timestamp) -> AnonymityReport {
        let held = self.trail.last_held(now);
        AnonymityReport {
            floor: self.settings.effective_floor().get(),
            action: held.map_or(MeterAction::Nothing, |held| action(held.action)),
            why: held.map_or_else(|| self.nothing_done(), |held| self.why(held)),
            held_back: super::count(self.trail.events().filter(|event| event.held_back).count()),
            views: self.anonymity_views(),
        }
    }

    /// Each attacker.
    pub(super) fn anonymity_views(&self) -> Vec<AnonymityView> {
        let slots = |lane, view, basis| {
            let real = self.trail.events().filter(move |event| event.lane() == lane && event.real > 0);
            view_of(view, real.map(|event| f64::from(event.real) / TEN).collect(), None, basis)
        };
        let stated: Vec<_> = self.trail.events().filter_map(|event| event.stated).collect();
        let opened = if self.meter.works() { OPENED } else { UNMEASURED };
        let last = stated.last().map(|stated| stated.hypotheses);
        let shares: Vec<_> = stated.iter().map(|stated| stated.shares).collect();
        let joint = self.meter.joint(self.mode(), &shares);
        let person = joint.iter().filter_map(|joint| joint.first().copied()).collect();
        let identities = joint.as_deref().map(mosaic_attack::effective_hypotheses);
        vec![
            slots(Lane::Rendezvous, AttackerView::RendezvousSlots, RENDEZVOUS),
            slots(Lane::Discovery, AttackerView::DiscoverySlots, DISCOVERY),
            view_of(AttackerView::OpenedBundles, stated.iter().map(|one| one.probability).collect(), last, opened),
            AnonymityView {
                events: super::count(shares.len()),
                ..view_of(
                    AttackerView::OpenedIdentities,
                    person,
                    identities,
                    if self.meter.works() { IDENTITIES } else { UNMEASURED },
                )
            },
        ]
    }

    fn nothing_done(&self) -> String {
        let floor = self.settings.effective_floor();
        if !self.meter.works() {
            return UNMEASURED.to_owned();
        }
        match FloorAction::from(self.mode()) {
            FloorAction::Show => "emergency mode never holds anything back".to_owned(),
            FloorAction::Slow | FloorAction::Withhold if floor.get() <= 1.0 => {
                "the floor is 1: nothing is below it".to_owned()
            }
            FloorAction::Slow | FloorAction::Withhold => {
                format!("nothing due in the last four hours had to give way for the floor of {floor} identities")
            }
        }
    }

    fn why(&self, held: HeldBack) -> String {
        let floor = self.settings.effective_floor();
        let (given, most) = (held.probability * 100.0, floor.highest() * 100.0);
        let done = match held.action {
            FloorAction::Slow => "it is sent once every four hours at each of three grains, as it still can be found",
            FloorAction::Show | FloorAction::Withhold => "others are sent in its place until it stands out less",
        };
        format!(
            "whoever opens bundles would name one of its ten cards with {given:.0} % where the floor of {floor} identities \
             allows {most:.0} %: {done}"
        )
    }

    /// What the meter does about one broadcast.
    pub(super) fn broadcast_anonymity(&self, id: BroadcastId, now: Timestamp) -> Option<BroadcastAnonymity> {
        let held = self.trail.held(id, now)?;
        Some(BroadcastAnonymity { action: action(held.action), why: self.why(held), probability: held.probability })
    }

    /// That a broadcast that stands is slowed or withheld.
    pub(super) fn anonymity_warning(&self, now: Timestamp) -> Option<Warning> {
        let standing = self.releaser.broadcasts().filter(|broadcast| broadcast.stands(now));
        let held = standing.filter_map(|broadcast| Some((broadcast.id, self.trail.held(broadcast.id, now)?)));
        let (id, held) = held.max_by_key(|(_, held)| held.at)?;
        let word = match held.action {
            FloorAction::Slow => "slowed",
            FloorAction::Show | FloorAction::Withhold => "withheld",
        };
        let text = format!("broadcast {id} is {word}: {}", self.why(held));
        Some(Warning { kind: WarningKind::AnonymityFloor, text })
    }

    /// The events of the last 48 hours and what an attacker would state of each.
    pub fn receipts(&self, now: Timestamp) -> ReceiptsReply {
        let receipts = self.trail.events().map(|event| receipt(event, now)).collect();
        ReceiptsReply { statement: DENIABILITY.to_owned(), receipts, next: None }
    }
}

fn action(action: FloorAction) -> MeterAction {
    match action {
        FloorAction::Show => MeterAction::Nothing,
        FloorAction::Slow => MeterAction::Slowed,
        FloorAction::Withhold => MeterAction::Withheld,
    }
}

fn view_of(view: AttackerView, stated: Vec<f64>, hypotheses: Option<f64>, basis: &str) -> AnonymityView {
    #[expect(clippy::cast_precision_loss, reason = "at most 1,024 events")]
    let mean = (!stated.is_empty()).then(|| stated.iter().sum::<f64>() / stated.len() as f64);
    AnonymityView {
        view,
        events: super::count(stated.len()),
        probability: mean,
        highest: stated.into_iter().reduce(f64::max),
        effective: mean.map(|mean| (1.0 / mean).min(TEN)),
        hypotheses,
        basis: basis.to_owned(),
    }
}

fn receipt(event: &TrailEvent, now: Timestamp) -> ReceiptView {
    let over = event.at.period().end().after(LATE_DEPOSITS) <= now;
    ReceiptView {
        released_at: event.at.as_secs(),
        lane: match event.lane() {
            Lane::Discovery => "discovery",
            Lane::Rendezvous => "rendezvous",
        }
        .to_owned(),
        real_slots: event.real,
        one_provider: f64::from(event.real) / TEN,
        opened: event.stated.map(|stated| stated.probability),
        receipt: match event.receipt {
            Receipted::Acknowledged => ReceiptStatus::Acknowledged,
            Receipted::Waiting if !over => ReceiptStatus::Waiting,
            Receipted::Waiting | Receipted::Lost => ReceiptStatus::Lost,
        },
    }
}
