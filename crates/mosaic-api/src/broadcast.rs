use mosaic_types::{ContextText, Enrichment, LatLng, NoiseRatio, Risk, Sensitive, TtlHours};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Problem, ProblemKind, WarningKind};

/// A position in degrees, WGS 84. Not printable: it may be a true one.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Latitude.
    #[schema(minimum = -90.0, maximum = 90.0, example = 41.15)]
    pub lat: f64,
    /// Longitude.
    #[schema(minimum = -180.0, maximum = 180.0, example = -8.63)]
    pub lon: f64,
}

impl Position {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`ProblemKind::InvalidPosition`] for a coordinate that is not finite or out of range.
    pub fn check(self) -> Result<LatLng, Problem> {
        LatLng::new(self.lat, self.lon).map_err(|error| Problem::new(ProblemKind::InvalidPosition).with_detail(error))
    }
}

/// Body of `POST /v1/broadcast`: the true place and the person's own words. They stay on this machine.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BroadcastBody {
    /// Where the person is.
    pub location: Position,
    /// What they want, 1 to 500 characters.
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = "^[^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*$",
        example = "coffee meetup"
    )]
    pub context: String,
    /// Share of decoys asked for; the mode's floor when absent, and raised to it when lower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.30, maximum = 0.80)]
    pub noise_ratio: Option<f64>,
    /// Hours until readers forget it; the setting `ttl.default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 24, maximum = 168)]
    pub ttl_hours: Option<u32>,
    /// How much is added to the words' topics from the public vocabulary: 0.0 adds nothing, 1.0 topics of the same class
    /// until there are four. Whoever can name one of them can read the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.0, maximum = 1.0, default = 0.0)]
    pub enrichment: Option<f64>,
    /// `high` lets it begin up to half an hour late, at a moment drawn once; the setting `risk.level` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^(normal|high)$")]
    pub risk: Option<Risk>,
    /// The person has seen that the words name somebody and wants them out all the same. Without it such words are
    /// refused with `identifying-words`, and nothing is charged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirm_identifiers: bool,
}

/// A checked [`BroadcastBody`].
#[derive(Clone, Debug)]
pub struct BroadcastRequest {
    /// The true place.
    pub place: Sensitive<LatLng>,
    /// The person's words.
    pub words: ContextText,
    /// Noise asked for; `None` means the mode's own.
    pub noise: Option<NoiseRatio>,
    /// Time to live asked for; `None` means the setting's.
    pub ttl: Option<TtlHours>,
    /// How many topics are added.
    pub enrichment: Enrichment,
    /// Risk stated; `None` means the setting's.
    pub risk: Option<Risk>,
    /// Whether words that name somebody may go out.
    pub identifiers: Identifying,
}

/// What is done with words that name a person, a thing of theirs or a spot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Identifying {
    /// They are refused, so that the person is asked.
    #[default]
    Refuse,
    /// The person was asked.
    Confirmed,
}

impl BroadcastBody {
    /// Words at a place, everything else as set.
    pub const fn new(location: Position, context: String) -> Self {
        let (noise_ratio, ttl_hours, enrichment, risk) = (None, None, None, None);
        Self { location, context, noise_ratio, ttl_hours, enrichment, risk, confirm_identifiers: false }
    }

    /// Checks every bound of L5-12.
    ///
    /// # Errors
    /// The problem of the first field that is out of bounds.
    pub fn check(self) -> Result<BroadcastRequest, Problem> {
        let words = check_context(&self.context)?;
        let noise = self.noise_ratio.map(check_noise).transpose()?;
        let ttl = self.ttl_hours.map(check_ttl).transpose()?;
        let enrichment = self.enrichment.map(check_enrichment).transpose()?.unwrap_or_default();
        let identifiers = if self.confirm_identifiers { Identifying::Confirmed } else { Identifying::Refuse };
        let place = Sensitive::new(self.location.check()?);
        Ok(BroadcastRequest { place, words, noise, ttl, enrichment, risk: self.risk, identifiers })
    }
}

/// Body of `PATCH /v1/broadcasts/{id}`: what is named becomes stricter, the rest stays. Place and words cannot change: of the
/// ten that stand together, the one that changed would be the real one (ADR 0023).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateBody {
    /// Share of decoys asked for: as before, or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.30, maximum = 0.80, example = 0.8)]
    pub noise_ratio: Option<f64>,
    /// Hours from its beginning after which no event carries it: as before, or fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 24, maximum = 168, example = 24)]
    pub ttl_hours: Option<u32>,
}

/// A checked [`UpdateBody`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UpdateRequest {
    /// New noise.
    pub noise: Option<NoiseRatio>,
    /// New time to live.
    pub ttl: Option<TtlHours>,
}

impl UpdateBody {
    /// Checks the bounds; whether it is stricter, only the broadcast can tell.
    ///
    /// # Errors
    /// The problem of the first field that is out of bounds.
    pub fn check(self) -> Result<UpdateRequest, Problem> {
        let noise = self.noise_ratio.map(check_noise).transpose()?;
        Ok(UpdateRequest { noise, ttl: self.ttl_hours.map(check_ttl).transpose()? })
    }
}

pub(crate) fn check_context(raw: &str) -> Result<ContextText, Problem> {
    ContextText::new(raw).map_err(|error| Problem::new(ProblemKind::InvalidContext).with_detail(error))
}

pub(crate) fn check_enrichment(raw: f64) -> Result<Enrichment, Problem> {
    Enrichment::new(raw).map_err(|error| Problem::new(ProblemKind::InvalidEnrichment).with_detail(error))
}

pub(crate) fn check_noise(raw: f64) -> Result<NoiseRatio, Problem> {
    NoiseRatio::new(raw).map_err(|error| Problem::new(ProblemKind::InvalidNoise).with_detail(error))
}

pub(crate) fn check_ttl(raw: u32) -> Result<TtlHours, Problem> {
    TtlHours::new(raw).map_err(|error| Problem::new(ProblemKind::InvalidTtl).with_detail(error))
}

/// How precisely a place was released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Granularity {
    /// A blurred point of the mode's location scale.
    Fine,
    /// Only the zone (H3 resolution 6); [`ZoneReason`] says why.
    Zone,
}

/// Why a place is released as a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneReason {
    /// The weekly location ledger does not cover a new place.
    LedgerSpent,
    /// Together with this week's earlier cells, the new one would tell too much. It stays a zone until the week ends.
    TellsTooMuch,
    /// The place changed once already in this half hour; from the next on it may be fine again.
    ChangedJustNow,
}

impl ZoneReason {
    /// In a sentence, for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::LedgerSpent => "this week's location ledger does not cover a new place",
            Self::TellsTooMuch => "together with this week's earlier cells, the cell of this place would tell too much",
            Self::ChangedJustNow => "you changed places once already in this half hour",
        }
    }
}

/// Noise that applies to each lane, after the floors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EffectiveNoise {
    /// On the discovery lane.
    pub discovery: f64,
    /// On the rendezvous lane.
    pub rendezvous: f64,
}

/// Noise asked for and noise that applies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NoiseView {
    /// What was asked for (the mode's own when nothing was).
    pub requested: f64,
    /// What applies.
    pub effective: EffectiveNoise,
}

/// Answer to `POST /v1/broadcast`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BroadcastReply {
    /// The broadcast, as its withdrawal names it.
    pub id: String,
    /// Class of the public vocabulary the words fell into.
    pub class: String,
    /// Topics of the public vocabulary, best first.
    pub topics: Vec<String>,
    /// Noise asked for and noise that applies.
    pub noise: NoiseView,
    /// How precisely the place is released.
    pub granularity: Granularity,
    /// Whether the draw of maximum mode shows it; absent in other modes, which always do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inclusion: Option<InclusionView>,
    /// Why it is a zone, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_reason: Option<ZoneReason>,
    /// What is left of this week's location ledger of 10.0.
    pub ledger_left: f64,
    /// Ids of the cards that carry this broadcast at present, as others see them.
    pub cards: Vec<String>,
    /// When the next scheduled event of the discovery lane leaves at the latest, unix seconds.
    pub next_send_at: u64,
    /// At high risk: no event carries it before, unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    /// What the person should know about these words, this place and this moment; absent when there is nothing to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<BroadcastWarning>,
}

/// Something the person should know about a broadcast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BroadcastWarning {
    /// What about.
    pub kind: WarningKind,
    /// In a sentence. It repeats nothing of the words.
    pub text: String,
    /// What in the words points at a person, where that is what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<IdentifierName>,
    /// The words without it; absent when nothing would be left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// What in a text points at one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdentifierName {
    /// An e-mail address.
    Email,
    /// A wallet or a bank account.
    Account,
    /// A name on a platform.
    Handle,
    /// A web address.
    Link,
    /// Degrees, a plus code.
    Coordinates,
    /// A street with a number.
    Address,
    /// A telephone number.
    Phone,
    /// A number plate.
    Plate,
    /// A hashtag.
    Hashtag,
    /// A person's name.
    Name,
    /// A word that is in no public list.
    RareWord,
}

/// What the draw of maximum mode gave, for one class, one released cell and one day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InclusionView {
    /// Whether others can find the broadcast. If not, this device still reads and can wave; asking again on the same day
    /// draws nothing anew.
    pub shown: bool,
    /// The probability with which it is shown.
    pub probability: f64,
    /// By at most e to this power the odds grow that anybody gives to a class and cell, whatever they knew before.
    pub epsilon: f64,
}

/// One broadcast that is out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BroadcastView {
    /// The broadcast, as its withdrawal names it.
    pub id: String,
    /// Class of the public vocabulary.
    pub class: String,
    /// Topics of the public vocabulary, best first.
    pub topics: Vec<String>,
    /// Noise asked for and noise that applies.
    pub noise: NoiseView,
    /// How precisely the place is released.
    pub granularity: Granularity,
    /// When it ends, unix seconds.
    pub expires_at: u64,
    /// While it waits: no event carries it before, unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    /// Ids of the cards that carry it at present.
    pub cards: Vec<String>,
    /// Whether the draw of maximum mode shows it; absent in other modes, which always do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inclusion: Option<InclusionView>,
    /// What the anonymity meter does about it; absent while it does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymity: Option<crate::BroadcastAnonymity>,
}

/// Answer to `GET /v1/broadcasts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BroadcastList {
    /// Newest last.
    pub broadcasts: Vec<BroadcastView>,
    /// The cursor of the next page; absent where the list ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
