use std::{collections::BTreeMap, io::Read, time::Duration};

use mosaic_geo::{
    Fix, PlaceIndex, Provenance, Residents, Traces, distance_m,
    movement::{
        CabspottingProblem, CsvProblem, Gathering, GpxProblem, PltProblem, Reason, Travel, from_cabspotting_delta,
        from_gpx, from_plt, position_at, read_csv, stay_points, validate_csv, validate_trajectory, write_csv,
    },
};
use mosaic_types::{LatLng, Timestamp};
use proptest::prelude::*;

use crate::shared::shared;

fn at(lat: f64, lng: f64) -> LatLng {
    LatLng::new(lat, lng).unwrap()
}

fn fix(seconds: u64, lat: f64, lng: f64) -> Fix {
    Fix { at: Timestamp::from_secs(seconds), position: at(lat, lng), category: None }
}

/// The whole file, parsed once; everything that is asked of it, asked here.
#[test]
fn the_cabs_of_san_francisco() {
    let Some(bytes) = shared("cabspotting-sf/traces-delta.csv.gz") else { return };
    let traces = from_cabspotting_delta(&bytes).unwrap();
    assert_eq!((traces.len(), traces.fix_count()), (100, 2_235_940));
    running_sums_are_restored(&bytes, &traces);
    counts_match_the_list_of_cabs(&traces);

    let few = Traces::collect(
        traces.users().take(12).flat_map(|(user, fixes)| fixes.iter().map(move |fix| (user, fix.clone()))),
    );
    let few = few.unwrap();
    assert_eq!(read_csv(&write_csv(&few)).unwrap(), few);
    let (_, cab) = few.users().next().unwrap();
    assert!(validate_trajectory(cab, Travel::Drive).len() < cab.len() / 10, "a cab drives like a car");

    let source = Provenance::new("cabspotting, CC BY 4.0", traces.span().map(|(_, last)| last));
    let places = PlaceIndex::from_stays(&traces, Gathering::default(), source);
    assert!(places.len() > 300, "{} places where three of a hundred cabs stopped", places.len());
    assert!(places.all().iter().all(|place| (36.8..38.6).contains(&place.position.lat())));
    assert!(Residents::generate(&places, 20, 1).is_ok(), "people can live around a trace's own stops");
}

/// Adds the differences again, in whole numbers and without our reader.
fn running_sums_are_restored(bytes: &[u8], traces: &Traces) {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    let (mut sums, mut cab, mut seen) = ([0_i64; 3], "", 0_usize);
    for line in text.lines().skip(1) {
        let columns: Vec<&str> = line.split(',').collect();
        if !columns[0].is_empty() {
            (cab, sums, seen) = (columns[0], [0; 3], 0);
        }
        for (sum, column) in sums.iter_mut().zip(&columns[1..]) {
            *sum += column.parse::<i64>().unwrap();
        }
        let fix = &traces.fixes(cab)[seen];
        seen += 1;
        #[expect(clippy::cast_possible_truncation, reason = "degrees times 100,000")]
        let found = [(fix.position.lat() * 1e5).round() as i64, (fix.position.lng() * 1e5).round() as i64];
        assert_eq!((fix.at.as_secs().cast_signed(), found), (sums[0], [sums[1], sums[2]]));
    }
}

fn counts_match_the_list_of_cabs(traces: &Traces) {
    let Some(list) = shared("cabspotting-sf/cabs.csv") else { return };
    let list = String::from_utf8(list).unwrap();
    let cabs: BTreeMap<&str, Vec<&str>> = list
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(','))
        .map(|(cab, rest)| (cab, rest.split(',').collect()))
        .collect();
    for (cab, fixes) in traces.users() {
        let first = fixes.first().unwrap().at.as_secs().to_string();
        let last = fixes.last().unwrap().at.as_secs().to_string();
        assert_eq!(cabs[cab][..3], [fixes.len().to_string(), first, last], "{cab}");
    }
}

#[test]
fn a_trace_file_in_every_allowed_shape() {
    let text = "\u{feff}# from nowhere\r\nuser,time,lat,lon,category\r\nana,2026-11-21T18:30:00+01:00,41.15,-8.62,coffee\r\n\r\n\
                bo,1763749800.25,-17.8,180\nana,1763749799,41.15,-8.62,\n";
    let traces = read_csv(text).unwrap();
    let ana = traces.fixes("ana");
    assert_eq!(ana[1].at, Timestamp::from_secs(1_795_282_200));
    assert_eq!((ana[1].category.as_deref(), ana[0].category.as_deref()), (Some("coffee"), None));
    assert_eq!(traces.fixes("bo")[0].at, Timestamp::from_millis(1_763_749_800_250));
    assert_eq!(traces.fixes("bo")[0].position, at(-17.8, -180.0));
    assert!(read_csv("").unwrap().is_empty() && traces.fixes("cy").is_empty());
}

#[test]
fn wrong_lines_are_named() {
    let problem = |line: &str| {
        let error = read_csv(&format!("user,time,lat,lon\nana,1,2,3\n{line}\n")).unwrap_err();
        assert_eq!(error.line, 3);
        assert!(error.to_string().starts_with("line 3: "));
        error.problem
    };
    assert!(matches!(problem("ana,1,91,0"), CsvProblem::Position(_)));
    assert!(matches!(problem("ana,1,NaN,0"), CsvProblem::Position(_)));
    assert!(matches!(problem("ana,1,0,181"), CsvProblem::Position(_)));
    assert_eq!(problem("ana,1,0"), CsvProblem::Columns { found: 3 });
    assert_eq!(problem("ana,1,0,0,coffee,extra"), CsvProblem::Columns { found: 6 });
    assert_eq!(problem("ana,1,north,0"), CsvProblem::Coordinate);
    for time in ["", "-1", "yesterday", "2026-13-01T00:00:00Z", "1969-12-31T00:00:00Z", "99999999999999999999", "1e9"] {
        assert_eq!(problem(&format!("ana,{time},0,0")), CsvProblem::Time, "{time}");
    }
    assert!(matches!(problem(",1,0,0"), CsvProblem::User(_)));
    assert!(matches!(problem(&format!("{},1,0,0", "x".repeat(65))), CsvProblem::User(_)));
    assert_eq!(problem(&format!("ana,1,0,0,{}", "x".repeat(65))), CsvProblem::Category);
    assert_eq!(problem(&"x".repeat(2_000)), CsvProblem::TooLong);
    assert_eq!(problem("user,time,lat,lon"), CsvProblem::Coordinate, "a header belongs at the top");
}

#[test]
fn gpx_tracks() {
    let text = r#"<?xml version="1.0"?>
        <gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><metadata><time>2020-01-01T00:00:00Z</time></metadata>
        <wpt lat="1" lon="1"/><trk><name>A &amp; B</name><trkseg>
        <trkpt lat="47.64" lon="-122.32"><ele>4.4</ele><time>2009-10-17T18:37:26Z</time></trkpt>
        <trkpt lon="-122.33" lat="47.65"><time>2009-10-17T18:37:31.500Z</time><extensions><hr>80</hr></extensions></trkpt>
        </trkseg></trk></gpx>"#;
    let traces = from_gpx(text.as_bytes(), "ana").unwrap();
    assert_eq!(traces.fixes("ana")[1].position, at(47.65, -122.33));
    assert_eq!(traces.fixes("ana")[0].at, Timestamp::from_secs(1_255_804_646));
    let problem = |from: &str, to: &str| {
        let error = from_gpx(text.replacen(from, to, 1).as_bytes(), "ana").unwrap_err();
        (error.line, error.problem)
    };
    assert!(matches!(problem("47.64", "91"), (4, GpxProblem::Position(_))));
    assert_eq!(problem("lat=\"47.64\"", ""), (4, GpxProblem::Coordinate));
    assert_eq!(problem("<time>2009-10-17T18:37:26Z</time>", ""), (4, GpxProblem::Time));
    assert_eq!(problem("2009-10-17T18:37:31.500Z", "noon"), (5, GpxProblem::Time));
    assert_eq!(problem("</gpx>", "").1, GpxProblem::Xml);
    assert_eq!(problem("</trkpt>", "").1, GpxProblem::Xml);
    assert_eq!(from_gpx(b"<kml></kml>", "ana").unwrap_err().problem, GpxProblem::NotGpx);
    assert_eq!(from_gpx(&[0xff, 0xfe], "ana").unwrap_err().problem, GpxProblem::NotText);
    assert!(matches!(from_gpx(text.as_bytes(), "a,b").unwrap_err().problem, GpxProblem::Add(_)));
}

#[test]
fn geolife_files() {
    let head =
        "Geolife trajectory\r\nWGS 84\r\nAltitude is in Feet\r\nReserved 3\r\n0,2,255,My Track,0,0,2,8421376\r\n0\r\n";
    let text = format!("{head}39.984702,116.318417,0,492,39744.1201851852,2008-10-23,02:53:04\r\n");
    let traces = from_plt(text.as_bytes(), "000").unwrap();
    assert_eq!(traces.fixes("000"), [fix(1_224_730_384, 39.984702, 116.318417)]);
    let problem = |line: &str| {
        let error = from_plt(format!("{head}{line}").as_bytes(), "000").unwrap_err();
        assert_eq!(error.line, 7);
        error.problem
    };
    assert_eq!(problem("39.9,116.3,0,492,39744"), PltProblem::Columns);
    assert_eq!(problem("39.9,116.3,0,492,39744,2008-10-32,02:53:04"), PltProblem::Time);
    assert!(matches!(problem("400.166667,116.3,0,492,39744,2008-10-23,02:53:04"), PltProblem::Position(_)));
    assert_eq!(from_plt(b"user,time", "000").unwrap_err().problem, PltProblem::Header);
}

#[test]
fn wrong_lines_of_a_cabspotting_file_are_named() {
    let problem = |lines: &str| {
        let error = from_cabspotting_delta(format!("cab,dt,dlat5,dlon5,occ\n{lines}").as_bytes()).unwrap_err();
        (error.line, error.problem)
    };
    assert_eq!(problem(",1,1,1,0"), (2, CabspottingProblem::NoCab));
    assert_eq!(problem("a,1211033530,3775153,-12239447,0\n,84,-4,0\n"), (3, CabspottingProblem::Columns));
    assert_eq!(problem("a,1211033530,3775153,-12239447,0\n,-9999999999,0,0,0"), (3, CabspottingProblem::Time));
    assert!(matches!(problem("a,1211033530,9100000,0,0"), (2, CabspottingProblem::Position(_))));
    assert!(matches!(problem(&format!("a,1,{},0,0\n,0,{},0,0", 1, i64::MAX)), (3, CabspottingProblem::Position(_))));
    assert_eq!(problem(&"x".repeat(5_000)), (2, CabspottingProblem::Columns));
    assert_eq!(from_cabspotting_delta(b"").unwrap_err().problem, CabspottingProblem::Header);
}

#[test]
fn positions_between_fixes() {
    let fixes = [fix(100, -17.0, 179.99), fix(200, -17.0, -179.99), fix(200, -17.0, -179.98)];
    let middle = position_at(&fixes, Timestamp::from_secs(150)).unwrap();
    assert!((middle.lng().abs() - 180.0).abs() < 1e-9, "halfway across the antimeridian");
    assert_eq!(position_at(&fixes, Timestamp::from_secs(200)), Some(fixes[2].position));
    assert_eq!(position_at(&fixes, Timestamp::from_secs(99)), None);
    assert_eq!(position_at(&fixes, Timestamp::from_secs(201)), None);
    assert_eq!(position_at(&[], Timestamp::from_secs(1)), None);
}

#[test]
fn stays_are_found_and_passing_by_is_not() {
    let parked = (0..10).map(|minute| fix(minute * 60, 41.15 + 1e-5 * f64::from(minute as u32 % 3), -8.62));
    let driving = (10..20).map(|minute| fix(minute * 60, 41.15 + 0.005 * f64::from(minute as u32 - 9), -8.62));
    let fixes: Vec<Fix> = parked.chain(driving).collect();
    let stays = stay_points(&fixes, 60.0, Duration::from_mins(5));
    assert_eq!(stays.len(), 1);
    assert_eq!((stays[0].arrive.as_secs(), stays[0].leave.as_secs()), (0, 540));
    assert!(distance_m(stays[0].position, at(41.15001, -8.62)) < 2.0);
    assert!(stay_points(&fixes, 60.0, Duration::from_mins(10)).is_empty());
}

/// A place that one person alone visits is never made public.
#[test]
fn places_of_one_person_stay_out() {
    let stop = |user: &'static str, lat: f64| (0..10).map(move |minute| (user, fix(minute * 60, lat, -8.62)));
    let traces =
        Traces::collect(stop("a", 41.15).chain(stop("b", 41.15)).chain(stop("c", 41.15)).chain(stop("d", 41.25)))
            .unwrap();
    let places = PlaceIndex::from_stays(&traces, Gathering::default(), Provenance::new("test", None));
    assert_eq!(places.len(), 1);
    assert!(distance_m(places.all().first().unwrap().position, at(41.15, -8.62)) < 1.0);
}

#[test]
fn impossible_movement_is_explained() {
    let text = "ana,1000,41.15,-8.62\nana,1060,41.1508,-8.62\nana,1120,41.16,-8.62\nana,1130,51.5,0\nana,1100,51.5,0\n\
                bo,1000,0,0\nbo,1000,0,1\nbo,1000,0,1\n";
    let findings = validate_csv(text, Travel::Walk).unwrap();
    let lines: Vec<(usize, &str)> = findings.iter().map(|finding| (finding.line, finding.user.as_str())).collect();
    assert_eq!(lines, [(3, "ana"), (4, "ana"), (5, "ana"), (7, "bo")]);
    assert!(matches!(findings[0].reason, Reason::Speed { mps, limit } if mps > 16.0 && limit < 1.7));
    assert!(matches!(findings[1].reason, Reason::Teleport { .. }));
    assert_eq!(findings[2].reason, Reason::Order);
    assert!(matches!(findings[3].reason, Reason::TwoPlaces { .. }));
    assert!(validate_csv("ana,1000,41.15,-8.62\nana,soon,41.15,-8.62\n", Travel::Walk).is_err());
}

/// L3-42.
#[test]
fn the_table_of_speeds() {
    assert_eq!(Travel::ALL.map(Travel::speed_mps), [1.4, 3.0, 5.5, 8.3, 13.9]);
    assert_eq!([Travel::from_word("transit"), Travel::from_word("swimming")], [Travel::Transit, Travel::Walk]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// L3-43: an accepted hop never exceeds speed x time x 1.2.
    #[test]
    fn accepted_hops_are_possible(seconds in 1_u64..5_000, lat in -89.0_f64..89.0, step in -0.2_f64..0.2, which in 0_usize..5) {
        let travel = Travel::ALL[which];
        let fixes = [fix(0, lat, 179.9), fix(seconds, lat + step, step.abs() - 180.0)];
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let reach = travel.speed_mps() * seconds as f64 * 1.2;
        let possible = distance_m(fixes[0].position, fixes[1].position) <= reach;
        prop_assert_eq!(validate_trajectory(&fixes, travel).is_empty(), possible);
    }

    #[test]
    fn what_is_written_reads_back_the_same(
        lines in prop::collection::vec((0_u8..4, 0_u64..253_402_300_799_000, -90.0_f64..=90.0, -180.0_f64..180.0, prop::option::of("[a-z é]{1,8}")), 0..40),
    ) {
        let fixes = lines.into_iter().map(|(user, millis, lat, lng, word)| {
            let category = word.map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).map(Into::into);
            (format!("user {user}"), Fix { at: Timestamp::from_millis(millis), position: at(lat, lng), category })
        });
        let traces = Traces::collect(fixes).unwrap();
        prop_assert_eq!(read_csv(&write_csv(&traces)).unwrap(), traces);
    }
}
