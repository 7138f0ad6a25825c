//! L5-24: decoys at their rate, and alike to who does not open them.

use super::*;

/// Seed 24, 10,000 events: a decoy is begun in a tenth of them. Level 10^-6: within 4.9 standard deviations (0.3 %) of 0.1.
#[test]
fn one_event_in_ten_begins_a_decoy() {
    let now = minutes(30);
    let mut publisher = Device::new(1);
    let cards = publisher.publishes_all(&[CardOrigin::Broadcast(1), CardOrigin::Persona(1)], now);
    let mut waver = Device::new(24);
    let mut begun = 0_u32;
    for _ in 0..10_000 {
        begun += u32::from(waver.associations.perhaps_decoy(now, || cards.iter(), &mut waver.rng));
        waver.sends(now, &mut Table::default());
    }
    assert!((853..=1_147).contains(&begun), "{begun} of 10,000");
    assert!(
        waver.associations.list().is_empty() && waver.associations.queued() == 0,
        "nothing of them is kept or shown"
    );
}

fn decoy(device: &mut Device, now: Timestamp, card: &Card) {
    let draw = |device: &mut Device| device.associations.perhaps_decoy(now, || std::iter::once(card), &mut device.rng);
    while !draw(device) {}
}

/// What travels after a person's wave that nobody accepts and after a decoy: the same kinds, numbers and places of records,
/// at a person's card and at a persona's; only the person who is waved at by a person hears of it.
#[test]
fn a_decoy_is_answered_and_followed_like_a_wave_that_nobody_accepts() {
    let play = |origin: CardOrigin, is_decoy: bool| {
        let (mut publisher, mut waver, mut table) = (Device::new(3), Device::new(4), Table::default());
        let card = publisher.publishes(origin, minutes(0));
        if is_decoy {
            decoy(&mut waver, minutes(1), &card);
        } else {
            waver.waves(minutes(1), &card);
        }
        let mut traffic = vec![waver.sends(minutes(2), &mut table)];
        let mut told = publisher.reads(minutes(4), &table);
        traffic.push(publisher.sends(minutes(5), &mut table));
        let answered = waver.reads(minutes(8), &table);
        for turn in 0..6 {
            told.extend(publisher.reads(minutes(10 + turn * 12), &table));
            traffic.push(waver.sends(minutes(10 + turn * 12), &mut table));
            traffic.push(publisher.sends(minutes(11 + turn * 12), &mut table));
        }
        let first = table.records[0].0;
        let rows = mosaic_wire::rows::WaveRows::of(&card.public);
        let at_card = (0..mosaic_wire::WAVE_ROWS).any(|j| rows.row(minutes(2).epoch(), j, 0, ROWS) == first);
        (traffic, at_card, told.len(), answered.len())
    };
    let person = CardOrigin::Broadcast(1);
    let (wave, at_card, told, answered) = play(person, false);
    assert!(at_card && wave.iter().sum::<usize>() == 2, "a wave and its answer");
    assert_eq!((told, answered), (1, 1));
    for origin in [person, CardOrigin::Persona(1)] {
        assert_eq!(play(origin, true), (wave.clone(), true, 0, 0), "{origin:?}");
    }
}

/// A decoy spends none of its person's waves and stands in the way of none.
#[test]
fn a_decoy_costs_its_person_nothing() {
    let mut publisher = Device::new(5);
    let card = publisher.publishes(CardOrigin::Broadcast(1), minutes(0));
    let mut waver = Device::new(6);
    waver.associations.set_wave_limit(1);
    decoy(&mut waver, minutes(1), &card);
    waver.waves(minutes(1), &card);
    assert_eq!(waver.associations.list().len(), 1);
    let mut own = Device::new(7);
    let own_card = own.publishes(CardOrigin::Broadcast(1), minutes(0));
    let begun =
        (0..200).any(|_| own.associations.perhaps_decoy(minutes(1), || std::iter::once(&own_card), &mut own.rng));
    assert!(!begun, "nobody waves at their own card");
    let late = own_card.answers_until();
    assert!((0..200).all(|_| !waver.associations.perhaps_decoy(late, || std::iter::once(&own_card), &mut waver.rng)));
}
