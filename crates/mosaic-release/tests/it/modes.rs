//! The table of modes (DESIGN section 4), as a device applies it. The location scales are audited beside the blur.

use std::time::Duration;

use mosaic_net::Cadence;
use mosaic_release::FrameId;
use mosaic_types::{Mode, Stream, Timestamp};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::world::{NOW, Oracle, draft, frame, releaser, table};

const MODES: [Mode; 3] = [Mode::Emergency, Mode::Balanced, Mode::Maximum];

/// Floors: of twenty frames that wait, as many leave as the mode allows; a discovery event has one real slot at most.
#[test]
fn each_mode_keeps_its_floors() {
    let mut rng = ChaCha20Rng::seed_from_u64(51);
    for (mode, most_real, discovery) in
        MODES.into_iter().zip([7, 5, 2]).zip([0.60, 0.60, 0.80]).map(|((m, r), d)| (m, r, d))
    {
        let mut releaser = releaser(51);
        let accepted = releaser.draft(NOW, draft("tea", 0.30, mode)).unwrap();
        assert!((accepted.effective_discovery.get() - discovery).abs() < 1e-9);
        let frames = (0..20).map(|number| frame(number, 100 + number as u32)).collect();
        let event =
            releaser.rendezvous_event(NOW, &table(NOW.period()), Stream::Steady, mode, frames, &mut rng).unwrap();
        assert_eq!(event.frames().len(), most_real, "{mode}");
        let mut left = event.frames();
        left.sort_unstable();
        assert_eq!(left, (0..most_real as u64).map(FrameId).collect::<Vec<_>>());
        let shown = Oracle::new().event(&mut releaser, NOW, 8, &mut rng);
        assert!(shown.floor().measured() >= 0.9 - 1e-9);
    }
}

/// Cadence and delays, from 2,000 scheduled events of each mode (seed 52): both lanes at the mode's interval, and delays
/// that fill their bounds. The mean of a uniform delay has a standard error of bound/√(12 · 2,000), five of which are
/// 3.3 % of the bound.
#[test]
fn each_mode_keeps_its_cadence_and_delays() {
    for (mode, interval_s, delay_s) in
        [(Mode::Emergency, 720, 60), (Mode::Balanced, 720, 300), (Mode::Maximum, 3_600, 1_800)]
    {
        let mut rng = ChaCha20Rng::seed_from_u64(52);
        let cadence = Cadence::new(mode.class(), Duration::ZERO);
        let mut after = NOW;
        let mut delays = Vec::new();
        let mut ticks: [Vec<Timestamp>; 2] = Default::default();
        for _ in 0..2_000 {
            let event = cadence.next(after, &mut rng);
            after = event.tick;
            ticks[usize::from(event.resolution.is_some())].push(event.tick);
            delays.push(event.leave_at.since(event.tick).as_secs_f64());
        }
        let bound = f64::from(delay_s);
        let mean = delays.iter().sum::<f64>() / 2_000.0;
        assert!((mean / bound - 0.5).abs() < 0.033, "{mode}: {mean}");
        assert!(delays.iter().all(|delay| *delay < bound), "{mode}");
        for lane in ticks {
            assert!(lane.windows(2).all(|pair| pair[1].since(pair[0]) == Duration::from_secs(interval_s)), "{mode}");
        }
    }
}

/// What is fixed and not drawn: generations, polls, rings, and which generation length of a table is whose.
#[test]
fn each_mode_has_its_generations_and_polls() {
    for (mode, generation_s, poll_s, ring) in
        [(Mode::Emergency, 5, 15, 1), (Mode::Balanced, 60, 60, 1), (Mode::Maximum, 600, 600, 2)]
    {
        let profile = mode.profile();
        assert_eq!((profile.generation.as_secs(), profile.poll.as_secs(), profile.ring), (generation_s, poll_s, ring));
    }
    let lengths = MODES.map(|mode| mode.profile().generation.as_secs());
    assert_eq!(lengths, table(NOW.period()).generation_s.map(u64::from));
}
