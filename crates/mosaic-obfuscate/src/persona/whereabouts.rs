use mosaic_geo::Cell;
use serde::{Deserialize, Serialize};

use super::{Cast, PersonaId};

/// Where each persona spends its time: home, work, then haunts, as r8 cells. Kept by the device: drawn anew
/// from another index of places, the personas would all move at once and only the person would stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Whereabouts(pub(super) Vec<Vec<Cell>>);

impl Whereabouts {
    /// Whether nobody lives anywhere.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn of(&self, persona: PersonaId) -> &[Cell] {
        self.0.get(place(persona)).map_or(&[], Vec::as_slice)
    }
}

/// The companions come first, then the quiet companies, ten each.
fn place(PersonaId { company, member }: PersonaId) -> usize {
    let before = company.checked_sub(1).map_or(0, |quiet| Cast::COMPANIONS + usize::from(quiet) * Cast::COMPANY);
    before + usize::from(member)
}
