use mosaic_types::{AnonymityFloor, MatchThreshold, Mode, NoiseRatio, Reporting, Risk, TtlHours};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Problem, ProblemKind, Warning,
    broadcast::{check_noise, check_ttl},
};

/// Answer to `GET /v1/config` and `PUT /v1/config`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsView {
    /// `privacy.mode`.
    #[serde(rename = "privacy.mode")]
    #[schema(value_type = String, pattern = "^(emergency|balanced|maximum)$", example = "balanced")]
    pub privacy_mode: Mode,
    /// `ttl.default`, in hours.
    #[serde(rename = "ttl.default")]
    #[schema(minimum = 24, maximum = 168, example = 48)]
    pub ttl_default: u32,
    /// `noise.default`; absent means the mode's own.
    #[serde(rename = "noise.default", default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.30, maximum = 0.80)]
    pub noise_default: Option<f64>,
    /// `anonymity.floor`, identities as likely as the person in an opened event; absent means the mode's own.
    #[serde(rename = "anonymity.floor", default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1.0, maximum = 10.0)]
    pub anonymity_floor: Option<f64>,
    /// `risk.level` of broadcasts that state none.
    #[serde(rename = "risk.level", default)]
    #[schema(value_type = String, pattern = "^(normal|high)$", example = "normal")]
    pub risk_level: Risk,
    /// `aggregate`: whether a noised answer is given about each day.
    #[serde(default)]
    #[schema(value_type = String, pattern = "^(on|off)$", example = "off")]
    pub aggregate: Reporting,
    /// `matching.threshold`: from which similarity on a card is a match.
    #[serde(rename = "matching.threshold", default = "usual_threshold")]
    #[schema(minimum = 0.0, maximum = 1.0, example = 0.3)]
    pub matching_threshold: f64,
    /// What these settings do not give (yet); absent when there is nothing to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// Body of `PUT /v1/config`: what is named changes, the rest stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsBody {
    /// `privacy.mode`: emergency, balanced or maximum.
    #[serde(rename = "privacy.mode", default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(emergency|balanced|maximum)$", example = "maximum")]
    pub privacy_mode: Option<String>,
    /// `ttl.default`, in hours.
    #[serde(rename = "ttl.default", default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 24, maximum = 168)]
    pub ttl_default: Option<u32>,
    /// `noise.default`.
    #[serde(rename = "noise.default", default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.30, maximum = 0.80)]
    pub noise_default: Option<f64>,
    /// `anonymity.floor`: 1 (never acts) to 10.
    #[serde(rename = "anonymity.floor", default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1.0, maximum = 10.0)]
    pub anonymity_floor: Option<f64>,
    /// `risk.level`: normal or high.
    #[serde(rename = "risk.level", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^(normal|high)$")]
    pub risk_level: Option<Risk>,
    /// `aggregate`: on or off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^(on|off)$")]
    pub aggregate: Option<Reporting>,
    /// `matching.threshold`: 0.0 (every card of the class is a match) to 1.0.
    #[serde(rename = "matching.threshold", default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub matching_threshold: Option<f64>,
}

/// A checked [`SettingsBody`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SettingsChange {
    /// New mode.
    pub mode: Option<Mode>,
    /// New default time to live.
    pub ttl: Option<TtlHours>,
    /// New default noise.
    pub noise: Option<NoiseRatio>,
    /// New anonymity floor.
    pub floor: Option<AnonymityFloor>,
    /// New risk.
    pub risk: Option<Risk>,
    /// Whether answers are given.
    pub reporting: Option<Reporting>,
    /// New threshold of a match.
    pub threshold: Option<MatchThreshold>,
}

impl SettingsBody {
    /// Checks every bound.
    ///
    /// # Errors
    /// The problem of the first setting that is out of bounds.
    pub fn check(self) -> Result<SettingsChange, Problem> {
        Ok(SettingsChange {
            mode: self
                .privacy_mode
                .map(|word| word.parse())
                .transpose()
                .map_err(|_| Problem::new(ProblemKind::InvalidMode))?,
            ttl: self.ttl_default.map(check_ttl).transpose()?,
            noise: self.noise_default.map(check_noise).transpose()?,
            floor: self.anonymity_floor.map(check_floor).transpose()?,
            risk: self.risk_level,
            reporting: self.aggregate,
            threshold: self.matching_threshold.map(check_threshold).transpose()?,
        })
    }
}

fn check_floor(raw: f64) -> Result<AnonymityFloor, Problem> {
    AnonymityFloor::new(raw).map_err(|error| Problem::new(ProblemKind::InvalidFloor).with_detail(error))
}

pub(crate) fn check_threshold(raw: f64) -> Result<MatchThreshold, Problem> {
    MatchThreshold::new(raw).map_err(|error| Problem::new(ProblemKind::InvalidThreshold).with_detail(error))
}

fn usual_threshold() -> f64 {
    MatchThreshold::default().get()
}

impl From<SettingsView> for SettingsBody {
    fn from(view: SettingsView) -> Self {
        Self {
            privacy_mode: Some(view.privacy_mode.name().to_owned()),
            ttl_default: Some(view.ttl_default),
            noise_default: view.noise_default,
            anonymity_floor: view.anonymity_floor,
            // an export says it only where an earlier version could not follow it anyway
            risk_level: (view.risk_level == Risk::High).then_some(view.risk_level),
            aggregate: (view.aggregate == Reporting::On).then_some(view.aggregate),
            matching_threshold: Some(view.matching_threshold).filter(|threshold| *threshold != usual_threshold()),
        }
    }
}
