use std::collections::{BTreeMap, HashMap};

use flate2::Crc;
use mosaic_types::Timestamp;

use super::{
    Place, PlaceIndex, PlaceKind, Provenance,
    boxes::boxes_over,
    degrees::E7,
    layout::{CHECKED_FROM, Counts, HEADER, Layout, MAGIC, NO_DATE, VERSION},
};
use crate::{Cell, Resolution};

/// The most different kinds an index tells apart: a place's kind is two bytes.
const MAX_KINDS: usize = 1 << 16;

impl PlaceIndex {
    /// Builds an index. Positions are rounded to 1e-7 degrees; places are ordered by cell. What exceeds
    /// [`Self::MAX_PLACES`] is left out; names and hours beyond 4 GiB become empty; of more than 65,536 kinds the rarest
    /// lose their value. Equal places give equal bytes, whatever their order was.
    pub fn from_places(mut places: Vec<Place>, provenance: Provenance) -> Self {
        places.truncate(Self::MAX_PLACES);
        let kinds = Kinds::of(&mut places);
        let mut keyed: Vec<(Cell, E7, Place)> = places.into_iter().map(keyed).collect();
        keyed.sort_unstable_by(order);
        let mut strings = Strings::default();
        let kind_values: Vec<u32> = kinds.all.iter().map(|kind| strings.number(kind.value())).collect();
        let texts: Vec<(u32, u32)> = keyed
            .iter()
            .map(|(.., place)| (strings.number(&place.name), strings.number(place.hours.as_deref().unwrap_or(""))))
            .collect();
        let directory = directory(&keyed);
        let points: Vec<E7> = keyed.iter().map(|(_, point, _)| *point).collect();

        let layout = Layout::of(Counts {
            places: keyed.len(),
            cells: directory.len(),
            kinds: kinds.all.len(),
            strings: strings.ends.len(),
            text: strings.text.len(),
            attribution: provenance.attribution.len(),
        });
        let mut bytes = header(layout.counts, provenance.as_of);
        bytes.reserve_exact(layout.len() - HEADER);
        directory.iter().for_each(|(cell, _)| bytes.extend(cell.raw().to_le_bytes()));
        points.iter().flat_map(|point| [point.lat, point.lng]).for_each(|e7| bytes.extend(e7.to_le_bytes()));
        boxes_over(&points).for_each(|area| area.write(&mut bytes));
        directory.iter().for_each(|(_, start)| bytes.extend(start.to_le_bytes()));
        texts.iter().for_each(|(name, _)| bytes.extend(name.to_le_bytes()));
        texts.iter().for_each(|(_, hours)| bytes.extend(hours.to_le_bytes()));
        for (kind, value) in kinds.all.iter().zip(&kind_values) {
            bytes.extend((kind.tag() as u32).to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
        strings.ends.iter().for_each(|end| bytes.extend(end.to_le_bytes()));
        keyed.iter().for_each(|(.., place)| bytes.extend(kinds.number(&place.kind).to_le_bytes()));
        bytes.extend(provenance.attribution.as_bytes());
        bytes.extend(strings.text.as_bytes());
        seal(&mut bytes);
        Self::assembled(bytes, layout, kinds.all, provenance)
    }
}

fn keyed(mut place: Place) -> (Cell, E7, Place) {
    let point = E7::from(place.position);
    place.position = point.position();
    (Cell::at(place.position, Resolution::R9), point, place)
}

/// A total order without ties between different places, so that equal input gives equal bytes.
fn order((cell_a, at_a, a): &(Cell, E7, Place), (cell_b, at_b, b): &(Cell, E7, Place)) -> std::cmp::Ordering {
    cell_a
        .cmp(cell_b)
        .then_with(|| at_a.cmp(at_b))
        .then_with(|| a.kind.cmp(&b.kind))
        .then_with(|| (&a.name, &a.hours).cmp(&(&b.name, &b.hours)))
}

/// The occupied cells, each with its first place.
#[expect(clippy::cast_possible_truncation, reason = "there are at most MAX_PLACES places")]
fn directory(keyed: &[(Cell, E7, Place)]) -> Vec<(Cell, u32)> {
    let mut directory: Vec<(Cell, u32)> = Vec::new();
    for (number, (cell, ..)) in keyed.iter().enumerate() {
        if directory.last().is_none_or(|(last, _)| last != cell) {
            directory.push((*cell, number as u32));
        }
    }
    directory
}

#[expect(clippy::cast_possible_truncation, reason = "every count was bounded when it was made")]
fn header(counts: Counts, as_of: Option<Timestamp>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend(MAGIC);
    bytes.extend([VERSION, 0, 0, 0]);
    bytes.extend([0; 4]); // the checksum, once everything is written
    bytes.extend(as_of.map_or(NO_DATE, Timestamp::as_millis).to_le_bytes());
    let counts = [counts.places, counts.cells, counts.kinds, counts.strings, counts.text, counts.attribution];
    counts.iter().for_each(|&count| bytes.extend((count as u32).to_le_bytes()));
    bytes.resize(HEADER, 0);
    bytes
}

fn seal(bytes: &mut [u8]) {
    let mut crc = Crc::new();
    crc.update(bytes.get(CHECKED_FROM..).unwrap_or_default());
    if let Some(sum) = bytes.get_mut(CHECKED_FROM - 4..CHECKED_FROM) {
        sum.copy_from_slice(&crc.sum().to_le_bytes());
    }
}

/// The kinds of an index, sorted; a place names its kind by number.
struct Kinds {
    all: Vec<PlaceKind>,
    numbers: HashMap<PlaceKind, u16>,
}

impl Kinds {
    #[expect(clippy::cast_possible_truncation, reason = "there are at most 65,536")]
    fn of(places: &mut [Place]) -> Self {
        let mut counts: BTreeMap<PlaceKind, usize> = BTreeMap::new();
        for place in &*places {
            match counts.get_mut(&place.kind) {
                Some(count) => *count += 1,
                None => drop(counts.insert(place.kind.clone(), 1)),
            }
        }
        if counts.len() > MAX_KINDS {
            merge_rarest(places, counts);
            return Self::of(places);
        }
        let all: Vec<PlaceKind> = counts.into_keys().collect();
        let numbers = all.iter().enumerate().map(|(number, kind)| (kind.clone(), number as u16)).collect();
        Self { all, numbers }
    }

    fn number(&self, kind: &PlaceKind) -> u16 {
        self.numbers.get(kind).copied().unwrap_or_default()
    }
}

/// Takes the value from the rarest kinds, so that what remains has numbers enough; one more may be needed for each tag.
fn merge_rarest(places: &mut [Place], counts: BTreeMap<PlaceKind, usize>) {
    let mut ranked: Vec<(PlaceKind, usize)> = counts.into_iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let kept: std::collections::HashSet<PlaceKind> =
        ranked.into_iter().take(MAX_KINDS - super::PlaceTag::ALL.len()).map(|(kind, _)| kind).collect();
    for place in places.iter_mut().filter(|place| !kept.contains(&place.kind)) {
        place.kind = PlaceKind::new(place.kind.tag(), "");
    }
}

/// Every text once, numbered in the order of first use; 0 is the empty one.
struct Strings {
    numbers: HashMap<Box<str>, u32>,
    ends: Vec<u32>,
    text: String,
}

impl Default for Strings {
    fn default() -> Self {
        Self { numbers: HashMap::from([("".into(), 0)]), ends: vec![0], text: String::new() }
    }
}

impl Strings {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(&known) = self.numbers.get(text) {
            return known;
        }
        let (Ok(number), Ok(end)) =
            (u32::try_from(self.ends.len()), u32::try_from(self.text.len().saturating_add(text.len())))
        else {
            return 0;
        };
        self.text.push_str(text);
        self.ends.push(end);
        self.numbers.insert(text.into(), number);
        number
    }
}
