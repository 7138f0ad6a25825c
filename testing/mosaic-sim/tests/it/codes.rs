use mosaic_api::AssociationState;

use super::*;

fn states(world: &World, who: PersonId) -> Vec<AssociationState> {
    world.person(who).agent().associations().associations.iter().map(|view| view.state).collect()
}

#[test]
fn who_hears_a_code_gets_the_contact_and_gives_theirs() {
    let mut world = World::new(Setup::new(43)).unwrap();
    let (maker, joiner) = (world.join(Mode::Balanced), world.join(Mode::Balanced));
    world.advance(minutes(5));
    let made = world.associate_by_code(maker, None, "the maker").unwrap();
    let typed = made.code.unwrap().replace('-', " ");
    assert_eq!(world.associate_by_code(joiner, Some(typed), "the joiner").unwrap().tries_left, Some(2));
    world.advance(4 * HOUR);
    assert_eq!(
        (world.contacts_of(maker), world.contacts_of(joiner)),
        (vec!["the joiner".into()], vec!["the maker".into()])
    );
    assert_eq!(
        (states(&world, maker), states(&world, joiner)),
        (vec![AssociationState::Connected], vec![AssociationState::Connected])
    );
}

#[test]
fn a_wrong_code_fails_three_times_and_is_not_tried_again() {
    let mut world = World::new(Setup::new(44)).unwrap();
    let (maker, stray) = (world.join(Mode::Balanced), world.join(Mode::Balanced));
    let made = world.associate_by_code(maker, None, "the maker").unwrap().code.unwrap();
    let nameplate = Code::parse(&made).unwrap().nameplate();
    let slip = made.replacen(|digit: char| digit.is_ascii_digit(), if made.starts_with('0') { "1" } else { "0" }, 1);
    let refused = world.associate_by_code(stray, Some(slip), "the stray").err().unwrap();
    assert!(refused.kind.ends_with("invalid-code"), "a slip is found before a try is spent: {refused:?}");
    for tries_left in [2, 1, 0] {
        let wrong = Code::from_number(u64::from(nameplate.number()) * 10_000_000 + tries_left);
        assert_ne!(wrong.expose(str::to_owned), made);
        let tried = world.associate_by_code(stray, Some(wrong.expose(str::to_owned)), "the stray").unwrap();
        assert_eq!(tried.tries_left, Some(u8::try_from(tries_left).unwrap()));
        world.advance(2 * HOUR);
        assert_eq!(states(&world, stray).last(), Some(&AssociationState::Failed));
    }
    let fourth = world.associate_by_code(stray, Some(made), "the stray").err().unwrap();
    assert!(fourth.kind.ends_with("wrong-state"), "{fourth:?}");
    let view = world.person(maker).agent().associations().associations.remove(0);
    assert_eq!((view.state, view.tries_left), (AssociationState::Waiting, Some(0)));
    assert!(world.contacts_of(maker).is_empty() && world.contacts_of(stray).is_empty());
}
