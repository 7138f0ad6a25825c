//! Browsers that may call the local API: codes that let one in, once, and the sessions that they were exchanged for
//! (L6-40). In memory only, and nothing of it readable there: what is kept is a digest.

use std::{collections::VecDeque, time::Duration};

use mosaic_types::Timestamp;
use rand::CryptoRng;
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::Zeroizing;

/// How long a code can be exchanged.
pub(crate) const CODE_LIFE: Duration = Duration::from_mins(1);
/// How long a session lasts, whatever is done in it.
pub(crate) const SESSION_LIFE: Duration = Duration::from_hours(12);
/// Codes that wait at a time; one more takes the place of the oldest.
const MOST_CODES: usize = 8;
/// Sessions open at a time; one more takes the place of the oldest.
const MOST_SESSIONS: usize = 16;

/// A code or a cookie's value, with when it ends.
pub(crate) struct Issued {
    /// Hexadecimal digits.
    pub(crate) text: Zeroizing<String>,
    /// When it ends.
    pub(crate) until: Timestamp,
}

/// What is remembered of a secret.
#[derive(Clone, Copy)]
struct Known {
    digest: [u8; 32],
    until: Timestamp,
}

/// Codes and sessions of one agent.
#[derive(Default)]
pub(crate) struct Browsers {
    codes: VecDeque<Known>,
    sessions: VecDeque<Known>,
}

impl Browsers {
    /// A new code: 128 bits.
    pub(crate) fn make_code(&mut self, now: Timestamp, rng: &mut impl CryptoRng) -> Issued {
        issue::<16>(&mut self.codes, MOST_CODES, now, CODE_LIFE, rng)
    }

    /// Spends a code for a session. The session's secret is drawn here and now: nothing that the caller brought becomes one.
    /// `None` for a code that was never made, was used, or is too old.
    pub(crate) fn exchange(&mut self, now: Timestamp, code: &[u8], rng: &mut impl CryptoRng) -> Option<Issued> {
        let at = position(&self.codes, now, code)?;
        self.codes.remove(at)?;
        Some(issue::<32>(&mut self.sessions, MOST_SESSIONS, now, SESSION_LIFE, rng))
    }

    /// Until when a cookie lets in, if it does.
    pub(crate) fn lets_in(&self, now: Timestamp, cookie: &[u8]) -> Option<Timestamp> {
        let at = position(&self.sessions, now, cookie)?;
        self.sessions.get(at).map(|session| session.until)
    }

    /// Ends the session of a cookie.
    pub(crate) fn close(&mut self, now: Timestamp, cookie: &[u8]) {
        if let Some(at) = position(&self.sessions, now, cookie) {
            self.sessions.remove(at);
        }
    }

    /// Ends every session, and every code.
    pub(crate) fn close_all(&mut self) {
        self.codes.clear();
        self.sessions.clear();
    }
}

fn issue<const BYTES: usize>(
    known: &mut VecDeque<Known>,
    most: usize,
    now: Timestamp,
    life: Duration,
    rng: &mut impl CryptoRng,
) -> Issued {
    let mut secret = Zeroizing::new([0; BYTES]);
    rng.fill_bytes(&mut *secret);
    let issued = Issued { text: Zeroizing::new(hex::encode(*secret)), until: now.after(life) };
    known.retain(|other| now < other.until);
    if known.len() >= most {
        known.pop_front();
    }
    known.push_back(Known { digest: digest(issued.text.as_bytes()), until: issued.until });
    issued
}

/// Where a secret stands among those that are valid now. Every one is looked at, whichever it is.
fn position(known: &VecDeque<Known>, now: Timestamp, shown: &[u8]) -> Option<usize> {
    let shown = digest(shown);
    let mut found = None;
    for (at, other) in known.iter().enumerate() {
        if bool::from(other.digest.ct_eq(&shown) & Choice::from(u8::from(now < other.until))) {
            found = Some(at);
        }
    }
    found
}

fn digest(secret: &[u8]) -> [u8; 32] {
    mosaic_crypto::digest(&[b"browser", secret])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha20Rng;

    const NOW: Timestamp = Timestamp::from_secs(1_763_683_261);

    fn begin() -> (Browsers, ChaCha20Rng) {
        (Browsers::default(), ChaCha20Rng::seed_from_u64(7))
    }

    #[test]
    fn a_code_is_used_once_and_within_a_minute() {
        let (mut browsers, mut rng) = begin();
        let code = browsers.make_code(NOW, &mut rng);
        assert_eq!(code.text.len(), 32);
        let late = NOW.after(CODE_LIFE);
        assert!(browsers.exchange(late, code.text.as_bytes(), &mut rng).is_none());
        let just = NOW.after(Duration::from_secs(59));
        assert!(browsers.exchange(just, b"", &mut rng).is_none());
        assert!(browsers.exchange(just, code.text.to_uppercase().as_bytes(), &mut rng).is_none());
        let session = browsers.exchange(just, code.text.as_bytes(), &mut rng).unwrap();
        assert!(browsers.exchange(just, code.text.as_bytes(), &mut rng).is_none(), "it was used");
        assert_ne!(session.text, code.text);
        assert!(browsers.lets_in(just, code.text.as_bytes()).is_none(), "a code is no session");
    }

    #[test]
    fn a_session_ends_by_time_and_by_wish() {
        let (mut browsers, mut rng) = begin();
        let mut open = |browsers: &mut Browsers| {
            let code = browsers.make_code(NOW, &mut rng);
            browsers.exchange(NOW, code.text.as_bytes(), &mut rng).unwrap().text
        };
        let (one, other) = (open(&mut browsers), open(&mut browsers));
        let last = NOW.after(SESSION_LIFE - Duration::from_millis(1));
        assert_eq!(browsers.lets_in(last, one.as_bytes()), Some(NOW.after(SESSION_LIFE)));
        assert_eq!(browsers.lets_in(NOW.after(SESSION_LIFE), one.as_bytes()), None, "looking does not prolong it");
        browsers.close(NOW, one.as_bytes());
        assert_eq!(browsers.lets_in(NOW, one.as_bytes()), None);
        assert!(browsers.lets_in(NOW, other.as_bytes()).is_some(), "others stay");
        browsers.close_all();
        assert_eq!(browsers.lets_in(NOW, other.as_bytes()), None);
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_oldest_goes() {
        let (mut browsers, mut rng) = begin();
        let codes: Vec<_> = (0..=MOST_CODES).map(|_| browsers.make_code(NOW, &mut rng).text).collect();
        assert!(browsers.exchange(NOW, codes[0].as_bytes(), &mut rng).is_none());
        assert!(browsers.exchange(NOW, codes[1].as_bytes(), &mut rng).is_some());
        let sessions: Vec<_> = (0..=MOST_SESSIONS)
            .map(|_| {
                let code = browsers.make_code(NOW, &mut rng).text;
                browsers.exchange(NOW, code.as_bytes(), &mut rng).unwrap().text
            })
            .collect();
        assert!(browsers.lets_in(NOW, sessions[0].as_bytes()).is_none());
        assert!(sessions[1..].iter().all(|session| browsers.lets_in(NOW, session.as_bytes()).is_some()));
    }
}
