use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer to `GET /v1/aggregates`: what was published of the last days, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AggregatesReply {
    /// One for each day of which something was published.
    pub statements: Vec<StatementView>,
}

/// What two providers counted of a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatementView {
    /// The public area.
    pub tile: u32,
    /// When the day began, unix seconds.
    pub day: u64,
    /// How many answers were counted, rounded down to whole hundreds; with fewer than a thousand nothing is published.
    pub reports: u32,
    /// ε of each of the two noises on every count.
    pub epsilon: f64,
    /// Below so many people nothing is said.
    pub fewest: f64,
    /// About how many people wished for nothing; absent below `fewest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nothing: Option<f64>,
    /// Every class of the public vocabulary.
    pub classes: Vec<ClassCount>,
}

/// About how many people wished for something of a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClassCount {
    /// The class.
    pub class: String,
    /// On the whole day; absent below `fewest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<f64>,
    /// In each part of the day of which something is said.
    pub parts: Vec<PartCount>,
}

/// About how many people wished for something in a part of the day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PartCount {
    /// `night`, `morning`, `afternoon` or `evening`.
    pub part: String,
    /// How many.
    pub people: f64,
}

/// What answers to the counts have cost this person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AnswersView {
    /// Whether a noised answer is given about each day.
    #[schema(value_type = String, pattern = "^(on|off)$")]
    pub aggregate: mosaic_types::Reporting,
    /// Answers of the last thirty days.
    pub days: u32,
    /// ε of one answer, for everybody but the two who count it together.
    pub epsilon_a_day: f64,
    /// The most by which one answer changes the logarithm of the odds for the two who count it together.
    pub loss_a_day: f64,
    /// ε of these answers together, by the least of the accountant's bounds.
    pub epsilon_used: f64,
    /// What it may come to in thirty days; then no more are given until old ones no longer count.
    pub epsilon_total: f64,
}
