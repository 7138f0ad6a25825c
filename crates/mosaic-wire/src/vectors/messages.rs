//! Queries, tokens, sealed requests and replies.

use mosaic_types::{Lane, Period, ProviderId, SegmentId, Stream, TableId};
use serde_json::json;

use super::{
    Edit, Object, passed, pattern,
    records::{sample_event, sample_query},
    reports::sample_receipt,
};
use crate::{
    CELL_PLAIN, CellReply, CellRequest, GenerationId, GenerationsQuery, HeadsQuery, KnownGenerations, Problem,
    ProblemCode, REPLY_PLAIN, TokenPurpose, TokensQuery, TokensReply, WireToken,
};

pub(super) fn objects() -> Vec<Object> {
    vec![token(), tokens_query(), tokens_reply(), heads_query(), generations_query(), cell_request(), cell_reply()]
}

fn segment(origin: u8, stream: Stream) -> SegmentId {
    let table = TableId::new(Period(122_478), Lane::Discovery);
    SegmentId { table, origin: ProviderId::new(origin).unwrap(), stream }
}

fn sample_token() -> WireToken {
    WireToken {
        kind: 2,
        nonce: pattern(0x55),
        challenge: pattern(0x56),
        key_id: pattern(0x57),
        authenticator: pattern(0x58),
    }
}

fn token() -> Object {
    let token = sample_token();
    let fields = json!({
        "kind": 2, "nonce": hex::encode(token.nonce), "challenge": hex::encode(token.challenge),
        "key_id": hex::encode(token.key_id), "authenticator": hex::encode(token.authenticator),
        "spend_id": hex::encode(token.spend_id()),
    });
    Object::new("token", WireToken::SIZE, |bytes| Ok(WireToken::decode(bytes)?.encode().to_vec()))
        .ok("a token", fields, token.encode())
        .bad("one byte long", Edit::Append(vec![0]), "WrongSize")
}

fn tokens_query() -> Object {
    let query = TokensQuery { purpose: TokenPurpose::Evaluate, count: 100 };
    Object::new("tokens-query", TokensQuery::SIZE, |bytes| Ok(TokensQuery::decode(bytes)?.encode().to_vec()))
        .ok("a hundred", json!({ "purpose": 2, "count": 100 }), query.encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("unknown purpose", 1, &[3], "OutOfRange")
        .spoil("257 tokens", 2, &[1, 1], "TooMany")
}

fn tokens_reply() -> Object {
    let reply = TokensReply::new([sample_token()]);
    Object::variable("tokens-reply", 3, |bytes| Ok(TokensReply::decode(bytes)?.encode()))
        .ok("one token", json!({ "tokens": [hex::encode(sample_token().encode())] }), reply.encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("a count beyond the bytes", 1, &[0, 2], "WrongSize")
        .spoil("a count beyond the limit", 1, &[1, 1], "TooMany")
}

fn heads_query() -> Object {
    let known = vec![
        KnownGenerations { segment: segment(2, Stream::Fast), count: 0 },
        KnownGenerations { segment: segment(1, Stream::Steady), count: 12 },
    ];
    let fields = json!({ "known": [
        { "segment": { "table": 244_956, "origin": 1, "stream": 1 }, "count": 12 },
        { "segment": { "table": 244_956, "origin": 2, "stream": 0 }, "count": 0 },
    ] });
    Object::new("heads-query", HeadsQuery::SIZE, |bytes| Ok(HeadsQuery::decode(bytes)?.encode().to_vec()))
        .ok("two segments", fields, HeadsQuery::new(known).unwrap().encode())
        .ok("none", json!({ "known": [] }), HeadsQuery::default().encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("65 entries", 1, &[65], "TooMany")
        .spoil("an entry of zeros", 1, &[3], "OutOfRange")
        .spoil("padding not zero", 641, &[1], "Reserved")
        .spoil("the same segment twice", 16, &[1, 1], "Order")
}

fn generations_query() -> Object {
    let wanted = [13, 12].map(|index| GenerationId { segment: segment(1, Stream::Steady), index });
    let fields = json!({ "wanted": [
        { "segment": { "table": 244_956, "origin": 1, "stream": 1 }, "index": 12 },
        { "segment": { "table": 244_956, "origin": 1, "stream": 1 }, "index": 13 },
    ] });
    let read = |bytes: &[u8]| Ok(GenerationsQuery::decode(bytes)?.encode().to_vec());
    Object::new("generations-query", GenerationsQuery::SIZE, read)
        .ok("two of one segment", fields, GenerationsQuery::new(wanted.to_vec()).unwrap().encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("65 entries", 1, &[65], "TooMany")
        .spoil("the same generation twice", 18, &[0, 0, 0, 12], "Order")
        .spoil("padding not zero", 22, &[1], "Reserved")
}

fn cell_request() -> Object {
    let deposit = CellRequest::Deposit { token: sample_token(), event: passed(sample_event()).try_into().unwrap() };
    let evaluate = CellRequest::Evaluate { token: sample_token(), query: passed(sample_query()).try_into().unwrap() };
    let fields = |kind, body| json!({ "kind": kind, "token": "the token vector", "body": body });
    Object::new("cell-request", CELL_PLAIN, |bytes| Ok(CellRequest::decode(bytes)?.encode().to_vec()))
        .ok("deposit", fields(1, "the event vector"), deposit.encode())
        .ok("evaluate", fields(2, "the evaluate vector"), evaluate.encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("unknown kind", 1, &[3], "OutOfRange")
        .spoil("padding not zero", 4_047, &[1], "Reserved")
        .spoil("a deposit called an evaluation", 1, &[2], "Reserved")
}

fn cell_reply() -> Object {
    let receipt = CellReply::Receipt(sample_receipt());
    let evaluation = CellReply::Evaluation { points: sample_query().points, proof: pattern(0x59) };
    let problem = CellReply::Problem(Problem::after(ProblemCode::Quota, 120));
    let points: Vec<_> = sample_query().points.iter().map(hex::encode).collect();
    let evaluated = json!({ "kind": 2, "points": points, "proof": hex::encode(pattern::<64>(0x59)) });
    Object::new("cell-reply", REPLY_PLAIN, |bytes| Ok(CellReply::decode(bytes)?.encode().to_vec()))
        .ok("receipt", json!({ "kind": 1, "receipt": "the receipt vector" }), receipt.encode())
        .ok("evaluation", evaluated, evaluation.encode())
        .ok("problem", json!({ "kind": 3, "problem": "quota", "retry_after_s": 120 }), problem.encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("unknown kind", 1, &[4], "OutOfRange")
        .spoil("a receipt that is none", 2, &[2], "Version")
        .spoil("padding not zero", 4_067, &[1], "Reserved")
        .bad_of(2, "unknown problem", Edit::Replace(2, vec![0]), "OutOfRange")
}
