//! Searches a folder for anything a person would not want read there: words, names, contacts, tokens and places, in
//! every encoding they could plausibly have been stored in.

use std::{
    collections::{BTreeSet, HashMap},
    fs, io,
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use mosaic_geo::{Cell, Resolution};
use mosaic_provider::store::LogStore;
use mosaic_types::LatLng;

use crate::{
    demo::{
        plan::{Person, Plan},
        records::Record,
    },
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

/// What came of planting every needle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Control {
    /// Bytes planted.
    pub(crate) planted: u64,
    /// Bytes found; more than were planted where one needle lies in another.
    pub(crate) found: u64,
    /// Needles that were planted and not found.
    pub(crate) missed: usize,
}

impl Scan {
    /// Everything true about this evening. What `public` holds anyway tells nothing and is left out: the federation's
    /// document (its centre can share digits with a place) and a store that nobody wrote to (its files begin with
    /// words of their own).
    pub(crate) fn of(plan: &Plan, records: &[Record], public: &[u8]) -> Self {
        Self::with_words(plan, records, public, true)
    }

    /// As [`Self::of`], without what people write on their cards, and with names in contacts only: what no reader of a
    /// card may learn.
    pub(crate) fn beyond_cards(plan: &Plan, records: &[Record], public: &[u8]) -> Self {
        Self::with_words(plan, records, public, false)
    }

    fn with_words(plan: &Plan, records: &[Record], public: &[u8], words: bool) -> Self {
        let mut texts: BTreeSet<String> = BTreeSet::new();
        for person in &plan.people {
            let contacts = [&person.contact, &person.token_contact];
            texts.extend(contacts.into_iter().flat_map(|contact| [vec![contact.clone()], numbers(contact)].concat()));
            if !words {
                continue;
            }
            texts.insert(person.name.clone());
            texts.extend(
                person
                    .wishes
                    .iter()
                    .flat_map(|wish| std::iter::once(wish.words.as_str()).chain(wish.words.split(' ')))
                    .map(str::to_owned),
            );
        }
        texts.extend(records.iter().filter_map(|record| record.token.as_ref().map(|made| made.token.clone())));
        let wishes = |person: &Person| person.wishes.iter().map(|wish| wish.place).collect::<Vec<_>>();
        let places = plan.people.iter().flat_map(|person| [wishes(person), person.spent_at.clone()].concat());
        let said = records.iter().flat_map(|record| record.said.iter().map(|said| said.place));
        let bytes = texts.iter().flat_map(|text| text_forms(text)).chain(places.chain(said).flat_map(place_forms));
        let mut scan = Self::for_needles(bytes);
        scan.leave_out(public);
        scan
    }

    fn leave_out(&mut self, public: &[u8]) {
        for at in 0..public.len() {
            let rest = &public[at..];
            if let Some(listed) = rest.first_chunk::<PREFIX>().and_then(|prefix| self.needles.get_mut(prefix)) {
                listed.retain(|needle| !rest.starts_with(needle));
            }
        }
        self.needles.retain(|_, listed| !listed.is_empty());
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

    /// Plants every needle in a file of its own and searches the folder like a provider's: a search that cannot find
    /// is worth nothing. The folder is removed afterwards.
    pub(crate) fn control(&self, folder: &Path) -> Outcome<Control> {
        let doing = "cannot plant the control";
        fs::create_dir_all(folder).or_exit(Exit::Local, doing)?;
        let mut control = Control::default();
        let mut files = 0;
        for (number, needle) in self.needles.values().flatten().enumerate() {
            let planted = [&[0x5c; 64], needle.as_slice(), &[0x5c; 7]].concat();
            fs::write(folder.join(number.to_string()), planted).or_exit(Exit::Local, doing)?;
            control.planted += needle.len() as u64;
            files += 1;
        }
        let found = self.folder(folder)?;
        fs::remove_dir_all(folder).or_exit(Exit::Local, "cannot remove the control")?;
        control.found = found.readable;
        // one place is told for each file that holds anything
        control.missed = files - found.at.len();
        Ok(control)
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

    /// Everything that is searched for.
    pub(crate) fn needles(&self) -> impl Iterator<Item = &[u8]> {
        self.needles.values().flatten().map(Vec::as_slice)
    }

    /// How many bytes belong to a needle.
    pub(crate) fn readable(&self, bytes: &[u8]) -> u64 {
        self.bytes(bytes).readable
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

/// What a provider's store holds before anybody wrote to it. The folder is removed afterwards.
pub(crate) fn empty_store(folder: &Path) -> Outcome<Vec<u8>> {
    let doing = "cannot make an empty store";
    drop(LogStore::open(folder).or_exit(Exit::Local, doing)?);
    let bytes = all_bytes(folder).or_exit(Exit::Local, doing)?;
    fs::remove_dir_all(folder).or_exit(Exit::Local, doing)?;
    Ok(bytes)
}

/// Every file of a folder and its folders, one after the other.
fn all_bytes(folder: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        bytes.extend(if path.is_dir() { all_bytes(&path)? } else { fs::read(path)? });
    }
    Ok(bytes)
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

/// The digits of a contact's number alone, with and without its country.
fn numbers(contact: &str) -> Vec<String> {
    const NATIONAL: usize = 9;
    let Some((_, number)) = contact.rsplit_once('+') else { return Vec::new() };
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let national = digits.len().checked_sub(NATIONAL).and_then(|from| digits.get(from..)).map(str::to_owned);
    national.into_iter().chain([digits]).collect()
}

/// Decimal text from four places on, floats (single ones in pairs) and fixed-point numbers in both byte orders, and H3 cells.
fn place_forms(place: LatLng) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for degrees in [place.lat(), place.lng()] {
        // a truncated text is the beginning of every longer one
        let text = format!("{degrees:.9}");
        forms.extend(text.find('.').and_then(|dot| text.get(..dot + 5)).map(|text| text.as_bytes().to_vec()));
        forms.extend([degrees.to_le_bytes().to_vec(), degrees.to_be_bytes().to_vec()]);
    }
    #[expect(clippy::cast_possible_truncation, reason = "as a careless store would")]
    let [lat, lng] = [place.lat() as f32, place.lng() as f32];
    for (a, b) in [(lat, lng), (lng, lat)] {
        forms.extend([[a.to_le_bytes(), b.to_le_bytes()].concat(), [a.to_be_bytes(), b.to_be_bytes()].concat()]);
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
    use crate::demo::{plan::Script, records::TokenMade};

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
    fn every_needle_of_the_control_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let place = LatLng::new(-45.012_345_6, 0.023_456_7).unwrap();
        let scan = Scan::for_needles(text_forms("coffee meetup").into_iter().chain(place_forms(place)));
        let control = scan.control(&folder.path().join("control")).unwrap();
        let planted: usize = scan.needles.values().flatten().map(Vec::len).sum();
        assert_eq!((control.planted, control.missed), (planted as u64, 0));
        assert!(control.found >= control.planted && !folder.path().join("control").exists());
    }

    #[test]
    fn a_search_that_finds_nothing_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let mut scan = Scan::for_needles(text_forms("coffee meetup").into_iter());
        // filed under a prefix it does not have
        let lost = scan.needles.remove(b"coff").unwrap();
        scan.needles.insert(*b"tea!", lost);
        let control = scan.control(&folder.path().join("control")).unwrap();
        assert!(control.missed > 0 && control.found < control.planted);
    }

    #[test]
    fn what_is_public_is_no_finding_and_all_else_is() {
        let mut scan =
            Scan::for_needles(["tables", "tables for two", "coffee"].iter().flat_map(|text| text_forms(text)));
        scan.leave_out(b"verdicts, tables, evidence");
        assert_eq!(scan.bytes(b"verdicts, tables, evidence").readable, 0);
        assert_eq!(scan.bytes(b"tables for two, coffee").readable, 20);
        assert!(scan.bytes(hex::encode("tables").as_bytes()).readable > 0);
    }

    /// The words by which a store's files begin are known, whoever uses it.
    #[test]
    fn a_store_that_nobody_wrote_to_holds_its_own_words_only() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = empty_store(&folder.path().join("empty")).unwrap();
        let words = Scan::for_needles(["MOSLOGS"].iter().map(|word| word.as_bytes().to_vec()));
        assert!(words.bytes(&bytes).readable > 0 && !folder.path().join("empty").exists());
    }

    #[test]
    fn everything_a_person_has_is_a_needle() {
        let mut script = Script {
            places: None,
            traces: None,
            agents: 4,
            hours: 3.0,
            speed: 120.0,
            seed: 7,
            exhausted: 0,
            folder: None,
        };
        let plan = Plan::draw(&mut script).unwrap();
        let token = "7dQ0x3mEoYcB2kVtR8sZ1wJfHnLpG5aU";
        let made = TokenMade { id: String::new(), token: token.to_owned(), connected: true };
        let scan = Scan::of(&plan, &[Record { token: Some(made), ..Record::default() }], b"");
        for person in &plan.people {
            let digits = |contact: &str| contact.rsplit_once("+351 ").unwrap().1.to_owned();
            let (own, given) = (digits(&person.contact), digits(&person.token_contact));
            for text in [&person.name, &person.contact, &person.token_contact, &own, &given, &person.wishes[0].words] {
                assert!(scan.bytes(text.as_bytes()).readable > 0, "{text}");
            }
            let place = person.wishes[0].place;
            #[expect(clippy::cast_possible_truncation, reason = "what is looked for")]
            let single = [(place.lng() as f32).to_be_bytes(), (place.lat() as f32).to_be_bytes()].concat();
            assert!(scan.bytes(&single).readable >= 8);
        }
        assert!(scan.bytes(token.as_bytes()).readable > 0);
        assert_eq!(scan.bytes(b"nothing of anybody").readable, 0);
    }
}
