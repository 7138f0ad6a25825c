//! A card's words: whole where they fit one bundle, else as coded parts over the bundles of several slots.
//!
//! A card is written at three resolutions in each window, each time in another event, as one of ten. A text beyond 41
//! bytes is coded (Reed and Solomon 1960) so that *any* two or three of those bundles give it back: a reader reads
//! six of them, those of this window and of the one before, so parts that are lost in full rows or never read do no
//! harm. One event never holds two parts of one text, and every other bundle of the event is coded alike, so that
//! neither the length of the words nor the number of parts tells whose a bundle is (L3-15 to L3-21, C-08; ADR 12).

use std::fmt;

use mosaic_types::Window;
use reed_solomon_simd as rs;

use crate::{
    bundle::{ShortText, clipped},
    codec::{DecodeError, Reader, Writer, padded_text, plain_text},
};

/// Bytes of text in a coded part; the code wants an even number.
const SHARD: usize = 36;
/// Parts that differ: those of twelve bundles, that is of four windows.
const CARRIERS: u8 = 12;
/// Bundles that a card has in a window: one at each resolution.
const A_WINDOW: u32 = 3;
/// Most parts kept of one text: twice what an honest publisher writes, in case somebody writes others beside them.
const MOST_KEPT: usize = 2 * CARRIERS as usize;
/// Most choices of parts that are tried for one text, a third of a millisecond each: all there are among ten parts, so
/// seven foreign ones beside three right ones cost nothing but time, and a flood costs no more.
const MOST_TRIES: u8 = 128;

/// How many parts a text needs to be read: 1 to 3. Equal for all ten bundles of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartsNeeded {
    /// It fits a bundle and stands whole in each.
    #[default]
    One,
    /// Any two parts give it back.
    Two,
    /// Any three do.
    Three,
}

impl PartsNeeded {
    /// From the fewest to the most.
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::Three];

    /// What a text of so many bytes needs; beyond the longest, as many as that.
    pub fn of_length(bytes: usize) -> Self {
        Self::ALL.into_iter().find(|parts| bytes <= parts.most_bytes()).unwrap_or(Self::Three)
    }

    /// The longest text in bytes that can do with so many.
    pub const fn most_bytes(self) -> usize {
        match self {
            Self::One => ShortText::MAX_BYTES,
            Self::Two | Self::Three => self.count() * SHARD,
        }
    }

    /// The number.
    pub const fn count(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
        }
    }
}

/// Which of a card's bundles carries a part: follows from window and resolution, so nothing needs to say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Carrier(u8);

impl Carrier {
    /// The bundle of a window at a resolution (6, 7 or 8). Those of four windows in a row differ.
    pub const fn of(window: Window, resolution: u8) -> Self {
        let number = (window.0 % CARRIERS as u32) * A_WINDOW + resolution as u32 % A_WINDOW;
        Self((number % CARRIERS as u32) as u8)
    }

    fn index(self) -> usize {
        self.0.into()
    }
}

/// At most 108 bytes of a person's released words. Never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CardText(String);

impl CardText {
    /// The most bytes.
    pub const MAX_BYTES: usize = PartsNeeded::Three.most_bytes();

    /// As much of `raw` as leaves the device, cut between characters, control characters left out.
    pub fn clipped(raw: &str) -> Self {
        Self::clipped_to(raw, PartsNeeded::Three)
    }

    /// As much of `raw` as so many parts hold, cut likewise.
    pub fn clipped_to(raw: &str, parts: PartsNeeded) -> Self {
        Self(clipped(raw, parts.most_bytes()))
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many parts are needed to read it.
    pub fn parts_needed(&self) -> PartsNeeded {
        PartsNeeded::of_length(self.0.len())
    }

    /// What one bundle carries of it.
    pub fn carried(&self, carrier: Carrier) -> TextField {
        let needed = match self.parts_needed() {
            PartsNeeded::One => return TextField::Whole(ShortText::clipped(&self.0)),
            more => more,
        };
        let mut padded = vec![0; needed.count() * SHARD];
        padded.iter_mut().zip(self.0.bytes()).for_each(|(place, byte)| *place = byte);
        let coded = rs::encode(needed.count(), CARRIERS.into(), padded.chunks_exact(SHARD));
        let shard = coded.ok().and_then(|parts| parts.get(carrier.index())?.first_chunk().copied());
        // the sizes are constants that the code takes (tested for every length), so there is a part
        TextField::Part(TextPart { of: TextRef { needed, id: id(&self.0) }, shard: shard.unwrap_or([0; SHARD]) })
    }
}

impl fmt::Debug for CardText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardText([hidden])")
    }
}

/// Four bytes that parts of one text share, and that the text read from them must have. They stand in the topic layer:
/// who cannot read the words cannot test a guess at them.
fn id(text: &str) -> [u8; 4] {
    let [a, b, c, d, ..] = mosaic_crypto::digest(&[b"mosaic/text/1", text.as_bytes()]);
    [a, b, c, d]
}

/// Names a coded text among what a reader found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextRef {
    needed: PartsNeeded,
    id: [u8; 4],
}

impl TextRef {
    /// How many of its parts are needed.
    pub const fn needed(self) -> PartsNeeded {
        self.needed
    }
}

/// One coded part of a text. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct TextPart {
    of: TextRef,
    shard: [u8; SHARD],
}

impl TextPart {
    /// The text it is a part of.
    pub const fn text(&self) -> TextRef {
        self.of
    }
}

impl fmt::Debug for TextPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextPart([hidden])")
    }
}

/// The 41 bytes of words in a topic layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextField {
    /// All of them.
    Whole(ShortText),
    /// A part of them.
    Part(TextPart),
}

impl Default for TextField {
    fn default() -> Self {
        Self::Whole(ShortText::default())
    }
}

impl TextField {
    /// Bytes of the field.
    pub const SIZE: usize = ShortText::MAX_BYTES;

    /// A coded part begins with the number of parts needed, which is no character that a text may hold.
    pub(crate) fn encode(&self) -> [u8; Self::SIZE] {
        match self {
            Self::Whole(text) => Writer::new().put(text.as_str().as_bytes()).finish(),
            Self::Part(TextPart { of, shard }) => {
                Writer::new().byte(of.needed.count() as u8).put(&of.id).put(shard).finish()
            }
        }
    }

    /// # Errors
    /// [`DecodeError::Text`] for what is neither text nor a part.
    pub(crate) fn decode(field: &[u8]) -> Result<Self, DecodeError> {
        let needed = match field.first() {
            Some(2) => PartsNeeded::Two,
            Some(3) => PartsNeeded::Three,
            _ => {
                let text = ShortText::new(padded_text(field)?).map_err(|_| DecodeError::Text)?;
                return Ok(Self::Whole(text));
            }
        };
        let mut reader = Reader::exact(field, Self::SIZE)?;
        reader.u8()?;
        Ok(Self::Part(TextPart { of: TextRef { needed, id: reader.take()? }, shard: reader.take()? }))
    }
}

/// What a reader has of one coded text.
#[derive(Clone, Default)]
pub struct GatheredText {
    parts: Vec<(Carrier, [u8; SHARD])>,
    tried: u8,
    text: Option<CardText>,
}

impl fmt::Debug for GatheredText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatheredText([hidden])")
    }
}

impl GatheredText {
    /// Takes a part that lay in the bundle of `carrier`. Parts that somebody else slipped in among the right ones do no
    /// harm unless there are very many: whatever is read has the id that its parts name, or is not read.
    pub fn add(&mut self, carrier: Carrier, part: &TextPart) {
        let new = (carrier, part.shard);
        if self.text.is_some() || self.parts.contains(&new) || self.parts.len() == MOST_KEPT {
            return;
        }
        self.text = self.read_with(new, part.of);
        self.parts.push(new);
    }

    /// The words, once enough parts are here.
    pub const fn text(&self) -> Option<&CardText> {
        self.text.as_ref()
    }

    /// Tries the new part with every choice of the others that it lacks.
    fn read_with(&mut self, new: (Carrier, [u8; SHARD]), of: TextRef) -> Option<CardText> {
        let (parts, tried) = (&self.parts, &mut self.tried);
        let mut attempt = |chosen: &[(Carrier, [u8; SHARD])]| {
            let differ = (1..chosen.len()).all(|at| chosen[..at].iter().all(|(carrier, _)| *carrier != chosen[at].0));
            if !differ || *tried == MOST_TRIES {
                return None;
            }
            *tried += 1;
            read(of, chosen)
        };
        match of.needed {
            PartsNeeded::One => None,
            PartsNeeded::Two => parts.iter().find_map(|other| attempt(&[new, *other])),
            PartsNeeded::Three => (0..parts.len()).find_map(|second| {
                let (earlier, rest) = parts.split_at(second);
                let second = rest.first()?;
                earlier.iter().find_map(|first| attempt(&[new, *first, *second]))
            }),
        }
    }
}

/// The text that parts of different carriers give, if it is the one they name.
fn read(of: TextRef, parts: &[(Carrier, [u8; SHARD])]) -> Option<CardText> {
    let none = std::iter::empty::<(usize, [u8; SHARD])>();
    let given = parts.iter().map(|(carrier, shard)| (carrier.index(), shard));
    let restored = rs::decode(of.needed.count(), CARRIERS.into(), none, given).ok()?;
    let mut bytes = Vec::with_capacity(of.needed.most_bytes());
    for at in 0..of.needed.count() {
        bytes.extend_from_slice(restored.get(&at)?);
    }
    let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let text = plain_text(bytes.get(..length)?).ok()?;
    let right = id(text) == of.id && PartsNeeded::of_length(length) == of.needed;
    right.then(|| CardText(text.to_owned()))
}

#[cfg(test)]
mod tests;
