use super::*;

#[test]
fn of_two_who_join_one_token_at_once_exactly_one_gets_the_contact() {
    let mut world = World::new(Setup::new(41)).unwrap();
    let people = [world.join(Mode::Balanced), world.join(Mode::Balanced), world.join(Mode::Balanced)];
    let [owner, first, second] = people;
    world.advance(minutes(5));
    let token = world.associate(owner, None, "the owner").unwrap().token;
    world.associate(first, token.clone(), "the first").unwrap();
    world.associate(second, token, "the second").unwrap();
    world.advance(4 * HOUR);
    let got = [first, second].map(|who| world.contacts_of(who));
    assert_eq!(got.iter().filter(|contacts| *contacts == &["the owner"]).count(), 1, "{got:?}");
    assert_eq!(got.iter().filter(|contacts| contacts.is_empty()).count(), 1, "{got:?}");
    assert_eq!(world.contacts_of(owner).len(), 1);
}

#[test]
fn a_wrong_token_finds_nobody_and_says_nothing() {
    let mut world = World::new(Setup::new(42)).unwrap();
    let (owner, stray) = (world.join(Mode::Balanced), world.join(Mode::Balanced));
    world.associate(owner, None, "the owner").unwrap();
    world.associate(stray, Some("abcdefghijklmnopqrstuvwxyz012345".into()), "the stray").unwrap();
    world.advance(2 * HOUR);
    assert!(world.contacts_of(owner).is_empty() && world.contacts_of(stray).is_empty());
    assert!(
        world.associate(stray, Some("abc123def456".into()), "the stray").is_err(),
        "twelve characters are no token"
    );
}
