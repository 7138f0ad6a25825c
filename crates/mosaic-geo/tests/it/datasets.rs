use mosaic_geo::datasets::{
    Contact, ImportProblem, Packet, PhraseFormat, contacts, departments, from_foursquare_tsmc, from_gowalla, from_nmea,
    packets, phrases, towers,
};
use mosaic_types::Timestamp;
use proptest::prelude::*;

use crate::shared::shared;

#[test]
fn check_ins_of_gowalla_and_brightkite() {
    let text = b"0\t2010-10-19T23:55:27Z\t30.2359091167\t-97.7951395833\t22847\r\n1\t\t\t\t\n2\t2010-10-18T22:17:43Z\t0.0\t0.0\t00000000000000000000000000000000\n";
    let traces = from_gowalla(text).unwrap();
    assert_eq!((traces.len(), traces.fix_count()), (1, 1));
    let fix = &traces.fixes("0")[0];
    assert_eq!((fix.at, fix.position.lat()), (Timestamp::from_secs(1_287_532_527), 30.235_909_116_7));
    for (wrong, problem) in [
        ("0\t2010-10-19\t30.2\t-97.7\t1", ImportProblem::Time),
        ("0\t2010-10-19T23:55:27Z\tx\t-97.7\t1", ImportProblem::Number("lat")),
        ("0\t2010-10-19T23:55:27Z\t30.2\t-97.7", ImportProblem::Columns("user time lat lon venue")),
    ] {
        let error = from_gowalla(format!("\n{wrong}").as_bytes()).unwrap_err();
        assert_eq!((error.line, error.problem), (2, problem));
        assert!(!error.to_string().contains("97.7"), "an error repeats no position: {error}");
    }
    assert!(matches!(
        from_gowalla(b"0\t2010-10-19T23:55:27Z\t95\t-97.7\t1").unwrap_err().problem,
        ImportProblem::Position(_)
    ));
}

#[test]
fn check_ins_of_foursquare_keep_their_category() {
    let text = b"470\t49bb\t4bf5\tCaf\xe9, \"Tea\" Room\t40.719810375488535\t-74.00258103213994\t-240\tTue Apr 03 18:00:09 +0000 2012\n";
    let traces = from_foursquare_tsmc(text).unwrap();
    let fix = &traces.fixes("470")[0];
    assert_eq!(fix.at, Timestamp::from_secs(1_333_476_009));
    assert_eq!(fix.category.as_deref(), Some("Café Tea Room"));
    let written = mosaic_geo::movement::write_csv(&traces);
    assert_eq!(mosaic_geo::movement::read_csv(&written).unwrap(), traces);
    let error = from_foursquare_tsmc(b"470\t49bb\t4bf5\tBar\t40.7\t-74.0\t-240\tyesterday").unwrap_err();
    assert_eq!((error.line, error.problem), (1, ImportProblem::Time));
}

#[test]
fn receiver_logs() {
    let text = "# a comment\n$GPRMC,213950.50,A,5250.53669,N,00542.34920,W,0.020,,070420,,,A*4E\n\
                $GPRMC,213951.00,V,5250.53669,N,00542.34920,E,0.020,,070420,,,A*6B\n$GPGGA,125106,3854*00\n";
    let sum = |body: &str| body.bytes().fold(0, |sum, byte| sum ^ byte);
    let body = "GPRMC,213950.50,A,5250.53669,N,00542.34920,W,0.020,,070420,,,A";
    let text = text.replace("*4E", &format!("*{:02X}", sum(body)));
    let traces = from_nmea(text.as_bytes(), "me").unwrap();
    let [fix] = traces.fixes("me") else { panic!("{traces:?}") };
    assert_eq!(fix.at, Timestamp::from_millis(1_586_295_590_500));
    assert!((fix.position.lat() - 52.842_278).abs() < 1e-6 && (fix.position.lng() + 5.705_82).abs() < 1e-6);
    let body = "GNRMC,219950,A,5250.5,N,00542.3,W,0.0,,070420,,";
    let error = from_nmea(format!("\n${body}*{:02X}", sum(body)).as_bytes(), "me").unwrap_err();
    assert_eq!((error.line, error.problem), (2, ImportProblem::Time));
    assert!(from_nmea(format!("${body}*00").as_bytes(), "me").unwrap().is_empty(), "noise on the line is skipped");
}

#[test]
fn contacts_packets_and_towers() {
    assert_eq!(contacts(b"20 1 2\r\n40\t3\t1\n").unwrap()[1], Contact { at: 40, a: 3, b: 1 });
    assert_eq!(contacts(b"20 1 2\n20 5 5").unwrap_err().problem, ImportProblem::Alone);
    assert_eq!(contacts(b"20 1").unwrap_err().line, 1);
    assert_eq!(departments(b"35\tDISQ\n").unwrap(), [(35, "DISQ".to_owned())]);
    assert_eq!(packets(b"7,r,514").unwrap(), [Packet { at_ns: 7, sent: false, bytes: 514 }]);
    assert_eq!(packets(b"7,x,514").unwrap_err().problem, ImportProblem::Word("direction"));
    let header = "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal";
    let row = "LTE,311,480,9728,9903886,0,-122.393744,37.788097,1000,21,1,1458613761,1491242559,0";
    let read = towers(format!("{header}\n{row}\n").as_bytes()).unwrap();
    assert_eq!((read[0].network, read[0].position.lng(), read[0].range_m), (480, -122.393_744, 1_000));
    assert!(towers(row.as_bytes()).is_err() && towers(format!("{header}\n{row},1").as_bytes()).is_err());
}

/// Every set that lies beside the checkout reads to the end, with as many rows as its README says.
#[test]
fn the_shared_sets_read() {
    if let Some(bytes) = shared("sociopatterns-contacts/SFHH_tij.dat.gz") {
        let read = contacts(&bytes).unwrap();
        let mut people: Vec<u32> = read.iter().flat_map(|contact| [contact.a, contact.b]).collect();
        people.sort_unstable();
        people.dedup();
        assert_eq!((read.len(), people.len()), (70_261, 403));
    }
    if let Some(bytes) = shared("sociopatterns-contacts/workplace_InVS13_tij.dat.gz") {
        assert_eq!(contacts(&bytes).unwrap().len(), 9_827);
        let listed = departments(&shared("sociopatterns-contacts/workplace_InVS13_departments.txt").unwrap()).unwrap();
        assert!(listed.len() >= 92);
    }
    if let Some(bytes) = shared("opencellid-sf/cell_towers_san_francisco.csv") {
        assert_eq!(towers(&bytes).unwrap().len(), 1_999);
    }
    if let Some(bytes) = shared("event-titles/conferences.csv.gz") {
        assert_eq!(phrases(&bytes, PhraseFormat::EventTitles).unwrap().len(), 6_831);
    }
    for (name, format, least) in [
        ("foursquare_categories_en_fr_it.csv", PhraseFormat::FoursquareCategories, 930),
        ("foursquare_to_schema_org.csv", PhraseFormat::FoursquareCategories, 950),
        ("osm_presets.csv.gz", PhraseFormat::OsmPresets, 850),
        ("brands.csv.gz", PhraseFormat::Brands, 8_380),
    ] {
        let Some(bytes) = shared(&format!("venue-taxonomy/{name}")) else { continue };
        let read = phrases(&bytes, format).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(read.len() >= least, "{name}: {}", read.len());
    }
    for load in ["data-df-wflib/80", "data-gong-surakav/4-4", "data-tor-circuit-fp/rend/4"] {
        let Some(bytes) = shared(&format!("tor-wf-traces/{load}.log.gz")) else { continue };
        let read = packets(&bytes).unwrap_or_else(|error| panic!("{load}: {error}"));
        assert!(read.len() > 20 && read.iter().any(|packet| packet.sent) && read.iter().any(|packet| !packet.sent));
    }
}

/// All twenty receivers; those that never had a fix give nobody, and no fix lies outside the years they were logged in.
#[test]
fn twenty_real_receivers() {
    const LOGS: [&str; 20] = [
        "GPSmap-76S",
        "ais-nmea",
        "bundg_zeus_9",
        "garmin-geko201",
        "haicom-305N",
        "navika-100-fix",
        "neo-m8n",
        "nmea-rtk",
        "quectel",
        "quectelLC79D-1",
        "quectelLC79D",
        "rx210",
        "sirfstarv-nmea",
        "skytraq-dgps",
        "sl869",
        "telit-he910",
        "ublox-8",
        "ublox-lea-5h",
        "ublox-neo-m9n-nmea",
        "ublox-zed-f9p-nmea",
    ];
    let mut with_fix = 0;
    for log in LOGS {
        let Some(bytes) = shared(&format!("gpsd-nmea/{log}.log.gz")) else { return };
        let traces = from_nmea(&bytes, log).unwrap_or_else(|error| panic!("{log}: {error}"));
        with_fix += usize::from(!traces.is_empty());
        let years = |at: Timestamp| (1_000_000_000..1_800_000_000).contains(&at.as_secs());
        assert!(traces.fixes(log).iter().all(|fix| years(fix.at)), "{log}");
    }
    assert!(with_fix >= 12, "{with_fix} of 20 had a fix");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[0-9a-zA-Z.,:$*\"\t\n +-]{0,120}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            let _either = (from_gowalla(bytes), from_foursquare_tsmc(bytes), from_nmea(bytes, "u"));
            let _either = (contacts(bytes), departments(bytes), towers(bytes), packets(bytes));
            let _either = phrases(bytes, PhraseFormat::FoursquareCategories);
            let _either = contacts(&[&[0x1f, 0x8b, 8, 0][..], bytes].concat());
        }
        let sum = text.bytes().filter(|byte| *byte != b'\n').fold(0, |sum, byte| sum ^ byte);
        let _either = from_nmea(format!("${}*{sum:02X}", text.replace('\n', "")).as_bytes(), "u");
    }
}
