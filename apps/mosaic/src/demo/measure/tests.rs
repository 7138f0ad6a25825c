use std::time::Duration;

use mosaic_geo::{offset_m, synthetic_city};
use mosaic_types::LatLng;

use super::*;
use crate::demo::records::{Released, TokenMade};

/// The first instant of a two-hour window.
const WINDOW: Timestamp = Timestamp::from_secs(1_780_668_000);

fn here() -> LatLng {
    LatLng::new(-45.0, 0.0).unwrap()
}

fn at(minute: u64) -> Timestamp {
    WINDOW.after(Duration::from_mins(minute))
}

/// Somebody who said one thing, carried by the card `card-NUMBER`.
fn said(number: usize, east_m: f64, minute: u64, class: &str) -> Record {
    let said = Said {
        at: at(minute),
        place: offset_m(here(), 0.0, east_m),
        words: "coffee".to_owned(),
        class: class.to_owned(),
        released: Released::Fine(format!("broadcast-{number}")),
        cards: [format!("card-{number}")].into(),
        seen: [].into(),
    };
    Record { said: vec![said], ..Record::default() }
}

fn withheld(mut record: Record) -> Record {
    record.said[0].released = Released::Withheld;
    record.said[0].cards.clear();
    record
}

/// `record` was shown the card of `number`.
fn seeing(mut record: Record, number: usize, minute: u64) -> Record {
    record.said[0].seen.insert(format!("card-{number}"), at(minute));
    record
}

fn person(number: usize) -> Person {
    Person {
        name: format!("name-{number}"),
        contact: format!("contact-{number}"),
        token_contact: format!("token-contact-{number}"),
        wishes: vec![],
        spent_at: vec![],
        partner: None,
    }
}

/// An evening of 240 minutes.
fn plan(people: usize) -> Plan {
    Plan {
        places: synthetic_city(1),
        area: "a test".to_owned(),
        people: (0..people).map(person).collect(),
        start: at(0),
        end: at(240),
        speed: 1.0,
        seed: 0,
    }
}

fn judged(records: &[Record]) -> Findings {
    measure(&plan(records.len()), records)
}

const fn share(hold: usize, of: usize) -> Share {
    Share { hold, of }
}

#[test]
fn near_pairs_count_both_ways_and_far_ones_do_not() {
    let found = judged(&[seeing(said(0, 0.0, 5, "food"), 1, 20), said(1, 499.0, 10, "food")]);
    assert_eq!(found.recall, share(1, 2));
    assert_eq!(judged(&[said(0, 0.0, 5, "food"), said(1, 501.5, 10, "food")]).recall, share(0, 0));
}

#[test]
fn another_class_is_no_pair() {
    assert_eq!(judged(&[said(0, 0.0, 5, "food"), said(1, 10.0, 10, "games")]).recall.of, 0);
}

#[test]
fn windows_overlap_with_the_next_and_no_further() {
    let apart = |minute| judged(&[said(0, 0.0, 5, "food"), said(1, 10.0, minute, "food")]);
    assert_eq!(apart(125).recall.of, 2, "the next window");
    let far = measure(&Plan { end: at(480), ..plan(2) }, &[said(0, 0.0, 5, "food"), said(1, 10.0, 245, "food")]);
    assert_eq!((far.recall.of, far.excluded), (0, 0), "the one after that");
}

#[test]
fn what_comes_after_an_hour_is_late_and_still_timed() {
    let found = judged(&[seeing(said(0, 0.0, 5, "food"), 1, 71), seeing(said(1, 10.0, 10, "food"), 0, 70)]);
    assert_eq!(found.recall, share(1, 2));
    assert_eq!(found.to_discovery, Quantiles { p50: Some(60.0), p95: Some(61.0), cases: 2, never: 0 });
}

#[test]
fn pairs_never_found_are_longer_than_anything() {
    let found = judged(&[seeing(said(0, 0.0, 5, "food"), 1, 13), said(1, 10.0, 10, "food")]);
    assert_eq!(found.to_discovery, Quantiles { p50: Some(3.0), p95: None, cases: 2, never: 1 });
}

#[test]
fn withheld_wishes_stay_in_the_pairs_and_look_on() {
    let found = judged(&[seeing(withheld(said(0, 0.0, 5, "food")), 1, 20), said(1, 10.0, 10, "food")]);
    assert_eq!((found.recall, found.withheld), (share(1, 2), 1));
    assert_eq!(found.recall_exhausted, share(0, 0), "withheld for another reason than the ledger");
}

#[test]
fn zones_and_what_an_empty_ledger_withheld_are_told_apart() {
    let mut zone = said(1, 10.0, 10, "food");
    zone.said[0].released = Released::Zone("broadcast-1".to_owned());
    let found = judged(&[seeing(said(0, 0.0, 5, "food"), 1, 20), zone]);
    assert_eq!((found.recall, found.recall_exhausted), (share(1, 2), share(1, 1)));

    let mut plan = plan(2);
    plan.people[1].spent_at = vec![here()];
    let found = measure(&plan, &[said(0, 0.0, 5, "food"), withheld(said(1, 10.0, 10, "food"))]);
    assert_eq!((found.recall, found.recall_exhausted), (share(0, 2), share(0, 1)));
}

#[test]
fn pairs_the_evening_leaves_no_hour_are_counted_apart() {
    let found = judged(&[said(0, 0.0, 181, "food"), said(1, 10.0, 150, "food"), said(2, 20.0, 180, "food")]);
    assert_eq!((found.recall.of, found.excluded), (2, 4));
}

#[test]
fn precision_counts_real_people_who_are_far() {
    let mut me = seeing(seeing(said(0, 0.0, 5, "food"), 1, 20), 2, 20);
    me.said[0].seen.insert("a persona's".to_owned(), at(20));
    let found = judged(&[me, said(1, 10.0, 10, "food"), said(2, 800.0, 10, "food")]);
    assert_eq!((found.precision, found.cards, found.people), (share(1, 2), 3, 2));
}

/// `record` waved at the card of `number`, and this contact came of it.
fn met(mut record: Record, association: &str, number: usize, contact: &str, minute: u64) -> Record {
    record.waved.insert(association.to_owned(), format!("card-{number}"));
    came(record, association, contact, minute)
}

fn came(mut record: Record, association: &str, contact: &str, minute: u64) -> Record {
    record.contacts.insert(association.to_owned(), Met { contact: contact.to_owned(), at: at(minute) });
    record
}

#[test]
fn a_contact_is_equal_only_if_its_giver_gave_it() {
    let three = |contact: &str| {
        [
            met(said(0, 0.0, 5, "food"), "wave", 1, contact, 30),
            came(said(1, 10.0, 10, "food"), "approach", "contact-0", 31),
            said(2, 20.0, 10, "food"),
        ]
    };
    assert_eq!(judged(&three("contact-1")).contacts, share(2, 2));
    assert_eq!(judged(&three("contact-2")).contacts, share(1, 2), "somebody else's contact");
    assert_eq!(judged(&three("contact-1 ")).contacts, share(1, 2), "one byte more");
    assert_eq!(judged(&[said(0, 0.0, 5, "food")]).contacts, share(0, 0));
}

#[test]
fn a_contact_nobody_asked_for_has_no_giver() {
    let found = judged(&[came(said(0, 0.0, 5, "food"), "approach", "contact-1", 30), said(1, 10.0, 10, "food")]);
    assert_eq!(found.contacts, share(0, 1));
}

#[test]
fn contacts_of_one_side_are_told_apart() {
    let found = judged(&[met(said(0, 0.0, 5, "food"), "wave", 1, "contact-1", 30), said(1, 10.0, 10, "food")]);
    assert_eq!((found.contacts, found.one_sided, found.met), (share(1, 1), 1, share(1, 2)));
    assert_eq!(found.to_contact, Quantiles { p50: Some(20.0), p95: None, cases: 2, never: 1 });
}

/// Two partners at one place; the first one's side of the token ends like this.
fn partners(connected: bool, association: &str, contact: &str) -> Findings {
    let mut plan = plan(2);
    (plan.people[0].partner, plan.people[1].partner) = (Some(1), Some(0));
    let token = |connected| Some(TokenMade { id: "token".to_owned(), token: "T".repeat(32), connected });
    let one = Record { token: token(connected), ..came(said(0, 0.0, 5, "food"), association, contact, 30) };
    let other = came(said(1, 10.0, 10, "food"), "token", "token-contact-0", 30);
    measure(&plan, &[one, Record { token: token(true), ..other }])
}

#[test]
fn a_token_is_judged_by_its_own_association() {
    assert_eq!(partners(true, "token", "token-contact-1").tokens, share(2, 2));
    assert_eq!(partners(false, "token", "token-contact-1").tokens, share(1, 2), "not connected");
    assert_eq!(partners(true, "wave", "contact-1").tokens, share(1, 2), "it came by a wave");
    assert_eq!(partners(true, "token", "contact-1").tokens, share(1, 2), "not what the partner gave");
}

#[test]
fn partners_are_no_case_for_the_minutes_to_contact() {
    let found = partners(true, "token", "token-contact-1");
    assert_eq!((found.recall.of, found.to_contact.cases, found.met.of), (2, 0, 0));
}

#[test]
fn quantiles_are_ranks() {
    let values: Vec<Option<f64>> = (1..=100).map(|value| Some(f64::from(value))).collect();
    let all = |p50, p95, cases, never| Quantiles { p50, p95, cases, never };
    assert_eq!(quantiles(&values), all(Some(50.0), Some(95.0), 100, 0));
    assert_eq!(quantiles(&[]), all(None, None, 0, 0));
    assert_eq!(quantiles(&[Some(3.0)]), all(Some(3.0), Some(3.0), 1, 0));
    assert_eq!(quantiles(&[None, None, Some(3.0)]), all(None, None, 3, 2));
}

#[test]
fn no_case_is_no_success() {
    assert_eq!(Share::default().value(), None);
    assert!(!Share::default().is_whole() && share(2, 2).is_whole() && !share(1, 2).is_whole());
}
