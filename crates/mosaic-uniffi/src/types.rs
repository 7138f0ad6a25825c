//! What people do most, in types that every language has. Words of the API stay words.

use mosaic_api::{
    AssociateReply, AssociationView, BroadcastReply, BroadcastView, BroadcastWarning, CardView, Person, Position,
    PreviewReply, ProviderView, ProximityReply, StatusReply,
};
use serde::Serialize;

/// A position in degrees, WGS 84. It stays on this machine: what leaves is a blurred cell.
#[derive(Clone, Copy, uniffi::Record)]
pub struct Place {
    /// Latitude.
    pub lat: f64,
    /// Longitude.
    pub lon: f64,
}

impl From<Place> for Position {
    fn from(Place { lat, lon }: Place) -> Self {
        Self { lat, lon }
    }
}

/// What a person wants, and where.
#[derive(Clone, uniffi::Record)]
pub struct Wish {
    /// Where the person is.
    pub place: Place,
    /// In their own words, 1 to 500 characters.
    pub context: String,
    /// Share of decoys, 0.30 to 0.80; the mode's own when absent.
    #[uniffi(default = None)]
    pub noise_ratio: Option<f64>,
    /// Hours until readers forget it, 24 to 168; as set when absent.
    #[uniffi(default = None)]
    pub ttl_hours: Option<u32>,
    /// The person has seen that the words name somebody and wants them out all the same.
    #[uniffi(default = false)]
    pub confirm_identifiers: bool,
}

/// A wish that is out.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Broadcast {
    /// As its withdrawal names it.
    pub id: String,
    /// Class of the public vocabulary.
    pub class_name: String,
    /// Topics of the public vocabulary, best first.
    pub topics: Vec<String>,
    /// Share of decoys asked for.
    pub noise_requested: f64,
    /// Share of decoys towards strangers.
    pub noise_effective: f64,
    /// `fine` or `zone`.
    pub granularity: String,
    /// When it ends, unix seconds; known once it is listed.
    pub expires_at: Option<u64>,
}

impl From<BroadcastReply> for Broadcast {
    fn from(made: BroadcastReply) -> Self {
        Self {
            id: made.id,
            class_name: made.class,
            topics: made.topics,
            noise_requested: made.noise.requested,
            noise_effective: made.noise.effective.discovery,
            granularity: word(&made.granularity),
            expires_at: None,
        }
    }
}

impl From<BroadcastView> for Broadcast {
    fn from(view: BroadcastView) -> Self {
        Self {
            id: view.id,
            class_name: view.class,
            topics: view.topics,
            noise_requested: view.noise.requested,
            noise_effective: view.noise.effective.discovery,
            granularity: word(&view.granularity),
            expires_at: Some(view.expires_at),
        }
    }
}

/// Something the person should know about their words.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct WordsWarning {
    /// What about, such as `identifying-words`.
    pub kind: String,
    /// In a sentence.
    pub text: String,
    /// What in the words points at a person, such as `email`.
    pub identifier: Option<String>,
    /// The words without it.
    pub suggestion: Option<String>,
}

impl From<BroadcastWarning> for WordsWarning {
    fn from(warning: BroadcastWarning) -> Self {
        Self {
            kind: word(&warning.kind),
            text: warning.text,
            identifier: warning.identifier.as_ref().map(word),
            suggestion: warning.suggestion,
        }
    }
}

/// What a broadcast of some words would be.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Preview {
    /// Class of the public vocabulary.
    pub class_name: String,
    /// Topics of the public vocabulary, best first.
    pub topics: Vec<String>,
    /// What the person should know.
    pub warnings: Vec<WordsWarning>,
    /// Whether it would be refused until the person confirms what the words hold.
    pub to_confirm: bool,
}

impl From<PreviewReply> for Preview {
    fn from(reply: PreviewReply) -> Self {
        Self {
            class_name: reply.class,
            topics: reply.topics,
            warnings: reply.warnings.into_iter().map(WordsWarning::from).collect(),
            to_confirm: reply.to_confirm,
        }
    }
}

/// A stranger's wish, or a decoy: nobody can tell before a person accepts.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Card {
    /// As a wave names it.
    pub id: String,
    /// Class of the public vocabulary.
    pub class_name: String,
    /// Topics that this agent could name and so could read.
    pub topics: Vec<String>,
    /// Its words, where they could be read.
    pub text: Option<String>,
    /// Similarity, 0.0 to 1.0.
    pub score: f64,
    /// Distance to its cell, in metres.
    pub distance_m: f64,
    /// How far the truth may be from that, in metres.
    pub uncertainty_m: f64,
}

impl From<CardView> for Card {
    fn from(view: CardView) -> Self {
        Self {
            id: view.id,
            class_name: view.class,
            topics: view.topics,
            text: view.text,
            score: view.score,
            distance_m: view.distance_m,
            uncertainty_m: view.uncertainty_m,
        }
    }
}

/// What is known of a search.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct CardsFound {
    /// Best first.
    pub cards: Vec<Card>,
    /// Whether everything that can be read now was read.
    pub complete: bool,
}

impl From<ProximityReply> for CardsFound {
    fn from(reply: ProximityReply) -> Self {
        Self { cards: reply.cards.into_iter().map(Card::from).collect(), complete: reply.complete }
    }
}

/// A token to hand over, or the attempt to join with one.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Invitation {
    /// The association.
    pub id: String,
    /// The token, where one was made. Works once.
    pub token: Option<String>,
    /// When it expires, unix seconds.
    pub expires_at: u64,
}

impl From<AssociateReply> for Invitation {
    fn from(reply: AssociateReply) -> Self {
        Self { id: reply.id, token: reply.token, expires_at: reply.expires_at }
    }
}

/// Two people on their way to each other's contact.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Association {
    /// Its id.
    pub id: String,
    /// How it began, such as `token-made`.
    pub kind: String,
    /// How far it is, such as `approached`.
    pub state: String,
    /// When it expires, unix seconds.
    pub expires_at: u64,
}

impl From<AssociationView> for Association {
    fn from(view: AssociationView) -> Self {
        Self { id: view.id, kind: word(&view.kind), state: word(&view.state), expires_at: view.expires_at }
    }
}

/// Somebody who accepted.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Contact {
    /// The association.
    pub id: String,
    /// What they let the person see.
    pub contact: String,
    /// Whether the vault keeps it.
    pub kept: bool,
}

impl From<Person> for Contact {
    fn from(person: Person) -> Self {
        Self { id: person.id, contact: person.contact, kept: person.kept }
    }
}

/// One of the operators.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Provider {
    /// Its number.
    pub id: u8,
    /// Who operates it.
    pub operator: String,
    /// Whether the last call reached it.
    pub up: bool,
}

impl From<ProviderView> for Provider {
    fn from(view: ProviderView) -> Self {
        Self { id: view.id, operator: view.operator, up: view.up }
    }
}

/// How the agent is.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Status {
    /// Version of the agent.
    pub version: String,
    /// `emergency`, `balanced` or `maximum`.
    pub mode: String,
    /// `whole`, `degraded` or `cut-off`.
    pub reach: String,
    /// The operators.
    pub providers: Vec<Provider>,
    /// What is left of this week's location ledger.
    pub ledger_left: f64,
    /// Broadcasts that are out.
    pub broadcasts: u32,
    /// Cards that were read.
    pub cards: u32,
    /// What the person should know, in sentences.
    pub warnings: Vec<String>,
}

impl From<StatusReply> for Status {
    fn from(reply: StatusReply) -> Self {
        Self {
            version: reply.version,
            mode: reply.mode.to_string(),
            reach: word(&reply.reach),
            providers: reply.providers.into_iter().map(Provider::from).collect(),
            ledger_left: reply.ledger.left,
            broadcasts: reply.broadcasts,
            cards: reply.cards,
            warnings: reply.warnings.into_iter().map(|warning| warning.text).collect(),
        }
    }
}

/// The word that the API has for something.
fn word(of: &impl Serialize) -> String {
    let value = serde_json::to_value(of).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
