use std::fmt;

use mosaic_types::{ClassId, TopicId, TtlHours, Window};
use thiserror::Error;

use crate::{
    RECORD_PLAIN,
    codec::{DecodeError, Field, Part, Reader, Writer, plain_text},
    text::TextField,
};

/// The plaintext of a discovery record: what every reader of its row learns.
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Always [`Part::WHOLE`]: whether words are coded stands in the topic layer, for who may read them.
    pub coded: Part,
    /// Class of the context.
    pub class: ClassId,
    /// H3 index of the blurred place.
    pub cell: u64,
    /// Window of the scheduled send; stored in three bytes, so at most 2^24 - 1.
    pub window: Window,
    /// How long readers keep the card.
    pub ttl: TtlHours,
    /// Ephemeral X25519 key: what a wave answers to.
    pub public: [u8; 32],
    /// Random and not looked at: kept for a later credential.
    pub link: [u8; 16],
    /// [`TopicLayer`] under the topic's key.
    pub topics_sealed: [u8; 73],
}

impl Bundle {
    /// Version 1 in the high half, no flags in the low half.
    pub const VERSION: u8 = 0x10;
    const LAST_WINDOW: u32 = 0x00FF_FFFF;

    /// The record's plaintext. A window beyond its three bytes is stored as the last one.
    pub fn encode(&self) -> [u8; RECORD_PLAIN] {
        let [_, window @ ..] = self.window.0.min(Self::LAST_WINDOW).to_be_bytes();
        Writer::new()
            .byte(Self::VERSION)
            .byte(self.coded.byte())
            .byte(self.class.get())
            .put(&self.cell.to_be_bytes())
            .put(&window)
            .byte(self.ttl.hours())
            .put(&self.public)
            .put(&self.link)
            .put(&self.topics_sealed)
            .finish()
    }

    /// Reads a record's plaintext.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version or a value outside its range.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, RECORD_PLAIN)?;
        reader.version(Self::VERSION)?;
        Ok(Self {
            coded: Part::from_byte(reader.u8()?)?,
            class: ClassId::new(reader.u8()?).map_err(|_| DecodeError::OutOfRange(Field::Class))?,
            cell: reader.u64()?,
            window: Window(reader.u24()?),
            ttl: TtlHours::new(reader.u8()?.into()).map_err(|_| DecodeError::OutOfRange(Field::Ttl))?,
            public: reader.take()?,
            link: reader.take()?,
            topics_sealed: reader.take()?,
        })
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bundle([hidden])")
    }
}

/// At most 41 bytes of a person's released words. Never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ShortText(String);

/// Words that do not fit a bundle. The message never repeats them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidShortText {
    /// More than [`ShortText::MAX_BYTES`].
    #[error("the text has {bytes} bytes, at most 41 are allowed")]
    TooLong {
        /// How many there were.
        bytes: usize,
    },
    /// A control character other than a line break.
    #[error("the text holds a control character")]
    ControlCharacter,
}

impl ShortText {
    /// The most bytes.
    pub const MAX_BYTES: usize = 41;

    /// Checks length and characters; the empty text is fine.
    ///
    /// # Errors
    /// [`InvalidShortText`] beyond 41 bytes, or with a control character other than a line break.
    pub fn new(raw: &str) -> Result<Self, InvalidShortText> {
        if raw.len() > Self::MAX_BYTES {
            return Err(InvalidShortText::TooLong { bytes: raw.len() });
        }
        plain_text(raw.as_bytes()).map_err(|_| InvalidShortText::ControlCharacter)?;
        Ok(Self(raw.to_owned()))
    }

    /// As much of `raw` as fits, cut between characters, control characters left out.
    pub fn clipped(raw: &str) -> Self {
        Self(clipped(raw, Self::MAX_BYTES))
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As much of `raw` as fits `most` bytes, cut between characters, control characters left out.
pub(crate) fn clipped(raw: &str, most: usize) -> String {
    let mut kept = String::new();
    for c in raw.chars().filter(|c| !c.is_control() || *c == '\n') {
        if kept.len() + c.len_utf8() > most {
            break;
        }
        kept.push(c);
    }
    kept
}

impl fmt::Debug for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShortText([hidden])")
    }
}

/// The inner layer of a bundle: read only by who can name one of its topics.
#[derive(Clone, PartialEq, Eq)]
pub struct TopicLayer {
    /// Topics by rank, [`TopicId::NONE`] where there are fewer than eight.
    pub topics: [TopicId; 8],
    /// The person's own words: whole, or a part of them.
    pub text: TextField,
}

impl TopicLayer {
    /// Bytes of the layer before sealing.
    pub const SIZE: usize = 57;

    /// The layer's plaintext.
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let topics = self.topics.iter().fold(Writer::new(), |writer, topic| writer.put(&topic.0.to_be_bytes()));
        topics.put(&self.text.encode()).finish()
    }

    /// Reads the layer's plaintext.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size, or words that are neither printable UTF-8 nor a coded part.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, Self::SIZE)?;
        let mut topics = [TopicId::NONE; 8];
        for topic in &mut topics {
            *topic = TopicId(reader.u16()?);
        }
        Ok(Self { topics, text: TextField::decode(reader.slice(TextField::SIZE)?)? })
    }
}

impl fmt::Debug for TopicLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TopicLayer([hidden])")
    }
}
