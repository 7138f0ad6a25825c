//! Files people open, links they paste and documents providers exchange.

use mosaic_api::{
    AcceptBody, AssociateBody, BroadcastBody, ClientFrame, ExportDocument, LookupBody, PreviewBody, ProximityBody,
    SessionBody, SettingsBody, SocketAsk, TileBody, WaveBody, parse_body,
};
use mosaic_attack::MeterModel;
use mosaic_crypto::{
    ceremony::{Complaint, Dealing, verify_complaint},
    digest,
    dpf::DpfKey,
    shamir::Share,
};
use mosaic_federation::{Evidence, JoinLink, SignedDocument, peer::PeerRequest};
use mosaic_geo::{
    LocalTime, PlaceIndex, Resolution, Traces,
    datasets::{
        PhraseFormat, contacts, departments, from_foursquare_tsmc, from_gowalla, from_nmea, packets, phrases, towers,
    },
    hours::OpeningHours,
    movement::{Travel, from_cabspotting_delta, from_gpx, from_plt, read_csv, validate_csv, write_csv},
};
use mosaic_obfuscate::corpus::{Corpus, Service, clean_lines};
use mosaic_provider::store::{StoreAddress, parse_segment};
use mosaic_types::Timestamp;
use mosaic_vault::read_header;

use crate::Target;

pub(crate) const TARGETS: &[Target] = &[
    Target { name: "geo_csv", run: csv },
    Target { name: "geo_cabspotting", run: |bytes| drop(from_cabspotting_delta(bytes)) },
    Target { name: "geo_gpx", run: |bytes| drop(from_gpx(bytes, "user")) },
    Target { name: "geo_gowalla", run: |bytes| written_back(from_gowalla(bytes).ok()) },
    Target { name: "geo_foursquare", run: |bytes| written_back(from_foursquare_tsmc(bytes).ok()) },
    Target { name: "geo_nmea", run: |bytes| written_back(from_nmea(bytes, "user").ok()) },
    Target { name: "geo_contacts", run: |bytes| drop((contacts(bytes), departments(bytes))) },
    Target { name: "geo_packets", run: |bytes| drop(packets(bytes)) },
    Target { name: "geo_towers", run: |bytes| drop(towers(bytes)) },
    Target { name: "geo_phrases", run: every_phrase },
    Target { name: "geo_plt", run: |bytes| drop(from_plt(bytes, "user")) },
    Target { name: "geo_pbf", run: |bytes| drop(PlaceIndex::from_osm_pbf(bytes)) },
    Target { name: "geo_places", run: places },
    Target { name: "geo_hours", run: hours },
    Target { name: "federation_document", run: document },
    Target { name: "federation_join_link", run: join_link },
    Target { name: "federation_evidence", run: evidence },
    Target { name: "federation_peer", run: |bytes| drop(postcard::from_bytes::<PeerRequest>(bytes)) },
    Target { name: "api_body", run: api_body },
    Target { name: "api_frame", run: api_frame },
    Target { name: "crypto_dealing", run: dealing },
    Target { name: "crypto_complaint", run: complaint },
    Target { name: "crypto_share", run: |bytes| drop(Share::from_bytes(bytes)) },
    Target { name: "crypto_dpf_key", run: dpf_key },
    Target { name: "vault_header", run: vault_header },
    Target { name: "provider_segment", run: segment },
    Target { name: "provider_address", run: address },
    Target { name: "attack_meter", run: meter },
    Target { name: "obfuscate_corpus", run: corpus },
    Target { name: "obfuscate_reply", run: reply },
];

/// Expanded when the table is small: what is well formed has bits for every row, whoever made it.
fn dpf_key(bytes: &[u8]) {
    let Ok(key) = DpfKey::decode(bytes) else { return };
    assert!(key.encode().as_slice() == bytes, "read, but not written back the same");
    let rows = key.domain().rows();
    if rows <= 1 << 14 {
        let bits = key.expand();
        assert!(bits.bit(rows - 1).is_some() && bits.words().len() == (rows as usize).div_ceil(64), "bits are missing");
    }
}

fn corpus(bytes: &[u8]) {
    if let Ok(corpus) = Corpus::parse(bytes) {
        assert!(corpus.write().as_bytes() == bytes, "read, but not written back the same");
    }
}

/// The first byte chooses whether the service says that it succeeded.
fn reply(bytes: &[u8]) {
    let Some((status, body)) = bytes.split_first() else { return };
    let status = if status.is_ascii_lowercase() { 400 } else { 200 };
    for service in Service::ALL {
        if let Ok(lines) = service.model().lines(status, body) {
            assert!(!lines.is_empty() && clean_lines(&lines.join("\n")).len() <= lines.len(), "lines out of nothing");
            assert!(lines.iter().all(|line| line.len() <= 41), "a line that no bundle holds");
        }
    }
}

fn csv(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    drop(validate_csv(text, Travel::default()));
    if let Ok(traces) = read_csv(text) {
        let again = read_csv(&write_csv(&traces)).map(|traces| write_csv(&traces));
        assert!(again.is_ok_and(|again| again == write_csv(&traces)), "read, but not written back the same");
    }
}

/// Whatever is imported, a trace file can hold.
fn written_back(traces: Option<Traces>) {
    if let Some(traces) = traces {
        let again = read_csv(&write_csv(&traces)).map(|traces| write_csv(&traces));
        assert!(again.is_ok_and(|again| again == write_csv(&traces)), "read, but not written back the same");
    }
}

fn every_phrase(bytes: &[u8]) {
    use PhraseFormat::{Brands, EventTitles, FoursquareCategories, OsmPresets};
    for format in [EventTitles, FoursquareCategories, OsmPresets, Brands] {
        drop(phrases(bytes, format));
    }
}

/// A places file as it came, and under a checksum that fits.
fn places(bytes: &[u8]) {
    let as_it_came = PlaceIndex::decode(bytes).is_ok();
    let mut fitting = bytes.to_vec();
    let mut crc = flate2::Crc::new();
    crc.update(fitting.get(16..).unwrap_or_default());
    if let Some(sum) = fitting.get_mut(12..16) {
        sum.copy_from_slice(&crc.sum().to_le_bytes());
    }
    let Ok(index) = PlaceIndex::decode(&fitting) else {
        assert!(!as_it_came, "accepted under a checksum that does not fit");
        return;
    };
    assert!(index.as_bytes() == fitting, "accepted, but written differently");
    for place in index.all().iter().take(64) {
        assert!(!index.nearest(place.position, 3).is_empty(), "a place that no search finds");
        drop(place.to_place());
        assert!(index.in_cell(place.cell()).len() <= index.len(), "more places in a cell than there are");
    }
    Resolution::ALL.iter().for_each(|resolution| drop(index.cells(*resolution)));
    let _asked = (index.bounds(), index.center());
}

/// Opening hours, asked for a Tuesday at 10:30 and the early hours of a holiday.
fn hours(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(hours) = OpeningHours::parse(text) {
        let tuesday = LocalTime::at(Timestamp::from_secs(1_780_396_200), 0);
        let night = LocalTime::at(Timestamp::from_secs(1_780_369_200), 0).on_holiday();
        let _asked = (hours.is_open(tuesday), hours.is_open(night));
    }
}

fn document(bytes: &[u8]) {
    if let Ok(document) = SignedDocument::parse(bytes) {
        let again = SignedDocument::parse(document.to_json().as_bytes());
        // Indentation may carry a document that only just fitted past the limit.
        assert!(again.is_err() || again.is_ok_and(|again| again == document), "read, but written differently");
        drop(document.verify());
    }
}

fn join_link(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(link) = text.parse::<JoinLink>() {
        assert!(link.to_string().parse() == Ok(link), "read, but written differently");
    }
}

fn evidence(bytes: &[u8]) {
    if let Ok(evidence) = Evidence::decode(bytes) {
        assert!(Evidence::decode(&evidence.encode()) == Ok(evidence), "accepted, but written differently");
    }
}

/// Every body the local API reads.
fn api_body(bytes: &[u8]) {
    drop(parse_body::<BroadcastBody>(bytes));
    drop(parse_body::<ProximityBody>(bytes));
    drop(parse_body::<AssociateBody>(bytes));
    drop(parse_body::<LookupBody>(bytes));
    drop(parse_body::<WaveBody>(bytes));
    drop(parse_body::<AcceptBody>(bytes));
    drop(parse_body::<SettingsBody>(bytes));
    drop(parse_body::<ExportDocument>(bytes));
    drop(parse_body::<PreviewBody>(bytes));
    drop(parse_body::<TileBody>(bytes));
    drop(parse_body::<SessionBody>(bytes));
}

/// What is understood is within its bounds; what is refused says nothing of what was sent.
fn api_frame(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match ClientFrame::parse(text) {
        Ok(SocketAsk::Request(request)) => {
            assert!((100..=60_000).contains(&request.timeout_ms), "a timeout out of bounds");
            assert!(!request.id.to_string().is_empty(), "a question without a name");
        }
        Ok(SocketAsk::Subscribe { news, .. } | SocketAsk::Unsubscribe { news, .. }) => {
            assert!(!news.is_empty() && news.is_sorted(), "no news, or one kind twice");
        }
        Ok(SocketAsk::Attention { seconds }) => assert!((1..=900).contains(&seconds), "attention out of bounds"),
        Ok(SocketAsk::Hello { .. }) => {}
        Err(error) => assert!((400..500).contains(&error.problem.status), "a refusal that blames the agent"),
    }
}

fn dealing(bytes: &[u8]) {
    if let Ok(dealing) = Dealing::decode(bytes) {
        assert!(dealing.encode() == bytes, "accepted, but written differently");
    }
}

/// The honest dealing that complaints are held against.
const HONEST: &[u8] = include_bytes!("../../../fuzz/corpus/crypto_dealing/three-recipients");

fn complaint(bytes: &[u8]) {
    let Some(complaint) = bytes.try_into().ok().and_then(Complaint::decode) else { return };
    assert!(complaint.encode().as_slice() == bytes, "accepted, but written differently");
    if let Ok(dealing) = Dealing::decode(HONEST) {
        assert!(!verify_complaint(&dealing, &complaint), "an honest dealer is convicted");
    }
}

/// A model as it came, and under a checksum that fits: what is read is written the same, and answers any question.
fn meter(bytes: &[u8]) {
    let body = bytes.split_last_chunk::<32>().map_or(bytes, |(body, _)| body);
    let fitting = [body, &digest(&[body])].concat();
    for bytes in [bytes, &fitting] {
        if let Ok(model) = MeterModel::decode(bytes) {
            assert!(model.encode() == bytes, "read, but written differently");
            let rows = vec![vec![f64::NAN; 2 * mosaic_attack::FEATURES.len()]; 3];
            assert!(model.posterior(mosaic_types::Mode::Maximum, &rows).len() == 3, "a bundle has no answer");
        }
    }
}

/// A segment of a provider's log as it came, and with every checksum made to fit: what is taken as whole is what would
/// be written again.
fn segment(bytes: &[u8]) {
    for bytes in [bytes, &fitting_segment(bytes)] {
        if let Some(parts) = parse_segment(bytes) {
            assert!(parts.again == bytes[..parts.whole], "read, but written differently");
            assert!(parts.whole == bytes.len() || parts.flaw.is_some(), "an end before the end, without a word");
        }
    }
}

/// Where a store is, as an operator writes it.
fn address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(address) = text.parse::<StoreAddress>() {
        assert!(address.to_string() == text, "read, but written differently");
        assert!(!text.contains('@'), "a name or a password has a place in it");
    }
}

/// The same bytes with the checksums of the segment's head, the first batch and its first change.
fn fitting_segment(bytes: &[u8]) -> Vec<u8> {
    const HEADS: usize = 32 + 32;
    let mut fitting = bytes.to_vec();
    let mut check = |at: usize, of: &dyn Fn(&[u8]) -> u32| {
        let sum = of(&fitting);
        if let Some(place) = fitting.get_mut(at..at + 4) {
            place.copy_from_slice(&sum.to_be_bytes());
        }
    };
    check(28, &|all| crc32fast::hash(all.get(..28).unwrap_or_default()));
    if bytes.len() >= HEADS + 12 {
        let size = usize::from(u16::from_be_bytes([bytes[66], bytes[67]]));
        let value = u32::from_be_bytes([bytes[68], bytes[69], bytes[70], bytes[71]]) as usize;
        check(72, &|all| {
            let body = all[HEADS + 12..].get(..size + value).unwrap_or_default();
            crc32fast::hash(&[&all[HEADS..HEADS + 8], body].concat())
        });
        let length = u32::from_be_bytes([bytes[48], bytes[49], bytes[50], bytes[51]]) as usize;
        check(56, &|all| crc32fast::hash(all[HEADS..].get(..length).unwrap_or_default()));
        check(60, &|all| crc32fast::hash(&all[32..60]));
    }
    fitting
}

/// A vault's public header as it came, and under a checksum that fits.
fn vault_header(bytes: &[u8]) {
    let Some(header) = bytes.first_chunk::<64>() else {
        assert!(read_header(bytes).is_err(), "accepted what is cut short");
        return;
    };
    let mut fitting = *header;
    let check = digest(&[&header[..56]]);
    fitting[56..].copy_from_slice(&check[..8]);
    let whole = read_header(&fitting).is_ok();
    assert!(whole || read_header(bytes).is_err(), "accepted under a checksum that does not fit");
    assert!(!whole || fitting.starts_with(b"MOSAICVT\x01"), "accepted what is no vault of this version");
}
