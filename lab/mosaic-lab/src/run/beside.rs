//! Recordings that need nothing of the rest of a run, made in a thread of their own: a run is as long as its longest
//! thread.

use std::sync::Arc;

use anyhow::Result;
use mosaic_geo::PlaceIndex;

use super::{RunPlan, byzantine, friends, lived};
use crate::evening::Month;

/// What was recorded beside the rest.
pub(super) struct Recordings {
    pub(super) lived: lived::Lived,
    pub(super) lies: byzantine::Evenings,
    pub(super) month: Month,
}

/// Records all of it. Each draws from the plan's seed by itself, so that the order changes nothing.
pub(super) fn record(places: &Arc<PlaceIndex>, plan: &RunPlan) -> Result<Recordings> {
    let (lived, lies) = (lived::record(places, plan)?, byzantine::record(places, plan)?);
    Ok(Recordings { lived, lies, month: friends::record(places, plan)? })
}
