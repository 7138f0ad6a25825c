//! The Sybil peer: agents like any other, run by somebody who only wants to read.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use mosaic_api::{CardView, Operation, Position, ProximityBody, ProximityReply};
use mosaic_geo::{Place, PlaceIndex, PlaceRef};
use mosaic_obfuscate::Vocabulary;
use mosaic_types::Clock;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::Lines;
use crate::local::Local;

/// How often each agent asks, in the run's time: an agent may ask 100 times an hour.
const EVERY: Duration = Duration::from_secs(75);
/// The largest radius there is.
const RADIUS_M: u32 = 5_000;

/// Asks for one topic after the other, each agent at a public place of its own, until the run is over.
pub(super) async fn peek(places: PlaceIndex, agents: Vec<Local>, clock: Arc<dyn Clock>, log: Lines, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let among = places.len().max(1);
    let spots: Vec<Place> =
        agents.iter().filter_map(|_| places.get(rng.random_range(0..among)).map(PlaceRef::to_place)).collect();
    let topics = by_popularity();
    let mut seen = BTreeSet::new();
    for turn in 0.. {
        let next = clock.now().after(EVERY);
        for (sybil, (agent, spot)) in agents.iter().zip(&spots).enumerate() {
            let Some(words) = topics.get((turn * agents.len() + sybil) % topics.len().max(1)) else { return };
            let location = Position { lat: spot.position.lat(), lon: spot.position.lng() };
            let body = ProximityBody {
                location,
                radius: Some(RADIUS_M),
                window: Some(7_200),
                context: Some((*words).to_owned()),
                limit: Some(200),
                threshold: None,
            };
            let asked = json!({ "lat": location.lat, "lon": location.lon, "words": words });
            // a refused question is one that shows nothing
            let Ok(reply) = agent.send::<ProximityReply>(Operation::Proximity, &body).await else { continue };
            for card in reply.cards.into_iter().filter(|card| seen.insert((sybil, opened(card)))) {
                let line = json!({ "at_ms": clock.now().as_millis(), "sybil": sybil, "asked": asked, "card": card });
                if log.put(&line).and_then(|()| log.flush()).is_err() {
                    return;
                }
            }
        }
        tokio::time::sleep(clock.until(next)).await;
    }
}

/// A card, and how much of it could be read.
fn opened(card: &CardView) -> (String, Vec<String>, bool) {
    (card.id.clone(), card.topics.clone(), card.text.is_some())
}

/// Topics of all classes in turn, the popular ones first.
fn by_popularity() -> Vec<&'static str> {
    let vocabulary = Vocabulary::builtin();
    let mut topics: Vec<(usize, f64, &str)> = Vec::new();
    for class in vocabulary.classes() {
        let mut own: Vec<_> = vocabulary.topics_of(class.id).collect();
        own.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.id.cmp(&b.id)));
        topics.extend(own.into_iter().enumerate().map(|(rank, topic)| (rank, -class.prior, topic.name.as_str())));
    }
    topics.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    topics.into_iter().map(|(_, _, name)| name).collect()
}
