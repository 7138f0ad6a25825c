//! A high risk (L3-11, L6-47): the moment of action shows neither in calls nor in events.

use super::*;
use mosaic_agent::TruthLog;
use mosaic_api::{BroadcastBody, Position};
use mosaic_release::SlotTruth;
use mosaic_types::Risk;

fn wish(risk: Risk) -> BroadcastBody {
    let location = Position { lat: place().lat(), lon: place().lng() };
    BroadcastBody { risk: Some(risk), ..BroadcastBody::new(location, WORDS.to_owned()) }
}

/// Seed 171. In every mode a device that was idle makes calls at once for a broadcast of normal risk, and none for one of
/// high risk.
#[test]
fn at_high_risk_nothing_is_asked_of_anybody_at_the_moment() {
    for mode in [Mode::Emergency, Mode::Balanced, Mode::Maximum] {
        let calls = |risk| {
            let mut world = World::new(Setup::new(171)).unwrap();
            let who = world.join(mode);
            world.advance(minutes(70));
            world.act(who, |agent, now, rng| {
                // whatever was due anyway
                while agent.poll(now, rng).is_some() {}
                agent.broadcast(now, rng, wish(risk).check().unwrap()).unwrap();
                std::iter::from_fn(|| agent.poll(now, rng)).count()
            })
        };
        assert!(calls(Risk::Normal) > 0 && calls(Risk::High) == 0, "{mode:?}");
    }
}

/// Seed 172. No event that leaves before the named moment carries it, and one does later.
#[test]
fn no_event_carries_it_before_the_named_moment() {
    for mode in [Mode::Emergency, Mode::Balanced] {
        let mut world = World::new(Setup { truth: TruthLog::Record, ..Setup::new(172) }).unwrap();
        let who = world.join(mode);
        world.advance(minutes(5));
        let asked = wish(Risk::High).check().unwrap();
        let reply = world.act(who, |agent, now, rng| agent.broadcast(now, rng, asked)).unwrap();
        let not_before = reply.not_before.unwrap();
        assert!((world.now().as_secs()..world.now().as_secs() + 1_800).contains(&not_before));
        world.advance(2 * HOUR);
        let real = |truth: &[SlotTruth; 10]| truth.iter().any(|slot| matches!(slot, SlotTruth::Broadcast(_)));
        let carried: Vec<u64> = world
            .person(who)
            .truth()
            .iter()
            .filter(|event| real(&event.slots))
            .map(|event| event.at.as_secs())
            .collect();
        assert!(
            !carried.is_empty() && carried.iter().all(|at| *at >= not_before),
            "{mode:?}: {carried:?} {not_before}"
        );
    }
}
