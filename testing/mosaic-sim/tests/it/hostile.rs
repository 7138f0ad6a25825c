//! L3-13: whatever the providers say, no event ever carries more real slots than its floor allows. All
//! providers collude here, sign with their real keys and take whatever is built for them.

use super::*;
use mosaic_agent::{EventTruth, TruthLog};
use mosaic_release::SlotTruth;
use mosaic_sim::Mischief;
use mosaic_types::Lane;
use mosaic_wire::Groups;

/// Somebody of each mode, with the most real slots of ten that the mode allows on the rendezvous lane.
const MODES: [(Mode, usize); 3] = [(Mode::Emergency, 7), (Mode::Balanced, 5), (Mode::Maximum, 2)];

pub(super) fn real(event: &EventTruth) -> usize {
    event.slots.iter().filter(|slot| slot.is_real()).count()
}

/// Makes this person's device want to send far more than it may: tokens that nobody made are called all the
/// same, each with a frame.
pub(super) fn overload(world: &mut World, who: PersonId, calls: usize) {
    for call in 0..calls {
        let token = format!("{:0>30}{call:02}", who.0);
        world.associate(who, Some(token), WAVER).unwrap();
    }
}

/// Plays four hours with people of every mode who have much to say, and judges every event.
fn every_event_keeps_its_floor(seed: u64, mischief: Mischief, least: usize) {
    let mut world = World::new(Setup { truth: TruthLog::Record, ..Setup::new(seed) }).unwrap();
    // hostile before anybody has a table
    world.corrupt(mischief);
    let people = MODES.map(|(mode, most)| (world.join(mode), most));
    world.advance(minutes(3));
    for (who, _) in people {
        world.broadcast(who, place(), WORDS).unwrap();
        world.broadcast(who, near(), "chess in the park").unwrap();
        overload(&mut world, who, 40);
    }
    world.advance(4 * HOUR);
    for (who, most) in people {
        for event in world.person(who).truth() {
            let allowed = if event.lane == Lane::Discovery { 1 } else { most };
            assert!(real(event) <= allowed, "{mischief:?}: {} of ten are real on {:?}", real(event), event.lane);
        }
    }
    let everything: Vec<&EventTruth> = people.iter().flat_map(|(who, _)| world.person(*who).truth()).collect();
    let carrying = |lane| everything.iter().filter(|event| event.lane == lane && real(event) > 0).count();
    let (discovery, rendezvous) = (carrying(Lane::Discovery), carrying(Lane::Rendezvous));
    assert!(discovery >= least && rendezvous >= least, "{mischief:?}: {discovery} and {rendezvous} carried anything");
}

#[test]
fn tables_with_tiny_rows_or_odd_groups_lower_no_floor() {
    let tables = |discovery, rendezvous, groups| Mischief::Tables { discovery, rendezvous, groups };
    every_event_keeps_its_floor(101, tables(64, 80, Groups { r6: 7, r7: 13, r8: 16 }), 3);
    every_event_keeps_its_floor(102, tables(257, 97, Groups { r6: 1, r7: 1, r8: 1 }), 3);
    every_event_keeps_its_floor(103, tables(1 << 22, 1 << 22, Groups { r6: 16, r7: 16, r8: 16 }), 3);
}

#[test]
fn a_table_into_which_no_event_fits_lets_nothing_real_leave() {
    let one = Mischief::Tables { discovery: 1, rendezvous: 1, groups: Groups { r6: 1, r7: 1, r8: 1 } };
    every_event_keeps_its_floor(104, one, 0);
    let mut world = World::new(Setup { truth: TruthLog::Record, ..Setup::new(104) }).unwrap();
    world.corrupt(one);
    let who = world.join(Mode::Balanced);
    world.broadcast(who, place(), WORDS).unwrap();
    world.advance(2 * HOUR);
    assert!(world.person(who).truth().is_empty(), "ten distinct rows cannot be had of one");
}

#[test]
fn receipts_that_call_rows_full_lower_no_floor() {
    every_event_keeps_its_floor(105, Mischief::AllFull, 3);
    every_event_keeps_its_floor(106, Mischief::SomeFull, 3);
}

/// A slot that met a full row comes back: were it not counted, it would come on top of the others.
#[test]
fn what_comes_back_after_a_full_row_is_counted() {
    let mut world = World::new(Setup { truth: TruthLog::Record, ..Setup::new(107) }).unwrap();
    world.corrupt(Mischief::AllFull);
    let who = world.join(Mode::Balanced);
    world.advance(minutes(3));
    world.broadcast(who, place(), WORDS).unwrap();
    overload(&mut world, who, 40);
    world.advance(2 * HOUR);
    let again = |lane| {
        let mut met: Vec<SlotTruth> = Vec::new();
        let events = world.person(who).truth().iter().filter(|event| event.lane == lane);
        for slot in events.flat_map(|event| event.slots).filter(|slot| slot.is_real()) {
            met.push(slot);
        }
        let all = met.len();
        met.sort_by_key(|slot| format!("{slot:?}"));
        met.dedup();
        all - met.len()
    };
    assert!(again(Lane::Rendezvous) >= 5 && again(Lane::Discovery) >= 1, "nothing came back");
}

#[test]
fn refusals_and_nonsense_lower_no_floor() {
    every_event_keeps_its_floor(108, Mischief::Refusals, 3);
    every_event_keeps_its_floor(109, Mischief::Nonsense, 3);
}

/// Whatever follows whatever: tables, full rows, refusals and nonsense in one evening, three seeds.
#[test]
fn any_order_of_hostile_answers_lowers_no_floor() {
    (110..113).for_each(|seed| every_event_keeps_its_floor(seed, Mischief::Whims, 1));
}
