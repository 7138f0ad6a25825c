//! Searches a folder for anything a person would not want read there: words, names, contacts and places, in every
//! encoding they could plausibly have been stored in.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use mosaic_geo::{Cell, Resolution};
use mosaic_types::LatLng;

use crate::{
    demo::{plan::Plan, records::Record},
    exit::{Exit, OrExit, Outcome},
};

/// Needles shorter than this would be found by chance in a few megabytes of random bytes.
const SHORTEST: usize = 6;
/// Bytes by which needles are looked up.
const PREFIX: usize = 4;

/// What to search for.
pub(crate) struct Scan {
    needles: HashMap<[u8; PREFIX], Vec<Vec<u8>>>,
}

/// What a folder holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where: file and position, the first of each file.
    pub(crate) at: Vec<String>,
    /// Bytes that belong to a needle.
    pub(crate) readable: u64,
    /// Bytes searched.
    pub(crate) scanned: u64,
}

impl Scan {
    /// Everything true about this evening. What the public federation document holds anyway (its centre can share digits
    /// with a place, its name a word with a wish) tells nothing and is left out.
    pub(crate) fn of(plan: &Plan, records: &[Record], public: &[u8]) -> Self {
        let mut texts: BTreeSet<String> = BTreeSet::new();
        for person in &plan.people {
            texts.extend([person.name.clone(), person.contact.clone()]);
            texts.extend(
                person
                    .wishes
                    .iter()
                    .flat_map(|wish| std::iter::once(wish.words.as_str()).chain(wish.words.split(' ')))
                    .map(str::to_owned),
            );
        }
        let places = plan.people.iter().flat_map(|person| person.wishes.iter().map(|wish| wish.place));
        let said = records.iter().flat_map(|record| record.said.iter().map(|said| said.place));
        let bytes = texts.iter().flat_map(|text| text_forms(text)).chain(places.chain(said).flat_map(place_forms));
        let occurs = |needle: &Vec<u8>| public.windows(needle.len()).any(|part| part == needle);
        Self::for_needles(bytes.filter(|needle| !needle.is_empty() && !occurs(needle)))
    }

    fn for_needles(needles: impl Iterator<Item = Vec<u8>>) -> Self {
        let mut all: HashMap<[u8; PREFIX], Vec<Vec<u8>>> = HashMap::new();
        for needle in needles.filter(|needle| needle.len() >= SHORTEST).collect::<BTreeSet<_>>() {
            if let Some(prefix) = needle.first_chunk::<PREFIX>() {
                all.entry(*prefix).or_default().push(needle);
            }
        }
        Self { needles: all }
    }

    /// Plants a tenth of the needles, one of every so many, in a folder and finds them again: a search that cannot find
    /// is worth nothing. Returns the bytes found.
    pub(crate) fn control(&self, folder: &Path) -> Outcome<u64> {
        let doing = "cannot plant the control";
        fs::create_dir_all(folder).or_exit(Exit::Local, doing)?;
        let mut planted = vec![0x5c; 64];
        for needle in self.needles.values().flatten().step_by(10) {
            planted.extend_from_slice(needle);
            planted.extend([0x5c; 7]);
        }
        fs::write(folder.join("planted"), planted).or_exit(Exit::Local, doing)?;
        self.folder(folder).map(|found| found.readable)
    }

    /// Searches every file of a folder and its folders.
    pub(crate) fn folder(&self, folder: &Path) -> Outcome<Found> {
        let mut total = Found::default();
        let entries = fs::read_dir(folder).or_exit(Exit::Local, format!("cannot search {}", folder.display()))?;
        for entry in entries {
            let path = entry.or_exit(Exit::Local, "cannot search")?.path();
            let found = if path.is_dir() {
                self.folder(&path)?
            } else {
                let bytes = fs::read(&path).or_exit(Exit::Local, format!("cannot search {}", path.display()))?;
                let mut found = self.bytes(&bytes);
                found.at.iter_mut().for_each(|at| *at = format!("{}: {at}", path.display()));
                found
            };
            total.at.extend(found.at);
            total.readable += found.readable;
            total.scanned += found.scanned;
        }
        Ok(total)
    }

    fn bytes(&self, bytes: &[u8]) -> Found {
        let (mut readable, mut first) = (0, None);
        for at in 0..bytes.len() {
            let rest = &bytes[at..];
            let Some(listed) = rest.first_chunk::<PREFIX>().and_then(|prefix| self.needles.get(prefix)) else {
                continue;
            };
            let longest = listed.iter().filter(|needle| rest.starts_with(needle)).map(Vec::len).max();
            readable += longest.unwrap_or(0) as u64;
            first = first.or(longest.map(|length| format!("byte {at}, {length} long")));
        }
        Found { at: first.into_iter().collect(), readable, scanned: bytes.len() as u64 }
    }
}

/// UTF-8 as it is and in lower case, UTF-16, hexadecimal and base64.
fn text_forms(text: &str) -> Vec<Vec<u8>> {
    let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect();
    let mut forms = vec![text.as_bytes().to_vec(), text.to_lowercase().into_bytes()];
    if text.len() >= SHORTEST {
        forms.extend([
            wide(u16::to_le_bytes),
            wide(u16::to_be_bytes),
            hex::encode(text).into_bytes(),
            hex::encode_upper(text).into_bytes(),
            STANDARD_NO_PAD.encode(text).into_bytes(),
        ]);
    }
    forms
}

/// Decimal text from four places on, floats and fixed-point numbers in both byte orders, and H3 cells.
fn place_forms(place: LatLng) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for degrees in [place.lat(), place.lng()] {
        // a truncated text is the beginning of every longer one
        let text = format!("{degrees:.9}");
        forms.extend(text.find('.').and_then(|dot| text.get(..dot + 5)).map(|text| text.as_bytes().to_vec()));
        forms.extend([degrees.to_le_bytes().to_vec(), degrees.to_be_bytes().to_vec()]);
    }
    for scale in [1e6, 1e7] {
        #[expect(clippy::cast_possible_truncation, reason = "degrees times 1e7 fit")]
        let [lat, lng] = [place.lat(), place.lng()].map(|degrees| (degrees * scale).round() as i32);
        for (a, b) in [(lat, lng), (lng, lat)] {
            forms.extend([[a.to_le_bytes(), b.to_le_bytes()].concat(), [a.to_be_bytes(), b.to_be_bytes()].concat()]);
        }
    }
    for resolution in [Resolution::R7, Resolution::R8, Resolution::R9] {
        let cell = Cell::at(place, resolution).raw();
        forms.extend([cell.to_le_bytes().to_vec(), cell.to_be_bytes().to_vec(), format!("{cell:x}").into_bytes()]);
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_written_is_found() {
        let place = LatLng::new(-45.012_345_6, 0.023_456_7).unwrap();
        let needles = text_forms("coffee meetup").into_iter().chain(place_forms(place));
        let scan = Scan::for_needles(needles);
        for text in ["a coffee meetup!", "{\"lat\":-45.01234,", "636f66666565206d6565747570", "Y29mZmVlIG1lZXR1cA"] {
            assert!(scan.bytes(text.as_bytes()).readable > 0, "{text}");
        }
        let stored = [vec![7; 3], place.lat().to_be_bytes().to_vec(), vec![9]].concat();
        let found = scan.bytes(&stored);
        assert_eq!((found.readable, found.scanned, found.at.len()), (8, 12, 1));
        assert_eq!(scan.bytes(b"coffee, no meeting at -45.5").readable, 0);
    }

    #[test]
    fn the_control_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let scan = Scan::for_needles(text_forms("coffee meetup").into_iter());
        assert!(scan.control(&folder.path().join("control")).unwrap() > 0);
    }
}
