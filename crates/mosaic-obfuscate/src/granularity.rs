use serde::{Deserialize, Serialize};

/// How fine a place strangers get to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Granularity {
    /// A blurred r8 cell, about half a kilometre across, at every resolution.
    Fine,
    /// A zone: a blurred r6 cell, about six kilometres across, at that resolution only. A person's is one
    /// when the week's budget is spent.
    Zone,
}
