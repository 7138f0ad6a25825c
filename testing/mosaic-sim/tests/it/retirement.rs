use super::*;
use mosaic_provider::store::Store as _;
use mosaic_types::{Lane, Period, SegmentId, Stream, TableId};
use mosaic_wire::{Call, CallFailure, GenerationId, GenerationsQuery, ProblemCode, Reply};

fn generation(period: Period) -> Call {
    let origin = mosaic_types::ProviderId::new(1).unwrap();
    let segment = SegmentId { table: TableId::new(period, Lane::Discovery), origin, stream: Stream::Steady };
    Call::Generations(GenerationsQuery::new(vec![GenerationId { segment, index: 0 }]).unwrap())
}

fn code(answer: Result<Reply, CallFailure>) -> Option<ProblemCode> {
    match answer {
        Err(CallFailure::Refused(problem)) => Some(problem.code),
        _ => None,
    }
}

#[test]
fn after_forty_eight_hours_a_table_is_gone_and_so_is_its_key() {
    let mut world = World::new(Setup::new(81)).unwrap();
    let somebody = world.join(Mode::Balanced);
    let period = world.now().period();
    world.advance(3 * HOUR);
    for provider in world.providers() {
        assert!(matches!(world.ask(provider, generation(period)), Ok(Reply::Generations(_))));
        assert!(world.store_of(provider).key(period).unwrap().is_some(), "the key of a live table");
    }
    world.sleep(somebody);
    // its end at 20:00 plus 48 hours, and a provider that was down when the hour came
    let late = world.providers()[2];
    world.advance(46 * HOUR);
    world.down(late);
    world.advance(4 * HOUR);
    world.up(late);
    world.advance(minutes(5));
    for provider in world.providers() {
        assert_eq!(code(world.ask(provider, generation(period))), Some(ProblemCode::Gone));
        assert_eq!(code(world.ask(provider, Call::Table(period))), Some(ProblemCode::Gone));
        assert!(world.store_of(provider).key(period).unwrap().is_none(), "provider {provider} destroyed its key");
    }
}
