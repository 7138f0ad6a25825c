//! One valid seed of each object that no person could type. `MOSAIC_VECTORS=write` writes them anew.

use std::fs;

use mosaic_aggregate::{
    Batch, Counted, NoisedAnswer, NoisedSum, Policy, ReportFields, Side, SignedStatement, Statement, report,
};
use mosaic_attack::{Choice, FEATURES, Lesson, MeterModel, MeterPlan};
use mosaic_crypto::{
    agreement::AgreementSecret,
    ceremony::{Complaint, Dealing, deal, open_share, verify_complaint},
    digest,
    dpf::{Domain, DpfKey, share},
    handshake::Initiator,
    shamir,
    signing::SigningKey,
};
use mosaic_discovery::Invitation;
use mosaic_federation::{
    Evidence, Federation, FederationDescriptor, Gathering, GatheringPlace, Independence, JoinLink, ProviderEntry,
    SignedDealing, SignedDocument, Tile, TwoTables,
    peer::{self, Direction, HelperCheck, PeerReply, PeerRequest, ReplayGuard, ReportCheck},
};
use mosaic_geo::{Cell, Place, PlaceIndex, PlaceKind, PlaceTag, Provenance, Resolution};
use mosaic_provider::store::{StoreAddress, parse_segment};
use mosaic_types::{
    ClassId, GroupName, LatLng, Mode, Period, ProviderId, SegmentId, Sensitive, Stream, TableId, TileId, Timestamp,
    TopicId, TtlHours, Window,
};
use mosaic_vault::read_header;
use mosaic_wire::{
    Bundle, CardText, Carrier, GatheredText, Groups, Head, LaneShape, Part, PublicShare, TableDescriptor, TextField,
    TopicLayer,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use crate::fuzz;

/// The kept seed, or the one that was just made and written.
fn kept(target: &str, name: &str, made: &[u8]) -> Vec<u8> {
    mosaic_vectors::seed(target, name, made);
    fs::read(fuzz().join("corpus").join(target).join(name)).unwrap()
}

fn provider(number: u8) -> ProviderId {
    ProviderId::new(number).unwrap()
}

fn secret(number: u8) -> AgreementSecret {
    AgreementSecret::from_bytes([number; 32])
}

fn dealt() -> Dealing {
    let recipients = [1, 2, 3].map(|number| (provider(number), secret(number).public()));
    deal(&[7; 32], provider(2), &recipients, 2, &mut ChaCha20Rng::seed_from_u64(1)).unwrap()
}

#[test]
fn keys_of_blind_reads_with_and_without_levels() {
    for (name, rows) in [("one-leaf", 300), ("four-levels", 5_000)] {
        let domain = Domain::of(rows).unwrap();
        let [key, other] = share(299, domain, &mut ChaCha20Rng::seed_from_u64(3)).unwrap();
        let bytes = kept("crypto_dpf_key", name, &key.encode());
        assert_eq!(DpfKey::decode(&bytes).unwrap().expand(), key.expand());
        assert_ne!(key.expand(), other.expand());
    }
}

/// A day with one report: its two shares, the two noised sums, and the statement that providers 1 and 2 signed.
#[test]
fn a_day_of_counting() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let today = Counted { tile: TileId(7), day: 20_412 };
    let truth = Sensitive::new(mosaic_aggregate::Answer::NOTHING);
    let shares = report(today, NoisedAnswer::draw(&truth, &mut rng), &mut rng).unwrap();
    let [mut leader, mut helper] = [Side::Leader, Side::Helper].map(|side| Batch::open(today, side, [9; 32]).unwrap());
    for (share, name) in shares.iter().zip(["leader", "helper"]) {
        let bytes = kept("aggregate_report", name, &written(share));
        assert_eq!(ReportFields::decode(&bytes).as_ref(), Ok(share));
    }
    let (one, other) = (leader.begin(&shares[0]).unwrap(), helper.begin(&shares[1]).unwrap());
    let (mine, theirs) = (*one.verifier_share(), *other.verifier_share());
    assert!(leader.finish(one, &theirs).is_ok() && helper.finish(other, &mine).is_ok());
    let policy = Policy { fewest: 1, ..Policy::default() };
    let sums = [leader, helper].map(|batch| batch.close(policy, &mut rng).unwrap());
    for (sum, name) in sums.iter().zip(["leader", "helper"]) {
        let bytes = kept("aggregate_sum", name, &sum.encode());
        assert_eq!(NoisedSum::decode(&bytes).as_ref(), Some(sum));
    }
    let said = Statement::of([&sums[0], &sums[1]], provider(1), provider(2)).unwrap();
    let signatures = [1, 2].map(|number| said.sign(&SigningKey::from_bytes(&[number; 32])));
    let bytes = kept("aggregate_statement", "two-signatures", &said.signed(signatures).encode());
    let key = |id: ProviderId| Some(SigningKey::from_bytes(&[id.get(); 32]).verifying_key());
    assert!(SignedStatement::decode(&bytes).unwrap().verify(key).is_ok());
}

/// A share as `docs/spec/wire.md` lays it out: no other crate than the release may write one for the wire.
fn written(share: &ReportFields) -> Vec<u8> {
    let (tile, day) = (share.tile.0.to_be_bytes(), share.day.to_be_bytes());
    [&[ReportFields::VERSION, share.side as u8][..], &tile, &day, &share.id, &share.public_share, &share.input_share]
        .concat()
}

#[test]
fn a_dealing_and_a_false_complaint_about_it() {
    let bytes = kept("crypto_dealing", "three-recipients", &dealt().encode());
    let dealing = Dealing::decode(&bytes).unwrap();
    assert!(open_share(&dealing, provider(3), &secret(3)).is_ok());

    // The dealing's digest is what a complaint starts with; the rest claims a share it cannot prove.
    let claim = [&dealing.digest()[..], &[3], secret(1).public().as_bytes(), &[1; 64]].concat();
    let claim = kept("crypto_complaint", "false", &claim);
    let complaint = Complaint::decode(claim.as_slice().try_into().unwrap()).unwrap();
    assert!(!verify_complaint(&dealing, &complaint));
}

#[test]
fn evidence_of_two_histories() {
    let segment = SegmentId { table: TableId(244_956), origin: provider(2), stream: Stream::Steady };
    let head = |root| {
        let signature = [0; 64];
        let sealed_at = Timestamp::from_secs(1_763_683_200);
        let head = Head { segment, index: 4, count: 1, root, previous: [0; 32], sealed_at, signature };
        head.sign(&SigningKey::from_bytes(&[2; 32]))
    };
    let evidence = Evidence::TwoHistories { first: head([1; 32]), second: head([2; 32]) };
    let bytes = kept("federation_evidence", "two-histories", &evidence.encode());
    assert_eq!(Evidence::decode(&bytes), Ok(evidence));
}

#[test]
fn evidence_of_two_tables() {
    let lane = LaneShape { rows: 64, capacity: 8 };
    let table = |public_key| TableDescriptor {
        tile: TileId(1),
        period: Period(122_478),
        valid_from: Timestamp::from_secs(1_763_683_200),
        threshold: 2,
        public_key,
        shares: [2, 3].map(|number| PublicShare { provider: provider(number), element: [number; 32] }).to_vec(),
        transcript: [6; 32],
        discovery: lane,
        rendezvous: lane,
        generation_s: [5, 60, 600],
        groups: Groups::DEFAULT,
    };
    let signed = |public_key| {
        let table = table(public_key);
        let signature = table.sign(&SigningKey::from_bytes(&[2; 32]));
        (table, signature)
    };
    let tables = TwoTables { signer: provider(2), first: signed([1; 32]), second: signed([2; 32]) };
    let evidence = Evidence::TwoTables(Box::new(tables));
    let bytes = kept("federation_evidence", "two-tables", &evidence.encode());
    assert_eq!(Evidence::decode(&bytes), Ok(evidence));
}

#[test]
fn a_question_between_providers() {
    let segment = SegmentId { table: TableId(244_956), origin: provider(2), stream: Stream::Steady };
    let request = PeerRequest::Heads(vec![(segment, 7)]);
    let bytes = kept("federation_peer", "heads", &postcard::to_allocvec(&request).unwrap());
    assert_eq!(postcard::from_bytes(&bytes), Ok(request));
    let check = ReportCheck { id: [7; 16], proof: vec![8; 320] };
    let of_a_day = [
        ("check", PeerRequest::Check(20_412, vec![check])),
        ("sum", PeerRequest::Sum(20_412, vec![9; 1_090])),
        ("statements", PeerRequest::Statements(vec![vec![1; 411]])),
    ];
    for (name, request) in of_a_day {
        let bytes = kept("federation_peer", name, &postcard::to_allocvec(&request).unwrap());
        assert_eq!(postcard::from_bytes(&bytes), Ok(request));
    }
    let checked = PeerReply::Checked(vec![HelperCheck::Missing, HelperCheck::Bad, HelperCheck::Proof(vec![8; 320])]);
    for (name, reply) in [("checked", checked), ("sum", PeerReply::Sum(vec![9; 1_090], vec![1; 64]))] {
        let bytes = kept("federation_peer_reply", name, &postcard::to_allocvec(&reply).unwrap());
        assert_eq!(postcard::from_bytes(&bytes), Ok(reply));
    }
}

#[test]
fn join_links() {
    for (name, host) in [("name", "provider.example.org"), ("ipv6", "[2001:db8::1]")] {
        let link = JoinLink::new(host, 8_443, [0x0A; 32], [0xFF; 32]).unwrap();
        let kept = kept("federation_join_link", name, link.to_string().as_bytes());
        assert_eq!(str::from_utf8(&kept).unwrap().parse(), Ok(link));
    }
}

#[test]
fn gatherings() {
    let link = JoinLink::new("provider.example.org", 8_443, [0x0A; 32], [0xFF; 32]).unwrap();
    let place = |lat, lng, name: &str| GatheringPlace { at: LatLng::new(lat, lng).unwrap(), name: name.to_owned() };
    let two = vec![place(41.149_6, -8.611, "Praça, fonte"), place(-33.9, 18.42, "")];
    let gathering = Gathering::new("chess & tea", (1_763_683_200, 1_763_690_400), two, link).unwrap();
    let kept = kept("federation_gathering", "two-places", gathering.to_string().as_bytes());
    assert_eq!(str::from_utf8(&kept).unwrap().parse(), Ok(gathering));
}

#[test]
fn an_invitation_to_a_group() {
    let (mut rng, now) = (ChaCha20Rng::seed_from_u64(3), Timestamp::from_secs(1_763_683_200));
    let mut groups = mosaic_discovery::Groups::new([0xFE; 32]);
    let id = groups.create(now, GroupName::new("choir").unwrap(), &mut rng).unwrap();
    let text = groups.invite(now, id, 2).unwrap().to_text().expose(str::to_owned);
    let kept = kept("discovery_invitation", "two-slots", text.as_bytes());
    assert!(Invitation::parse(str::from_utf8(&kept).unwrap()).is_ok());
}

#[test]
fn a_shamir_share() {
    let shares = shamir::split(&[9; 32], 2, 3, &mut ChaCha20Rng::seed_from_u64(2)).unwrap();
    assert!(shamir::Share::from_bytes(&kept("crypto_share", "second-of-three", &shares[1].to_bytes())).is_ok());
}

#[test]
fn two_places() {
    let place = |lat, lng, name: &str| Place {
        position: LatLng::new(lat, lng).unwrap(),
        kind: PlaceKind::new(PlaceTag::Amenity, "cafe"),
        name: name.into(),
        hours: Some("Mo-Fr 08:00-18:00".into()),
    };
    let places = vec![place(41.15, -8.62, "Primeiro"), place(-33.9, 179.99, "")];
    let index = PlaceIndex::from_places(places, Provenance::new("made for tests", None));
    let good = kept("geo_places", "two-cafes", index.as_bytes());
    assert!(PlaceIndex::decode(&good).is_ok());
    assert!(PlaceIndex::decode(&kept("geo_places", "bad-version-1", b"MOSAICPL\x01")).is_err());
    // under a checksum that the target mends: more places than there are, and a box that is none
    for (name, at) in [("bad-count", 24), ("bad-cell", 64), ("bad-latitude", 83), ("bad-box", 96), ("bad-end", 155)] {
        let mut forged = good.clone();
        forged[at] ^= 0xFF;
        assert!(PlaceIndex::decode(&kept("geo_places", name, &forged)).is_err());
    }
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

const NOW: Timestamp = Timestamp::from_secs(1_763_683_200);

fn federation() -> SignedDocument {
    let entry = |number: u8| ProviderEntry {
        id: provider(number),
        url: format!("https://127.0.0.1:{}", 7_000 + u16::from(number)),
        tls_pin: [number; 32],
        signing_key: key(number).verifying_key().to_bytes(),
        cell_key: [number | 0x20; 32],
        ceremony_key: secret(number).public().to_bytes(),
        token_key: [number | 0x80; 32],
        operator: format!("Operator {number}"),
        jurisdiction: ["FR", "DE", "CH"][usize::from(number) - 1].into(),
    };
    let tile = Tile { id: TileId(1), name: "Porto".into(), lat: 41.15, lng: -8.62, radius_m: 20_000 };
    let providers = [1, 2, 3].map(entry).to_vec();
    let descriptor = FederationDescriptor::new("Seeds", Independence::Checked, NOW, 100, tile, providers);
    let mut document = SignedDocument::draft(&descriptor).unwrap();
    [1, 2, 3].into_iter().for_each(|number| document.sign(provider(number), &key(number)));
    document
}

fn verified() -> Federation {
    federation().verify().unwrap()
}

#[test]
fn a_signed_federation() {
    let kept = kept("federation_document", "three-providers", federation().to_json().as_bytes());
    assert!(SignedDocument::parse(&kept).is_ok_and(|document| document.verify().is_ok()));
}

#[test]
fn answers_between_providers() {
    let reply = PeerReply::Countersigned(vec![9; 64]);
    let bytes = kept("federation_peer_reply", "countersigned", &postcard::to_allocvec(&reply).unwrap());
    assert_eq!(postcard::from_bytes(&bytes), Ok(reply));
}

#[test]
fn envelopes_in_both_directions() {
    let ends = (provider(1), provider(2));
    let (asked, _) =
        peer::seal(ends, Direction::Request, NOW, &[4; 32], &PeerRequest::FetchTable(Period(122_478)), &key(1));
    let asked = kept("federation_envelope", "request", &asked);
    let opened = ReplayGuard::default().open_request::<PeerRequest>(&verified(), provider(2), NOW, &asked);
    assert!(opened.is_ok_and(|opened| opened.from == provider(1)));
    let (answer, _) = peer::seal(ends, Direction::Reply, NOW, &[7; 32], &PeerReply::Done, &key(1));
    let answer = kept("federation_envelope", "reply", &answer);
    assert!(peer::open_reply::<PeerReply>(&verified(), ends, NOW, &[7; 32], &answer).is_ok());
}

#[test]
fn a_signed_dealing() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let dealing = SignedDealing::deal(&verified(), Period(122_478), provider(1), &key(1), &mut rng).unwrap();
    let travelling = kept("federation_signed_dealing", "signed", &postcard::to_allocvec(&dealing).unwrap());
    let dealing: SignedDealing = postcard::from_bytes(&travelling).unwrap();
    let opened = dealing.open_for(&verified(), Period(122_478)).unwrap();
    // the target signs these itself
    kept("federation_signed_dealing", "unsigned", &opened.encode());
}

#[test]
fn first_messages() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let card = AgreementSecret::from_bytes([0x21; 32]);
    let (wave, _) = Initiator::wave(&card.public()).start(b"hello", &mut rng).unwrap();
    let (token, _) = Initiator::token(&[0x22; 32]).start(b"hello", &mut rng).unwrap();
    for (name, message) in [("wave", wave), ("token", token)] {
        assert_eq!(kept("crypto_handshake", name, &message).len(), 53);
    }
}

#[test]
fn a_card_before_it_is_sealed() {
    let bundle = Bundle {
        coded: Part::WHOLE,
        class: ClassId::new(5).unwrap(),
        cell: Cell::at(LatLng::new(41.15, -8.62).unwrap(), Resolution::R8).raw(),
        window: NOW.window(),
        ttl: TtlHours::default(),
        public: [3; 32],
        link: [0; 16],
        topics_sealed: [0; 73],
    };
    let mut topics = [TopicId::NONE; 8];
    topics[0] = TopicId(7);
    let carrier = Carrier::of(bundle.window, 8);
    let long = "a flat white and a game of go, the table by the door";
    for (name, text) in [("bundle-and-topics", "flat white?"), ("bundle-and-part", long)] {
        let layer = TopicLayer { topics, text: CardText::clipped(text).carried(carrier) };
        let bytes = kept("discovery_card", name, &[&bundle.encode()[..], &layer.encode()].concat());
        assert_eq!(Bundle::decode(&bytes[..136]).as_ref(), Ok(&bundle));
    }
}

#[test]
fn enough_parts_of_a_text() {
    let text = CardText::clipped("a flat white and a game of go, the table by the door");
    let found = |window: u8| {
        let layer =
            TopicLayer { topics: [TopicId::NONE; 8], text: text.carried(Carrier::of(Window(window.into()), 8)) };
        [&[window][..], &layer.encode()].concat()
    };
    let bytes = kept("wire_gathered_text", "two-parts-of-two", &[found(1), found(2)].concat());
    let mut gathered = GatheredText::default();
    for found in bytes.chunks_exact(58) {
        let TextField::Part(part) = TopicLayer::decode(&found[1..]).unwrap().text else { panic!("whole") };
        gathered.add(Carrier::of(Window(found[0].into()), 8), &part);
    }
    assert_eq!(gathered.text(), Some(&text));
    let again = kept("wire_gathered_text", "one-part-twice", &[found(1), found(1)].concat());
    assert_eq!(again.len(), 116);
}

#[test]
fn a_small_meter() {
    // sixty events of ten bundles; what is real stands out in the first number
    let lesson = |number: u32| {
        let truth = number as usize % 10;
        let row = |k: usize| {
            let own = f64::from(u8::from(k == truth)) * 2.0;
            (0..2 * FEATURES.len()).map(|at| if at == 0 { own + f64::from(number % 3) } else { at as f64 }).collect()
        };
        let rows = (0..10).map(row).collect();
        let mode = [Mode::Emergency, Mode::Balanced, Mode::Maximum][number as usize % 3];
        Lesson { mode, choice: Choice { user: number, rows, truth }, identities: (0..10).collect() }
    };
    let lessons: Vec<Lesson> = (0..60).map(lesson).collect();
    let made = MeterModel::fit(MeterPlan { seed: 1, people: 60, hours: 1 }, &lessons, &lessons);
    assert!(MeterModel::decode(&kept("attack_meter", "small", &made.encode())).is_ok());
}

/// One batch of each kind of change, and a second one behind it; the marker is random, so the layout is written out.
#[test]
fn a_segment_of_a_providers_log() {
    let put_check = |bytes: &mut Vec<u8>, from: usize| {
        let check = crc32fast::hash(&bytes[from..]);
        bytes.extend(check.to_be_bytes());
    };
    let change = |kind: u8, bucket: u8, key: &[u8], value: &[u8]| {
        let mut head = vec![kind, bucket];
        head.extend((key.len() as u16).to_be_bytes());
        head.extend((value.len() as u32).to_be_bytes());
        let check = crc32fast::hash(&[&head[..], key, value].concat());
        [&head[..], &check.to_be_bytes(), key, value].concat()
    };
    let batch = |sequence: u64, changes: &[Vec<u8>]| {
        let body = changes.concat();
        let mut head = b"\x10\x32\x54\x76\x98\xba\xdc\xfe".to_vec();
        head.extend(sequence.to_be_bytes());
        head.extend((body.len() as u32).to_be_bytes());
        head.extend((changes.len() as u32).to_be_bytes());
        head.extend(crc32fast::hash(&body).to_be_bytes());
        put_check(&mut head, 0);
        [head, body].concat()
    };
    let mut made = b"MOSLOGS\x01\0\0\0\x07\x10\x32\x54\x76\x98\xba\xdc\xfe".to_vec();
    made.extend(40_u64.to_be_bytes());
    put_check(&mut made, 0);
    let removals = [change(2, 1, b"key", b""), change(3, 9, b"", b""), change(4, 5, b"tab", b"")];
    made.extend(batch(40, &[change(1, 1, b"key", b"value"), change(1, 6, b"", b"")]));
    made.extend(batch(41, &removals));
    let parts = parse_segment(&kept("provider_segment", "two-batches", &made)).unwrap();
    assert_eq!((parts.batches, parts.whole, parts.flaw), (2, made.len(), None));
    made.truncate(made.len() - 1);
    let parts = parse_segment(&kept("provider_segment", "bad-torn", &made)).unwrap();
    assert_eq!((parts.batches, parts.flaw), (1, Some("a batch is cut short")));
    made[70] = 0x40;
    assert_eq!(parse_segment(&kept("provider_segment", "bad-value", &made)).unwrap().batches, 0);
}

#[test]
fn where_a_store_is() {
    let read = |name, text: &str| {
        let kept = kept("provider_address", name, text.as_bytes());
        String::from_utf8(kept).unwrap().parse::<StoreAddress>()
    };
    assert_eq!(read("log", "log"), Ok(StoreAddress::Log));
    assert!(read("table", "dynamodb://eu-west-1/mosaic").is_ok());
    assert!(read("endpoint", "dynamodb://x/mosaic?endpoint=http://127.0.0.1:8000").is_ok());
    assert!(read("bad-password", "dynamodb://x/mosaic?endpoint=https://a:b@host").is_err());
}

#[test]
fn a_vault_header() {
    let mut header = [0; 64];
    header[..9].copy_from_slice(b"MOSAICVT\x01");
    for (at, number) in [(12, 65_536_u32), (16, 3), (20, 1)] {
        header[at..at + 4].copy_from_slice(&number.to_be_bytes());
    }
    header[24..56].fill(0x5A);
    let check = digest(&[&header[..56]]);
    header[56..].copy_from_slice(&check[..8]);
    assert!(read_header(&kept("vault_header", "standard", &header)).is_ok_and(|cost| !cost.is_weak()));
    // a cost that no machine should be made to pay, under a checksum that the target mends
    header[12] = 0xFF;
    assert!(read_header(&kept("vault_header", "bad-cost", &header)).is_err());
}
