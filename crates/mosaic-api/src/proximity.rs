use mosaic_types::{ContextText, LatLng, MatchThreshold, Radius, SearchWindow, Sensitive};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{Position, Problem, ProblemKind, broadcast::check_context, settings::check_threshold};

/// The most cards one answer lists: `1..=200`, 50 by default (L5-01).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultCap(u32);

impl ResultCap {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`ProblemKind::InvalidLimit`] outside `1..=200`.
    pub fn new(cards: u32) -> Result<Self, Problem> {
        if (1..=200).contains(&cards) { Ok(Self(cards)) } else { Err(ProblemKind::InvalidLimit.into()) }
    }

    /// The cap.
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl Default for ResultCap {
    fn default() -> Self {
        Self(50)
    }
}

/// Query string of `GET /v1/proximity`. The coordinates must be *already blurred*, to a hundredth of a
/// degree (about a kilometre) or coarser: a URL ends up in histories and logs. A true position belongs
/// into the body of the POST twin.
#[derive(Clone, PartialEq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProximityParams {
    /// Latitude, already blurred: at most two decimals.
    #[param(minimum = -90.0, maximum = 90.0, multiple_of = 0.01)]
    pub lat: f64,
    /// Longitude, already blurred: at most two decimals.
    #[param(minimum = -180.0, maximum = 180.0, multiple_of = 0.01)]
    pub lon: f64,
    /// How far around, in metres.
    #[serde(default)]
    #[param(minimum = 100, maximum = 5000, default = 500)]
    pub radius: Option<u32>,
    /// How far back, in seconds.
    #[serde(default)]
    #[param(minimum = 300, maximum = 86400, default = 7200)]
    pub window: Option<u32>,
    /// The most cards to list.
    #[serde(default)]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u32>,
    /// List only cards at least so similar (L5-05); all of the class when absent.
    #[serde(default)]
    #[param(minimum = 0.0, maximum = 1.0)]
    pub threshold: Option<f64>,
}

/// Body of `POST /v1/proximity`: may hold the true position; it stays on this machine.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProximityBody {
    /// Where to look.
    pub location: Position,
    /// How far around, in metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 100, maximum = 5000, default = 500)]
    pub radius: Option<u32>,
    /// How far back, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 300, maximum = 86400, default = 7200)]
    pub window: Option<u32>,
    /// What to look for; the person's own broadcasts when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = "^[^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*[^\\s\\u0000-\\u001f\\u007f-\\u009f][^\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f]*$",
        example = "coffee meetup"
    )]
    pub context: Option<String>,
    /// The most cards to list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u32>,
    /// List only cards at least so similar (L5-05); all of the class when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.0, maximum = 1.0, example = 0.3)]
    pub threshold: Option<f64>,
}

/// A checked proximity query.
#[derive(Clone, Debug)]
pub struct ProximityRequest {
    /// Where to look.
    pub place: Sensitive<LatLng>,
    /// How far around.
    pub radius: Radius,
    /// How far back.
    pub window: SearchWindow,
    /// What to look for; `None` means whatever the person's own broadcasts ask for.
    pub words: Option<ContextText>,
    /// The most cards to list.
    pub limit: ResultCap,
    /// The least similar card to list.
    pub threshold: Option<MatchThreshold>,
}

impl ProximityBody {
    /// Checks every bound of L5-13.
    ///
    /// # Errors
    /// The problem of the first field that is out of bounds.
    pub fn check(self) -> Result<ProximityRequest, Problem> {
        Ok(ProximityRequest {
            place: Sensitive::new(self.location.check()?),
            radius: self.radius.map_or(Ok(Radius::default()), Radius::new).map_err(|_| ProblemKind::InvalidRadius)?,
            window: self
                .window
                .map_or(Ok(SearchWindow::default()), SearchWindow::new)
                .map_err(|_| ProblemKind::InvalidWindow)?,
            words: self.context.map(|raw| check_context(&raw)).transpose()?,
            limit: self.limit.map_or(Ok(ResultCap::default()), ResultCap::new)?,
            threshold: self.threshold.map(check_threshold).transpose()?,
        })
    }
}

impl ProximityParams {
    /// Checks every bound of L5-13, and that the coordinates are blurred (DESIGN section 2).
    ///
    /// # Errors
    /// The problem of the first parameter that is out of bounds; [`ProblemKind::ExactPosition`] for a
    /// coordinate that is finer than a URL may hold.
    pub fn check(self) -> Result<ProximityRequest, Problem> {
        let Self { lat, lon, radius, window, limit, threshold } = self;
        let location = Position { lat, lon };
        let checked = ProximityBody { location, radius, window, context: None, limit, threshold }.check()?;
        if is_blurred(lat) && is_blurred(lon) {
            Ok(checked)
        } else {
            Err(Problem::new(ProblemKind::ExactPosition).with_detail(EXACT))
        }
    }
}

const EXACT: &str = "send an exact position in the body of POST /v1/proximity, where no history or log keeps it";

/// Whether a coordinate has at most two decimals, but for what programs add that multiply by 0.01 in doubles: a tenth of
/// a millimetre, and no more.
fn is_blurred(degrees: f64) -> bool {
    let hundredths = degrees * 100.0;
    (hundredths - hundredths.round()).abs() < 1e-7
}

/// One card found nearby. Most are decoys: wave at all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CardView {
    /// The card, as a wave names it.
    pub id: String,
    /// Class of the public vocabulary.
    pub class: String,
    /// Topics that this agent could name and so could read.
    pub topics: Vec<String>,
    /// Words of the card, where its topics could be named and its text was short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Similarity of the two wishes, 0.0 to 1.0 (L5-04): topics in common over the size of the smaller set. Topics that
    /// this agent could not read count as not shared.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub similarity: f64,
    /// Whether that is a match: at or above `matching.threshold`.
    pub matches: bool,
    /// What the list is ordered by, 0.0 to 1.0: similarity, less with age and distance.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub score: f64,
    /// At least so likely it is a decoy: of the ten bundles of an event at most one is real. The same for every card.
    #[schema(minimum = 0.0, maximum = 1.0, example = 0.9)]
    pub decoy_chance: f64,
    /// Distance between the place asked about and the card's cell, in metres.
    pub distance_m: f64,
    /// How far the truth may be from that, in metres, 19 times out of 20; never below 200 (L5-02).
    #[schema(minimum = 200.0)]
    pub uncertainty_m: f64,
    /// When it was sent, unix seconds: the middle of what is possible.
    pub sent_at: u64,
    /// How far the truth may be from that, in seconds; never below 1,200 (L5-03).
    #[schema(minimum = 1200)]
    pub sent_uncertainty_s: u64,
    /// Start of the two-hour window the card was sealed for, unix seconds.
    pub window_start: u64,
    /// When this agent first saw it, unix seconds.
    pub first_seen: u64,
}

/// What was really searched.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Searched {
    /// Radius in metres.
    pub radius: u32,
    /// Window in seconds.
    pub window: u32,
}

/// Answer to both forms of the proximity query: what is known now. Reading goes on in the background.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProximityReply {
    /// Best first.
    pub cards: Vec<CardView>,
    /// What was searched.
    pub searched: Searched,
    /// Whether everything published so far under this interest was read; if not, ask again in a minute.
    pub complete: bool,
    /// When the newest generation read was sealed, unix seconds; `None` before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<u64>,
}
