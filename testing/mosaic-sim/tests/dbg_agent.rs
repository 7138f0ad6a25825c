//! scratch
#![allow(clippy::all, missing_docs)]
use mosaic_geo::offset_m;
use mosaic_sim::{Setup, World, every_card};
use mosaic_types::{LatLng, Mode};
use std::time::Duration;
const WORDS: &str = "coffee meetup by the yellow tram";
#[test]
fn dbg() {
    let mut world = World::new(Setup::new(21)).unwrap();
    let (alice, bob) = (world.join(Mode::Balanced), world.join(Mode::Balanced));
    world.advance(Duration::from_secs(300));
    let p = LatLng::new(-45.004_213_7, 0.006_871_9).unwrap();
    let near = offset_m(p, 310.0, -120.0);
    world.broadcast(alice, p, WORDS).unwrap();
    world.broadcast(bob, near, WORDS).unwrap();
    if std::env::var_os("DOWN").is_some() {
        let d = world.providers()[1];
        world.down(d);
    }
    world.advance(Duration::from_secs(3600 * 3 + 45 * 60));
    for _ in 0..12 {
        let now = world.now();
        let theirs: Vec<String> =
            world.person(alice).agent().broadcasts(now).broadcasts.into_iter().flat_map(|o| o.cards).collect();
        let found = world.look(bob, near, WORDS).unwrap();
        eprintln!(
            "theirs {} found {} complete {} pos {:?}",
            theirs.len(),
            found.cards.len(),
            found.complete,
            theirs.iter().map(|t| found.cards.iter().position(|c| &c.id == t)).collect::<Vec<_>>()
        );
        if found.cards.iter().any(|c| theirs.contains(&c.id)) {
            break;
        }
        world.advance(Duration::from_secs(300));
    }
    let r = world.wave(bob, every_card(), "bob");
    eprintln!("wave {r:?}");
    let a = world.wait_for(Duration::from_secs(3600), |w| !w.person(alice).agent().waves().waves.is_empty());
    eprintln!("approached {a:?} status {:?}", world.person(alice).agent().status(world.now()));
    eprintln!("accept {:?}", world.accept_all(alice, "alice"));
    for _ in 0..8 {
        world.advance(Duration::from_secs(900));
        eprintln!("bob {:?} alice {:?}", world.contacts_of(bob), world.contacts_of(alice));
        eprintln!("{:?}", world.person(alice).agent().associations().associations);
        let b = world.person(bob).agent().associations().associations;
        eprintln!(
            "bob {:?}",
            b.iter().filter(|a| a.state != mosaic_api::AssociationState::Waiting).collect::<Vec<_>>().len()
        );
    }
}
