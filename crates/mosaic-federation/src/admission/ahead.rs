//! What spares an issuer work: keys of challenges that it met, and checks that were done beforehand.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use mosaic_crypto::oprf::{
    OprfError,
    partial::{InfoKey, PartialKey},
};

/// Challenges of the present hour and the one beside it, for each of eight redeemers and both purposes.
const CHALLENGES: usize = 32;

/// Checks that may wait to be asked for: some of the longest queues that a provider has.
const WAITING: usize = 8_192;

/// Keys for the challenges met last. Only challenges that a check named are looked up, so strangers push nothing out.
#[derive(Default)]
pub(super) struct ChallengeKeys(Mutex<VecDeque<([u8; 32], Arc<InfoKey>)>>);

impl ChallengeKeys {
    /// The key of a challenge, computed where it is not here.
    ///
    /// # Errors
    /// [`OprfError`]: never seen.
    pub(super) fn get(&self, key: &PartialKey, challenge: &[u8; 32]) -> Result<Arc<InfoKey>, OprfError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = known.iter().find(|(of, _)| of == challenge) {
            return Ok(Arc::clone(found));
        }
        let made = Arc::new(key.for_info(challenge)?);
        if known.len() >= CHALLENGES {
            known.pop_front();
        }
        known.push_back((*challenge, Arc::clone(&made)));
        Ok(made)
    }
}

/// Answers to checks that nobody has asked for yet; the oldest go when there are too many.
#[derive(Default)]
pub(super) struct LookedAt(Mutex<Answers>);

#[derive(Default)]
struct Answers {
    good: HashMap<[u8; 32], bool>,
    /// In the order in which they came; what was taken meanwhile is in it still.
    order: VecDeque<[u8; 32]>,
}

impl LookedAt {
    pub(super) fn put(&self, check: [u8; 32], good: bool) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.order.len() >= WAITING
            && let Some(oldest) = answers.order.pop_front()
        {
            answers.good.remove(&oldest);
        }
        answers.order.push_back(check);
        answers.good.insert(check, good);
    }

    /// The answer, once.
    pub(super) fn take(&self, check: &[u8; 32]) -> Option<bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).good.remove(check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_given_once_and_old_ones_go() {
        let looked_at = LookedAt::default();
        let name = |number: usize| mosaic_crypto::digest(&[&number.to_be_bytes()]);
        (0..=WAITING).for_each(|number| looked_at.put(name(number), number % 2 == 0));
        assert_eq!(looked_at.take(&name(0)), None, "the oldest went");
        assert_eq!((looked_at.take(&name(1)), looked_at.take(&name(2))), (Some(false), Some(true)));
        assert_eq!(looked_at.take(&name(1)), None, "once");
        let held = looked_at.0.lock().unwrap();
        assert!(held.good.len() <= WAITING && held.order.len() <= WAITING);
    }

    #[test]
    fn a_challenge_has_one_key_and_few_are_kept() {
        let (keys, key) = (ChallengeKeys::default(), PartialKey::derive(&[7; 32], b"test").unwrap());
        for number in 0..100 {
            let challenge = [number; 32];
            let kept = keys.get(&key, &challenge).unwrap();
            assert!(Arc::ptr_eq(&kept, &keys.get(&key, &challenge).unwrap()));
            let (ahead, plain) = (kept.output(b"input").unwrap(), key.output(b"input", &challenge).unwrap());
            assert_eq!(ahead.as_bytes(), plain.as_bytes());
        }
        assert_eq!(keys.0.lock().unwrap().len(), CHALLENGES);
    }
}
