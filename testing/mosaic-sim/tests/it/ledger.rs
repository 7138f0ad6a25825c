use super::*;
use mosaic_api::Granularity;

#[test]
fn an_exhausted_ledger_falls_back_to_zones_that_are_still_found() {
    let mut world = World::new(Setup::new(51)).unwrap();
    let (alice, bob) = (world.join(Mode::Balanced), world.join(Mode::Balanced));
    world.advance(minutes(5));
    let mut last = world.broadcast(alice, offset_m(place(), 3_000.0, 0.0), WORDS).unwrap();
    for step in 1..9 {
        let id = last.id.clone();
        world.act(alice, |agent, now, _| agent.withdraw(now, &id)).unwrap();
        let somewhere = offset_m(place(), 3_000.0 - 700.0 * f64::from(step), 2_000.0);
        last = world.broadcast(alice, somewhere, WORDS).unwrap();
    }
    assert_eq!(last.granularity, Granularity::Zone, "{} left", last.ledger_left);
    let id = last.id.clone();
    world.act(alice, |agent, now, _| agent.withdraw(now, &id)).unwrap();
    let zone = world.broadcast(alice, place(), WORDS).unwrap();
    assert_eq!(zone.granularity, Granularity::Zone);
    assert!(find_within(&mut world, 3 * HOUR, bob, alice), "found at resolution 6");
}
