//! Requests that may be sent twice, by their idempotency keys: what was asked under a key, and what was answered.

use std::collections::BTreeMap;

use mosaic_types::Timestamp;
use zeroize::Zeroizing;

/// How long a key is remembered.
const LIFE: std::time::Duration = std::time::Duration::from_hours(1);
/// Keys remembered at a time.
const MOST: usize = 256;

/// What was asked: a keyed digest, so that nothing of it is kept.
pub(crate) type Asked = [u8; 32];

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    /// Status code.
    pub(crate) status: u16,
    /// The body: it may hold a token of an association.
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// What to do with a request that bears a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Do it, then say how it went.
    First,
    /// It was done: answer the same.
    Again(Answered),
    /// It is being done.
    AtWork,
    /// The key belongs to another request.
    Another,
    /// Too many requests with keys are at work.
    Full,
}

struct Entry {
    asked: Asked,
    since: Timestamp,
    answered: Option<Answered>,
}

/// The keys of the last hour. They are forgotten when the agent stops.
#[derive(Default)]
pub(crate) struct Repeats(BTreeMap<String, Entry>);

impl Repeats {
    /// A request under `key` came.
    pub(crate) fn begin(&mut self, now: Timestamp, key: &str, asked: Asked) -> Begin {
        // one that is at work is waited for, however long it takes
        self.0.retain(|_, entry| entry.answered.is_none() || now.since(entry.since) < LIFE);
        if let Some(entry) = self.0.get(key) {
            return match &entry.answered {
                _ if entry.asked != asked => Begin::Another,
                Some(answered) => Begin::Again(answered.clone()),
                None => Begin::AtWork,
            };
        }
        if self.0.len() >= MOST && !self.forget_oldest() {
            return Begin::Full;
        }
        self.0.insert(key.to_owned(), Entry { asked, since: now, answered: None });
        Begin::First
    }

    /// It was done.
    pub(crate) fn done(&mut self, key: &str, answered: Answered) {
        if let Some(entry) = self.0.get_mut(key) {
            entry.answered = Some(answered);
        }
    }

    /// It was refused, and nothing changed: the key is free again.
    pub(crate) fn refused(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// Makes room; `false` when everything is at work.
    fn forget_oldest(&mut self) -> bool {
        let done = self.0.iter().filter(|(_, entry)| entry.answered.is_some());
        let oldest = done.min_by_key(|(_, entry)| entry.since).map(|(key, _)| key.clone());
        oldest.is_some_and(|key| self.0.remove(&key).is_some())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_763_683_261);

    fn answer(number: u8) -> Answered {
        Answered { status: 201, body: Zeroizing::new(vec![number]) }
    }

    /// The oldest that is done makes room; what is at work is never forgotten.
    #[test]
    fn keys_are_bounded() {
        let mut repeats = Repeats::default();
        for number in 0..MOST {
            assert_eq!(repeats.begin(NOW, &number.to_string(), [1; 32]), Begin::First);
        }
        assert_eq!(repeats.begin(NOW, "more", [1; 32]), Begin::Full);
        repeats.done("7", answer(7));
        assert_eq!(repeats.begin(NOW, "more", [1; 32]), Begin::First);
        assert_eq!(repeats.begin(NOW, "8", [1; 32]), Begin::AtWork);
        assert_eq!(repeats.0.len(), MOST);
    }

    proptest! {
        /// In whatever order: within the hour a request is done once, another one under its key never gets its answer, and
        /// one that was refused can be done.
        #[test]
        fn a_request_is_done_once(
            steps in prop::collection::vec((0..4_u8, 0..3_u8, 0..3_u8, 0..2_000_u64), 1..60)
        ) {
            let (mut repeats, mut now) = (Repeats::default(), NOW);
            let mut known: BTreeMap<u8, (Timestamp, u8, Option<u8>)> = BTreeMap::new();
            for (number, (key, asked, act, wait)) in (0..).zip(steps) {
                now = now.after(Duration::from_secs(wait));
                known.retain(|_, (since, _, answered)| answered.is_none() || now.since(*since) < LIFE);
                let begun = repeats.begin(now, &key.to_string(), [asked; 32]);
                let expected = match known.get(&key) {
                    None => Begin::First,
                    Some((_, of, _)) if *of != asked => Begin::Another,
                    Some((_, _, Some(answered))) => Begin::Again(answer(*answered)),
                    Some((_, _, None)) => Begin::AtWork,
                };
                prop_assert_eq!(&begun, &expected);
                if begun == Begin::First {
                    known.insert(key, (now, asked, None));
                }
                let at_work = known.get(&key).is_some_and(|(_, _, answered)| answered.is_none());
                match act {
                    0 if at_work => {
                        repeats.done(&key.to_string(), answer(number));
                        known.get_mut(&key).unwrap().2 = Some(number);
                    }
                    1 if at_work => {
                        repeats.refused(&key.to_string());
                        known.remove(&key);
                    }
                    _ => {}
                }
            }
        }
    }
}
