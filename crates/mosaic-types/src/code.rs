use std::fmt;

use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// A code that one person reads out to another: 16 digits (PRIVACY section 5).
///
/// The first seven are the *nameplate*, which says where the two meet and is no secret; the next seven are the
/// *password* (23 bits), which neither travels nor decides a row; the last two check the others (ISO/IEC 7064,
/// MOD 97-10), so that a slip is found before a try is spent on it: one wrong digit and two neighbours in the wrong
/// order always, anything else 96 times in 97. Erased on drop.
#[derive(Clone, Zeroize)]
#[zeroize(drop)]
pub struct Code([u8; Code::DIGITS]);

/// Where two who share a code meet: a number below ten million, and no secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nameplate(u32);

/// A string that is no code. The message never repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidCode {
    /// Something else than 16 digits, with or without spaces and hyphens between them.
    #[error("a code has exactly 16 digits")]
    Shape,
    /// The last two digits do not fit the others.
    #[error("a digit of the code is wrong: compare it with the other person's")]
    Check,
}

impl Code {
    /// Digits of a code.
    pub const DIGITS: usize = 16;
    /// Codes there are: as many as nameplates times passwords.
    pub const COUNT: u64 = 100_000_000_000_000;

    const NAMEPLATE: usize = 7;
    const CHECKED: usize = 14;

    /// Makes a code from a uniform number; what is at or above [`Self::COUNT`] is taken modulo it.
    pub fn from_number(number: u64) -> Self {
        let number = number % Self::COUNT;
        let mut rest = number * 100 + (98 - number * 100 % 97);
        let mut digits = [0; Self::DIGITS];
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Self(digits)
    }

    /// Reads a code as people type it: spaces and hyphens between the digits do not count.
    ///
    /// # Errors
    /// [`InvalidCode`].
    pub fn parse(raw: &str) -> Result<Self, InvalidCode> {
        let typed: Zeroizing<Vec<u8>> = Zeroizing::new(raw.bytes().filter(|byte| !b" -".contains(byte)).collect());
        let digits: [u8; Self::DIGITS] = typed.as_slice().try_into().map_err(|_| InvalidCode::Shape)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(InvalidCode::Shape);
        }
        let code = Self(digits);
        if value(&code.0) % 97 == 1 { Ok(code) } else { Err(InvalidCode::Check) }
    }

    /// Where the two meet.
    pub fn nameplate(&self) -> Nameplate {
        let (nameplate, _) = self.0.split_at(Self::NAMEPLATE);
        Nameplate(u32::try_from(value(nameplate)).unwrap_or_default())
    }

    /// Lends the password's seven digits, to prove them.
    pub fn expose_password<R>(&self, use_it: impl FnOnce(&[u8]) -> R) -> R {
        let (checked, _) = self.0.split_at(Self::CHECKED);
        use_it(checked.split_at(Self::NAMEPLATE).1)
    }

    /// Lends the code as it is shown to the person: four groups of four digits.
    pub fn expose<R>(&self, use_it: impl FnOnce(&str) -> R) -> R {
        let groups: Vec<&[u8]> = self.0.chunks(4).collect();
        let text = Zeroizing::new(groups.join(&b'-'));
        use_it(&String::from_utf8_lossy(&text))
    }
}

fn value(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'))
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code([hidden])")
    }
}

impl Nameplate {
    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// Prints nothing: with it, anybody finds the row.
impl fmt::Debug for Nameplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nameplate([hidden])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(code: &Code) -> String {
        code.expose(str::to_owned)
    }

    #[test]
    fn a_code_is_nameplate_password_and_check() {
        let code = Code::from_number(48_391_220_741_538);
        assert_eq!((shown(&code).as_str(), code.nameplate().number()), ("4839-1220-7415-3873", 4_839_122));
        code.expose_password(|password| assert_eq!(password, b"0741538"));
        assert_eq!(format!("{code:?} {:?}", code.nameplate()), "Code([hidden]) Nameplate([hidden])");
        assert_eq!(shown(&Code::from_number(0)), "0000-0000-0000-0098");
        assert_eq!(shown(&Code::from_number(Code::COUNT)), shown(&Code::from_number(0)));
        for bad in ["", "4839", "4839-1220-7415-38730", "4839-1220-7415-387x", "４839-1220-7415-3873"] {
            assert_eq!(Code::parse(bad).err(), Some(InvalidCode::Shape), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read(number in 0..Code::COUNT, spaced in any::<bool>()) {
            let code = Code::from_number(number);
            let typed = if spaced { shown(&code).replace('-', " ") } else { shown(&code).replace('-', "") };
            prop_assert_eq!(shown(&Code::parse(&typed).unwrap()), shown(&code));
            prop_assert_eq!(u64::from(code.nameplate().number()), number / 10_000_000);
        }

        /// Every single slip, in every place.
        #[test]
        fn a_wrong_digit_and_swapped_neighbours_are_found(number in 0..Code::COUNT) {
            let digits = shown(&Code::from_number(number)).replace('-', "").into_bytes();
            let read = |digits: &[u8]| Code::parse(std::str::from_utf8(digits).unwrap()).err();
            for at in 0..Code::DIGITS {
                for digit in b'0'..=b'9' {
                    let mut typed = digits.clone();
                    typed[at] = digit;
                    prop_assert_eq!(read(&typed).is_none(), digit == digits[at]);
                }
                let mut typed = digits.clone();
                typed.swap(at, (at + 1).min(Code::DIGITS - 1));
                prop_assert_eq!(read(&typed).is_none(), typed == digits);
            }
        }
    }
}
