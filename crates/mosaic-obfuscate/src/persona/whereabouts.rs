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
        place(persona).and_then(|place| self.0.get(place)).map_or(&[], Vec::as_slice)
    }
}

/// The nine companions come first, then the quiet companies that are kept, ten each, then the understudies.
fn place(PersonaId { company, member }: PersonaId) -> Option<usize> {
    let (companions, quiet) = (Cast::COMPANIONS, usize::from(Cast::KEPT) * Cast::COMPANY);
    let member = usize::from(member);
    match company {
        0 if member < companions => Some(member),
        0 => Some(quiet + member),
        _ if company <= Cast::KEPT => Some(companions + (usize::from(company) - 1) * Cast::COMPANY + member),
        _ => None,
    }
}
