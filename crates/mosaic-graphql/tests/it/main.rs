//! The schema against the description it is made of, and against who abuses it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::sync::{Arc, Mutex};

use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream, stream::BoxStream};
use mosaic_api::{GraphQlBody, News, Operation, Problem, ProblemKind, ProximityBody};
use mosaic_graphql::{Call, MOST_CALLS, Operations, Schema};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Write the schema anew with `MOSAIC_BLESS=1 cargo nextest run -p mosaic-graphql`.
const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema.graphql");

/// Says what it was asked, and answers what the description shows as an answer.
#[derive(Default)]
struct Echo(Mutex<Vec<Call>>);

impl Operations for Echo {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Option<Value>, Problem>> {
        self.0.lock().unwrap().push(call.clone());
        let document = serde_json::to_value(mosaic_api::openapi()).unwrap();
        let (method, path) = call.operation.route();
        let item = &document["paths"][path][format!("{method:?}").to_lowercase()];
        let example =
            item["responses"][call.operation.success().to_string()]["content"]["application/json"]["example"].clone();
        let refused = call.parameter == "b9" || call.body.as_ref().is_some_and(|body| body["context"] == "");
        async move {
            if refused {
                Err(ProblemKind::UnknownBroadcast.into())
            } else {
                Ok(Some(example).filter(|example| !example.is_null()))
            }
        }
        .boxed()
    }

    fn news(&self, kind: News, search: Option<ProximityBody>) -> BoxStream<'static, Result<Value, Problem>> {
        let told = match kind {
            News::PrivacyAlert => json!({ "kind": "clock-skew", "text": format!("searched: {}", search.is_some()) }),
            _ => json!([]),
        };
        stream::iter([Ok(told.clone()), Ok(told)]).boxed()
    }
}

fn schema() -> (Schema, Arc<Echo>) {
    let echo = Arc::new(Echo::default());
    (Schema::new(Arc::clone(&echo) as _).unwrap(), echo)
}

fn body(query: &str) -> GraphQlBody {
    GraphQlBody { query: query.to_owned(), operation_name: None, variables: None }
}

async fn ask(query: &str) -> Value {
    schema().0.answer(body(query)).await
}

#[test]
fn the_checked_in_schema_is_the_generated_one() {
    let generated = schema().0.sdl();
    if std::env::var_os("MOSAIC_BLESS").is_some() {
        std::fs::write(CHECKED_IN, &generated).unwrap();
    }
    let checked_in = std::fs::read_to_string(CHECKED_IN).unwrap();
    assert!(
        checked_in == generated,
        "docs/schema.graphql drifted: run `MOSAIC_BLESS=1 cargo nextest run -p mosaic-graphql`"
    );
}

/// X-18 to X-22 by their names, and every operation that is not one of HTTP alone.
#[test]
fn every_operation_is_a_field() {
    let sdl = schema().0.sdl();
    let has = |name: &str| sdl.lines().any(|line| line.trim_start().split(['(', ':']).next() == Some(name));
    for name in ["federatedQuery", "retrieve", "aggregateMetrics", "store", "enrichContext"] {
        assert!(has(name), "{name}");
    }
    let by_url = [Operation::ProximityByUrl, Operation::AssociationByUrl, Operation::Describe];
    for operation in Operation::ALL {
        let expected = !operation.is_http_only() && !by_url.contains(&operation);
        assert_eq!(has(&operation.name()), expected, "{operation:?}");
    }
    for kind in ["proximityUpdate", "associationRequest", "privacyAlert"] {
        assert!(has(kind), "{kind}");
    }
}

/// Arguments arrive as the body that the operation takes over HTTP, names with dots included; answers come back the same way.
#[tokio::test]
async fn arguments_and_answers_are_those_of_http() {
    let (schema, echo) = schema();
    let mutation = r#"mutation($at: PositionInput!) {
        broadcast(input: {location: $at, context: "coffee", noise_ratio: 0.7, ttl_hours: 48}) { id class noise { effective { discovery } } }
        changeSettings(input: {privacy_mode: "maximum", ttl_default: 48}) { privacy_mode }
        withdraw(id: "b1")
    }"#;
    let variables = json!({ "at": { "lat": -45.0, "lon": 0.25 } }).as_object().cloned();
    let answer = schema.answer(GraphQlBody { variables, ..body(mutation) }).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    assert!(answer["data"]["broadcast"]["noise"]["effective"]["discovery"].is_number(), "{answer}");
    assert_eq!(answer["data"]["withdraw"], true, "an answer that says nothing");
    let calls = echo.0.lock().unwrap();
    let operations: Vec<_> = calls.iter().map(|call| call.operation).collect();
    assert_eq!(operations, [Operation::Broadcast, Operation::ChangeSettings, Operation::Withdraw], "one after another");
    let wish =
        json!({"location": {"lat": -45.0, "lon": 0.25}, "context": "coffee", "noise_ratio": 0.7, "ttl_hours": 48});
    assert_eq!(calls[0].body, Some(wish));
    assert_eq!(calls[1].body, Some(json!({"privacy.mode": "maximum", "ttl.default": 48})));
    assert_eq!(calls[2].parameter, "b1");
}

/// Every field of every answer can be asked for: what the description shows as an answer fits the schema.
#[tokio::test]
async fn every_query_gives_what_the_description_shows() {
    let queries = r#"{
        status { version mode reach providers { id up } ledger { left } warnings { kind } anonymity { floor } }
        listBroadcasts(limit: 5) { broadcasts { id topics expires_at noise { requested } } next }
        people { people { id } } receipts { receipts { sent_at } } aggregates { statements { day epsilon classes { class people } } }
        evidence { evidence { kind text } } readSettings { privacy_mode ttl_default } waves { waves { id } }
        listAssociations { associations { id kind state expires_at } }
    }"#;
    let answer = ask(queries).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
}

/// A refusal keeps its type, and what was answered beside it stays.
#[tokio::test]
async fn a_refusal_is_a_problem_beside_the_others() {
    let answer = ask(r#"mutation { a: withdraw(id: "b9") }"#).await;
    let problem = &answer["errors"][0]["extensions"]["problem"];
    assert_eq!(problem["type"], "urn:mosaic:problem:unknown-broadcast", "{answer}");
    for malformed in ["{", "{ nothing }", "{ status }", "query { store }", "mutation { broadcast(input: {}) { id } }"] {
        assert!(ask(malformed).await["errors"][0]["message"].is_string(), "{malformed}");
    }
}

/// Aliases, fragments and depth: a document stays small however it is written.
#[tokio::test]
async fn a_document_is_bounded() {
    let (schema, echo) = schema();
    let many: String = (0..200).map(|at| format!("a{at}: status {{ version }} ")).collect();
    let answer = schema.answer(body(&format!("{{ {many} }}"))).await;
    assert!(answer["errors"][0]["extensions"]["problem"]["type"] == "urn:mosaic:problem:quota", "{answer}");
    assert_eq!(echo.0.lock().unwrap().len(), MOST_CALLS);

    let (schema, echo) = self::schema();
    let wide: String = (0..1_100).map(|at| format!("a{at}: version ")).collect();
    assert!(schema.answer(body(&format!("{{ status {{ {wide} }} }}"))).await["errors"].is_array());
    let doubled = "fragment a on StatusReply { ...b ...b } fragment b on StatusReply { ...c ...c } fragment c on StatusReply { version mode }";
    let spread: String = (0..300).map(|at| format!("a{at}: status {{ ...a }} ")).collect();
    assert!(schema.answer(body(&format!("{{ {spread} }} {doubled}"))).await["errors"].is_array());
    let cycle = "{ status { ...a } } fragment a on StatusReply { ...b } fragment b on StatusReply { ...a }";
    assert!(schema.answer(body(cycle)).await["errors"].is_array());
    let deep = format!("{{ __schema {{ types {{ {} name {} }} }} }}", "fields { type { ".repeat(20), "} }".repeat(20));
    assert!(schema.answer(body(&deep)).await["errors"].is_array());
    let brackets = format!("{{ status(x: {}{}) {{ version }} }}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(schema.answer(body(&brackets)).await["errors"].is_array());
    assert!(echo.0.lock().unwrap().is_empty(), "and nothing was called");
}

/// What usual tools ask first.
#[tokio::test]
async fn it_can_be_introspected() {
    let kind = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } }";
    let query = format!(
        "{{ __schema {{ queryType {{ name }} mutationType {{ name }} subscriptionType {{ name }} types {{ kind name description fields(includeDeprecated: true) \
         {{ name args {{ name type {{ {kind} }} }} type {{ {kind} }} }} inputFields {{ name type {{ {kind} }} }} enumValues {{ name }} }} }} }}"
    );
    let answer = ask(&query).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    let types = answer["data"]["__schema"]["types"].as_array().unwrap();
    assert!(types.iter().any(|kind| kind["name"] == "StatusReply"));
}

/// X-20: a level coarsens and never refines, and what was not published stays unsaid.
#[tokio::test]
async fn the_named_fields_ask_the_same_operations() {
    let (schema, echo) = schema();
    let query = r#"{
        federatedQuery(providers: [1, 9], query: "coffee", near: {lat: 1, lon: 2}) { complete providers { provider answers failure } cards { id } }
        aggregateMetrics(metric: WISHES, window: WEEK, privacy: COARSE) { day label people epsilon }
        enrichContext(context: "coffee", model: VOCABULARY, level: 0.5) { class topics }
    }"#;
    let answer = schema.answer(body(query)).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    let told = &answer["data"]["federatedQuery"];
    assert_eq!(told["complete"], false, "one of the two is none of ours");
    assert!(told["providers"].as_array().unwrap().iter().any(|provider| provider["failure"] == "unknown"), "{told}");
    let calls = echo.0.lock().unwrap().clone();
    let body_of =
        |wanted: Operation| calls.iter().find(|call| call.operation == wanted).and_then(|call| call.body.clone());
    let near = body_of(Operation::Proximity).unwrap();
    assert_eq!(near["context"], "coffee");
    assert_eq!(body_of(Operation::Preview), Some(json!({"context": "coffee", "enrichment": 0.5})));
    let stored = schema.answer(body(r#"mutation { store(data: {location: {lat: 1, lon: 2}, context: "tea"}, ttl: 24, replication: FEDERATION) { id } }"#)).await;
    assert_eq!(stored.get("errors"), None, "{stored}");
    assert_eq!(echo.0.lock().unwrap().last().unwrap().body.as_ref().unwrap()["ttl_hours"], 24);
    let gone = schema.answer(body(r#"{ retrieve(key: "b77", consistency: LOCAL) { data } }"#)).await;
    assert_eq!(gone["errors"][0]["extensions"]["problem"]["status"], 404, "{gone}");
}

/// X-23 to X-25 as subscriptions; a query that is followed is answered once.
#[tokio::test]
async fn news_are_followed() {
    let (schema, _) = schema();
    let told: Vec<Value> = schema.follow(body("subscription { privacyAlert { kind text } }")).collect().await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["data"]["privacyAlert"]["kind"], "clock-skew", "{told:?}");
    let many: String = (0..50).map(|at| format!("a{at}: privacyAlert {{ kind }} ")).collect();
    let told: Vec<Value> = schema.follow(body(&format!("subscription {{ {many} }}"))).collect().await;
    assert_eq!(told.iter().filter(|told| told.get("errors").is_none()).count(), 2 * MOST_CALLS, "bounded as well");
    let once: Vec<Value> = schema.follow(body("{ status { version } }")).collect().await;
    assert_eq!(once.len(), 1);
}

proptest! {
    /// Whatever stands in a document, it is answered, and never with more calls than one document may make.
    #[test]
    fn no_document_panics(words in prop::collection::vec(prop::sample::select(WORDS), 0..60), noise in ".{0,40}") {
        let (schema, echo) = schema();
        for text in [words.join(" "), words.concat(), format!("{{ {noise} }}"), noise.clone()] {
            let answer = schema.answer(body(&text)).now_or_never().unwrap();
            prop_assert!(answer.is_object());
        }
        prop_assert!(echo.0.lock().unwrap().len() <= 4 * MOST_CALLS);
    }
}

/// What documents are made of, and what breaks them.
const WORDS: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ":",
    "$a",
    "...",
    "@skip(if: true)",
    "query",
    "mutation",
    "subscription",
    "fragment",
    "on",
    "StatusReply",
    "status",
    "version",
    "broadcasts",
    "withdraw",
    "(id: \"b1\")",
    "__typename",
    "__schema",
    "types",
    "name",
    "preview",
    "(input: {context: \"x\"})",
    "class",
    "null",
    "-0",
    "1e999",
    "99999999999999999999",
    "\"",
    "\"\"\"",
    "\\u0000",
    "#",
    ",",
    "a:",
    "!",
    "=",
    "é",
    "\u{feff}",
];
