use super::*;
use mosaic_api::Reach;
use mosaic_sim::Link;

#[test]
fn one_provider_down_across_a_table_change_and_everything_still_works() {
    let (mut world, alice, bob) = two_who_want_coffee(Setup::new(21));
    let down = world.providers()[1];
    world.down(down);
    // 16:25 to 20:10: the table changes at 20:00 without the second provider
    world.advance(3 * HOUR + minutes(45));
    assert_eq!(world.person(alice).agent().status(world.now()).reach, Reach::Degraded);
    assert!(find_within(&mut world, HOUR, bob, alice), "found in the new table");
    assert!(meet_within(&mut world, 3 * HOUR, bob, alice));
    world.up(down);
    world.advance(HOUR);
    assert_eq!(world.person(alice).agent().status(world.now()).reach, Reach::Whole);
    assert_eq!(world.person(alice).agent().status(world.now()).deposits_waiting, 0);
}

#[test]
fn two_down_is_said_clearly_and_nothing_is_lost() {
    let (mut world, alice, bob) = two_who_want_coffee(Setup::new(22));
    world.advance(minutes(1));
    let down = [world.providers()[0], world.providers()[2]];
    down.iter().for_each(|provider| world.down(*provider));
    world.advance(minutes(50));
    let status = world.person(alice).agent().status(world.now());
    assert_eq!(status.reach, Reach::CutOff);
    assert!(!finds(&mut world, bob, alice));
    down.iter().for_each(|provider| world.up(*provider));
    world.advance(minutes(20));
    let status = world.person(alice).agent().status(world.now());
    assert_eq!((status.reach, status.deposits_waiting), (Reach::Whole, 0));
    assert!(status.deposits_acked >= status.events_released.saturating_sub(1), "what was released is acknowledged");
    assert!(find_within(&mut world, 2 * HOUR, bob, alice), "the broadcast is found after all");
}

#[test]
fn a_link_that_loses_every_tenth_message_only_costs_time() {
    let link = Link { loss: 0.05, ..Link::default() };
    let (mut world, alice, bob) = two_who_want_coffee(Setup { link, ..Setup::new(23) });
    assert!(find_within(&mut world, 2 * HOUR, bob, alice));
    assert!(meet_within(&mut world, 2 * HOUR, bob, alice));
}
