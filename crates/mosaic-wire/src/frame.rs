use std::fmt;

use thiserror::Error;

use crate::{
    RECORD_PLAIN,
    codec::{DecodeError, Field, Part, Reader, Writer},
};

/// What a rendezvous frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrameKind {
    /// First handshake message.
    Hello,
    /// Second handshake message.
    Reply,
    /// A message of the open channel.
    Data,
}

impl FrameKind {
    /// The number on the wire: 1, 2, 3.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    fn from_number(number: u8) -> Result<Self, DecodeError> {
        let all = [Self::Hello, Self::Reply, Self::Data];
        all.into_iter().find(|kind| kind.number() == number).ok_or(DecodeError::OutOfRange(Field::Kind))
    }
}

/// The plaintext of a rendezvous record: one part of a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    kind: FrameKind,
    part: Part,
    length: u8,
    body: [u8; Frame::BODY],
}

/// A message that does not fit the frames it was meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{bytes} bytes do not fit the frame")]
pub struct FrameTooLong {
    /// Bytes there were.
    pub bytes: usize,
}

impl Frame {
    /// Most bytes of one frame.
    pub const BODY: usize = 132;
    /// Version of the layout.
    pub const VERSION: u8 = 1;

    /// One part of a message.
    ///
    /// # Errors
    /// [`FrameTooLong`] beyond [`Self::BODY`] bytes.
    pub fn new(kind: FrameKind, part: Part, message: &[u8]) -> Result<Self, FrameTooLong> {
        let too_long = FrameTooLong { bytes: message.len() };
        let length = u8::try_from(message.len()).map_err(|_| too_long)?;
        let mut body = [0; Self::BODY];
        body.get_mut(..message.len()).ok_or(too_long)?.copy_from_slice(message);
        Ok(Self { kind, part, length, body })
    }

    /// Cuts a message into as few frames as carry it; an empty message takes one.
    ///
    /// # Errors
    /// [`FrameTooLong`] beyond fifteen frames.
    pub fn split(kind: FrameKind, message: &[u8]) -> Result<Vec<Self>, FrameTooLong> {
        let too_long = FrameTooLong { bytes: message.len() };
        let total = u8::try_from(message.len().div_ceil(Self::BODY).max(1)).map_err(|_| too_long)?;
        (0..total)
            .map(|index| {
                let start = usize::from(index) * Self::BODY;
                let end = message.len().min(start + Self::BODY);
                let part = Part::new(index, total).ok_or(too_long)?;
                Self::new(kind, part, message.get(start..end).unwrap_or_default())
            })
            .collect()
    }

    /// What the frame carries.
    pub const fn kind(&self) -> FrameKind {
        self.kind
    }

    /// Which part of its message it is.
    pub const fn part(&self) -> Part {
        self.part
    }

    /// The part's bytes.
    pub fn body(&self) -> &[u8] {
        self.body.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// The record's plaintext.
    pub fn encode(&self) -> [u8; RECORD_PLAIN] {
        Writer::new()
            .byte(Self::VERSION)
            .byte(self.kind.number())
            .byte(self.part.byte())
            .byte(self.length)
            .put(&self.body)
            .finish()
    }

    /// Reads a record's plaintext.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, a value outside its range, or padding that is not zero.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, RECORD_PLAIN)?;
        reader.version(Self::VERSION)?;
        let kind = FrameKind::from_number(reader.u8()?)?;
        let part = Part::from_byte(reader.u8()?)?;
        let length = reader.u8()?;
        if usize::from(length) > Self::BODY {
            return Err(DecodeError::OutOfRange(Field::Count));
        }
        let body: [u8; Self::BODY] = reader.take()?;
        if body.iter().skip(usize::from(length)).any(|byte| *byte != 0) {
            return Err(DecodeError::Reserved);
        }
        Ok(Self { kind, part, length, body })
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({:?}, {:?}, [hidden])", self.kind, self.part)
    }
}
