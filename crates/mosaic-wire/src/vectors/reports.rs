//! What providers sign or hand out: receipt, head, time, table descriptor, generations.

use mosaic_crypto::{dpf, merkle::Tree, signing::SigningKey};
use mosaic_types::{Lane, Period, ProviderId, SegmentId, Stream, TableId, TileId, Timestamp};
use rand::SeedableRng as _;
use serde_json::{Value, json};

use super::{Edit, Object, pattern};
use crate::{
    Bin, Cut, GenerationBlock, GenerationsReply, Groups, Head, HeadsReply, LaneShape, PublicShare, Receipt, Record,
    SignedTable, SignedTime, StackId, StackQuery, StackReply, TableDescriptor, TreeHead,
};

const NOW: Timestamp = Timestamp::from_millis(1_763_683_261_123);

pub(super) fn objects() -> Vec<Object> {
    vec![
        receipt(),
        head(),
        time(),
        table(),
        generation(),
        bin(),
        stack_query(),
        stack_reply(),
        heads_reply(),
        generations_reply(),
    ]
}

/// Signing keys of the vectors: seeds of 32 equal bytes, the provider's number.
pub(super) fn key(provider: u8) -> SigningKey {
    SigningKey::from_bytes(&[provider; 32])
}

fn provider(number: u8) -> ProviderId {
    ProviderId::new(number).unwrap()
}

fn segment() -> SegmentId {
    let table = TableId::new(Period(122_478), Lane::Rendezvous);
    SegmentId { table, origin: provider(2), stream: Stream::Steady }
}

fn segment_json() -> Value {
    json!({ "table": 244_957, "origin": 2, "stream": 1 })
}

pub(super) fn sample_receipt() -> Receipt {
    let unsigned = Receipt {
        segment: segment(),
        generation: 41,
        replica: provider(3),
        accepted: 0b11_1111_0111,
        full: 0b00_0000_1000,
        receipt_key: pattern(0x50),
        event: pattern(0x51),
        time: NOW,
        signature: [0; 64],
    };
    unsigned.sign(&key(2))
}

fn receipt() -> Object {
    let receipt = sample_receipt();
    let fields = json!({
        "segment": segment_json(), "generation": 41, "replica": 3, "accepted": receipt.accepted, "full": receipt.full,
        "receipt_key": hex::encode(receipt.receipt_key), "event": hex::encode(receipt.event),
        "time_ms": NOW.as_millis(), "signing_seed": hex::encode([2; 32]), "signature": hex::encode(receipt.signature),
    });
    Object::new("receipt", Receipt::SIZE, |bytes| Ok(Receipt::decode(bytes)?.encode().to_vec()))
        .ok("one row full", fields, receipt.encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("origin 0", 1, &[0], "OutOfRange")
        .spoil("unknown stream", 6, &[3], "OutOfRange")
        .spoil("replica 16", 11, &[16], "OutOfRange")
        .spoil("an eleventh slot", 12, &[0x07, 0xF7], "OutOfRange")
        .spoil("a slot both accepted and full", 14, &[0, 9], "OutOfRange")
        .spoil("a slot neither accepted nor full", 14, &[0, 0], "OutOfRange")
        .spoil("nothing said about any slot", 12, &[0, 0, 0, 0], "OutOfRange")
        .spoil("the same bit beyond the slots twice", 12, &[0x13, 0xF7, 0x10, 0x08], "OutOfRange")
        .spoil("the origin as its own replica", 11, &[2], "OutOfRange")
}

fn sample_block() -> GenerationBlock {
    let record = |row, seed| Record { row, bytes: pattern(seed) };
    let records = vec![record(70_000, 3), record(5, 2), record(5, 1), record(5, 1)];
    GenerationBlock::new(segment(), 41, records).unwrap()
}

pub(super) fn sample_head() -> Head {
    Head::seal(&sample_block(), pattern(0x52), NOW, &key(2))
}

fn head_json(head: &Head) -> Value {
    json!({
        "segment": segment_json(), "index": 41, "count": 3, "root": hex::encode(head.root),
        "previous": hex::encode(head.previous), "sealed_at_ms": NOW.as_millis(),
        "signing_seed": hex::encode([2; 32]), "signature": hex::encode(head.signature), "hash": hex::encode(head.hash()),
    })
}

fn head() -> Object {
    let head = sample_head();
    Object::new("head", Head::SIZE, |bytes| Ok(Head::decode(bytes)?.encode().to_vec()))
        .ok("of the generation vector", head_json(&head), head.encode())
        .spoil("unknown version", 0, &[0], "Version")
        .spoil("origin 16", 5, &[16], "OutOfRange")
        .spoil("unknown stream", 6, &[9], "OutOfRange")
        .spoil("reserved byte", 7, &[1], "Reserved")
}

fn time() -> Object {
    let time = SignedTime::sign(provider(2), NOW, &key(2));
    let fields = json!({
        "provider": 2, "time_ms": NOW.as_millis(), "signing_seed": hex::encode([2; 32]), "signature": hex::encode(time.signature),
    });
    Object::new("time", SignedTime::SIZE, |bytes| Ok(SignedTime::decode(bytes)?.encode().to_vec()))
        .ok("a reading", fields, time.encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("provider 0", 1, &[0], "OutOfRange")
        .spoil("reserved bytes", 3, &[1], "Reserved")
}

pub(super) fn sample_table() -> TableDescriptor {
    let share = |number| PublicShare { provider: provider(number), element: pattern(number) };
    TableDescriptor {
        tile: TileId(7),
        period: Period(122_478),
        valid_from: Period(122_478).start(),
        threshold: 2,
        public_key: pattern(0x53),
        shares: vec![share(1), share(2), share(3)],
        transcript: pattern(0x54),
        discovery: LaneShape { rows: 1 << 14, capacity: 64 },
        rendezvous: LaneShape { rows: 1 << 17, capacity: 10 },
        generation_s: [5, 60, 600],
        groups: Groups::DEFAULT,
    }
}

fn table() -> Object {
    let table = sample_table();
    let shares: Vec<_> =
        table.shares.iter().map(|share| json!([share.provider.get(), hex::encode(share.element)])).collect();
    let signatures = [1, 3].map(|number| (provider(number), table.sign(&key(number))));
    let signed = SignedTable::new(table.clone(), signatures).unwrap();
    let fields = json!({
        "suite": 1, "tile": 7, "period": 122_478, "valid_from_ms": table.valid_from.as_millis(), "threshold": 2,
        "public_key": hex::encode(table.public_key), "shares": shares, "transcript": hex::encode(table.transcript),
        "discovery": { "rows": 16_384, "capacity": 64 }, "rendezvous": { "rows": 131_072, "capacity": 10 },
        "generation_s": [5, 60, 600], "groups": { "r6": 16, "r7": 4, "r8": 1 }, "hash": hex::encode(table.hash()),
        "signatures": signatures.map(|(signer, bytes)| json!([signer.get(), hex::encode(bytes)])),
        "signing_seeds": [hex::encode([1; 32]), hex::encode([3; 32])],
    });
    Object::new("table", SignedTable::SIZE, |bytes| Ok(SignedTable::decode(bytes)?.encode().to_vec()))
        .ok("two of three", fields, signed.encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("unknown suite", 1, &[9], "OutOfRange")
        .spoil("threshold 1", 18, &[1], "OutOfRange")
        .spoil("threshold above the number of shares", 18, &[4], "OutOfRange")
        .spoil("six shares", 19, &[6], "TooMany")
        .spoil("share of provider 0", 52, &[0], "OutOfRange")
        .spoil("shares out of order", 52, &[2], "OutOfRange")
        .spoil("an unused share that is not zero", 216, &[1], "Reserved")
        .spoil("no rows", 249, &[0, 0, 0, 0], "OutOfRange")
        .spoil("more rows than a tag names", 249, &[0, 0x40, 0, 1], "OutOfRange")
        .spoil("no capacity", 253, &[0, 0], "OutOfRange")
        .spoil("generations of no length", 261, &[0, 0], "OutOfRange")
        .spoil("no class groups", 267, &[0], "OutOfRange")
        .spoil("seventeen class groups", 269, &[17], "OutOfRange")
        .spoil("reserved bytes", 381, &[1], "Reserved")
        .spoil("one signer twice", 382, &[3], "Order")
        .spoil("signer 0", 382, &[0], "OutOfRange")
}

fn generation() -> Object {
    let block = sample_block();
    let records: Vec<_> = block.records().iter().map(|record| json!([record.row, hex::encode(record.bytes)])).collect();
    let leaves: Vec<_> = block.leaf_hashes().iter().map(hex::encode).collect();
    let fields = json!({
        "segment": segment_json(), "index": 41, "records": records, "leaf_hashes": leaves, "root": hex::encode(block.root()),
    });
    let empty = GenerationBlock::new(segment(), 42, Vec::new()).unwrap();
    let empty_fields =
        json!({ "segment": segment_json(), "index": 42, "records": [], "root": hex::encode(empty.root()) });
    Object::variable("generation", GenerationBlock::HEADER, |bytes| Ok(GenerationBlock::decode(bytes)?.encode()))
        .ok("three records", fields, block.encode())
        .ok("no records", empty_fields, empty.encode())
        .bad("one byte long", Edit::Append(vec![0]), "WrongSize")
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("a count beyond the bytes", 11, &[0, 0, 0, 4], "WrongSize")
        .spoil("a count beyond the limit", 11, &[0, 1, 0, 1], "TooMany")
        .spoil("the largest count", 11, &[0xFF; 4], "TooMany")
        .spoil("row beyond the last", 405, &[0x40, 0, 0], "OutOfRange")
        .spoil("rows that fall", 15, &[0, 0, 6], "Order")
        .spoil("a record twice", 210, &block.records()[0].leaf(), "Order")
}

/// Keys for a lane of 32 rows, from a fixed generator; the point functions' own vectors are elsewhere.
fn stack_query() -> Object {
    let head = |index: u32| Head {
        index,
        ..Head::seal(&GenerationBlock::new(segment(), 0, Vec::new()).unwrap(), [0; 32], NOW, &key(2))
    };
    let id = StackId::of(&[head(7), head(3)]).unwrap();
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([0x5A; 32]);
    let keys = (0..64).map(|row| dpf::share(row % 32, Cut::domain(32).unwrap(), &mut rng).unwrap()[0].clone());
    let query = StackQuery::new(id.clone(), keys.collect()).unwrap();
    let hashes = [3, 7].map(|index| hex::encode(head(index).hash()));
    let fields =
        json!({ "table": id.table().0, "generations": [3, 7], "head_hashes": hashes, "domain_bits": 5, "keys": 64 });
    Object::variable("stack-query", 676, |bytes| Ok(StackQuery::decode(bytes)?.encode()))
        .ok("two generations of one segment", fields, query.encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("a domain there is not", 1, &[25], "OutOfRange")
        .spoil("another domain", 1, &[13], "WrongSize")
        .spoil("no generation", 35, &[0], "Reserved")
        .spoil("generations of two tables", 36, &[0, 0, 0, 1], "OutOfRange")
        .spoil("a key of another version", 676, &[2], "OutOfRange")
        .spoil("a key of another domain", 677, &[4], "OutOfRange")
}

/// Sums of one stripe each.
fn stack_reply() -> Object {
    let head = TreeHead { root: pattern(0x31), count: 9 };
    let sums: Vec<Vec<u8>> = (0..64).map(|key| vec![key; 64]).collect();
    let reply = StackReply::new(head, 3, 64, &sums).unwrap();
    let fields = json!({ "root": hex::encode(head.root), "count": 9, "halvings": 3, "width": 64, "sums": "64 of 64 bytes, each byte the number of its key" });
    let whole = json!({ "root": hex::encode([0; 32]), "count": 0, "halvings": 0, "width": 0, "sums": "none: to be read whole" });
    Object::variable("stack-reply", 42, |bytes| Ok(StackReply::decode(bytes)?.encode()))
        .ok("a stripe for each key", fields, reply.encode())
        .ok("to be read whole", whole, StackReply::read_whole().encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("more halvings than rows", 37, &[23], "OutOfRange")
        .spoil("half a stripe", 38, &[0, 0, 0, 32], "OutOfRange")
        .spoil("wider than a reply", 38, &[0, 4, 0, 0], "OutOfRange")
        .spoil("wider than there are bytes", 38, &[0, 0, 0, 128], "WrongSize")
        .spoil("no width, and a root", 38, &[0, 0, 0, 0], "OutOfRange")
}

/// Bins of a generation of eight records in a lane of 32 rows: the second bin is the fullest and needs no padding but to
/// whole stripes.
fn bin() -> Object {
    let record = |(number, row): (u8, u32)| Record { row, bytes: pattern(0x60 + number) };
    let rows = [3, 8, 8, 15, 17, 26, 30, 31];
    let block = GenerationBlock::new(segment(), 43, (0..).zip(rows).map(record).collect()).unwrap();
    let (cut, tree) = (Cut::of(32, 3).unwrap(), Tree::over(block.leaf_hashes()));
    let bin = |number: u32| Bin::of(&cut.rows_of(number), block.records(), &tree);
    let width = (0..4).map(|number| bin(number).len()).max().unwrap().next_multiple_of(64);
    let head = TreeHead { root: tree.root(), count: 8 };
    let bytes = |number: u32| bin(number).encode(width);
    let fields = |number: u32| {
        let shown = Bin::decode(&bytes(number)).unwrap();
        let records = shown.confirmed(&cut.rows_of(number), &head).unwrap();
        let records: Vec<_> = records.iter().map(|record| json!([record.row, hex::encode(record.bytes)])).collect();
        json!({
            "rows": 32, "halvings": 3, "bin": number, "width": width, "count": head.count, "root": hex::encode(head.root),
            "records_of_its_rows": records,
        })
    };
    Object::variable("bin", Bin::HEADER, |bytes| Ok(Bin::decode(bytes)?.encode(bytes.len())))
        .ok("the fullest", fields(1), bytes(1))
        .ok("the first, with no record before", fields(0), bytes(0))
        .ok("the last, with no record behind", fields(3), bytes(3))
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("more records than bytes", 5, &[0, 0, 0, 9], "WrongSize")
        .spoil("more records than there can be", 5, &[0, 2, 0, 1], "TooMany")
        .spoil("more hashes than there can be", 9, &[35], "TooMany")
        .spoil("rows that fall", 10, &[0, 0, 9], "Order")
        .spoil("row beyond the last", 10 + 4 * 195, &[0x40, 0, 0], "OutOfRange")
        .spoil("padding not zero", width - 1, &[1], "Reserved")
}

fn heads_reply() -> Object {
    let reply = HeadsReply::new([sample_head()]);
    Object::variable("heads-reply", 3, |bytes| Ok(HeadsReply::decode(bytes)?.encode()))
        .ok("one head", json!({ "heads": [head_json(&sample_head())] }), reply.encode())
        .ok("none", json!({ "heads": [] }), HeadsReply::default().encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("a count beyond the bytes", 1, &[0, 2], "WrongSize")
        .spoil("a count beyond the limit", 1, &[4, 1], "TooMany")
        .spoil("a head that is none", 3, &[9], "Version")
}

fn generations_reply() -> Object {
    let block = sample_block();
    let fields = json!({ "blocks": [hex::encode(block.encode())] });
    Object::variable("generations-reply", 2, |bytes| Ok(GenerationsReply::decode(bytes)?.encode()))
        .ok("one block", fields, GenerationsReply::new([block]).encode())
        .ok("none", json!({ "blocks": [] }), GenerationsReply::default().encode())
        .bad("one byte long", Edit::Append(vec![0]), "WrongSize")
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("a count beyond the bytes", 1, &[2], "WrongSize")
        .spoil("a count beyond the limit", 1, &[65], "TooMany")
        .spoil("a block beyond the bytes", 2, &[0xFF; 4], "WrongSize")
}
