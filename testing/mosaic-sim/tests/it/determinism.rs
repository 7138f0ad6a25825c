use super::*;
use mosaic_sim::Op;
use proptest::prelude::*;

fn digests(seed: u64, ops: &[Op]) -> Vec<[u8; 32]> {
    let mut world = World::new(Setup::new(seed)).unwrap();
    for _ in 0..3 {
        world.join(Mode::Balanced);
    }
    ops.iter().for_each(|op| world.play(op));
    world.advance(minutes(30));
    world.providers().into_iter().map(|provider| world.learned_by(provider).digest()).collect()
}

#[test]
fn one_seed_gives_the_same_bytes_at_every_provider() {
    let ops = [
        Op::Broadcast(PersonId(0), place(), WORDS.into()),
        Op::Advance(minutes(3)),
        Op::Down(mosaic_types::ProviderId::new(2).unwrap()),
        Op::Look(PersonId(1), near(), WORDS.into()),
        Op::Advance(minutes(20)),
    ];
    assert_eq!(digests(61, &ops), digests(61, &ops));
    assert_ne!(digests(61, &ops), digests(62, &ops));
}

fn op() -> impl Strategy<Value = Op> {
    let who = || (0_usize..3).prop_map(PersonId);
    let provider = || (1_u8..=3).prop_map(|id| mosaic_types::ProviderId::new(id).unwrap());
    prop_oneof![
        who().prop_map(|who| Op::Broadcast(who, place(), WORDS.into())),
        who().prop_map(|who| Op::Look(who, near(), WORDS.into())),
        who().prop_map(|who| Op::WaveAtAll(who, format!("person {}", who.0))),
        who().prop_map(|who| Op::AcceptAll(who, format!("person {}", who.0))),
        (1_u64..40).prop_map(|span| Op::Advance(minutes(span))),
        provider().prop_map(Op::Down),
        provider().prop_map(Op::Up),
        who().prop_map(Op::Sleep),
        who().prop_map(Op::Wake),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 40, ..ProptestConfig::default() })]

    /// Whatever happens, nothing panics, no provider is ever accused, and once everything is up again
    /// everything that was released is acknowledged.
    #[test]
    fn any_story_ends_well_once_everything_is_up(ops in prop::collection::vec(op(), 1..14)) {
        let mut world = World::new(Setup::new(63)).unwrap();
        let people: Vec<_> = (0..3).map(|_| world.join(Mode::Balanced)).collect();
        ops.iter().for_each(|op| world.play(op));
        for provider in world.providers() {
            world.play(&Op::Up(provider));
        }
        people.iter().for_each(|who| world.wake(*who));
        world.advance(minutes(40));
        for who in people {
            let status = world.person(who).agent().status(world.now());
            prop_assert!(status.deposits_waiting <= 1, "{} wait", status.deposits_waiting);
            let accused = world.person(who).first(|event| matches!(event, mosaic_agent::AgentEvent::Accused(_)));
            prop_assert!(accused.is_none(), "nobody lied");
        }
    }
}
