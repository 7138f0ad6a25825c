//! `vectors/wire-problem.json`: the closed vocabulary, and bodies that are not of it.

use std::collections::BTreeSet;

use mosaic_vectors::{seed, settle};
use serde_json::{Value, json};

use crate::{DecodeError, Problem, ProblemCode};

const MALFORMED: [(&str, &str); 7] = [
    ("not JSON", "quota"),
    ("not an object", "[]"),
    ("no type", r#"{"title":"Quota used up","status":429}"#),
    ("a type of somebody else", r#"{"type":"about:blank","status":429}"#),
    ("an unknown type", r#"{"type":"https://github.com/mosaic-proximity/mosaic/blob/main/docs/spec/http.md#teapot"}"#),
    (
        "a time to retry that is no number",
        r#"{"type":"https://github.com/mosaic-proximity/mosaic/blob/main/docs/spec/http.md#quota","retryAfter":"soon"}"#,
    ),
    (
        "a negative time to retry",
        r#"{"type":"https://github.com/mosaic-proximity/mosaic/blob/main/docs/spec/http.md#quota","retryAfter":-1}"#,
    ),
];

#[test]
fn the_vocabulary() {
    let entry = |code: &ProblemCode| {
        json!({
            "number": code.number(), "slug": code.slug(), "status": code.status(), "retry": format!("{:?}", code.retry()),
            "body": Problem::from(*code).to_json(),
        })
    };
    let content = json!({
        "object": "problem",
        "specification": "docs/spec/http.md",
        "vocabulary": ProblemCode::ALL.iter().map(entry).collect::<Vec<_>>(),
        "with_retry": { "slug": "quota", "retry_after_s": 120, "body": Problem::after(ProblemCode::Quota, 120).to_json() },
        "malformed": MALFORMED.map(|(name, body)| json!({ "name": name, "body": body })),
    });
    settle("wire-problem.json", &content);
    seed("wire_problem", "quota", Problem::after(ProblemCode::Quota, 120).to_json().as_bytes());
    for (name, body) in MALFORMED {
        seed("wire_problem", &format!("bad-{name}"), body.as_bytes());
    }
}

#[test]
fn every_code_round_trips_and_is_unique() {
    for code in ProblemCode::ALL {
        assert_eq!(ProblemCode::from_number(code.number()), Some(*code));
        assert_eq!(ProblemCode::from_slug(code.slug()), Some(*code));
        for problem in [Problem::from(*code), Problem::after(*code, 7)] {
            assert_eq!(Problem::from_json(problem.to_json().as_bytes()), Ok(problem));
        }
        assert!((400..600).contains(&code.status()) && code.number() > 0, "{code:?}");
    }
    let slugs: BTreeSet<_> = ProblemCode::ALL.iter().map(|code| code.slug()).collect();
    assert_eq!(slugs.len(), ProblemCode::ALL.len());
}

/// RFC 9457 section 3.1: type, title, status and detail, and nothing that was not said.
#[test]
fn the_body_has_the_members_of_the_rfc() {
    let body: Value = serde_json::from_str(&Problem::from(ProblemCode::Gone).to_json()).unwrap();
    let members: BTreeSet<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, BTreeSet::from(["detail", "status", "title", "type"]));
    assert_eq!(body["status"], 410);
}

#[test]
fn other_bodies_are_refused() {
    for (name, body) in MALFORMED {
        assert_eq!(Problem::from_json(body.as_bytes()), Err(DecodeError::Json), "{name}");
    }
    let padded = format!("{}{}", " ".repeat(Problem::MAX_BYTES), Problem::from(ProblemCode::Gone).to_json());
    assert!(matches!(Problem::from_json(padded.as_bytes()), Err(DecodeError::WrongSize { .. })));
}

/// A specification that forgets a problem, or keeps one that is gone, fails here.
#[test]
fn the_specification_lists_the_vocabulary() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec/http.md")).unwrap();
    for code in ProblemCode::ALL {
        let row = format!("| <a id=\"{0}\"></a>`{0}` | {1} | {2} |", code.slug(), code.number(), code.status());
        assert!(text.contains(&row), "docs/spec/http.md has no row {row}");
    }
    assert_eq!(text.matches("<a id=").count(), ProblemCode::ALL.len());
}
