use std::fmt;

use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::Sensitive;

/// Share of an event's slots that are decoys; always within `0.30..=0.80` (L5-12, X-32).
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct NoiseRatio(f64);

/// A noise ratio outside its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("noise must be a number between 0.30 and 0.80")]
pub struct InvalidNoise;

impl NoiseRatio {
    /// The lowest ratio that may be requested.
    pub const LOWEST: Self = Self(0.30);
    /// The highest ratio that may be requested.
    pub const HIGHEST: Self = Self(0.80);

    /// Checks the bounds; `NaN` stays out.
    ///
    /// # Errors
    /// [`InvalidNoise`] when `raw` is not within `0.30..=0.80`.
    pub fn new(raw: f64) -> Result<Self, InvalidNoise> {
        (0.30..=0.80).contains(&raw).then_some(Self(raw)).ok_or(InvalidNoise)
    }

    /// The ratio as a number.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The larger of the two: a floor can only raise.
    #[must_use]
    pub fn at_least(self, floor: Self) -> Self {
        if self.0 < floor.0 { floor } else { self }
    }

    /// The most slots of `slots` that may be real: the largest count that leaves at least this share of them to
    /// decoys (L3-02, PRIVACY 1.2). The share is compared as it was requested, never rounded first: 0.7 of ten leaves
    /// three, 0.7004 two.
    pub fn most_real_of(self, slots: u32) -> u32 {
        let decoys = |real: u32| f64::from(slots - real) / f64::from(slots);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the ratio is within 0.3..=0.8")]
        let guess = (f64::from(slots) * (1.0 - self.0)) as u32;
        // The product may round to either side of a whole number; the division below is the one that counts.
        let mut real = (guess + 1).min(slots);
        while real > 0 && decoys(real) < self.0 {
            real -= 1;
        }
        real
    }
}

/// How much is added to a context: 0 (nothing, unless asked) to 1 (as much as there is room for), L5-09.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Enrichment(f64);

/// An enrichment outside its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("enrichment must be a number between 0.0 and 1.0")]
pub struct InvalidEnrichment;

impl Enrichment {
    /// Checks the bounds; `NaN` stays out.
    ///
    /// # Errors
    /// [`InvalidEnrichment`] when `raw` is not within `0.0..=1.0`.
    pub fn new(raw: f64) -> Result<Self, InvalidEnrichment> {
        (0.0..=1.0).contains(&raw).then_some(Self(raw)).ok_or(InvalidEnrichment)
    }

    /// The level as a number.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// How many of `room` free places it fills: this share of them, rounded down.
    pub fn share_of(self, room: u8) -> u8 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and `room`")]
        let filled = (f64::from(room) * self.0) as u8;
        filled
    }
}

/// How far around a person to look, in metres: `100..=5000`, 500 by default (L5-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Radius(u32);

/// A radius outside its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("radius must lie between 100 and 5000 metres")]
pub struct InvalidRadius;

impl Radius {
    /// Checks the bounds, in metres.
    ///
    /// # Errors
    /// [`InvalidRadius`] outside `100..=5000`.
    pub fn new(metres: u32) -> Result<Self, InvalidRadius> {
        (100..=5_000).contains(&metres).then_some(Self(metres)).ok_or(InvalidRadius)
    }

    /// The radius in metres.
    pub const fn metres(self) -> u32 {
        self.0
    }
}

impl Default for Radius {
    fn default() -> Self {
        Self(500)
    }
}

/// How far back to look, in seconds: `300..=86400`, 7200 by default (L5-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchWindow(u32);

/// A search window outside its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("time window must lie between 300 and 86400 seconds")]
pub struct InvalidWindow;

impl SearchWindow {
    /// Checks the bounds, in seconds.
    ///
    /// # Errors
    /// [`InvalidWindow`] outside `300..=86400`.
    pub fn new(seconds: u32) -> Result<Self, InvalidWindow> {
        (300..=86_400).contains(&seconds).then_some(Self(seconds)).ok_or(InvalidWindow)
    }

    /// The window in seconds.
    pub const fn seconds(self) -> u32 {
        self.0
    }
}

impl Default for SearchWindow {
    fn default() -> Self {
        Self(7_200)
    }
}

/// How long a context stays out, in hours: `24..=168`, 48 by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TtlHours(u8);

/// A time to live outside its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("time to live must lie between 24 and 168 hours")]
pub struct InvalidTtl;

impl TtlHours {
    /// Checks the bounds, in hours.
    ///
    /// # Errors
    /// [`InvalidTtl`] outside `24..=168`.
    pub fn new(hours: u32) -> Result<Self, InvalidTtl> {
        u8::try_from(hours).ok().filter(|hours| (24..=168).contains(hours)).map(Self).ok_or(InvalidTtl)
    }

    /// The time to live in hours.
    pub const fn hours(self) -> u8 {
        self.0
    }
}

impl Default for TtlHours {
    fn default() -> Self {
        Self(48)
    }
}

/// What a person wants, in their own words: 1 to 500 characters (L5-12). Never printed; erased on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct ContextText(Sensitive<Zeroizing<String>>);

/// Words that are no context. The message never repeats them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidContext {
    /// Nothing but white space.
    #[error("the context is empty")]
    Empty,
    /// More than 500 characters.
    #[error("the context has {characters} characters, at most 500 are allowed")]
    TooLong {
        /// How many there were.
        characters: usize,
    },
    /// A control character other than a line break.
    #[error("the context holds a control character")]
    ControlCharacter,
}

impl ContextText {
    /// Trims and checks.
    ///
    /// # Errors
    /// [`InvalidContext`] when nothing is left, more than 500 characters are, or one is a control
    /// character other than a line break.
    pub fn new(raw: &str) -> Result<Self, InvalidContext> {
        let text = raw.trim();
        if text.is_empty() {
            return Err(InvalidContext::Empty);
        }
        let characters = text.chars().count();
        if characters > 500 {
            return Err(InvalidContext::TooLong { characters });
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(InvalidContext::ControlCharacter);
        }
        Ok(Self(Sensitive::new(Zeroizing::new(text.to_owned()))))
    }

    /// Lends the words.
    pub fn expose<R>(&self, use_it: impl FnOnce(&str) -> R) -> R {
        self.0.expose(|text| use_it(text))
    }
}

impl fmt::Debug for ContextText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContextText([hidden])")
    }
}

/// How somebody can be reached once both agreed: 1 to 300 bytes of UTF-8. Never printed; erased on
/// drop.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactText(Sensitive<Zeroizing<String>>);

/// A contact that does not fit. The message never repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidContact {
    /// Nothing but white space.
    #[error("the contact is empty")]
    Empty,
    /// More than 300 bytes.
    #[error("the contact has {bytes} bytes, at most 300 are allowed")]
    TooLong {
        /// How many there were.
        bytes: usize,
    },
    /// A control character other than a line break.
    #[error("the contact holds a control character")]
    ControlCharacter,
}

impl ContactText {
    /// The most bytes a contact may have: what three rendezvous slots carry.
    pub const MAX_BYTES: usize = 300;

    /// Trims and checks.
    ///
    /// # Errors
    /// [`InvalidContact`] when nothing is left, more than [`Self::MAX_BYTES`] are, or one is a control
    /// character other than a line break.
    pub fn new(raw: &str) -> Result<Self, InvalidContact> {
        let text = raw.trim();
        if text.is_empty() {
            return Err(InvalidContact::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(InvalidContact::TooLong { bytes: text.len() });
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(InvalidContact::ControlCharacter);
        }
        Ok(Self(Sensitive::new(Zeroizing::new(text.to_owned()))))
    }

    /// Lends the text.
    pub fn expose<R>(&self, use_it: impl FnOnce(&str) -> R) -> R {
        self.0.expose(|text| use_it(text))
    }
}

impl fmt::Debug for ContactText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContactText([hidden])")
    }
}

/// An association token: exactly 32 ASCII letters and digits (L5-14), about 190 bits when drawn by
/// us. Compare digests of it, never the token itself; erased on drop.
#[derive(Clone, Zeroize)]
#[zeroize(drop)]
pub struct Token([u8; 32]);

/// A string that is no token. The message never repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a token has exactly 32 letters and digits")]
pub struct InvalidToken;

impl Token {
    /// The 62 characters a token is made of.
    pub const ALPHABET: &'static [u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// Checks the pattern.
    ///
    /// # Errors
    /// [`InvalidToken`] unless there are exactly 32 ASCII letters and digits.
    pub fn parse(raw: &str) -> Result<Self, InvalidToken> {
        let bytes: [u8; 32] = raw.as_bytes().try_into().map_err(|_| InvalidToken)?;
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes)).ok_or(InvalidToken)
    }

    /// Makes a token from uniform numbers, each below 62.
    ///
    /// # Errors
    /// [`InvalidToken`] when a number is 62 or more.
    pub fn from_indices(indices: [u8; 32]) -> Result<Self, InvalidToken> {
        let mut bytes = [0; 32];
        for (byte, index) in bytes.iter_mut().zip(indices) {
            *byte = *Self::ALPHABET.get(usize::from(index)).ok_or(InvalidToken)?;
        }
        Ok(Self(bytes))
    }

    /// Lends the 32 characters: to show to the person, or to derive keys.
    pub fn expose<R>(&self, use_it: impl FnOnce(&[u8; 32]) -> R) -> R {
        use_it(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([hidden])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn noise_bounds_and_slots() {
        assert!(NoiseRatio::new(0.29).is_err() && NoiseRatio::new(0.81).is_err() && NoiseRatio::new(f64::NAN).is_err());
        let most = |ratio| NoiseRatio::new(ratio).unwrap().most_real_of(10);
        assert_eq!([most(0.3), most(0.5), most(0.6), most(0.7), most(0.8)], [7, 5, 4, 3, 2]);
        assert_eq!([most(0.7004), most(0.6001), most(0.699_9)], [2, 3, 3], "a ratio is never rounded down");
        assert_eq!(NoiseRatio::LOWEST.most_real_of(0), 0);
    }

    proptest! {
        /// L3-02: whatever is requested is kept, and one slot more would break it.
        #[test]
        fn the_most_real_slots_leave_the_requested_share_to_decoys(ratio in 0.30_f64..=0.80, slots in 1_u32..=1_000) {
            let most = NoiseRatio::new(ratio).unwrap().most_real_of(slots);
            let decoys = |real: u32| f64::from(slots - real) / f64::from(slots);
            prop_assert!(most <= slots && decoys(most) >= ratio);
            prop_assert!(most == slots || decoys(most + 1) < ratio);
        }

        /// L3-02: whatever is requested, raising to 0.60 leaves at most four of ten slots real.
        #[test]
        fn a_floor_only_raises(requested in 0.30_f64..=0.80) {
            let floor = NoiseRatio::new(0.60).unwrap();
            let effective = NoiseRatio::new(requested).unwrap().at_least(floor);
            prop_assert!(effective >= floor && effective.get() >= requested);
            prop_assert!(effective.most_real_of(10) <= 4);
        }
    }

    #[test]
    fn contexts_count_characters_not_bytes() {
        assert!(ContextText::new(&"é".repeat(500)).is_ok());
        assert_eq!(ContextText::new(&"é".repeat(501)), Err(InvalidContext::TooLong { characters: 501 }));
        assert_eq!(ContextText::new(" \n "), Err(InvalidContext::Empty));
    }

    #[test]
    fn the_twelve_character_sample_is_no_token() {
        assert!(Token::parse("abc123def456").is_err());
        assert!(Token::parse("abcdefghijklmnopqrstuvwxyz01234é").is_err());
        assert!(Token::parse("abcdefghijklmnopqrstuvwxyz012345").is_ok());
    }

    #[test]
    fn bounds_of_the_api() {
        assert_eq!((Radius::default().metres(), SearchWindow::default().seconds()), (500, 7_200));
        assert!(Radius::new(99).is_err() && Radius::new(5_001).is_err());
        assert!(SearchWindow::new(299).is_err() && SearchWindow::new(86_401).is_err());
        assert!(TtlHours::new(23).is_err() && TtlHours::new(169).is_err() && TtlHours::default().hours() == 48);
    }
}
