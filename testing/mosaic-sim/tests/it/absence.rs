use super::*;

#[test]
fn who_was_away_for_hours_still_gets_the_wave_and_the_answer() {
    let (mut world, alice, bob) = two_who_want_coffee(Setup::new(31));
    assert!(find_within(&mut world, 2 * HOUR, bob, alice));
    world.sleep(alice);
    world.wave(bob, every_card(), WAVER).unwrap();
    world.advance(3 * HOUR);
    world.wake(alice);
    let approached = world.wait_for(HOUR, |world| !world.person(alice).agent().waves().waves.is_empty());
    assert!(approached.is_some(), "the wave waited three hours");
    world.sleep(bob);
    world.accept_all(alice, OTHER).unwrap();
    world.advance(9 * HOUR);
    world.wake(bob);
    let met = world.wait_for(2 * HOUR, |world| has(world, bob, OTHER));
    assert!(met.is_some(), "the answer waited nine hours, over two table changes");
    let back = world.wait_for(2 * HOUR, |world| has(world, alice, WAVER));
    assert!(back.is_some());
}
