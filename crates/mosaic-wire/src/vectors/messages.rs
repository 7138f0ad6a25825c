//! Queries, tokens, sealed requests and replies.

use mosaic_crypto::puzzle::Solution;
use mosaic_types::{Lane, Period, ProviderId, SegmentId, Stream, TableId};
use serde_json::json;

use super::{
    Edit, Object, passed, pattern,
    records::{sample_event, sample_query, sample_share},
    reports::{key, sample_receipt},
};
use crate::{
    CELL_PLAIN, CellReply, CellRequest, GenerationId, GenerationsQuery, HeadsQuery, KnownGenerations, Problem,
    ProblemCode, REPLY_PLAIN, SignedTerms, TokensQuery, TokensReply, WireToken,
};

pub(super) fn objects() -> Vec<Object> {
    vec![
        token(),
        terms(),
        tokens_query(),
        tokens_reply(),
        heads_query(),
        generations_query(),
        cell_request(),
        cell_reply(),
    ]
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

fn terms() -> Object {
    let key = key(3);
    let provider = ProviderId::new(3).unwrap();
    let costs = SignedTerms {
        provider,
        memory_kib: 65_536,
        passes: 1,
        stamp_bits: 18,
        work: 40,
        seed: pattern(0x59),
        signature: [0; 64],
    };
    let terms = costs.sign(&key);
    terms.verify(&key.verifying_key()).unwrap();
    let fields = json!({
        "provider": 3, "memory_kib": 65_536, "passes": 1, "stamp_bits": 18, "work": 40,
        "seed": hex::encode(terms.seed), "signature": hex::encode(terms.signature), "signing_seed": hex::encode([3; 32]),
    });
    Object::new("terms", SignedTerms::SIZE, |bytes| Ok(SignedTerms::decode(bytes)?.encode().to_vec()))
        .ok("terms", fields, terms.encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("no such provider", 1, &[0], "OutOfRange")
}

/// One unit for one hour of two redeemers, with the solution of a puzzle that asks for next to nothing.
fn sample_tokens_query() -> (SignedTerms, TokensQuery) {
    let (memory_kib, seed) = (8, pattern(0x59));
    let provider = ProviderId::new(1).unwrap();
    let terms = SignedTerms { provider, memory_kib, passes: 1, stamp_bits: 4, work: 96, seed, signature: [0; 64] };
    let points = (0..14_u8).map(|point| pattern(0x60 + point)).collect();
    let query = TokensQuery { redeemers: 2, units: 1, hours: 1, first: 490_133, solution: Solution::default(), points };
    let query = query.solved(&terms).unwrap();
    (terms, query)
}

fn tokens_query() -> Object {
    let (terms, query) = sample_tokens_query();
    let fields = json!({
        "redeemers": 2, "units": 1, "hours": 1, "first_hour": 490_133, "seed": hex::encode(terms.seed),
        "statement": hex::encode(query.statement(&terms.seed)), "memory_kib": 8, "passes": 1, "stamp_bits": 4,
        "work": terms.puzzle(&query).work, "counter": query.solution.counter, "stamp": query.solution.stamp,
        "points": query.points.iter().map(hex::encode).collect::<Vec<_>>(),
    });
    Object::variable("tokens-query", 24, |bytes| Ok(TokensQuery::decode(bytes)?.encode()))
        .ok("one unit for an hour", fields, query.encode())
        .spoil("unknown version", 0, &[1], "Version")
        .spoil("no redeemers", 1, &[0], "OutOfRange")
        .spoil("no units", 2, &[0], "OutOfRange")
        .spoil("25 hours", 3, &[25], "OutOfRange")
        .spoil("a unit more than there are points for", 2, &[2], "WrongSize")
        .spoil("more points than a query may hold", 1, &[15, 255, 24], "TooMany")
        .bad("one byte long", Edit::Append(vec![0]), "WrongSize")
}

fn tokens_reply() -> Object {
    let reply = TokensReply { points: vec![pattern(0x61), pattern(0x62)], proofs: vec![pattern(0x63)] };
    let fields = json!({
        "points": reply.points.iter().map(hex::encode).collect::<Vec<_>>(),
        "proofs": reply.proofs.iter().map(hex::encode).collect::<Vec<_>>(),
    });
    Object::variable("tokens-reply", 7, |bytes| Ok(TokensReply::decode(bytes)?.encode()))
        .ok("two points under one proof", fields, reply.encode())
        .spoil("unknown version", 0, &[1], "Version")
        .spoil("a proof beyond the bytes", 1, &[0, 3], "WrongSize")
        .spoil("a point beyond the bytes", 3, &[0, 0, 0, 3], "WrongSize")
        .spoil("more proofs than a query has groups", 1, &[1, 129], "TooMany")
        .spoil("more points than a query may hold", 3, &[0, 0, 64, 1], "TooMany")
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
    let report = CellRequest::Report { token: sample_token(), share: passed(sample_share()).try_into().unwrap() };
    let fields = |kind, body| json!({ "kind": kind, "token": "the token vector", "body": body });
    Object::new("cell-request", CELL_PLAIN, |bytes| Ok(CellRequest::decode(bytes)?.encode().to_vec()))
        .ok("deposit", fields(1, "the event vector"), deposit.encode())
        .ok("evaluate", fields(2, "the evaluate vector"), evaluate.encode())
        .ok("report", fields(3, "the report vector for the leader"), report.encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("unknown kind", 1, &[4], "OutOfRange")
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
        .ok("taken", json!({ "kind": 4 }), CellReply::Taken.encode())
        .spoil("unknown version", 0, &[2], "Version")
        .spoil("unknown kind", 1, &[5], "OutOfRange")
        .spoil("a receipt that is none", 2, &[2], "Version")
        .spoil("padding not zero", 4_067, &[1], "Reserved")
        .bad_of(2, "unknown problem", Edit::Replace(2, vec![0]), "OutOfRange")
}
