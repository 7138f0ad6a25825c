use mosaic_api::{
    CrowdView, EffectiveNoise, FederationView, LedgerView, NoiseView, PRACTICE_BANNER, PlacesPaid, ProviderView, Reach,
    StatusReply, Warning, WarningKind, ZoneCount,
};
use mosaic_geo::Provenance;
use mosaic_net::{PathKind, Standing};
use mosaic_obfuscate::Ledger;
use mosaic_types::{ServiceClass, Timestamp};

use super::{broadcast::zone_reason, count};
use crate::{
    core::{AgentCore, VaultTrouble},
    reader::BlindReads,
};

/// What a restart takes away (S-46, C-58).
const FORGOTTEN: &str = "associations live in memory only: if the agent stops, this device forgets them and their \
                         tokens, and contacts that were not kept";

impl AgentCore {
    /// Mode, providers, ledger, warnings: all from memory.
    pub fn status(&self, now: Timestamp) -> StatusReply {
        StatusReply {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            mode: self.mode(),
            class: self.class(now),
            federation: self.federation_view(),
            reach: match self.paths.standing() {
                Standing::Whole => Reach::Whole,
                Standing::Degraded => Reach::Degraded,
                Standing::Insufficient => Reach::CutOff,
            },
            providers: self.provider_views(),
            ledger: self.ledger_view(now),
            noise: self.noise_view(now),
            next_send_at: self.schedule.peek().map(|event| event.leave_at.as_secs()),
            open_door_until: self.door_until.filter(|until| now < *until).map(Timestamp::as_secs),
            events_released: self.counters.released,
            deposits_acked: self.counters.acknowledged,
            deposits_waiting: count(self.deposits.len()),
            bytes_exchanged: self.post.bytes(),
            broadcasts: count(self.releaser.broadcasts().filter(|broadcast| !broadcast.is_over(now)).count()),
            cards: count(self.book.len()),
            waves_waiting: count(self.waves().waves.len()),
            anonymity: self.anonymity(now),
            answers: self.answers_view(now),
            crowd: self.reader.crowd(now).map(|crowd| CrowdView { low: crowd.low, high: crowd.high }),
            warnings: self.warnings(now),
            now: now.as_secs(),
        }
    }

    fn ledger_view(&self, now: Timestamp) -> LedgerView {
        let spendings = self.releaser.spendings(now);
        let paid = spendings.paid.into_iter().map(|(mode, places, each)| PlacesPaid { mode, places, each });
        let zones = spendings.zones.into_iter().map(|(why, releases)| ZoneCount { reason: zone_reason(why), releases });
        LedgerView {
            left: spendings.left,
            weekly: Ledger::WEEKLY_BUDGET,
            renews_at: spendings.renews.as_secs(),
            paid: paid.collect(),
            zones: zones.collect(),
        }
    }

    fn federation_view(&self) -> FederationView {
        let practice = self.providers.is_practice();
        FederationView {
            name: self.providers.descriptor().name.clone(),
            pin: hex::encode(self.providers.pin()),
            practice,
            banner: practice.then(|| PRACTICE_BANNER.to_owned()),
        }
    }

    fn provider_views(&self) -> Vec<ProviderView> {
        let descriptor = self.providers.descriptor();
        let views = descriptor.providers.iter().map(|entry| ProviderView {
            id: entry.id.get(),
            operator: entry.operator.clone(),
            jurisdiction: entry.jurisdiction.clone(),
            up: self.paths.is_well(entry.id),
        });
        views.collect()
    }

    pub(super) fn noise_view(&self, now: Timestamp) -> NoiseView {
        let requested = self.settings.requested();
        NoiseView {
            requested: requested.get(),
            effective: EffectiveNoise {
                discovery: requested.at_least(self.mode().profile().discovery_floor).get(),
                rendezvous: self.releaser.rendezvous_ratio(now, self.rendezvous_floor()).get(),
            },
        }
    }

    /// That associations are forgotten by a restart.
    pub(super) fn memory_warning() -> Warning {
        Warning { kind: WarningKind::MemoryOnly, text: FORGOTTEN.to_owned() }
    }

    /// What the mode asks for and the path does not give.
    pub(super) fn path_warning(&self) -> Option<Warning> {
        let text = "maximum mode asks for Tor or a mesh, and this version has neither: requests go through another \
                    provider, which sees the address of this machine";
        let stands_in = PathKind::is_stand_in(self.mode().class());
        stands_in.then(|| Warning { kind: WarningKind::NoTor, text: text.to_owned() })
    }

    /// That fewer than ten devices use the area, if that is known (L6-46).
    pub(super) fn sparse(&self, now: Timestamp) -> Option<String> {
        let crowd = self.reader.crowd(now).filter(|crowd| crowd.is_sparse())?;
        let few = match crowd.high {
            1 => "only this device uses".to_owned(),
            high => format!("at most {high} devices use"),
        };
        Some(format!(
            "{few} this federation at present, so no more can be near: whoever knows who they are has few to choose from"
        ))
    }

    pub(super) fn warnings(&self, now: Timestamp) -> Vec<Warning> {
        let mut warnings = self.alerts.warnings();
        warnings.extend(self.path_warning());
        warnings.extend(self.anonymity_warning(now));
        let sparse = self.sparse(now).map(|text| Warning { kind: WarningKind::SparseArea, text });
        warnings.extend(sparse);
        warnings.extend((!self.associations().associations.is_empty()).then(Self::memory_warning));
        let mut warn = |kind, text: &str| warnings.push(Warning { kind, text: text.to_owned() });
        match self.class(now) {
            ServiceClass::Emergency => warn(WarningKind::MomentVisible, "emergency mode shows the moment of sending"),
            ServiceClass::OpenDoor => warn(WarningKind::OpenDoorVisible, "the open door is visible as such"),
            ServiceClass::Balanced | ServiceClass::Maximum => {}
        }
        if let Some(late) = self.releaser.provenance().overdue(now) {
            let days = (late + Provenance::FRESH_FOR).as_secs() / 86_400;
            let text = format!("the public places are {days} days old, more than a quarter; install newer ones");
            warn(WarningKind::StalePlaces, &text);
        }
        for broadcast in self.releaser.unsent(now) {
            let text = format!(
                "no event has carried broadcast {} for at least two hours, so nobody can have found it: is this device \
                 online, and are the providers up?",
                broadcast.id
            );
            warn(WarningKind::Unsent, &text);
        }
        let passed_over = self.reader.private.passed_over();
        if passed_over > 0 {
            let text = format!(
                "this area is so busy that it is read {} rows at a time, and what you look for lies in {passed_over} more: \
                 end a broadcast or a search, or look less far",
                BlindReads::ROWS
            );
            warn(WarningKind::PassedOver, &text);
        }
        if let Some(refused) = self.answers.refused() {
            let text = format!(
                "no answer is given about yesterday: those of thirty days would come to ε = {:.2}, and {:.2} is the most",
                refused.would_use, refused.total
            );
            warn(WarningKind::AnswersSpent, &text);
        }
        if self.vault_trouble == VaultTrouble::Unwritable {
            warn(WarningKind::VaultUnwritable, "the disk refused the vault: the last changes are in memory only");
        }
        if self.tables.get(now.period()).is_none() {
            warn(WarningKind::NoTable, "no provider gave this period's table key yet; events wait for it");
        }
        // a release costs at least a tenth of ln 4
        if self.releaser.ledger_left(now) < 0.4 * std::f64::consts::LN_2 * 2.0 {
            warn(WarningKind::LedgerSpent, "this week's location ledger is spent: new places are released as zones");
        }
        warnings
    }
}
