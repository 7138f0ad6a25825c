use mosaic_obfuscate::Granularity;
use mosaic_types::{ClassId, ContextText, Enrichment, LatLng, Mode, NoiseRatio, Sensitive, TopicId, TtlHours};
use thiserror::Error;

use crate::{BroadcastId, WhyZone};

/// What a person wants to tell strangers: true, unprotected, without any encoding.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Where they are.
    pub place: Sensitive<LatLng>,
    /// What they want.
    pub words: ContextText,
    /// The noise ratio they asked for; a lane's floor can only raise it.
    pub requested: NoiseRatio,
    /// Decides location scale and floors.
    pub mode: Mode,
    /// How long it stands.
    pub ttl: TtlHours,
    /// How many topics of its class are added to those its words name.
    pub enrichment: Enrichment,
}

/// What became of a draft.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// Names the broadcast from now on.
    pub id: BroadcastId,
    /// The class its words were read as.
    pub class: ClassId,
    /// Its topics, best first; at least one.
    pub topics: Vec<TopicId>,
    /// How sure the reading is, 0 to 1.
    pub confidence: f64,
    /// The ratio that was asked for.
    pub requested: NoiseRatio,
    /// The ratio on the discovery lane: at least 0.60.
    pub effective_discovery: NoiseRatio,
    /// The ratio on the rendezvous lane.
    pub effective_rendezvous: NoiseRatio,
    /// How fine the place is.
    pub granularity: Granularity,
    /// Why it is a zone, if it is one.
    pub why_zone: Option<WhyZone>,
    /// Whether it is shown: always, but in maximum mode.
    pub inclusion: Included,
    /// Left of the week's location budget, in units of `ε · 200 m`.
    pub ledger_left: f64,
}

/// What the draw of maximum mode gave (PRIVACY 1.3, theorem 3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Included {
    /// Whether the broadcast is shown. If not, others of the device are in its place for as long as it stands; whoever
    /// sent it still reads, and can wave at others.
    pub shown: bool,
    /// The probability with which it is shown.
    pub probability: f64,
    /// By at most how much, as `e` to this power, any adversary's odds for a class and cell grow by seeing it, or not,
    /// in a round; infinite where nothing is drawn.
    pub epsilon: f64,
}

/// Why a draft is not released. Nothing was charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There are no public places to build decoys from, so no event could be filled.
    #[error("no public places are known here: install places first, decoys are made of them")]
    NoPlaces,
    /// Decoys can name no cell near here, so a released one would be certainly true.
    #[error("no public places are known within {within_km} km of here: install places for this area")]
    OutsideArea {
        /// How far was looked, in kilometres.
        within_km: u32,
    },
    /// More broadcasts stand at once than events could carry.
    #[error("{most} broadcasts stand already: withdraw one first")]
    TooMany {
        /// How many may stand at once.
        most: usize,
    },
}
