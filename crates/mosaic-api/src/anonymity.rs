use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What stands beside every posterior that leaves the agent.
pub const DENIABILITY: &str = "Every event left as ten slots, whether or not there was anything to say, and the others \
                               were decoys. A probability here is what an attacker would state, as far as this device's \
                               meter knows one: the lab judges it on generated people (CL-28). It is no proof about any \
                               slot, card or person.";

/// What an attacker sees of this device's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AttackerView {
    /// One provider, events of the rendezvous lane: which slots are real.
    RendezvousSlots,
    /// One provider, events of the discovery lane: which slot is real.
    DiscoverySlots,
    /// Two colluding providers, or strangers who open bundles: which of the ten is the person's.
    OpenedBundles,
    /// The same, given whose bundles belong together, over all events of two days: who of the ten is the person.
    OpenedIdentities,
}

/// What the anonymity meter did about a broadcast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MeterAction {
    /// Nothing: it is sent as ever.
    #[default]
    Nothing,
    /// It is written once in each table, half as often as without the meter.
    Slowed,
    /// Others are sent in its place.
    Withheld,
}

/// What one attacker would conclude from the events of the last 48 hours that carried something of the person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AnonymityView {
    /// Whose view.
    pub view: AttackerView,
    /// Events of the last 48 hours that carried something of the person.
    pub events: u32,
    /// The probability stated for what is the person's, 0 to 1, on average over these events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// The highest of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highest: Option<f64>,
    /// Identities as likely as the person: one over the mean probability, at most 10. The floor is about this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<f64>,
    /// Effective hypotheses 2^H of the posterior of the last event, 1 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hypotheses: Option<f64>,
    /// What the figures are and where they stop.
    pub basis: String,
}

/// The anonymity meter (PRIVACY 12, X-39).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AnonymityReport {
    /// The floor in force: identities as likely as the person, 1 (never acts) to 10.
    #[schema(minimum = 1.0, maximum = 10.0)]
    pub floor: f64,
    /// What the meter did in the last four hours.
    pub action: MeterAction,
    /// Why, in a sentence.
    pub why: String,
    /// Discovery events of the last 48 hours from which a bundle of the person stayed away.
    pub held_back: u32,
    /// Each attacker.
    pub views: Vec<AnonymityView>,
}

/// What the meter does about one broadcast at present.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BroadcastAnonymity {
    /// What.
    pub action: MeterAction,
    /// Why, in a sentence.
    pub why: String,
    /// The probability, 0 to 1, that an attacker who opens bundles would give to the likeliest of its ten cards.
    pub probability: f64,
}

/// What became of a released event at the providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptStatus {
    /// No provider has acknowledged it yet.
    Waiting,
    /// A provider signed for it.
    Acknowledged,
    /// None did while the agent ran or the table was open.
    Lost,
}

/// One released event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptView {
    /// When it left, unix seconds.
    pub released_at: u64,
    /// `discovery` or `rendezvous`.
    pub lane: String,
    /// Slots that carried something of the person, 0 to 10.
    pub real_slots: u8,
    /// The probability, 0 to 1, that one provider would state for a slot being the person's.
    pub one_provider: f64,
    /// The probability, 0 to 1, that an attacker who opens bundles would give to the person's; absent where there is
    /// none, and on the rendezvous lane, which nobody else opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<f64>,
    /// What became of it.
    pub receipt: ReceiptStatus,
}

/// Answer to `GET /v1/receipts`: the events of the last 48 hours, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptsReply {
    /// What the probabilities mean.
    pub statement: String,
    /// The events.
    pub receipts: Vec<ReceiptView>,
    /// The cursor of the next page; absent where the list ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
