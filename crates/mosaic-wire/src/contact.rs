use mosaic_types::ContactText;

use crate::{
    barrier::sealed,
    codec::{DecodeError, Field, Reader, Writer, plain_text},
};

/// How somebody can be reached, sent when both agreed. Only a released card can be encoded (see
/// [`crate::encode`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactCard {
    /// The contact, in the person's own words.
    pub text: ContactText,
}

impl ContactCard {
    /// Bytes of a card, however long its text.
    pub const SIZE: usize = 304;
    /// Version of the layout.
    pub const VERSION: u8 = 1;

    /// Reads a card.
    ///
    /// # Errors
    /// [`DecodeError`] for a wrong size or version, a length outside `1..=300`, padding that is not zero,
    /// or text that is not printable UTF-8.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::exact(bytes, Self::SIZE)?;
        reader.version(Self::VERSION)?;
        reader.zeros(1)?;
        let length = usize::from(reader.u16()?);
        if length == 0 || length > ContactText::MAX_BYTES {
            return Err(DecodeError::OutOfRange(Field::Count));
        }
        let text = plain_text(reader.slice(length)?)?;
        let text = ContactText::new(text).ok().filter(|kept| kept.expose(str::len) == length);
        let text = text.ok_or(DecodeError::Text)?;
        reader.zeros(ContactText::MAX_BYTES - length)?;
        Ok(Self { text })
    }
}

impl sealed::Object for ContactCard {
    fn bytes(&self) -> Vec<u8> {
        self.text.expose(|text| {
            let length = crate::codec::count_u16(text.len());
            let head = Writer::<{ Self::SIZE }>::new().byte(Self::VERSION).skip(1).put(&length);
            head.put(text.as_bytes()).finish().to_vec()
        })
    }
}
