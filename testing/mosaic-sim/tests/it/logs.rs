use std::{
    io,
    sync::{Arc, Mutex},
};

use super::*;
use mosaic_sim::{Needles, Secret};
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

/// The whole story with every log line of every level: no word, place, contact, token or key in it.
#[test]
fn the_log_of_a_whole_story_at_trace_level_holds_no_secret() {
    let capture = Capture::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(capture.clone())
        .finish();
    let secrets = tracing::subscriber::with_default(subscriber, || {
        let (mut world, alice, bob) = two_who_want_coffee(Setup::new(71));
        assert!(find_within(&mut world, 2 * HOUR, bob, alice) && meet_within(&mut world, HOUR, bob, alice));
        let token = world.associate(alice, None, OTHER).unwrap().token.unwrap();
        world.associate(bob, Some(token.clone()), WAVER).unwrap();
        world.down(world.providers()[0]);
        world.advance(2 * HOUR);
        let seed = world.act(alice, |agent, _, _| agent.snapshot().to_bytes().unwrap());
        let seed: [u8; 32] = seed[..32].try_into().unwrap();
        tracing::info!("planted: {WORDS}");
        Needles::new()
            .words(WORDS)
            .place(place())
            .place(near())
            .contact(OTHER)
            .contact(WAVER)
            .key(token.as_bytes())
            .key(&seed)
    });
    let log = capture.0.lock().unwrap().clone();
    let found = secrets.found_in(&log);
    let planted = Needles::new().words(WORDS).found_in(format!("planted: {WORDS}").as_bytes())[&Secret::Words];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(Secret::Words, planted)], "only what was planted");
    assert!(log.len() > 200, "something was logged");
}
