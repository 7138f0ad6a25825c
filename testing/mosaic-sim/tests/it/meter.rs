//! The anonymity meter (PRIVACY 12, X-39): what it says, what it holds back, and that nothing else changes.

use super::*;
use mosaic_agent::{AgentState, TruthLog};
use mosaic_api::{AttackerView, MeterAction, ReceiptStatus, SettingsBody, WarningKind};
use mosaic_types::Lane;

/// Somebody in `mode`, with this floor, who wants coffee for `hours` hours.
fn lived(seed: u64, mode: Mode, floor: f64, hours: u32) -> (World, PersonId) {
    let mut world = World::new(Setup { truth: TruthLog::Record, ..Setup::new(seed) }).unwrap();
    let who = world.join(mode);
    let change = SettingsBody { anonymity_floor: Some(floor), ..SettingsBody::default() }.check().unwrap();
    world.act(who, |agent, now, _| agent.change_settings(now, &change));
    world.advance(minutes(5));
    world.broadcast(who, place(), WORDS).unwrap();
    world.advance(HOUR * hours);
    (world, who)
}

fn discovery_events(world: &World, who: PersonId) -> usize {
    world.person(who).truth().iter().filter(|event| event.lane == Lane::Discovery).count()
}

/// Seed 151, maximum mode, six hours. With a floor of ten the wish stays away, the status says so, and as many events
/// leave as without a floor, but for one at the end.
#[test]
fn withheld_in_maximum_mode_and_said() {
    let ((strict, who), (free, _)) = (lived(151, Mode::Maximum, 10.0, 6), lived(151, Mode::Maximum, 1.0, 6));
    // delays are drawn from the randomness that sealing uses too, so the last event may be on either side of the end
    assert!(discovery_events(&strict, who).abs_diff(discovery_events(&free, who)) <= 1);
    let agent = strict.person(who).agent();
    let status = agent.status(strict.now());
    assert_eq!((status.anonymity.action, status.anonymity.floor), (MeterAction::Withheld, 10.0));
    assert!(status.anonymity.held_back > 0 && status.anonymity.why.contains("floor of 10 identities"));
    assert!(status.warnings.iter().any(|warning| warning.kind == WarningKind::AnonymityFloor));
    let listed = agent.broadcasts(strict.now()).broadcasts;
    let about = listed[0].anonymity.clone().unwrap();
    assert!(about.action == MeterAction::Withheld && about.probability > 0.1);
    let free = free.person(who).agent().status(free.now());
    assert_eq!((free.anonymity.action, free.anonymity.held_back), (MeterAction::Nothing, 0));
    assert!(free.warnings.iter().all(|warning| warning.kind != WarningKind::AnonymityFloor));
}

/// Seed 152, balanced mode, five hours: every event has its receipt with what was stated of it; what is the person's
/// carries a posterior, an export none of a single event; a restart forgets nothing of it.
#[test]
fn receipts_and_exports_carry_what_was_stated() {
    let (mut world, who) = lived(152, Mode::Balanced, 1.0, 5);
    let now = world.now();
    let reply = world.person(who).agent().receipts(now);
    assert!(reply.statement.contains("ten slots"));
    assert_eq!(reply.receipts.len(), world.person(who).truth().len());
    let own: Vec<_> = reply.receipts.iter().filter(|receipt| receipt.opened.is_some()).collect();
    assert!(own.len() >= 6, "three resolutions in each of at least two windows: {}", own.len());
    for receipt in &own {
        assert_eq!((receipt.real_slots, receipt.one_provider, receipt.lane.as_str()), (1, 0.1, "discovery"));
        assert!((0.0..=1.0).contains(&receipt.opened.unwrap()));
    }
    assert!(reply.receipts.iter().any(|receipt| receipt.receipt == ReceiptStatus::Acknowledged));
    let export = world.person(who).agent().export(now);
    assert_eq!(export.deniability, reply.statement);
    let opened = export.anonymity.iter().find(|view| view.view == AttackerView::OpenedBundles).unwrap();
    assert_eq!(usize::try_from(opened.events).unwrap(), own.len());
    assert!(opened.probability.is_some() && opened.highest >= opened.probability);
    let text = format!("{:?} {reply:?}", export.anonymity);
    assert!(!text.contains("tram") && !text.contains("45.00"));
    let bytes = world.act(who, |agent, _, _| agent.snapshot().to_bytes().unwrap());
    let again = AgentState::from_bytes(&bytes).unwrap();
    assert_eq!(again.to_bytes().unwrap(), bytes);
}

#[test]
fn a_floor_outside_its_bounds_is_refused() {
    for floor in [0.9, 10.1, f64::NAN] {
        assert!(SettingsBody { anonymity_floor: Some(floor), ..SettingsBody::default() }.check().is_err());
    }
}
