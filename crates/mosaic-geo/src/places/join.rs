use std::collections::BTreeSet;

use super::{Place, PlaceIndex, Provenance};

impl PlaceIndex {
    /// One index of several regions. What two extracts share along their border is kept once; every source is named,
    /// and the whole is as old as its oldest part (L3-34, L3-36). A part without a date leaves the date to the others.
    pub fn joined<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let (mut places, mut sources, mut oldest) = (Vec::new(), BTreeSet::new(), None);
        for part in parts {
            places.extend(part.all().iter().map(|place| place.to_place()));
            sources.insert(part.provenance.attribution.as_str());
            oldest = match (oldest, part.provenance.as_of) {
                (Some(known), Some(date)) => Some(std::cmp::min(known, date)),
                (known, date) => known.or(date),
            };
        }
        let attribution = sources.into_iter().collect::<Vec<_>>().join("; ");
        Self::from_places(distinct(places), Provenance::new(attribution, oldest))
    }
}

/// Places that differ in something.
fn distinct(mut places: Vec<Place>) -> Vec<Place> {
    let key = |place: &Place| {
        (super::degrees::E7::from(place.position), place.kind.clone(), place.name.clone(), place.hours.clone())
    };
    places.sort_by_cached_key(key);
    places.dedup();
    places
}
