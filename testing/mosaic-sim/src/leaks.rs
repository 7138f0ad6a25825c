//! Searching bytes for what must not be in them: true words, coordinates, contacts, keys, tokens, each
//! in the forms in which software usually leaks them.

use std::collections::BTreeMap;

use mosaic_geo::{Cell, Resolution};
use mosaic_types::LatLng;

/// What a needle is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secret {
    /// A word of somebody's context, or the whole of it.
    Words,
    /// A true position.
    Place,
    /// A contact.
    Contact,
    /// A key or a token.
    Key,
}

/// Secrets in all their forms. Forms shorter than five bytes are left out: in random bytes they occur
/// by chance.
#[derive(Clone, Default)]
pub struct Needles {
    forms: Vec<(Secret, Vec<u8>)>,
}

const LEAST: usize = 5;

impl Needles {
    /// Nothing to look for.
    pub fn new() -> Self {
        Self::default()
    }

    fn add(&mut self, secret: Secret, form: impl Into<Vec<u8>>) {
        let form = form.into();
        if form.len() >= LEAST && !self.forms.iter().any(|(_, known)| *known == form) {
            self.forms.push((secret, form));
        }
    }

    fn add_text(&mut self, secret: Secret, text: &str) {
        for form in [text.to_owned(), text.to_lowercase(), text.to_uppercase()] {
            self.add(secret, form.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
            self.add_bytes(secret, form.as_bytes());
        }
    }

    fn add_bytes(&mut self, secret: Secret, bytes: &[u8]) {
        self.add(secret, bytes);
        if bytes.len() >= LEAST {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            self.add(secret, hex.to_uppercase());
            self.add(secret, hex);
            self.add(secret, base64(bytes));
            self.add(secret, decimal_list(bytes));
        }
    }

    /// A context: the whole of it, and each of its words of five letters or more.
    #[must_use]
    pub fn words(mut self, context: &str) -> Self {
        self.add_text(Secret::Words, context);
        for word in context.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() >= LEAST) {
            self.add_text(Secret::Words, word);
        }
        self
    }

    /// A position: decimal degrees cut or rounded at three to seven places, binary numbers of either
    /// byte order, and the H3 cells of resolutions 8 and 9 as numbers and as text.
    #[must_use]
    pub fn place(mut self, place: LatLng) -> Self {
        for degrees in [place.lat(), place.lng()] {
            for places in 3..=7 {
                let (rounded, exact) = (format!("{degrees:.places$}"), format!("{degrees:.12}"));
                let cut = exact[..exact.len() - (12 - places)].to_owned();
                // shorter ones, such as 0.012, are not typical of a place
                let forms = [rounded, cut].into_iter().filter(|form| form.len() > LEAST);
                forms.for_each(|form| self.add(Secret::Place, form));
            }
            self.add(Secret::Place, degrees.to_be_bytes());
            self.add(Secret::Place, degrees.to_le_bytes());
        }
        for (first, second) in [(place.lat(), place.lng()), (place.lng(), place.lat())] {
            self.add_pair(first, second);
        }
        for resolution in [Resolution::R8, Resolution::R9] {
            let cell = Cell::at(place, resolution);
            self.add(Secret::Place, cell.raw().to_be_bytes());
            self.add(Secret::Place, cell.raw().to_le_bytes());
            self.add(Secret::Place, format!("{:x}", cell.raw()));
            self.add(Secret::Place, cell.raw().to_string());
        }
        self
    }

    /// Four-byte forms, only as pairs.
    fn add_pair(&mut self, first: f64, second: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "the forms are meant to be coarse")]
        let (single, whole) = ([first as f32, second as f32], [(first * 1e7) as i32, (second * 1e7) as i32]);
        self.add(Secret::Place, single.map(f32::to_be_bytes).concat());
        self.add(Secret::Place, single.map(f32::to_le_bytes).concat());
        self.add(Secret::Place, whole.map(i32::to_be_bytes).concat());
        self.add(Secret::Place, whole.map(i32::to_le_bytes).concat());
    }

    /// A contact, whole.
    #[must_use]
    pub fn contact(mut self, contact: &str) -> Self {
        self.add_text(Secret::Contact, contact);
        self
    }

    /// A key, a token, or any other secret bytes.
    #[must_use]
    pub fn key(mut self, bytes: &[u8]) -> Self {
        self.add_bytes(Secret::Key, bytes);
        self
    }

    /// Which secrets occur in `haystack`, and how often.
    pub fn found_in(&self, haystack: &[u8]) -> BTreeMap<Secret, usize> {
        let mut found = BTreeMap::new();
        let starts = Starts::of(&self.forms);
        for at in 0..haystack.len().saturating_sub(LEAST - 1) {
            if !starts.may_begin(haystack[at], haystack[at + 1]) {
                continue;
            }
            for (secret, form) in self.forms.iter().filter(|(_, form)| haystack[at..].starts_with(form)) {
                debug_assert!(form.len() >= LEAST);
                *found.entry(*secret).or_default() += 1;
            }
        }
        found
    }

    /// How many forms are looked for.
    pub fn len(&self) -> usize {
        self.forms.len()
    }

    /// Whether nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }
}

/// The pairs of bytes that begin some needle, as a set of bits.
struct Starts(Vec<u64>);

impl Starts {
    fn of(forms: &[(Secret, Vec<u8>)]) -> Self {
        let mut bits = vec![0; 1_024];
        for (_, form) in forms {
            let pair = usize::from(u16::from_be_bytes([form[0], form[1]]));
            bits[pair / 64] |= 1 << (pair % 64);
        }
        Self(bits)
    }

    fn may_begin(&self, first: u8, second: u8) -> bool {
        let pair = usize::from(u16::from_be_bytes([first, second]));
        self.0[pair / 64] >> (pair % 64) & 1 == 1
    }
}

/// Base64 of the whole triples in front, so that what follows the secret does not matter.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32| char::from(DIGITS[(bits & 63) as usize]);
    let triples = bytes.chunks_exact(3).map(|triple| u32::from_be_bytes([0, triple[0], triple[1], triple[2]]));
    triples.flat_map(|bits| [digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), digit(bits)]).collect()
}

/// `1, 2, 3`: how `Debug` prints bytes.
fn decimal_list(bytes: &[u8]) -> String {
    bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_planted_secret_is_found() {
        let place = LatLng::new(41.157_943_8, -8.629_105_3).unwrap();
        let needles = Needles::new().words("coffee meetup").place(place).contact("@anna.example").key(&[0xAB; 32]);
        let planted: [(&[u8], Secret); 9] = [
            (b"want COFFEE now", Secret::Words),
            (b"at 41.158,", Secret::Place),
            (b"lon=-8.62910", Secret::Place),
            (&place.lat().to_be_bytes(), Secret::Place),
            (b"cell 88392a", Secret::Place),
            (b"mail @ANNA.example to @anna.example", Secret::Contact),
            (b"abababababababababababababababababababababababababababababababab", Secret::Key),
            (b"[171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171, 171]", Secret::Key),
            (b"QGFubmEuZXhhbXBs", Secret::Contact),
        ];
        for (text, secret) in planted {
            let text = if text.starts_with(b"cell") {
                format!("cell {}", Cell::at(place, Resolution::R8)).into_bytes()
            } else {
                text.to_vec()
            };
            let mut haystack = vec![0x5A; 1_000];
            haystack.extend(&text);
            haystack.extend([0x5A; 10]);
            let found = needles.found_in(&haystack);
            assert!(found.contains_key(&secret), "{}", String::from_utf8_lossy(&text));
        }
        assert!(needles.found_in(&[0x5A; 2_000]).is_empty() && needles.found_in(b"").is_empty());
    }
}
