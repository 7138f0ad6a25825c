use std::fmt;

use mosaic_types::AnnouncementText;

use crate::{
    RECORD_PLAIN,
    barrier::sealed,
    codec::{DecodeError, Field, Part, Reader, Writer},
};

/// What a member tells a group. Only a released announcement can be encoded (see [`crate::encode`]); its bytes are its
/// text, cut into [`GroupFrame`]s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The words.
    pub text: AnnouncementText,
}

impl Announcement {
    /// Reads the text that a message's parts gave together.
    ///
    /// # Errors
    /// [`DecodeError::Text`] for what no [`AnnouncementText`] is.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let raw = std::str::from_utf8(bytes).map_err(|_| DecodeError::Text)?;
        let text = AnnouncementText::new(raw).ok().filter(|text| text.expose(str::len) == bytes.len());
        Ok(Self { text: text.ok_or(DecodeError::Text)? })
    }
}

impl sealed::Object for Announcement {
    fn bytes(&self) -> Vec<u8> {
        self.text.expose(|text| text.as_bytes().to_vec())
    }
}

/// What a group frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupFrameKind {
    /// Somebody writes in this member slot from now on.
    Joined,
    /// A part of an announcement.
    Announcement,
}

impl GroupFrameKind {
    /// The number on the wire: 1, 2.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    fn from_number(number: u8) -> Result<Self, DecodeError> {
        let all = [Self::Joined, Self::Announcement];
        all.into_iter().find(|kind| kind.number() == number).ok_or(DecodeError::OutOfRange(Field::Kind))
    }
}

/// The plaintext of a record that a member of a group wrote (`docs/spec/groups.md`).
#[derive(Clone, PartialEq, Eq)]
pub struct GroupFrame {
    kind: GroupFrameKind,
    part: Part,
    message: [u8; 8],
    length: u8,
    text: [u8; GroupFrame::TEXT],
}

impl GroupFrame {
    /// Most bytes of text in one frame.
    pub const TEXT: usize = 124;
    /// Most frames of one message.
    pub const PARTS: u8 = 4;
    /// Version of the layout.
    pub const VERSION: u8 = 1;

    /// Says that somebody writes in this slot from now on.
    pub const fn joined(message: [u8; 8]) -> Self {
        Self { kind: GroupFrameKind::Joined, part: Part::WHOLE, message, length: 0, text: [0; Self::TEXT] }
    }

    /// Cuts an encoded [`Announcement`] into as few frames as carry it; `None` for nothing or more than [`Self::PARTS`] hold.
    pub fn split(message: [u8; 8], bytes: &[u8]) -> Option<Vec<Self>> {
        let total = u8::try_from(bytes.len().div_ceil(Self::TEXT)).ok().filter(|total| *total <= Self::PARTS)?;
        let frames = (0..total).zip(bytes.chunks(Self::TEXT)).map(|(index, chunk)| {
            let mut text = [0; Self::TEXT];
            text.get_mut(..chunk.len())?.copy_from_slice(chunk);
            let (part, length) = (Part::new(index, total)?, u8::try_from(chunk.len()).ok()?);
            Some(Self { kind: GroupFrameKind::Announcement, part, message, length, text })
        });
        frames.collect::<Option<Vec<_>>>().filter(|frames| !frames.is_empty())
    }

    /// What it says.
    pub const fn kind(&self) -> GroupFrameKind {
        self.kind
    }

    /// Which part of its message it is.
    pub const fn part(&self) -> Part {
        self.part
    }

    /// Tells the messages of one slot apart; drawn at random.
    pub const fn message(&self) -> [u8; 8] {
        self.message
    }

    /// The part's bytes.
    pub fn text(&self) -> &[u8] {
        self.text.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// The record's plaintext.
    pub fn encode(&self) -> [u8; RECORD_PLAIN] {
        Writer::new()
            .byte(Self::VERSION)
            .byte(self.kind.number())
            .byte(self.part.byte())
            .byte(self.length)
            .put(&self.message)
            .put(&self.text)
            .finish()
    }

    /// Reads a record's plaintext.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, a value outside its range, a part other than the last that is not
    /// full, or padding that is not zero.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, RECORD_PLAIN)?;
        reader.version(Self::VERSION)?;
        let kind = GroupFrameKind::from_number(reader.u8()?)?;
        let part = Part::from_byte(reader.u8()?)?;
        let length = reader.u8()?;
        let last = part.index() + 1 == part.total();
        let fits = match kind {
            GroupFrameKind::Joined => part == Part::WHOLE && length == 0,
            GroupFrameKind::Announcement if last => (1..=Self::TEXT).contains(&usize::from(length)),
            GroupFrameKind::Announcement => usize::from(length) == Self::TEXT,
        };
        if part.total() > Self::PARTS {
            return Err(DecodeError::OutOfRange(Field::Part));
        }
        if !fits {
            return Err(DecodeError::OutOfRange(Field::Count));
        }
        let (message, text): ([u8; 8], [u8; Self::TEXT]) = (reader.take()?, reader.take()?);
        if text.iter().skip(usize::from(length)).any(|byte| *byte != 0) {
            return Err(DecodeError::Reserved);
        }
        Ok(Self { kind, part, message, length, text })
    }
}

impl fmt::Debug for GroupFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupFrame({:?}, {:?}, [hidden])", self.kind, self.part)
    }
}
