use std::{fmt, str::FromStr};

use mosaic_types::LatLng;
use thiserror::Error;

use crate::{InvalidJoinLink, JoinLink};

/// Most places of a gathering.
const MOST_PLACES: usize = 4;
/// Most bytes of a topic or of a place's name.
const LONGEST_NAME: usize = 60;
/// Most bytes of the text: what a QR code holds with room to spare.
const LONGEST: usize = 1_500;

/// A place of a gathering: public, and stated to about ten metres.
#[derive(Clone, Debug, PartialEq)]
pub struct GatheringPlace {
    /// Where.
    pub at: LatLng,
    /// What people call it; may be empty.
    pub name: String,
}

/// When and where people who look for one topic find each other: what a poster says. All of it is public
/// (`docs/spec/gathering.md`, ADR 0028).
///
/// `mosaic:gathering?topic=TOPIC&from=UNIX&to=UNIX&place=LAT,LON,NAME&at=HOST:PORT&pin=HEX&doc=HEX`, with one to four
/// places.
#[derive(Clone, Debug, PartialEq)]
pub struct Gathering {
    topic: String,
    from: u64,
    to: u64,
    places: Vec<GatheringPlace>,
    link: JoinLink,
}

/// What is no gathering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidGathering {
    /// Not in the form a gathering has.
    #[error("a gathering reads mosaic:gathering?topic=...&from=...&to=...&place=...&at=...&pin=...&doc=...")]
    Form,
    /// A topic or name that is empty, long or not printable.
    #[error("a topic has 1 to 60 bytes of printable text, a place's name at most 60")]
    Name,
    /// Hours that end before they begin, or last longer than a week.
    #[error("the hours must end after they begin, within a week")]
    Hours,
    /// No place, too many, or one that is nowhere.
    #[error("name one to four places on earth")]
    Place,
    /// The federation's part is no join link.
    #[error(transparent)]
    Link(InvalidJoinLink),
}

impl Gathering {
    /// A gathering about `topic` from `from` to `to` (unix seconds) at one to four places, in the federation of `link`.
    /// Places are rounded to four decimals.
    ///
    /// # Errors
    /// [`InvalidGathering`].
    pub fn new(
        topic: &str,
        (from, to): (u64, u64),
        places: Vec<GatheringPlace>,
        link: JoinLink,
    ) -> Result<Self, InvalidGathering> {
        let printable = |text: &str| text.len() <= LONGEST_NAME && !text.chars().any(char::is_control);
        if topic.trim() != topic || topic.is_empty() || !printable(topic) {
            return Err(InvalidGathering::Name);
        }
        if from >= to || to - from > 7 * 86_400 {
            return Err(InvalidGathering::Hours);
        }
        if places.is_empty() || places.len() > MOST_PLACES {
            return Err(InvalidGathering::Place);
        }
        let mut rounded = Vec::new();
        for place in places {
            let name = place.name.trim().to_owned();
            if !printable(&name) {
                return Err(InvalidGathering::Name);
            }
            let to = |degrees: f64| format!("{degrees:.4}").parse().unwrap_or(degrees) + 0.0;
            let at = LatLng::new(to(place.at.lat()), to(place.at.lng())).map_err(|_| InvalidGathering::Place)?;
            rounded.push(GatheringPlace { at, name });
        }
        let made = Self { topic: topic.to_owned(), from, to, places: rounded, link };
        if made.to_string().len() > LONGEST { Err(InvalidGathering::Form) } else { Ok(made) }
    }

    /// What it is about.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// From when to when, unix seconds.
    pub const fn hours(&self) -> (u64, u64) {
        (self.from, self.to)
    }

    /// Where.
    pub fn places(&self) -> &[GatheringPlace] {
        &self.places
    }

    /// How to join its federation.
    pub const fn link(&self) -> &JoinLink {
        &self.link
    }
}

impl fmt::Display for Gathering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mosaic:gathering?topic={}&from={}&to={}", escaped(&self.topic), self.from, self.to)?;
        for GatheringPlace { at, name } in &self.places {
            write!(f, "&place={:.4},{:.4},{}", at.lat(), at.lng(), escaped(name))?;
        }
        let link = self.link.to_string();
        write!(f, "&{}", link.strip_prefix("mosaic:join?").unwrap_or(&link))
    }
}

impl FromStr for Gathering {
    type Err = InvalidGathering;

    /// Only the one text that [`fmt::Display`] writes is read, white space around it aside.
    fn from_str(text: &str) -> Result<Self, InvalidGathering> {
        let text = text.trim();
        let query = text.strip_prefix("mosaic:gathering?").filter(|_| text.len() <= LONGEST);
        let (query, link) = query.and_then(|query| query.split_once("&at=")).ok_or(InvalidGathering::Form)?;
        let link = format!("mosaic:join?at={link}").parse().map_err(InvalidGathering::Link)?;
        let mut parts = query.split('&');
        let mut next = |name| parts.next().and_then(|part| part.strip_prefix(name)).ok_or(InvalidGathering::Form);
        let topic = plain(next("topic=")?).ok_or(InvalidGathering::Name)?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| InvalidGathering::Form);
        let hours = (number(next("from=")?)?, number(next("to=")?)?);
        let places: Result<Vec<_>, _> = parts.map(place).collect();
        let read = Self::new(&topic, hours, places?, link)?;
        if read.to_string() == text { Ok(read) } else { Err(InvalidGathering::Form) }
    }
}

fn place(part: &str) -> Result<GatheringPlace, InvalidGathering> {
    let mut fields = part.strip_prefix("place=").ok_or(InvalidGathering::Form)?.splitn(3, ',');
    let mut degrees = || fields.next().and_then(|field| field.parse::<f64>().ok()).ok_or(InvalidGathering::Place);
    let (lat, lng) = (degrees()?, degrees()?);
    let name = plain(fields.next().ok_or(InvalidGathering::Form)?).ok_or(InvalidGathering::Name)?;
    Ok(GatheringPlace { at: LatLng::new(lat, lng).map_err(|_| InvalidGathering::Place)?, name })
}

/// Unreserved characters of RFC 3986 as they are, every other byte as `%XX`.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
        escaped
    })
}

/// The text behind [`escaped`]; `None` for what is cut short or no UTF-8.
fn plain(escaped: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), escaped.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'%' {
            let (digits, after) = rest.split_first_chunk::<2>()?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn link() -> JoinLink {
        JoinLink::new("provider.example", 7_443, [0xab; 32], [0xcd; 32]).unwrap()
    }

    fn at(lat: f64, lng: f64, name: &str) -> GatheringPlace {
        GatheringPlace { at: LatLng::new(lat, lng).unwrap(), name: name.to_owned() }
    }

    #[test]
    fn a_gathering_has_bounds() {
        let new = |topic: &str, hours, places| Gathering::new(topic, hours, places, link()).err();
        let here = || vec![at(41.149_61, -8.611, "Praça, fonte")];
        assert_eq!(new("chess", (10, 20), here()), None);
        assert_eq!(new("", (10, 20), here()), Some(InvalidGathering::Name));
        assert_eq!(new("a\nb", (10, 20), here()), Some(InvalidGathering::Name));
        assert_eq!(new(&"c".repeat(61), (10, 20), here()), Some(InvalidGathering::Name));
        assert_eq!(new("chess", (20, 20), here()), Some(InvalidGathering::Hours));
        assert_eq!(new("chess", (0, 7 * 86_400 + 1), here()), Some(InvalidGathering::Hours));
        assert_eq!(new("chess", (10, 20), Vec::new()), Some(InvalidGathering::Place));
        assert_eq!(new("chess", (10, 20), vec![at(0.0, 0.0, ""); 5]), Some(InvalidGathering::Place));
        let made = Gathering::new("chess", (10, 20), here(), link()).unwrap();
        assert_eq!((made.places()[0].at.lat(), made.hours(), made.topic()), (41.149_6, (10, 20), "chess"));
        assert_eq!(
            made.to_string(),
            format!(
                "mosaic:gathering?topic=chess&from=10&to=20&place=41.1496,-8.6110,Pra%C3%A7a%2C%20fonte&at=provider.example:7443&pin={}&doc={}",
                "ab".repeat(32),
                "cd".repeat(32)
            )
        );
    }

    #[test]
    fn only_one_text_is_read() {
        let text = Gathering::new("chess", (10, 20), vec![at(1.0, 2.0, "a b")], link()).unwrap().to_string();
        assert!(text.parse::<Gathering>().is_ok());
        for (part, other) in [
            ("from=10", "from=010"),
            ("%20", "+"),
            ("1.0000", "1.0"),
            ("topic=chess", "topic=%63hess"),
            ("topic=chess", "topic=%6"),
            ("&from", "&x=1&from"),
            ("mosaic:", "Mosaic:"),
        ] {
            assert!(text.replacen(part, other, 1).parse::<Gathering>().is_err(), "{other}");
        }
        assert_eq!(
            text.replace("7443", "0").parse::<Gathering>(),
            Err(InvalidGathering::Link(InvalidJoinLink::Address))
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            topic in "[a-zæ漢%&=, ]{1,20}", from in 0..u64::from(u32::MAX), span in 1..604_800_u64,
            places in prop::collection::vec((-90.0..=90.0_f64, -180.0..180.0_f64, "[a-z,&= é]{0,20}"), 1..=4),
        ) {
            prop_assume!(topic.trim() == topic);
            let places = places.into_iter().map(|(lat, lng, name)| at(lat, lng, &name)).collect();
            let made = Gathering::new(&topic, (from, from + span), places, link()).unwrap();
            prop_assert_eq!(made.to_string().parse::<Gathering>(), Ok(made));
        }
    }
}
