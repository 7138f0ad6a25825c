//! L5-09 to L5-11, L5-28: a context from its creation over its updates to its end.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mosaic_agent::{AgentConfig, AgentCore, AgentState, BlindReads, TruthLog};
use mosaic_api::{BroadcastBody, BroadcastView, Position, ProblemKind, UpdateBody};
use mosaic_federation::Independence;
use mosaic_geo::{city_center, offset_m, synthetic_city};
use mosaic_types::Timestamp;
use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use serde_json::json;

use crate::support::{HandClock, NOW, Running, config, dir, federation};

fn setup() -> AgentConfig {
    AgentConfig {
        federation: federation(Independence::Practice),
        places: Arc::new(synthetic_city(1)),
        truth: TruthLog::Forget,
        pool: Arc::default(),
        blind_reads: BlindReads::BySize,
    }
}

fn core(seed: u64) -> (AgentCore, ChaCha20Rng) {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let state = AgentState::fresh(&mut rng);
    (AgentCore::new(setup(), state, NOW), rng)
}

fn wish(east: f64, words: &str) -> BroadcastBody {
    let place = offset_m(city_center(), east, 0.0);
    BroadcastBody::new(Position { lat: place.lat(), lon: place.lng() }, words.to_owned())
}

#[derive(Clone, Debug)]
enum Op {
    Make { place: u8, noise: f64, ttl: u32, enrichment: f64 },
    Update { which: u64, noise: Option<f64>, ttl: Option<u32> },
    Withdraw { which: u64 },
    Wait { minutes: u64 },
    Restart,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let noise = || prop::sample::select(vec![0.3, 0.5, 0.6, 0.7, 0.8]);
    let ttl = || 24..=168_u32;
    let op = prop_oneof![
        3 => (0..4_u8, noise(), ttl(), 0.0..=1.0).prop_map(|(place, noise, ttl, enrichment)| Op::Make {
            place,
            noise,
            ttl,
            enrichment
        }),
        4 => (1..8_u64, prop::option::of(noise()), prop::option::of(ttl()))
            .prop_map(|(which, noise, ttl)| Op::Update { which, noise, ttl }),
        1 => (1..8_u64).prop_map(|which| Op::Withdraw { which }),
        2 => (1..3_000_u64).prop_map(|minutes| Op::Wait { minutes }),
        1 => Just(Op::Restart),
    ];
    prop::collection::vec(op, 1..40)
}

/// What a person knows of one that is out.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    created: Timestamp,
    noise: f64,
    ends: Timestamp,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is done in whatever order: what stands is what was made and neither withdrawn nor over; an update that is
    /// taken is stricter, one that is refused changes nothing; no update pays anything back; a restart forgets none of it.
    #[test]
    fn no_update_lowers_privacy(ops in ops(), seed in any::<u64>()) {
        let (mut core, mut rng) = core(seed);
        let (mut now, mut known) = (NOW, BTreeMap::<String, Known>::new());
        for op in ops {
            let left = core.status(now).ledger.left;
            match op {
                Op::Make { place, noise, ttl, enrichment } => {
                    let body = BroadcastBody {
                        noise_ratio: Some(noise),
                        ttl_hours: Some(ttl),
                        enrichment: Some(enrichment),
                        ..wish(f64::from(place) * 1_500.0, "coffee")
                    };
                    if let Ok(reply) = core.broadcast(now, &mut rng, body.check().unwrap()) {
                        let ends = now.after(Duration::from_hours(ttl.into()));
                        known.insert(reply.id, Known { created: now, noise, ends });
                    }
                }
                Op::Update { which, noise, ttl } => {
                    let id = format!("b{which}");
                    let asked = UpdateBody { noise_ratio: noise, ttl_hours: ttl }.check().unwrap();
                    let updated = core.update_broadcast(now, &id, asked);
                    match known.get_mut(&id) {
                        None => prop_assert!(updated.is_err()),
                        Some(known) => {
                            let end = ttl.map(|ttl| known.created.after(Duration::from_hours(ttl.into())));
                            let strict = noise.is_none_or(|noise| noise >= known.noise)
                                && end.is_none_or(|end| end <= known.ends);
                            prop_assert_eq!(updated.is_ok(), strict, "{:?} to {:?} {:?}", known, noise, ttl);
                            if strict {
                                known.noise = noise.unwrap_or(known.noise);
                                known.ends = end.unwrap_or(known.ends);
                            }
                        }
                    }
                    prop_assert_eq!(core.status(now).ledger.left, left, "nothing is paid, and nothing is paid back");
                }
                Op::Withdraw { which } => {
                    let id = format!("b{which}");
                    prop_assert_eq!(core.withdraw(now, &id).is_ok(), known.remove(&id).is_some());
                    prop_assert_eq!(core.status(now).ledger.left, left);
                }
                Op::Wait { minutes } => now = now.after(Duration::from_mins(minutes)),
                Op::Restart => {
                    let state = AgentState::from_bytes(&core.snapshot().to_bytes().unwrap()).unwrap();
                    core = AgentCore::new(setup(), state, now);
                }
            }
            known.retain(|_, known| known.ends > now);
            let out: BTreeMap<_, _> = core.broadcasts(now).broadcasts.into_iter().map(|view| (view.id.clone(), view)).collect();
            prop_assert_eq!(out.keys().collect::<Vec<_>>(), known.keys().collect::<Vec<_>>());
            for (id, known) in &known {
                let view: &BroadcastView = &out[id];
                prop_assert_eq!((view.noise.requested, view.expires_at), (known.noise, known.ends.as_secs()));
            }
        }
    }

    /// A higher level adds what a lower one adds, and nothing but topics of the class; none adds nothing.
    #[test]
    fn enrichment_only_adds(low in 0.0..=1.0_f64, high in 0.0..=1.0_f64, words in prop::sample::select(vec!["coffee", "chess", "jazz concert", "running", "zzz"])) {
        let (low, high) = if low <= high { (low, high) } else { (high, low) };
        let told = |level: Option<f64>| {
            let (mut core, mut rng) = core(5);
            let body = BroadcastBody { enrichment: level, ..wish(0.0, words) };
            core.broadcast(NOW, &mut rng, body.check().unwrap()).unwrap()
        };
        let (plain, low, high, full) = (told(None), told(Some(low)), told(Some(high)), told(Some(1.0)));
        prop_assert_eq!(&plain.topics, &told(Some(0.0)).topics);
        prop_assert!(low.topics.starts_with(&plain.topics) && high.topics.starts_with(&low.topics));
        prop_assert!(full.topics.starts_with(&high.topics) && full.topics.len() <= 4);
        prop_assert_eq!([&low.class, &high.class, &full.class], [&plain.class; 3]);
    }
}

/// Over HTTP, with the refusals, and over a restart of the whole agent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_is_made_stricter_and_ends() {
    let (dir, clock) = (dir(), HandClock::new());
    let start = || {
        let mut config = config(dir.path());
        config.clock = clock.clone();
        Running::start_with(config).unwrap()
    };
    let agent = start();
    let body =
        json!({"location": {"lat": -45.0, "lon": 0.0}, "context": "coffee", "noise_ratio": 0.6, "ttl_hours": 72});
    let id = agent.send("POST", "/v1/broadcast", Some(body)).await.body["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/broadcasts/{id}");
    let stricter = agent.send("PATCH", &path, Some(json!({"noise_ratio": 0.8, "ttl_hours": 24}))).await;
    assert_eq!((stricter.status, &stricter.body["noise"]["requested"]), (200, &json!(0.8)), "{}", stricter.body);
    assert_eq!(stricter.body["expires_at"], json!(NOW.as_secs() + 24 * 3_600));
    for (body, slug) in [
        (json!({"noise_ratio": 0.7}), ProblemKind::LowersPrivacy),
        (json!({"ttl_hours": 25}), ProblemKind::LowersPrivacy),
        (json!({"noise_ratio": 0.8, "ttl_hours": 48}), ProblemKind::LowersPrivacy),
        (json!({"noise_ratio": 0.9}), ProblemKind::InvalidNoise),
        (json!({"ttl_hours": 23}), ProblemKind::InvalidTtl),
        (json!({"context": "tea"}), ProblemKind::MalformedBody),
        (json!({"mode": "emergency"}), ProblemKind::MalformedBody),
    ] {
        assert_eq!(agent.send("PATCH", &path, Some(body.clone())).await.slug(), slug.slug(), "{body}");
    }
    let unknown = agent.send("PATCH", "/v1/broadcasts/b99", Some(json!({}))).await;
    assert_eq!(unknown.slug(), "unknown-broadcast");
    assert_eq!(agent.send("PATCH", &path, Some(json!({}))).await.body, stricter.body, "nothing named, nothing changed");
    agent.stop().await;

    let agent = start();
    assert_eq!(agent.send("PATCH", &path, Some(json!({}))).await.body["expires_at"], stricter.body["expires_at"]);
    clock.advance(Duration::from_hours(24));
    assert_eq!(agent.send("GET", "/v1/broadcasts", None).await.body, json!({"broadcasts": []}));
    assert_eq!(agent.send("PATCH", &path, Some(json!({}))).await.slug(), "unknown-broadcast");
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enrichment_has_bounds() {
    let dir = dir();
    let agent = Running::start(dir.path()).unwrap();
    for (level, status) in
        [(json!(0.0), 201), (json!(1.0), 201), (json!(-0.1), 422), (json!(1.1), 422), (json!("1"), 400)]
    {
        let body = json!({"location": {"lat": -45.0, "lon": 0.0}, "context": "coffee", "enrichment": level});
        assert_eq!(agent.send("POST", "/v1/broadcast", Some(body)).await.status, status);
    }
    agent.stop().await;
}
