use mosaic_geo::{
    PlaceIndex,
    movement::{from_cabspotting_delta, from_gpx, from_plt, read_csv, validate_csv},
    places::{DecodePlacesError, OsmError},
    synthetic_city,
};
use proptest::prelude::*;

use crate::shared::shared;

/// One field of a protocol-buffer message: a length-delimited one.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(content.len() as u64), content].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
    bytes
}

fn packed(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|&value| varint(((value << 1) ^ (value >> 63)).cast_unsigned())).collect()
}

fn blob(kind: &str, message: &[u8]) -> Vec<u8> {
    let body = field(1, message);
    let header = [field(1, kind.as_bytes()), vec![3 << 3], varint(body.len() as u64)].concat();
    let length = u32::try_from(header.len()).unwrap().to_be_bytes();
    [&length[..], &header, &body].concat()
}

/// A whole extract with dense nodes of these differences, each a café.
fn pbf(ids: &[i64], lats: &[i64], lngs: &[i64]) -> Vec<u8> {
    let strings: Vec<u8> = [&b""[..], b"amenity", b"cafe"].into_iter().flat_map(|text| field(1, text)).collect();
    let tags: Vec<u8> = ids.iter().flat_map(|_| [1, 2, 0]).collect();
    let dense = [field(1, &packed(ids)), field(8, &packed(lats)), field(9, &packed(lngs)), field(10, &tags)].concat();
    let block = [field(1, &strings), field(2, &field(2, &dense))].concat();
    [blob("OSMHeader", &field(4, b"OsmSchema-V0.6")), blob("OSMData", &block)].concat()
}

#[test]
fn a_small_extract_reads() {
    let index = PlaceIndex::from_osm_pbf(&pbf(&[7, 1], &[411_500_000, 1], &[-86_200_000, 1])).unwrap();
    assert_eq!(index.len(), 2);
    assert_eq!(index.all().first().unwrap().kind.to_string(), "amenity=cafe");
    assert_eq!(index.provenance().as_of, None);
}

#[test]
fn coordinates_off_the_globe_are_refused() {
    for lats in [[910_000_000, 0], [0, -900_000_001]] {
        let read = PlaceIndex::from_osm_pbf(&pbf(&[1, 1], &lats, &[0, 0]));
        assert!(matches!(read, Err(OsmError::OutsideGlobe { block: 1 })), "{lats:?}");
    }
}

/// Sums beyond 64 bits wrap inside the decoder: wrong places of a wrong file, but no panic.
#[test]
fn sums_that_overflow_never_panic() {
    for extreme in [i64::MAX, i64::MIN] {
        let _either = PlaceIndex::from_osm_pbf(&pbf(&[1, extreme, extreme], &[extreme; 3], &[0, extreme, extreme]));
    }
}

#[test]
fn what_is_no_extract_says_so() {
    assert!(matches!(PlaceIndex::from_osm_pbf(b""), Err(OsmError::NotPbf)));
    assert!(matches!(PlaceIndex::from_osm_pbf(b"<?xml version='1.0'?><osm/>"), Err(OsmError::NotPbf)));
    let history = blob("OSMHeader", &field(4, b"HistoricalInformation"));
    assert!(matches!(PlaceIndex::from_osm_pbf(&history), Err(OsmError::Feature)));
    let whole = pbf(&[7], &[411_500_000], &[-86_200_000]);
    let cut = PlaceIndex::from_osm_pbf(&whole[..whole.len() - 9]);
    assert!(matches!(cut, Err(OsmError::Block { block: 1, .. })), "{cut:?}");
}

#[test]
fn a_damaged_extract_never_panics() {
    let Some(bytes) = shared("osm-extracts/monaco.osm.pbf") else { return };
    for at in (0..bytes.len()).step_by(bytes.len() / 12) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        let _either = PlaceIndex::from_osm_pbf(&damaged);
        assert!(PlaceIndex::from_osm_pbf(&bytes[..at]).is_err(), "cut at {at}, in the middle of a block");
    }
}

#[test]
fn a_damaged_places_file_is_refused() {
    let good = synthetic_city(1).encode();
    assert_eq!(PlaceIndex::decode(b"").unwrap_err(), DecodePlacesError::NotPlaces);
    let mut later = good.clone();
    later[8] = 3;
    assert_eq!(PlaceIndex::decode(&later).unwrap_err(), DecodePlacesError::Version { found: 3 });
    let before = DecodePlacesError::Version { found: 1 };
    assert_eq!(PlaceIndex::decode(b"MOSAICPL\x01").unwrap_err(), before);
    assert!(before.to_string().contains("build the file again"));
    for at in (9..good.len()).step_by(97) {
        let mut damaged = good.clone();
        damaged[at] ^= 1;
        assert_eq!(PlaceIndex::decode(&damaged).unwrap_err(), DecodePlacesError::Damaged, "byte {at}");
        assert_eq!(PlaceIndex::decode(&good[..at]).unwrap_err(), DecodePlacesError::Damaged, "cut at {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn garbage_is_refused_by_every_binary_reader(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(PlaceIndex::decode(&bytes).is_err());
        prop_assert!(PlaceIndex::decode(&[b"MOSAICPL\x02", &bytes[..]].concat()).is_err());
        prop_assert!(PlaceIndex::from_osm_pbf(&bytes).is_err());
        prop_assert!(from_plt(&bytes, "u").is_err() && from_gpx(&bytes, "u").is_err());
        prop_assert!(from_cabspotting_delta(&bytes).is_err());
        prop_assert!(from_cabspotting_delta(&[&[0x1f, 0x8b, 8, 0][..], &bytes].concat()).is_err());
    }

    /// Damaged blocks behind a correct header: the decoder's own arithmetic is reached.
    #[test]
    fn garbage_blocks_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..200, ids in any::<[i64; 3]>(), lats in any::<[i64; 3]>(),
    ) {
        let _either = PlaceIndex::from_osm_pbf(&[blob("OSMHeader", b""), blob("OSMData", &bytes)].concat());
        let mut whole = pbf(&ids, &lats, &ids);
        let at = at % whole.len();
        whole[at] ^= bytes.first().copied().unwrap_or(1);
        let _either = PlaceIndex::from_osm_pbf(&whole);
    }

    #[test]
    fn text_of_any_kind_never_panics(text in "\\PC{0,60}", line in "[a-z,0-9.:TZ+-]{0,40}(\n[a-z,0-9.:TZ+-]{0,40}){0,3}") {
        for text in [text, line] {
            let _either = (read_csv(&text), validate_csv(&text, mosaic_geo::movement::Travel::Drive));
            let _either = from_gpx(format!("<gpx><trk><trkpt lat='1' lon='2'><time>{text}").as_bytes(), "u");
            let _either = from_plt(format!("Geolife trajectory\n\n\n\n\n\n{text}").as_bytes(), "u");
            let _either = from_cabspotting_delta(format!("cab,dt,dlat5,dlon5,occ\n{text}").as_bytes());
        }
    }
}
