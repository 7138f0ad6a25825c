use thiserror::Error;
use zeroize::Zeroizing;

use crate::Sensitive;

/// A text of a group that does not fit. The message never repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidGroupText {
    /// Nothing but white space.
    #[error("the text is empty")]
    Empty,
    /// More bytes than fit.
    #[error("the text has {bytes} bytes, at most {most} are allowed")]
    TooLong {
        /// How many there were.
        bytes: usize,
        /// How many may be.
        most: usize,
    },
    /// A control character other than a line break.
    #[error("the text holds a control character")]
    ControlCharacter,
}

/// Declares a bounded text that is trimmed, checked, and erased on drop.
macro_rules! group_text {
    ($(#[$doc:meta])* $name:ident, $most:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(Sensitive<Zeroizing<String>>);

        impl $name {
            /// The most bytes it may have.
            pub const MAX_BYTES: usize = $most;

            /// Trims and checks.
            ///
            /// # Errors
            /// [`InvalidGroupText`] when nothing is left, more than [`Self::MAX_BYTES`] are, or one is a control
            /// character other than a line break.
            pub fn new(raw: &str) -> Result<Self, InvalidGroupText> {
                checked(raw, Self::MAX_BYTES).map(|text| Self(Sensitive::new(text)))
            }

            /// Lends the text.
            pub fn expose<R>(&self, use_it: impl FnOnce(&str) -> R) -> R {
                self.0.expose(|text| use_it(text))
            }
        }
    };
}

group_text!(
    /// What a member tells a group: 1 to 496 bytes, what four group frames carry.
    AnnouncementText,
    496
);
group_text!(
    /// What a person calls a group; no other member learns it. 1 to 64 bytes.
    GroupName,
    64
);

fn checked(raw: &str, most: usize) -> Result<Zeroizing<String>, InvalidGroupText> {
    let text = raw.trim();
    if text.is_empty() {
        return Err(InvalidGroupText::Empty);
    }
    if text.len() > most {
        return Err(InvalidGroupText::TooLong { bytes: text.len(), most });
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(InvalidGroupText::ControlCharacter);
    }
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_bounds_and_are_not_repeated() {
        let new = |raw: &str| AnnouncementText::new(raw).map(|text| text.expose(str::to_owned));
        assert_eq!(new("  at the fountain\nat nine "), Ok("at the fountain\nat nine".to_owned()));
        assert_eq!(new(" \n"), Err(InvalidGroupText::Empty));
        assert_eq!(new(&"m".repeat(496)).map(|text| text.len()), Ok(496));
        assert_eq!(new(&"m".repeat(497)), Err(InvalidGroupText::TooLong { bytes: 497, most: 496 }));
        assert_eq!(new("a\u{1b}b"), Err(InvalidGroupText::ControlCharacter));
        assert_eq!(GroupName::new(&"m".repeat(65)).err(), Some(InvalidGroupText::TooLong { bytes: 65, most: 64 }));
        assert!(!format!("{:?}", AnnouncementText::new("fountain").unwrap()).contains("fountain"));
    }
}
