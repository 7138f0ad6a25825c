use std::collections::BTreeSet;

use mosaic_api::{Method, Operation, Problem, ProblemKind, openapi};
use serde_json::Value;

/// Write the document anew with `MOSAIC_BLESS=1 cargo test -p mosaic-api`.
const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

#[test]
fn the_checked_in_document_is_the_generated_one() {
    let generated = openapi().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("MOSAIC_BLESS").is_some() {
        std::fs::write(CHECKED_IN, &generated).unwrap();
    }
    let checked_in = std::fs::read_to_string(CHECKED_IN).unwrap();
    assert!(checked_in == generated, "docs/openapi.json drifted: run `MOSAIC_BLESS=1 cargo test -p mosaic-api`");
}

/// L5-16: every operation is in the document, and nothing else is.
#[test]
fn the_document_holds_exactly_the_operations() {
    let document = serde_json::to_value(openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let written: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (path.clone(), method.clone())))
        .collect();
    let listed = Operation::ALL.map(|operation| {
        let (method, path) = operation.route();
        let method = match method {
            Method::Get => "get",
            Method::Post => "post",
            Method::Put => "put",
            Method::Delete => "delete",
        };
        (path.to_owned(), method.to_owned())
    });
    assert_eq!(written, BTreeSet::from(listed));
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
}

/// A client that decides by the type of a problem finds every type in the document.
#[test]
fn the_document_lists_every_problem() {
    let document = serde_json::to_value(openapi()).unwrap();
    let listed = &document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
    let kinds = ProblemKind::ALL.map(|kind| Problem::new(kind).kind);
    assert_eq!(*listed, serde_json::json!(kinds.as_slice()));
    assert!(kinds.iter().any(|kind| kind == "urn:mosaic:problem:outside-area"));
}

/// The port is the agent's choice: a document that named one would lie.
#[test]
fn the_document_names_no_server() {
    assert_eq!(serde_json::to_value(openapi()).unwrap().get("servers"), None);
}

/// Every `$ref` points to something.
#[test]
fn no_reference_dangles() {
    let document = serde_json::to_value(openapi()).unwrap();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| collect(field, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}
