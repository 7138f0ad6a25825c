//! Contacts: in memory until they are kept, gone after two days if they are not.

use std::time::Duration;

use mosaic_crypto::record::{RecordNonce, seal_record};
use mosaic_discovery::OutgoingFrame;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::{
    AgentState,
    fixtures::{PERIOD, agent},
};

const ROWS: u32 = 1 << 14;
const CONTACT: &str = "Quill Hollow, +351 900 555 0177";

/// Somebody who joined the agent's token gave `CONTACT`: their association, as the agent names it.
fn met(core: &mut AgentCore, now: Timestamp, rng: &mut ChaCha20Rng) -> String {
    let made = core.associate(now, rng, Beginning::NewToken, ContactText::new("me").unwrap()).unwrap();
    let token = Token::parse(&made.token.unwrap()).unwrap();
    let mut other = Associations::new();
    let id = other.join_token(now, &token, rng).unwrap();
    other.accept(now, id, &Releaser::contact(ContactText::new(CONTACT).unwrap())).unwrap();
    for _ in 0..3 {
        carry(&mut other, &mut core.associations, now, rng);
        carry(&mut core.associations, &mut other, now, rng);
    }
    made.id
}

/// Everything that waits at one side is stored, and the other reads it.
fn carry(from: &mut Associations, to: &mut Associations, now: Timestamp, rng: &mut ChaCha20Rng) {
    let frames = from.outgoing(now, ROWS, 10, rng);
    from.left(&frames.iter().map(|frame| frame.id).collect::<Vec<_>>());
    for OutgoingFrame { rows, key, plain, .. } in &frames {
        to.wanted(now, ROWS);
        to.receive(now, rows[0], &seal_record(key, RecordNonce::draw(rng), plain), rng);
    }
}

fn holds(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

/// S-46, C-58. Seed 31. What the vault seals holds a contact once its person is kept and not before, and no longer once
/// it is forgotten. The search is over what is sealed, in clear: it would find it.
#[test]
fn a_contact_is_in_memory_only_until_it_is_kept() {
    let mut rng = ChaCha20Rng::seed_from_u64(31);
    let (mut core, now) = (agent(AgentState::fresh(&mut rng)), PERIOD.start());
    let id = met(&mut core, now, &mut rng);
    let listed = core.people();
    assert_eq!((listed.people[0].contact.as_str(), listed.people[0].kept), (CONTACT, false));
    let stored = |core: &mut AgentCore| core.snapshot().to_bytes().unwrap();
    assert!(!holds(&stored(&mut core), "Quill") && !holds(&stored(&mut core), "555 0177"));
    assert_eq!(core.vcard(&id).err(), Some(LookupError::NotKept), "and it leaves for no file");
    let again = agent(AgentState::from_bytes(&stored(&mut core)).unwrap());
    assert!(again.people().people.is_empty(), "a restart forgets it");

    core.keep_person(&id).unwrap();
    assert!(core.is_dirty() && holds(&stored(&mut core), CONTACT));
    let card = core.vcard(&id).unwrap().vcard;
    assert!(card.contains("FN:Quill Hollow\r\n") && card.contains("TEL;VALUE=uri:tel:+3519005550177\r\n"), "{card}");
    core.forget_person(&id).unwrap();
    assert!(!holds(&stored(&mut core), "Quill") && core.people().people.is_empty());
    assert_eq!(core.vcard(&id).err(), Some(LookupError::Unknown));
    assert_eq!(core.vcard("x").err(), Some(LookupError::InvalidId));
}

/// L5-17. Seed 32. Two people met; after 48 hours only the one who was kept is there, without an association.
#[test]
fn after_two_days_only_who_was_kept_is_left() {
    let mut rng = ChaCha20Rng::seed_from_u64(32);
    let (mut core, now) = (agent(AgentState::fresh(&mut rng)), PERIOD.start());
    let (kept, _lost) = (met(&mut core, now, &mut rng), met(&mut core, now, &mut rng));
    core.keep_person(&kept).unwrap();
    assert_eq!(core.associations().associations.len(), 2);
    core.turn(now.after(Duration::from_hours(48)).before(Duration::from_mins(1)));
    assert_eq!(core.associations().associations.len(), 2, "not a minute earlier");
    core.turn(now.after(Duration::from_mins(48 * 60 + 1)));
    assert!(core.associations().associations.is_empty());
    let people = core.people().people;
    assert_eq!(
        people.iter().map(|person| (person.id.as_str(), person.kept)).collect::<Vec<_>>(),
        [(kept.as_str(), true)]
    );
}
