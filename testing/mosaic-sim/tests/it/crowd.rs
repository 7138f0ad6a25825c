//! How many devices use the federation, told from what each of them reads anyway (S-35, L6-46).

use super::*;
use mosaic_api::{CrowdView, WarningKind};

/// A federation of `people` balanced devices that has run until the estimate is known; what the first of them is told.
fn told(seed: u64, people: usize) -> (CrowdView, bool, bool) {
    let mut world = World::new(Setup::new(seed)).unwrap();
    let everybody: Vec<_> = (0..people).map(|_| world.join(Mode::Balanced)).collect();
    let who = everybody[0];
    world.advance(minutes(20));
    let early = world.person(who).agent().status(world.now());
    assert!(early.crowd.is_none(), "nothing is claimed before two whole hours were read");
    assert!(early.warnings.iter().all(|warning| warning.kind != WarningKind::SparseArea));
    world.advance(3 * HOUR);
    let reply = world.broadcast(who, place(), WORDS).unwrap();
    let status = world.person(who).agent().status(world.now());
    let in_status = status.warnings.iter().any(|warning| warning.kind == WarningKind::SparseArea);
    let in_reply = reply.warnings.iter().any(|warning| warning.kind == WarningKind::SparseArea);
    (status.crowd.unwrap(), in_status, in_reply)
}

/// Seeds 161 and 162: nine devices are warned, ten are not.
#[test]
fn nine_devices_are_told_from_ten() {
    assert_eq!(told(161, 9), (CrowdView { low: 9, high: 9 }, true, true));
    assert_eq!(told(162, 10), (CrowdView { low: 10, high: 10 }, false, false));
}
