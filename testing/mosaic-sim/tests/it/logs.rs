use std::{
    io,
    sync::{Arc, Mutex},
};

use super::*;
use mosaic_agent::AgentEvent;
use mosaic_crypto::{
    aead,
    kdf::{Label, derive},
};
use mosaic_federation::{SignedDocument, TableCeremony};
use mosaic_provider::{
    ProviderKeys,
    store::{Bucket, Store as _},
};
use mosaic_sim::{Needles, Secret};
use mosaic_types::{Period, ProviderId};
use mosaic_wire::{Call, Reply};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<u8>>>);

impl io::Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Capture {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

const SEED: u64 = 71;

/// The secrets a provider was made with: they are the first that a world draws.
fn secrets_of_providers(world: &World) -> Vec<ProviderKeys> {
    let mut rng = ChaCha20Rng::seed_from_u64(SEED);
    world.providers().into_iter().map(|id| ProviderKeys::generate(id, &mut rng)).collect()
}

/// A provider's share of a table key, taken from its store as only itself can.
fn share_of(world: &mut World, keys: &ProviderKeys, period: Period) -> [u8; 32] {
    let Ok(Reply::Federation(document)) = world.ask(keys.me, Call::Federation) else { panic!("no federation") };
    let federation = Arc::new(SignedDocument::parse(&document).unwrap().verify().unwrap());
    let (own, name) = (own_key(world, keys.me, period), period.0.to_be_bytes());
    let sealed = world.store_of(keys.me).get(Bucket::Ceremonies, &name).unwrap().unwrap();
    let key = derive(&[*keys.root, own].concat(), Label::ShareStore, &[&name]);
    let record = postcard::from_bytes(&aead::open(&key, &name, &sealed).unwrap()).unwrap();
    let ceremony = TableCeremony::resume(federation, keys.me, period, record);
    *ceremony.share(&keys.ceremony).unwrap().to_bytes()
}

/// Under what a provider seals its share of one period, until it destroys both.
fn own_key(world: &World, provider: ProviderId, period: Period) -> [u8; 32] {
    *world.store_of(provider).key(period).unwrap().unwrap()
}

/// The device seed: the first bytes of what the vault seals.
fn seed_of(world: &mut World, who: PersonId) -> [u8; 32] {
    let state = world.act(who, |agent, _, _| agent.snapshot().to_bytes().unwrap());
    state[..32].try_into().unwrap()
}

/// Keys of providers and devices, all that this world has.
fn keys_of(world: &mut World, people: [PersonId; 2]) -> Needles {
    let period = world.now().period();
    let mut needles = people.into_iter().fold(Needles::new(), |needles, who| needles.key(&seed_of(world, who)));
    for keys in secrets_of_providers(world) {
        needles = needles.key(&share_of(world, &keys, period)).key(&own_key(world, keys.me, period));
        needles = keys.to_bytes().chunks(32).fold(needles, Needles::key);
    }
    needles
}

/// The whole story with every log line of every level: no word, place, contact, token or key in it, and
/// the lines that it must have, so that it is known what was searched.
#[test]
fn the_log_of_a_whole_story_at_trace_level_holds_no_secret() {
    let capture = Capture::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_ansi(false)
        // the wall clock's microseconds are digits that a place may happen to have: 10:12:40.006871
        .without_time()
        .with_writer(capture.clone())
        .finish();
    let (secrets, acknowledged) = tracing::subscriber::with_default(subscriber, || {
        let (mut world, alice, bob) = two_who_want_coffee(Setup::new(SEED));
        assert!(find_within(&mut world, 2 * HOUR, bob, alice) && meet_within(&mut world, HOUR, bob, alice));
        let token = world.associate(alice, None, OTHER).unwrap().token.unwrap();
        world.associate(bob, Some(token.clone()), WAVER).unwrap();
        world.down(world.providers()[0]);
        world.advance(2 * HOUR);
        let acknowledged = world.people().flat_map(|(_, person)| person.happened());
        let acknowledged = acknowledged.filter(|(_, event)| matches!(event, AgentEvent::Acknowledged(_))).count();
        tracing::info!("planted: {WORDS}");
        let needles = keys_of(&mut world, [alice, bob])
            .words(WORDS)
            .place(place())
            .place(near())
            .contact(OTHER)
            .contact(WAVER)
            .key(token.as_bytes());
        (needles, acknowledged)
    });
    let log = capture.0.lock().unwrap().clone();
    let found = secrets.found_in(&log);
    let planted = Needles::new().words(WORDS).found_in(format!("planted: {WORDS}").as_bytes())[&Secret::Words];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(Secret::Words, planted)], "only what was planted");
    let text = String::from_utf8_lossy(&log);
    let lines = |what: &str| text.lines().filter(|line| line.contains(what)).count();
    assert!(acknowledged > 20);
    assert_eq!(lines("an event was acknowledged"), acknowledged, "one line each");
    assert!(lines("an event was released") >= acknowledged);
    assert!(lines("a round of waves") >= 1 && lines("a call failed") >= 1, "waves, and a provider that was down");
}
