use mosaic_geo::{LocalTime, PlaceIndex, hours::OpeningHours};
use mosaic_types::Timestamp;
use proptest::prelude::*;

use crate::shared::shared;

/// 2026-06-01 is a Monday.
fn monday(day: u64, hour: u64, minute: u64) -> LocalTime {
    LocalTime::at(Timestamp::from_secs(1_780_272_000 + (day * 24 + hour) * 3_600 + minute * 60), 0)
}

fn open(text: &str, at: LocalTime) -> bool {
    OpeningHours::parse(text).unwrap_or_else(|_| panic!("{text}")).is_open(at)
}

#[test]
fn the_common_part_is_understood() {
    // hours, a day of the week that begins on Monday the 1st of June, an hour, and whether it is open then
    let cases = [
        ("24/7", 6, 3, true),
        ("Mo-Fr 08:00-18:00", 0, 8, true),
        ("Mo-Fr 08:00-18:00", 0, 18, false),
        ("Mo-Fr 08:00-18:00", 5, 9, false),
        ("08:00-18:00", 6, 9, true),
        ("Mo-Fr 08:00-12:00,13:00-17:30; Sa 09:00-13:00", 0, 12, false),
        ("Mo-Fr 08:00-12:00, 13:00-17:30; Sa 09:00-13:00", 0, 13, true),
        ("Mo-Fr 08:00-12:00,13:00-17:30; Sa 09:00-13:00", 5, 9, true),
        ("Mo,We,Fr 10:00-14:00", 2, 10, true),
        ("Mo,We,Fr 10:00-14:00", 1, 10, false),
        ("Mo-Fr 10:00-20:00, Sa 10:00-18:00", 5, 17, true),
        ("Mo-Su 18:00-02:00", 3, 1, true),
        ("Fr-Sa 18:00-02:00; Su 10:00-12:00", 6, 1, true),
        ("Fr 22:00-26:00", 5, 1, true),
        ("Sa-Mo 10:00-12:00", 6, 10, true),
        ("Sa-Mo 10:00-12:00", 1, 10, false),
        ("10:00-20:00; Tu off", 1, 12, false),
        ("10:00-20:00; Tu 12:00-14:00", 1, 10, false),
        ("10:00-20:00, Tu 21:00-22:00", 1, 10, true),
        ("17:00+", 0, 23, true),
        ("17:00-23:00+", 0, 22, true),
        ("Mo-Fr 9:00-17:00", 0, 9, true),
        ("mo-fr: 09:00 - 17:00", 0, 9, true),
        ("Mo\u{2013}Fr 09:00\u{2013}17:00", 0, 9, true),
        ("Mon-Fri 09:00-17:00", 0, 9, true),
        ("Apr-Sep 09:00-17:00", 0, 9, true),
        ("Oct-Mar 09:00-17:00", 0, 9, false),
        ("Jun 2-15 09:00-17:00", 0, 9, false),
        ("May 15-Jun 01 09:00-17:00", 0, 9, true),
        ("Nov-Mar: Mo-Fr 09:00-12:00; Apr-Oct: Mo-Su 08:00-20:00", 6, 19, true),
        ("Dec 24 off; 10:00-12:00", 0, 10, true),
        ("Mo-Fr,PH 10:00-12:00", 5, 10, false),
        ("Mo-Fr", 0, 3, true),
        ("off", 0, 12, false),
        ("Mo-Fr 08:00-18:00 \"by appointment\"", 0, 9, true),
        ("Mo-Fr 08:00-18:00; SH off", 0, 9, true),
        ("Mo-Fr 00:00-00:00", 0, 13, true),
        ("Mo-Sa 10:00-20:00;", 5, 19, true),
    ];
    for (text, day, hour, expected) in cases {
        assert_eq!(open(text, monday(day, hour, 0)), expected, "{text} on day {day} at {hour}");
    }
}

#[test]
fn holidays_are_what_the_caller_says() {
    let tuesday = monday(1, 10, 30);
    assert!(open("Mo-Fr 08:00-18:00; PH off", tuesday));
    assert!(!open("Mo-Fr 08:00-18:00; PH off", tuesday.on_holiday()));
    assert!(open("PH,Su 10:00-11:00", tuesday.on_holiday()) && !open("PH,Su 10:00-11:00", tuesday));
}

#[test]
fn clocks_ahead_of_utc_have_another_day() {
    let late = Timestamp::from_secs(1_780_272_000 + 23 * 3_600);
    assert!(!open("Tu 00:00-02:00", LocalTime::at(late, 0)) && open("Tu 00:00-02:00", LocalTime::at(late, 120)));
    assert!(open("Mo 18:00-19:00", LocalTime::at(late, -300)));
}

#[test]
fn what_is_not_understood_is_unknown() {
    let unknown = [
        "",
        "sunrise-sunset",
        "Mo-Fr",
        "\"by appointment\"",
        "Su[1] 10:00-12:00",
        "week 1-20 10:00-12:00",
        "10:00",
        "Mo-Fr 9-5",
        "10am-5pm",
        "Mo-Fr 08:00-12:00 || \"ask\"",
        "99:00-100:00",
        "10:75-11:00",
        "2026 May 10:00-12:00",
        "easter off",
        "Mo-Xx 10:00-12:00",
        "10:00-sunset",
        "Mo-Fr 08:00-12:00 Sa 09:00-10:00",
        "\"open",
    ];
    for text in unknown.into_iter().filter(|text| *text != "Mo-Fr") {
        assert!(OpeningHours::parse(text).is_err(), "{text}");
    }
}

/// How much of the extracts' opening hours is understood; the figures stand in `docs/book/places.md`.
#[test]
fn most_opening_hours_of_the_extracts_are_understood() {
    for file in ["porto", "manhattan-midtown", "helsinki-centre", "monaco"] {
        let Some(bytes) = shared(&format!("osm-extracts/{file}.osm.pbf")) else { return };
        let index = PlaceIndex::from_osm_pbf(&bytes).unwrap();
        let all: Vec<&str> = index.all().iter().filter_map(|place| place.hours()).collect();
        let understood = all.iter().filter(|text| OpeningHours::parse(text).is_ok()).count();
        say(&format!("{file}: {understood} of {} opening hours understood", all.len()));
        assert!(understood * 10 >= all.len() * 9, "{file}: {understood} of {}", all.len());
    }
}

#[expect(clippy::print_stderr, reason = "the share belongs into the documentation")]
fn say(text: &str) {
    eprintln!("{text}");
}

proptest! {
    /// Whatever is written there, reading it ends and does not panic, and two readings agree.
    #[test]
    fn any_text_reads_or_is_unknown(
        text in prop_oneof!["\\PC{0,40}", "([A-Z][a-z]|[0-9]{1,2}:[0-9]{2}|[-,;+ :\"]|PH|off|24/7|Apr|[0-9]{1,3}){0,14}"],
        day in 0_u64..400, minute in 0_u64..1_440,
    ) {
        let at = monday(day, 0, minute);
        if let Ok(hours) = OpeningHours::parse(&text) {
            prop_assert_eq!(hours.is_open(at), hours.is_open(at));
        }
    }

    /// Spans of one day against arithmetic on minutes.
    #[test]
    fn spans_equal_arithmetic(from in 0_u16..1_440, length in 1_u16..1_440, first in 0_u8..7, day in 0_u64..60, minute in 0_u16..1_440) {
        const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
        let until = from + length;
        let text = format!("{} {:02}:{:02}-{:02}:{:02}", DAYS[usize::from(first)], from / 60, from % 60, until / 60, until % 60);
        let minutes_of_week = (day % 7) * 1_440 + u64::from(minute);
        let opens = u64::from(first) * 1_440 + u64::from(from);
        let since = (minutes_of_week + 7 * 1_440 - opens) % (7 * 1_440);
        prop_assert_eq!(open(&text, monday(day, 0, minute.into())), since < u64::from(length), "{}", text);
    }
}
