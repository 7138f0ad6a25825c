use std::sync::Arc;

use mosaic_geo::{Cell, PlaceIndex};
use mosaic_types::ClassId;

/// How common classes and cells are in everybody's bundles: counts of any scale.
pub trait Popularity {
    /// Of a cell, at its own resolution.
    fn of_cell(&self, cell: Cell) -> f64;
    /// Of a class.
    fn of_class(&self, class: ClassId) -> f64;
}

/// What a device knows of its town without hearing of anybody: public places, and how common each class is in
/// the public vocabulary.
#[derive(Clone, Debug)]
pub struct PublicTown {
    places: Arc<PlaceIndex>,
    priors: [f64; ClassId::COUNT as usize],
}

impl PublicTown {
    /// Over these places, with the vocabulary's share of each class.
    pub const fn new(places: Arc<PlaceIndex>, priors: [f64; ClassId::COUNT as usize]) -> Self {
        Self { places, priors }
    }
}

impl Popularity for PublicTown {
    fn of_cell(&self, cell: Cell) -> f64 {
        let counts = self.places.cells(cell.resolution());
        let found = counts.binary_search_by_key(&cell, |(known, _)| *known);
        found.ok().and_then(|at| counts.get(at)).map_or(0.0, |(_, count)| f64::from(*count))
    }

    fn of_class(&self, class: ClassId) -> f64 {
        // of a thousand bundles
        self.priors.get(usize::from(class.get())).map_or(0.0, |prior| prior * 1_000.0)
    }
}
