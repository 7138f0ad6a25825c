//! What strangers may occupy of a provider's memory and of its paths to others.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, oneshot};

/// Bodies of peers that are read at one time: 64 MiB of memory.
const PEER_BODIES: usize = 32;
/// Peers' messages that wait for the engine at one time: 16 MiB of memory.
const PEER_MESSAGES: usize = 8;
/// Requests that are relayed at one time.
const RELAYED: usize = 64;
/// Blind reads that wait or are worked on at one time: as many bodies of 29 KiB, and the patience of who asks.
const SCANS: usize = 64;
/// KiB of generations on their way to readers at one time: a few slow readers must not keep others away, and
/// many must not use up the memory.
const GENERATIONS_KIB: usize = 512 << 10;

/// Counters of what is under way.
pub(super) struct Limits {
    pub(super) peer_bodies: Line,
    peer_messages: Semaphore,
    relayed: Semaphore,
    scans: Semaphore,
    generations: Arc<Semaphore>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            peer_bodies: Line::new(PEER_BODIES),
            peer_messages: Semaphore::new(PEER_MESSAGES),
            relayed: Semaphore::new(RELAYED),
            scans: Semaphore::new(SCANS),
            generations: Arc::new(Semaphore::new(GENERATIONS_KIB)),
        }
    }
}

impl Limits {
    /// A place among the relayed requests, if one is free.
    pub(super) fn relay(&self) -> Option<SemaphorePermit<'_>> {
        self.relayed.try_acquire().ok()
    }

    /// A place among the blind reads, if one is free.
    pub(super) fn scan(&self) -> Option<SemaphorePermit<'_>> {
        self.scans.try_acquire().ok()
    }

    /// A place before the engine; only messages that a peer signed wait for it.
    pub(super) async fn peer_message(&self) -> Option<SemaphorePermit<'_>> {
        self.peer_messages.acquire().await.ok()
    }

    /// Room for a reply of `length` bytes, if there is some now.
    pub(super) fn generations(&self, length: usize) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(length.div_ceil(1_024)).unwrap_or(u32::MAX);
        Arc::clone(&self.generations).try_acquire_many_owned(kib).ok()
    }
}

/// Bytes that give their room back once the client has taken them or is gone.
pub(super) fn held(bytes: Vec<u8>, room: OwnedSemaphorePermit) -> Bytes {
    struct Held(Vec<u8>, #[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);
    impl AsRef<[u8]> for Held {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    Bytes::from_owner(Held(bytes, room))
}

/// So many places, and whoever comes when they are taken gets the oldest one: a stranger who occupies
/// places without end would otherwise shut the peers out.
pub(super) struct Line {
    places: usize,
    waiting: Mutex<VecDeque<oneshot::Sender<()>>>,
}

impl Line {
    const fn new(places: usize) -> Self {
        Self { places, waiting: Mutex::new(VecDeque::new()) }
    }

    /// Does `work`, unless so many others come meanwhile that its place is given away.
    pub(super) async fn pass<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let (place, lost) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.retain(|place| !place.is_closed());
            if waiting.len() >= self.places {
                waiting.pop_front();
            }
            waiting.push_back(place);
        }
        tokio::select! {
            biased;
            done = work => Some(done),
            _ = lost => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn the_oldest_place_is_given_away_and_a_left_one_is_free() {
        let line = Arc::new(Line::new(2));
        let enter = || {
            let line = Arc::clone(&line);
            tokio::spawn(async move { line.pass(pending::<()>()).await })
        };
        let first = enter();
        tokio::task::yield_now().await;
        let second = enter();
        tokio::task::yield_now().await;
        assert_eq!(line.pass(async { 7 }).await, Some(7));
        assert_eq!(first.await.unwrap(), None, "the oldest went");
        assert!(!second.is_finished());
        assert_eq!(line.pass(async { 8 }).await, Some(8));
        assert!(!second.is_finished(), "who has left takes no place");
        second.abort();
    }

    #[test]
    fn room_comes_back_when_the_bytes_are_gone() {
        let limits = Limits::default();
        let room = limits.generations(GENERATIONS_KIB << 10).expect("all of it");
        assert!(limits.generations(1).is_none());
        let bytes = held(vec![1, 2], room);
        assert_eq!(bytes.as_ref(), [1, 2]);
        drop(bytes);
        assert!(limits.generations(1).is_some());
    }

    #[test]
    fn only_so_many_are_relayed() {
        let limits = Limits::default();
        let places: Vec<_> = std::iter::from_fn(|| limits.relay()).collect();
        assert_eq!(places.len(), RELAYED);
        drop(places);
        assert!(limits.relay().is_some());
    }
}
