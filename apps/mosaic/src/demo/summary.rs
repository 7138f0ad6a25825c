//! The evening in figures, for people and for programs.

use serde::Serialize;

use crate::{
    demo::{
        measure::{Findings, Quantiles, Share},
        plan::Plan,
        records::Record,
        scan::{Control, Found},
    },
    out::Page,
};

/// Everything the demo reports. A figure without a single case behind it is null; a quantile is null as well when it
/// falls among the cases that never came.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    area: String,
    agents: usize,
    evening_hours: f64,
    speed: f64,
    wishes: usize,
    wishes_withheld: usize,
    events_released: u64,
    deposits_acked: u64,
    discovery_recall: Option<f64>,
    discovery_pairs: usize,
    discovery_recall_exhausted: Option<f64>,
    discovery_pairs_exhausted: usize,
    pairs_excluded: usize,
    discovery_precision: Option<f64>,
    cards_per_real_person: Option<f64>,
    minutes_to_discovery: Quantiles,
    minutes_to_contact: Quantiles,
    waves: usize,
    /// Near pairs without a common token: met, and of how many.
    contact_pairs: [usize; 2],
    association_ok: bool,
    token_associations: [usize; 2],
    contacts: usize,
    contacts_wrong: usize,
    contacts_one_sided: usize,
    contacts_equal: bool,
    bytes_per_agent_day: u64,
    provider_readable_bytes: u64,
    provider_readable_at: Vec<String>,
    provider_scanned_bytes: u64,
    scan_planted_bytes: u64,
    scan_control_bytes: u64,
    scan_control_missed: usize,
    put_off_by_limits: usize,
    errors: Vec<String>,
    wall_seconds: f64,
}

impl Summary {
    /// Puts the figures together.
    #[expect(clippy::cast_precision_loss, reason = "counts of one evening")]
    pub(crate) fn new(
        plan: &Plan,
        records: &[Record],
        findings: Findings,
        disks: Found,
        control: Control,
        wall: f64,
    ) -> Self {
        let hours = plan.end.since(plan.start).as_secs_f64() / 3_600.0;
        let sum = |field: fn(&Record) -> u64| records.iter().map(field).sum::<u64>();
        let bytes = sum(|record| record.bytes) as f64 / records.len().max(1) as f64 / hours * 24.0;
        let mut errors: Vec<String> = records.iter().flat_map(|record| record.errors.iter().cloned()).collect();
        errors.sort();
        errors.dedup();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of bytes")]
        let bytes_per_agent_day = bytes.round() as u64;
        Self {
            area: plan.area.clone(),
            agents: records.len(),
            evening_hours: hours,
            speed: plan.speed,
            wishes: records.iter().map(|record| record.said.len()).sum(),
            wishes_withheld: findings.withheld,
            events_released: sum(|record| record.events_released),
            deposits_acked: sum(|record| record.deposits_acked),
            discovery_recall: findings.recall.value().map(rounded),
            discovery_pairs: findings.recall.of,
            discovery_recall_exhausted: findings.recall_exhausted.value().map(rounded),
            discovery_pairs_exhausted: findings.recall_exhausted.of,
            pairs_excluded: findings.excluded,
            discovery_precision: findings.precision.value().map(rounded),
            cards_per_real_person: (findings.people > 0)
                .then(|| rounded(findings.cards as f64 / findings.people as f64)),
            minutes_to_discovery: findings.to_discovery,
            minutes_to_contact: findings.to_contact,
            waves: records.iter().map(|record| record.waved.len()).sum(),
            contact_pairs: counts(findings.met),
            association_ok: findings.tokens.is_whole(),
            token_associations: counts(findings.tokens),
            contacts: findings.contacts.of,
            contacts_wrong: findings.contacts.of - findings.contacts.hold,
            contacts_one_sided: findings.one_sided,
            contacts_equal: findings.contacts.is_whole(),
            bytes_per_agent_day,
            provider_readable_bytes: disks.readable,
            provider_readable_at: disks.at,
            provider_scanned_bytes: disks.scanned,
            scan_planted_bytes: control.planted,
            scan_control_bytes: control.found,
            scan_control_missed: control.missed,
            put_off_by_limits: records.iter().map(|record| record.limited).sum(),
            errors,
            wall_seconds: rounded(wall),
        }
    }

    /// Whether a promise was broken: something readable at a provider, a search that cannot find, a contact that
    /// nobody gave.
    pub(crate) const fn broken(&self) -> bool {
        let blind = self.scan_control_missed > 0 || self.scan_control_bytes < self.scan_planted_bytes;
        self.provider_readable_bytes > 0 || blind || self.scan_planted_bytes == 0 || self.contacts_wrong > 0
    }

    /// For people.
    pub(crate) fn tell(&self, page: &mut Page) {
        page.head(format!(
            "An evening of {:.1} hours in {}, {} people, {}x speed",
            self.evening_hours, self.area, self.agents, self.speed
        ));
        page.line("");
        page.head("Did people find each other?");
        let pairs = |share: Option<f64>, of: usize| {
            share.map_or("no case".to_owned(), |share| format!("{:.1} % of {of} ordered pairs", share * 100.0))
        };
        page.pair("found within an hour", pairs(self.discovery_recall, self.discovery_pairs));
        page.pair("… released as zones", pairs(self.discovery_recall_exhausted, self.discovery_pairs_exhausted));
        page.pair("pairs left out", format!("{}: the evening ends before their hour", self.pairs_excluded));
        page.pair("wishes withheld", format!("{} of {}", self.wishes_withheld, self.wishes));
        page.pair("minutes to discovery", spread(self.minutes_to_discovery));
        page.pair("minutes to contact", spread(self.minutes_to_contact));
        page.pair("contacts exchanged", format!("{} of {} pairs", self.contact_pairs[0], self.contact_pairs[1]));
        page.pair(
            "contacts that came",
            format!(
                "{}, {} not as given, {} without one in return so far",
                self.contacts, self.contacts_wrong, self.contacts_one_sided
            ),
        );
        page.pair(
            "real people shown, near",
            self.discovery_precision.map_or("no case".to_owned(), |share| format!("{:.1} %", share * 100.0)),
        );
        page.pair(
            "cards per real person",
            self.cards_per_real_person.map_or("no case".to_owned(), |cards| format!("{cards:.1}")),
        );
        page.pair(
            "token associations",
            format!("{} of {} sides have the right contact", self.token_associations[0], self.token_associations[1]),
        );
        page.line("");
        page.head("What did the providers get?");
        page.pair("events released", self.events_released);
        page.pair("deposits acknowledged", self.deposits_acked);
        page.pair("traffic per agent and day", format!("{:.1} MB", self.bytes_per_agent_day as f64 / 1e6));
        let searched = format!(
            "{} of {} searched (control: {} of {} planted bytes found)",
            self.provider_readable_bytes, self.provider_scanned_bytes, self.scan_control_bytes, self.scan_planted_bytes
        );
        page.pair("readable bytes on disk", searched);
        for at in &self.provider_readable_at {
            page.warn(format!("! readable: {at}"));
        }
        for error in &self.errors {
            page.warn(format!("! {error}"));
        }
        page.line("");
        page.line(
            "Times are unaccelerated minutes. This was a practice federation: all three operators are you, so it shows",
        );
        page.line("that it works and what providers store, not that anybody is protected from you.");
        page.line(format!("It took {:.0} s.", self.wall_seconds));
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

const fn counts(share: Share) -> [usize; 2] {
    [share.hold, share.of]
}

fn spread(quantiles: Quantiles) -> String {
    let Quantiles { p50, p95, cases, never } = quantiles;
    let some = match (p50, p95) {
        _ if cases == 0 => return "no case".to_owned(),
        (Some(p50), Some(p95)) => format!("{p50:.1} median, {p95:.1} at the 95th percentile, "),
        (Some(p50), None) => format!("{p50:.1} median, "),
        (None, _) => String::new(),
    };
    format!("{some}never in {never} of {cases}")
}
