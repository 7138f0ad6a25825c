use std::fmt;

use mosaic_crypto::digest;
use mosaic_types::Epoch;
use thiserror::Error;
use zeroize::Zeroizing;

use super::group::Slots;

/// How many epochs an invitation is accepted: a week.
const LIFE: u32 = 7 * 48;
/// Longer than any invitation.
const LONGEST: usize = 256;

/// What lets one person into a group: `mosaic:group?at=EPOCH&slots=FIRST-LAST&key=HEX&doc=HEX&check=HEX`.
///
/// Whoever sees it can read and write the group from the epoch it was made in until the group is given up, so it is
/// handed over in person or as a QR code on a screen. No `Debug`; erased on drop.
#[derive(Clone)]
pub struct Invitation {
    pub(super) epoch: Epoch,
    pub(super) slots: Slots,
    pub(super) state: Zeroizing<[u8; 32]>,
    pub(super) federation: [u8; 32],
}

/// A text that is no invitation. The message never repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvitationError {
    /// Not in the form an invitation has.
    #[error("an invitation reads mosaic:group?at=...&slots=...&key=...&doc=...&check=...")]
    Form,
    /// The check does not fit the rest.
    #[error("a character of the invitation is wrong, or part of it is missing")]
    Check,
    /// No member slots, or more than a group has.
    #[error("the invitation names member slots that no group has")]
    Slots,
}

/// An invitation as a person sees it. Erased on drop, and never printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationText(Zeroizing<String>);

impl InvitationText {
    /// Lends the text.
    pub fn expose<R>(&self, use_it: impl FnOnce(&str) -> R) -> R {
        use_it(&self.0)
    }
}

impl fmt::Debug for InvitationText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationText([hidden])")
    }
}

impl Invitation {
    /// The text to hand over.
    pub fn to_text(&self) -> InvitationText {
        let (key, doc) = (Zeroizing::new(hex::encode(*self.state)), hex::encode(self.federation));
        let Slots { first, count } = self.slots;
        let last = u16::from(first) + u16::from(count) - 1;
        let body = Zeroizing::new(format!(
            "mosaic:group?at={}&slots={first}-{last}&key={}&doc={doc}",
            self.epoch.0,
            key.as_str()
        ));
        InvitationText(Zeroizing::new(format!("{}&check={}", body.as_str(), check(&body))))
    }

    /// Reads an invitation; white space around it does not count.
    ///
    /// # Errors
    /// [`InvitationError`].
    pub fn parse(text: &str) -> Result<Self, InvitationError> {
        let text = text.trim();
        let (body, stated) =
            text.rsplit_once("&check=").filter(|_| text.len() <= LONGEST).ok_or(InvitationError::Form)?;
        let query = body.strip_prefix("mosaic:group?").ok_or(InvitationError::Form)?;
        if stated != check(body) {
            return Err(InvitationError::Check);
        }
        let parts: Vec<_> = query.split('&').collect();
        let [at, slots, key, doc] = parts.as_slice() else { return Err(InvitationError::Form) };
        let value = |part: &'_ str, name: &str| part.strip_prefix(name).map(str::to_owned).ok_or(InvitationError::Form);
        let epoch = number(&value(at, "at=")?).ok_or(InvitationError::Form)?;
        let slots = value(slots, "slots=")?;
        let (first, last) = slots.split_once('-').ok_or(InvitationError::Form)?;
        let (first, last) = number(first).zip(number(last)).ok_or(InvitationError::Form)?;
        let narrow = |wide: u32| u8::try_from(wide).map_err(|_| InvitationError::Slots);
        let count = last.checked_sub(first).and_then(|more| more.checked_add(1)).ok_or(InvitationError::Slots)?;
        let slots = Slots::new(narrow(first)?, narrow(count)?).ok_or(InvitationError::Slots)?;
        let key = Zeroizing::new(value(key, "key=")?);
        let state = Zeroizing::new(bytes(&key).ok_or(InvitationError::Form)?);
        let federation = bytes(&value(doc, "doc=")?).ok_or(InvitationError::Form)?;
        Ok(Self { epoch: Epoch(epoch), slots, state, federation })
    }

    /// The epoch in which it was made; nothing older can be read with it.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The last epoch in which it is accepted.
    pub const fn last_epoch(&self) -> Epoch {
        Epoch(self.epoch.0.saturating_add(LIFE))
    }

    /// Whether it can be joined now; a clock may be one epoch behind the inviter's.
    pub(super) fn is_valid(&self, now: Epoch) -> bool {
        self.epoch <= now.next() && now <= self.last_epoch()
    }
}

/// Finds slips; it is no protection against anybody.
fn check(body: &str) -> String {
    let digest = digest(&[b"group invitation", body.as_bytes()]);
    hex::encode(digest.first_chunk::<4>().copied().unwrap_or_default())
}

/// A decimal number in the one way to write it.
fn number(text: &str) -> Option<u32> {
    let value: u32 = text.parse().ok()?;
    (value.to_string() == text).then_some(value)
}

/// 64 lower-case hexadecimal digits.
fn bytes(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let lower = text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    (lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}
