//! Every answer of every test, against the document that describes it (L5-16): a small validator for the
//! part of JSON Schema that the document uses. It is stricter than the standard: a keyword it does not know
//! and a member that is not described are faults.

use std::sync::LazyLock;

use mosaic_api::{Method, Operation, Problem};
use regex::Regex;
use serde_json::{Map, Value};

use crate::support::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(mosaic_api::openapi()).unwrap());

/// Keywords that say nothing about a value.
const REMARKS: [&str; 4] = ["description", "example", "default", "format"];

/// Panics unless `answer` is what the document says of this request.
pub(crate) fn check(method: &str, path: &str, answer: &Answer) {
    let described = response(method, path, answer.status);
    let (media, schema) = match described.get("content").and_then(Value::as_object) {
        Some(content) => content.iter().map(|(media, content)| (media.as_str(), &content["schema"])).next().unwrap(),
        None => return assert_eq!(answer.body, Value::Null, "{method} {path}: a body where none is described"),
    };
    assert!(answer.head.contains(&format!("content-type: {media}")), "{method} {path}: {}", answer.head);
    let mut faults = Vec::new();
    validate(&answer.body, schema, "", &mut faults);
    assert!(faults.is_empty(), "{method} {path} {}: {faults:#?} in {}", answer.status, answer.body);
}

/// Panics unless `frame` is what the document says an agent sends over the socket.
pub(crate) fn check_frame(frame: &Value) {
    let mut faults = Vec::new();
    validate(frame, &DOCUMENT["components"]["schemas"]["AgentFrame"], "", &mut faults);
    assert!(faults.is_empty(), "{faults:#?} in {frame}");
}

/// What the document says of a response; a refusal is a problem on every route and on none.
fn response(method: &str, path: &str, status: u16) -> Value {
    let path = path.split('?').next().unwrap();
    let known = Operation::ALL.into_iter().map(Operation::route).find(|(known, route)| {
        let parts = || route.split('/').zip(path.split('/'));
        name(*known) == method
            && route.split('/').count() == path.split('/').count()
            && parts().all(|(ours, theirs)| ours == theirs || ours.starts_with('{'))
    });
    let Some((_, route)) = known else {
        assert!(status >= 400, "{method} {path} is not described");
        let schema = serde_json::json!({"$ref": "#/components/schemas/Problem"});
        return serde_json::json!({"content": {Problem::MEDIA_TYPE: {"schema": schema}}});
    };
    let responses = &DOCUMENT["paths"][route][method.to_ascii_lowercase()]["responses"];
    let described = responses.get(status.to_string()).or_else(|| responses.get("default").filter(|_| status >= 400));
    described.unwrap_or_else(|| panic!("{method} {route} does not describe a {status}")).clone()
}

const fn name(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

fn validate(value: &Value, schema: &Value, at: &str, faults: &mut Vec<String>) {
    let mut fault = |what: &str| faults.push(format!("{at}: {what}"));
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$ref" => {
                let target = DOCUMENT.pointer(rule.as_str().unwrap().strip_prefix('#').unwrap()).unwrap();
                validate(value, target, at, faults);
                return;
            }
            "type" if !has_type(value, rule) => fault(&format!("is no {rule}")),
            "enum" if !rule.as_array().unwrap().contains(value) => fault("is none of the words"),
            "minimum" if value.as_f64().is_some_and(|value| Some(value) < rule.as_f64()) => fault("is too small"),
            "maximum" if value.as_f64() > rule.as_f64() => fault("is too large"),
            "minLength" if length(value).is_some_and(|length| Some(length) < rule.as_u64()) => fault("is too short"),
            "maxLength" if length(value) > rule.as_u64() => fault("is too long"),
            "pattern" if !fits(value, rule.as_str().unwrap()) => fault("does not fit the pattern"),
            "oneOf" => {
                let fitting = rule.as_array().unwrap().iter().filter(|branch| {
                    let mut inner = Vec::new();
                    validate(value, branch, at, &mut inner);
                    inner.is_empty()
                });
                if fitting.count() != 1 {
                    fault("is not exactly one of the alternatives");
                }
            }
            "minItems" if items(value).is_some_and(|count| Some(count) < rule.as_u64()) => fault("has too few items"),
            "maxItems" if items(value) > rule.as_u64() => fault("has too many items"),
            "type" | "enum" | "minimum" | "maximum" | "minLength" | "maxLength" | "minItems" | "maxItems"
            | "pattern" => {}
            "properties" | "required" | "items" | "additionalProperties" => {}
            remark if REMARKS.contains(&remark) => {}
            unknown => panic!("the validator does not know {unknown}"),
        }
    }
    match value {
        Value::Object(members) if schema.get("properties").is_some() => members_of(members, schema, at, faults),
        Value::Array(items) => {
            let rule = schema.get("items").unwrap_or_else(|| panic!("{at}: the items are not described"));
            items.iter().enumerate().for_each(|(index, item)| validate(item, rule, &format!("{at}/{index}"), faults));
        }
        _ => {}
    }
}

fn members_of(members: &Map<String, Value>, schema: &Value, at: &str, faults: &mut Vec<String>) {
    for required in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        if !members.contains_key(required.as_str().unwrap()) {
            faults.push(format!("{at}: {required} is missing"));
        }
    }
    for (name, member) in members {
        match schema["properties"].get(name) {
            Some(rule) => validate(member, rule, &format!("{at}/{name}"), faults),
            None => faults.push(format!("{at}: {name} is not described")),
        }
    }
}

/// `rule` is a type or, since 3.1, a list of them.
fn has_type(value: &Value, rule: &Value) -> bool {
    let types = rule.as_array().map_or_else(|| std::slice::from_ref(rule), Vec::as_slice);
    types.iter().any(|name| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("the validator does not know the type {unknown}"),
    })
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

fn items(value: &Value) -> Option<u64> {
    value.as_array().map(|items| items.len() as u64)
}

/// Patterns of ECMA-262, of which the description uses what the crate reads in the same way.
fn fits(value: &Value, pattern: &str) -> bool {
    value.as_str().is_none_or(|text| Regex::new(pattern).unwrap().is_match(text))
}

/// Every example of the description is what its schema says.
#[test]
fn examples_fit_their_schemas() {
    let (mut todo, mut shown) = (vec![&DOCUMENT["paths"]], 0);
    while let Some(value) = todo.pop() {
        if let (Some(schema), Some(example)) = (value.get("schema"), value.get("example")) {
            let mut faults = Vec::new();
            validate(example, schema, "", &mut faults);
            assert!(faults.is_empty(), "{faults:#?} in {example}");
            shown += 1;
        }
        todo.extend(value.as_object().into_iter().flat_map(Map::values));
    }
    assert!(shown > 2 * Operation::ALL.len() - 10, "{shown} examples");
}

/// A validator that accepts everything would check nothing.
#[test]
fn the_validator_finds_what_is_wrong() {
    let faults = |value: Value, name: &str| {
        let mut faults = Vec::new();
        validate(&value, &DOCUMENT["components"]["schemas"][name], "", &mut faults);
        faults.len()
    };
    let problem = |change: &str, to: Value| {
        let mut good = serde_json::to_value(Problem::new(mosaic_api::ProblemKind::Quota)).unwrap();
        good.as_object_mut().unwrap().insert(change.to_owned(), to);
        faults(good, "Problem")
    };
    assert_eq!([problem("detail", "x".into()), problem("detail", Value::Null)], [0, 0]);
    assert_eq!([problem("status", "429".into()), problem("detail", 7.into()), problem("more", 7.into())], [1, 1, 1]);
    let settings =
        |mode: &str, ttl: i64| faults(serde_json::json!({"privacy.mode": mode, "ttl.default": ttl}), "SettingsView");
    assert_eq!([settings("maximum", 48), settings("paranoid", 48), settings("maximum", 23)], [0, 1, 1]);
    assert_eq!(faults(serde_json::json!({"ttl.default": 169}), "SettingsView"), 2, "too long, and no mode");
    assert_eq!(
        faults(
            serde_json::json!({"associations": [{"id": "x", "kind": "letter", "state": "given", "since": 0, "expires_at": 1}]}),
            "AssociationList"
        ),
        1
    );
}
