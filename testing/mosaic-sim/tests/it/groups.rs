//! L5-25: who holds an invitation reads what the group says, and no place is sent for it.

use super::*;
use mosaic_agent::AgentEvent;
use mosaic_sim::{Link, Mischief};
use mosaic_wire::{EventFields, SLOTS};
use rand::Rng as _;

const SAID: &str = "at the fountain at nine, bring the banner";

/// One makes a group and hands an invitation to each of the others.
fn members<const N: usize>(world: &mut World) -> ([PersonId; N], [String; N]) {
    let people = [(); N].map(|()| world.join(Mode::Balanced));
    world.advance(minutes(5));
    let group = world.group(people[0], None).unwrap();
    let mut groups = [(); N].map(|()| String::new());
    groups[0].clone_from(&group);
    for at in 1..N {
        let invitation = world.invite(people[0], &group).unwrap();
        groups[at] = world.group(people[at], Some(invitation)).unwrap();
    }
    (people, groups)
}

fn reads(world: &mut World, who: PersonId, group: &str, text: &str) -> bool {
    world.announcements(who, group).unwrap().iter().any(|said| said == text)
}

/// Seed 71. A twentieth of all messages is lost, and for the first hour the providers' receipts call rows full by chance: all
/// three read what one announced, nobody broadcast anything, and no place was charged.
#[test]
fn three_members_hear_each_other_through_loss_and_lies() {
    let mut world = World::new(Setup { link: Link { loss: 0.05, ..Link::default() }, ..Setup::new(71) }).unwrap();
    let (people, groups) = members::<3>(&mut world);
    world.corrupt(Mischief::SomeFull);
    for (who, group) in people.iter().zip(&groups) {
        world.announce(*who, group, &format!("{SAID} {}", who.0)).unwrap();
    }
    world.advance(HOUR);
    world.corrupt(None);
    // what a lying receipt took for stored is lost; what was said since is not
    for (who, group) in people.iter().zip(&groups) {
        world.announce(*who, group, &format!("again {}", who.0)).unwrap();
    }
    world.advance(3 * HOUR);
    for (reader, group) in people.iter().zip(&groups) {
        for writer in people {
            assert!(reads(&mut world, *reader, group, &format!("again {}", writer.0)), "{reader:?} hears {writer:?}");
        }
        let (now, agent) = (world.now(), world.person(*reader).agent());
        assert!(
            agent.broadcasts(now).broadcasts.is_empty() && agent.status(now).ledger.left == 10.0,
            "no place was sent"
        );
        assert_eq!(agent.groups().groups[0].heard, 2);
    }
    let heard = |event: &AgentEvent| matches!(event, AgentEvent::Announced(_));
    assert!(people.iter().all(|who| world.person(*who).first(heard).is_some()));
}

/// Time of arrival and kind of everything a provider was asked, and nothing of its content.
fn shape(world: &World) -> Vec<(u64, String)> {
    let mut seen = Vec::new();
    for provider in world.providers() {
        let learned = world.learned_by(provider);
        seen.extend(learned.events().map(|(at, event)| (at.as_millis(), format!("event {}", event.len()))));
        let call = |call: &mosaic_wire::Call| match call {
            mosaic_wire::Call::Generations(query) => format!("generations {}", query.encode().len()),
            _ => "another".to_owned(),
        };
        seen.extend(learned.reads().iter().map(|(at, asked)| (at.as_millis(), call(asked))));
        seen.push((learned.relayed(), format!("relayed by {provider}")));
    }
    seen
}

/// Seed 72. Two worlds that differ in one thing: in the first, two of three are a group and say a lot. The devices of
/// the second draw as many random bytes. Every request comes at the same millisecond with the same size to the same provider.
#[test]
fn a_group_changes_neither_when_nor_how_much_is_asked() {
    let play = |grouped: bool| {
        let mut world = World::new(Setup::new(72)).unwrap();
        let people = [(); 3].map(|()| world.join(Mode::Balanced));
        world.advance(minutes(5));
        let mut groups = [String::new(), String::new()];
        if grouped {
            groups[0] = world.group(people[0], None).unwrap();
            let invitation = world.invite(people[0], &groups[0].clone()).unwrap();
            groups[1] = world.group(people[1], Some(invitation)).unwrap();
        } else {
            // the same commands draw a secret and an id, an id and the number of a message, and look at the app as long
            let draw = |world: &mut World, who: usize, counts: &[usize]| {
                world.act(people[who], |agent, now, rng| {
                    drop(agent.announcements(now, "no group"));
                    counts.iter().for_each(|count| rng.fill_bytes(&mut vec![0; *count]));
                });
            };
            draw(&mut world, 0, &[32, 16]);
            draw(&mut world, 0, &[]);
            draw(&mut world, 1, &[16, 8]);
        }
        for turn in 0..6 {
            for who in [0, 1] {
                if grouped {
                    let text = format!("{SAID} {turn}").repeat(4);
                    world.announce(people[who], &groups[who], &text).unwrap();
                } else {
                    world.act(people[who], |agent, now, rng| {
                        drop(agent.announcements(now, "no group"));
                        rng.fill_bytes(&mut [0; 8]);
                    });
                }
            }
            world.advance(minutes(25));
        }
        (shape(&world), grouped.then(|| reads(&mut world, people[1], &groups[1], &format!("{SAID} 0").repeat(4))))
    };
    let ((loud, heard), (silent, _)) = (play(true), play(false));
    assert_eq!(heard, Some(true), "the group worked");
    assert!(loud.len() > 100 && loud == silent, "{} and {} requests", loud.len(), silent.len());
}

/// Seeds 73 to 75. Three are a group and write much, and somebody sees the rows of all their events. Rows come twice as often as
/// chance says: n²/2R pairs of n rows among R; level 10^-6, six standard deviations of a Poisson number and a little for small ones.
#[test]
fn members_meet_in_no_row_more_often_than_strangers() {
    let (mut pairs, mut expected) = (0.0, 0.0);
    for seed in 73..76 {
        let mut world = World::new(Setup::new(seed)).unwrap();
        let (people, groups) = members::<3>(&mut world);
        for turn in 0..8 {
            for (who, group) in people.iter().zip(&groups) {
                world.announce(*who, group, &format!("{SAID} {turn}")).unwrap();
            }
            world.advance(minutes(30));
        }
        let events = world.providers().into_iter().flat_map(|id| world.learned_by(id).events().collect::<Vec<_>>());
        let fields = events.filter_map(|(_, event)| EventFields::decode(event).ok());
        let rendezvous = fields.filter(|fields| fields.table.lane() == mosaic_types::Lane::Rendezvous);
        let mut tables = std::collections::BTreeMap::<_, Vec<u32>>::new();
        for fields in rendezvous {
            tables.entry(fields.table).or_default().extend(fields.rows.iter().map(|tag| tag.row()));
        }
        for rows in tables.values_mut() {
            rows.sort_unstable();
            let n = f64::from(u32::try_from(rows.len()).unwrap());
            // the highest of hundreds of uniform rows is all but the last row there is
            expected += n * n / (2.0 * f64::from(rows.last().copied().unwrap_or(0) + 1));
            pairs += f64::from(u32::try_from(rows.windows(2).filter(|pair| pair[0] == pair[1]).count()).unwrap());
            assert!(rows.len() % SLOTS == 0);
        }
    }
    assert!(expected > 1.0, "{expected} pairs by chance: too few to tell");
    assert!(pairs <= expected + 6.0 * expected.sqrt() + 6.0, "{pairs} pairs, {expected} by chance");
}
