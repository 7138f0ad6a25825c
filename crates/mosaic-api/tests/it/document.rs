use std::collections::BTreeSet;

use mosaic_api::{
    AcceptBody, AnnouncementBody, AssociateBody, BroadcastBody, ExportDocument, GroupBody, InviteBody, LookupBody,
    Method, Operation, PreviewBody, Problem, ProblemKind, ProximityBody, SessionBody, SettingsBody, TileBody,
    UpdateBody, WaveBody, openapi, parse_body,
};
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
            Method::Patch => "patch",
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

/// Every operation with a body shows one, and the agent would take it.
#[test]
fn the_examples_of_bodies_are_valid() {
    let document = serde_json::to_value(openapi()).unwrap();
    let mut shown = 0;
    for operation in Operation::ALL {
        let (method, path) = operation.route();
        let described = &document["paths"][path][format!("{method:?}").to_lowercase()];
        let Some(body) = described.get("requestBody") else { continue };
        let example = body["content"]["application/json"]["example"].to_string();
        let bytes = example.as_bytes();
        let checked = match operation {
            Operation::Broadcast => parse_body::<BroadcastBody>(bytes).and_then(|body| body.check().map(drop)),
            Operation::UpdateBroadcast => parse_body::<UpdateBody>(bytes).and_then(|body| body.check().map(drop)),
            Operation::Proximity => parse_body::<ProximityBody>(bytes).and_then(|body| body.check().map(drop)),
            Operation::Wave => parse_body::<WaveBody>(bytes).and_then(|body| body.check().map(drop)),
            Operation::Associate => parse_body::<AssociateBody>(bytes).and_then(|body| body.check().map(drop)),
            Operation::AssociationByToken => parse_body::<LookupBody>(bytes).and_then(|body| body.check().map(drop)),
            Operation::Accept => parse_body::<AcceptBody>(bytes).and_then(|body| body.check().map(drop)),
            Operation::CreateGroup => parse_body::<GroupBody>(bytes).and_then(|body| body.check().map(drop)),
            Operation::InviteToGroup => parse_body::<InviteBody>(bytes).and_then(|body| body.check().map(drop)),
            Operation::Announce => parse_body::<AnnouncementBody>(bytes).and_then(|body| body.check().map(drop)),
            Operation::ChangeSettings => parse_body::<SettingsBody>(bytes).and_then(|body| body.check().map(drop)),
            Operation::Import => parse_body::<ExportDocument>(bytes).map(|document| {
                assert!(document.is_known_format());
            }),
            Operation::Preview => parse_body::<PreviewBody>(bytes).and_then(|body| body.check().map(drop)),
            Operation::MapTile => parse_body::<TileBody>(bytes).map(drop),
            Operation::OpenSession => parse_body::<SessionBody>(bytes).map(drop),
            other => panic!("{other:?} has a body that no test looks at"),
        };
        assert_eq!(checked, Ok(()), "{operation:?}: {example}");
        shown += 1;
    }
    assert_eq!(shown, 15);
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
