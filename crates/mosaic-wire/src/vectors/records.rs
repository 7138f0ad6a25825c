//! What lies inside or around a slot record: bundle, topic layer, frame, event, query, card.

use mosaic_types::{ClassId, ContactText, Lane, Period, RowTag, Stream, TableId, TileId, TopicId, TtlHours, Window};
use serde_json::json;

use super::{Edit, Object, passed, pattern};
use crate::{
    Bundle, CardText, Carrier, ContactCard, EVENT, EvaluateFields, EventFields, Frame, FrameKind, GroupFrame, Part,
    RECORD_PLAIN, ReportFields, Side, TopicLayer,
};

pub(super) fn objects() -> Vec<Object> {
    vec![bundle(), topic_layer(), frame(), group_frame(), event(), evaluate(), share(), contact()]
}

fn bundle() -> Object {
    let bundle = Bundle {
        coded: Part::WHOLE,
        class: ClassId::new(11).unwrap(),
        cell: 0x0883_9c6d_1bff_ffff,
        window: Window(244_956),
        ttl: TtlHours::new(48).unwrap(),
        public: pattern(0x10),
        link: pattern(0x20),
        topics_sealed: pattern(0x30),
    };
    let fields = json!({
        "coded": { "index": 0, "total": 1 }, "class": 11, "cell": "08839c6d1bffffff", "window": 244_956, "ttl_hours": 48,
        "public": hex::encode(bundle.public), "link": hex::encode(bundle.link), "topics_sealed": hex::encode(bundle.topics_sealed),
    });
    let last = Bundle { coded: Part::new(14, 15).unwrap(), window: Window(0xFF_FFFF), ..bundle.clone() };
    let last_fields = json!({ "like": "plain", "coded": { "index": 14, "total": 15 }, "window": 0xFF_FFFF });
    Object::new("bundle", RECORD_PLAIN, |bytes| Ok(Bundle::decode(bytes)?.encode().to_vec()))
        .ok("plain", fields, bundle.encode())
        .ok("last coded part in the last window", last_fields, last.encode())
        .spoil("unknown version", 0, &[0x20], "Version")
        .spoil("unknown flag", 0, &[0x11], "Version")
        .spoil("part beyond the total", 1, &[0x11], "OutOfRange")
        .spoil("no parts", 1, &[0x00], "OutOfRange")
        .spoil("class 16", 2, &[16], "OutOfRange")
        .spoil("time to live 23 hours", 14, &[23], "OutOfRange")
        .spoil("time to live 169 hours", 14, &[169], "OutOfRange")
}

fn topic_layer() -> Object {
    let mut topics = [TopicId::NONE; 8];
    topics[0] = TopicId(301);
    topics[1] = TopicId(42);
    // the bundle at resolution 7 of a window carries part 4 of twelve
    let carrier = Carrier::of(Window(490_573), 7);
    let layer = |text: &str| TopicLayer { topics, text: CardText::clipped(text).carried(carrier) };
    let fields = json!({ "topics": [301, 42, 0, 0, 0, 0, 0, 0], "text": "coffee, table by the door" });
    let full = "é".repeat(20) + "!";
    let coded =
        |text: &str| json!({ "like": "two topics and a text", "text": text, "window": 490_573, "resolution": 7 });
    let two = "coffee, table by the door, until about half past six";
    let three = "é".repeat(54);
    Object::new("topic-layer", TopicLayer::SIZE, |bytes| Ok(TopicLayer::decode(bytes)?.encode().to_vec()))
        .ok("two topics and a text", fields, layer("coffee, table by the door").encode())
        .ok("no text", json!({ "like": "two topics and a text", "text": "" }), layer("").encode())
        .ok("41 bytes of text", json!({ "like": "two topics and a text", "text": full }), layer(&full).encode())
        .ok("part of a text of two", coded(two), layer(two).encode())
        .ok("part of a text of three", coded(&three), layer(&three).encode())
        .spoil("not UTF-8", 16, &[0xFF], "Text")
        .spoil("zero inside the text", 20, &[0], "Text")
        .spoil("escape character in the text", 16, &[0x1B], "Text")
        .spoil("a coded whole", 16, &[1], "Text")
        .spoil("a text of four parts", 16, &[4], "Text")
}

fn frame() -> Object {
    let frame = Frame::new(FrameKind::Hello, Part::new(0, 3).unwrap(), &pattern::<132>(0x40)).unwrap();
    let fields = json!({ "kind": 1, "part": { "index": 0, "total": 3 }, "body": hex::encode(frame.body()) });
    let short = Frame::new(FrameKind::Data, Part::WHOLE, b"hello").unwrap();
    let short_fields = json!({ "kind": 3, "part": { "index": 0, "total": 1 }, "body": hex::encode(b"hello") });
    Object::new("frame", RECORD_PLAIN, |bytes| Ok(Frame::decode(bytes)?.encode().to_vec()))
        .ok("first of three", fields, frame.encode())
        .ok("short", short_fields, short.encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("unknown kind", 1, &[4], "OutOfRange")
        .spoil("kind zero", 1, &[0], "OutOfRange")
        .spoil("part beyond the total", 2, &[0x33], "OutOfRange")
        .spoil("length 133", 3, &[133], "OutOfRange")
        .bad_of(1, "padding not zero", Edit::Replace(9, vec![1]), "Reserved")
}

fn group_frame() -> Object {
    let message = pattern(0x62);
    let long = [b'm'; GroupFrame::TEXT + 1];
    let fields = |kind: &str, index: u8, total: u8, text: &str| json!({ "kind": kind, "part": { "index": index, "total": total }, "message": hex::encode(message), "text": text });
    let short = GroupFrame::split(message, b"at the fountain").unwrap().remove(0);
    let [first, last] = GroupFrame::split(message, &long).unwrap().try_into().unwrap();
    let full = "m".repeat(GroupFrame::TEXT);
    let joined = GroupFrame::joined(message);
    Object::new("group-frame", RECORD_PLAIN, |bytes| Ok(GroupFrame::decode(bytes)?.encode().to_vec()))
        .ok("short", fields("announcement", 0, 1, "at the fountain"), short.encode())
        .ok("first of two", fields("announcement", 0, 2, &full), first.encode())
        .ok("last of two", fields("announcement", 1, 2, "m"), last.encode())
        .ok("joined", fields("joined", 0, 1, ""), joined.encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("kind zero", 1, &[0], "OutOfRange")
        .spoil("unknown kind", 1, &[3], "OutOfRange")
        .spoil("part beyond the total", 2, &[0x11], "OutOfRange")
        .spoil("five parts", 2, &[0x05], "OutOfRange")
        .spoil("no text", 3, &[0], "OutOfRange")
        .spoil("length 125", 3, &[125], "OutOfRange")
        .spoil("padding not zero", 135, &[1], "Reserved")
        .bad_of(1, "a part that is not full before the last", Edit::Replace(3, vec![123]), "OutOfRange")
        .bad_of(3, "joined with a text", Edit::Replace(3, vec![1]), "OutOfRange")
        .bad_of(3, "joined in two parts", Edit::Replace(2, vec![2]), "OutOfRange")
}

pub(super) fn sample_event() -> EventFields {
    let mut slots = [[0; 192]; 10];
    for (number, slot) in (0_u8..).zip(&mut slots) {
        *slot = pattern(number);
    }
    EventFields {
        stream: Stream::Steady,
        tile: TileId(7),
        table: TableId::new(Period(122_478), Lane::Discovery),
        rows: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|i| RowTag::new(1_000 * i + 17, (i % 4).try_into().unwrap()).unwrap()),
        receipt_key: pattern(0x50),
        descriptor: pattern(0x60),
        pad: pattern(0x70),
        slots,
    }
}

fn event() -> Object {
    let event = sample_event();
    let rows: Vec<_> = event.rows.iter().map(|tag| json!({ "row": tag.row(), "chain": tag.chain() })).collect();
    let fields = json!({
        "stream": 1, "tile": 7, "table": 244_956, "rows": rows, "receipt_key": hex::encode(event.receipt_key),
        "descriptor": hex::encode(event.descriptor), "pad": hex::encode(event.pad),
        "slots": event.slots.iter().map(hex::encode).collect::<Vec<_>>(),
    });
    let [row_0, ..] = event.rows.map(RowTag::to_bytes);
    Object::new("event", EVENT, |bytes| EventFields::decode(bytes).map(passed))
        .ok("discovery", fields, passed(event))
        .bad("one byte long", Edit::Append(vec![0]), "WrongSize")
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("unknown stream", 1, &[3], "OutOfRange")
        .spoil("the same row twice", 13, &row_0, "RepeatedRow")
        .spoil("the same row under another chain counter", 13, &[row_0[0] | 0x80, row_0[1], row_0[2]], "RepeatedRow")
}

pub(super) fn sample_query() -> EvaluateFields {
    let mut points = [[0; 32]; 16];
    for (number, point) in (0x80_u8..).zip(&mut points) {
        *point = pattern(number);
    }
    EvaluateFields { tile: TileId(7), period: Period(122_478), points }
}

fn evaluate() -> Object {
    let query = sample_query();
    let points: Vec<_> = query.points.iter().map(hex::encode).collect();
    Object::new("evaluate", EvaluateFields::SIZE, |bytes| EvaluateFields::decode(bytes).map(passed))
        .ok("sixteen points", json!({ "suite": 1, "tile": 7, "period": 122_478, "points": points }), passed(query))
        .bad("one byte long", Edit::Append(vec![0]), "WrongSize")
        .spoil("unknown version", 0, &[0], "Version")
        .spoil("unknown suite", 1, &[2], "OutOfRange")
}

/// The leader's share of a report.
pub(super) fn sample_share() -> ReportFields {
    ReportFields {
        side: Side::Leader,
        tile: TileId(7),
        day: 20_412,
        id: pattern(0x5A),
        public_share: pattern(0x5B),
        input_share: pattern(0x5C),
    }
}

fn share() -> Object {
    let of = |side, input_share| ReportFields { side, input_share, ..sample_share() };
    let mut seed = [0; ReportFields::LEADER_SHARE];
    seed[..ReportFields::HELPER_SHARE].copy_from_slice(&pattern::<{ ReportFields::HELPER_SHARE }>(0x5D));
    let fields = |side: u8, input: &[u8]| {
        json!({
            "side": side, "tile": 7, "day": 20_412, "id": hex::encode(pattern::<16>(0x5A)),
            "public_share": hex::encode(pattern::<64>(0x5B)), "input_share": hex::encode(input),
        })
    };
    let (leader, helper) = (sample_share(), of(Side::Helper, seed));
    Object::new("report", ReportFields::SIZE, |bytes| ReportFields::decode(bytes).map(passed))
        .ok("for the leader", fields(0, leader.input()), passed(leader.clone()))
        .ok("for the helper", fields(1, helper.input()), passed(helper.clone()))
        .bad("one byte long", Edit::Append(vec![0]), "WrongSize")
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("a third side", 1, &[2], "OutOfRange")
        .spoil("the leader's share called the helper's", 1, &[1], "Reserved")
        .bad_of(1, "padding not zero", Edit::Replace(ReportFields::SIZE - 1, vec![1]), "Reserved")
}

fn contact() -> Object {
    let card = |text: &str| passed(ContactCard { text: ContactText::new(text).unwrap() });
    let longest = "m".repeat(300);
    Object::new("contact-card", ContactCard::SIZE, |bytes| ContactCard::decode(bytes).map(passed))
        .ok("an address", json!({ "text": "matrix: @ana:example.org" }), card("matrix: @ana:example.org"))
        .ok("the longest", json!({ "text": longest }), card(&longest))
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("reserved byte", 1, &[1], "Reserved")
        .spoil("no text", 2, &[0, 0], "OutOfRange")
        .spoil("length 301", 2, &[1, 45], "OutOfRange")
        .spoil("padding not zero", 303, &[1], "Reserved")
        .spoil("length short of the text", 2, &[0, 5], "Reserved")
        .spoil("text with a space around it", 4, b" ", "Text")
        .spoil("escape character in the text", 4, &[0x1B], "Text")
        .spoil("not UTF-8", 4, &[0xC0], "Text")
}
