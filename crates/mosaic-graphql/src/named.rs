//! The five fields that the requirements name, over the same operations. What they cannot mean here is said in
//! their descriptions, and `docs/spec/local.md` gives the reasons.

use async_graphql::dynamic::{
    Enum, EnumItem, Field, FieldFuture, InputValue, Object, ResolverContext, SchemaBuilder, TypeRef,
};
use mosaic_api::{Operation, Problem, ProblemKind};
use serde_json::{Value, json};

use crate::{
    Call,
    described::{Described, JSON, LONG, Shape, field, optional},
    refusal,
    schema::{call_operation, own},
};

/// What a level of privacy rounds published counts to.
const LEVELS: [(&str, f64, &str); 3] = [
    ("PUBLISHED", 1.0, "As it was published: the noise of two providers is in it"),
    ("COARSE", 100.0, "Rounded to hundreds as well"),
    ("COARSEST", 1_000.0, "Rounded to thousands as well"),
];

/// What is asked of those that a context was read by.
const CONSISTENCY: [(&str, &str); 3] = [
    ("LOCAL", "What this device holds"),
    ("QUORUM", "Only while two providers or more answer, whose signed heads agree with each other"),
    ("ALL", "Only while every provider of the federation answers"),
];

/// Adds the fields to the two roots.
pub(crate) fn add(query: Object, mutation: Object, described: &mut Described, document: &Value) -> (Object, Object) {
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let cards = described.output(&json!({ "type": "array", "items": reference("CardView") }));
    described.add_output(federated_result(cards));
    described.add_output(provider_answer());
    described.add_output(stored_data());
    described.add_output(metric_point());
    let position = described.input(&reference("Position"));
    let broadcast = described.input(&reference("BroadcastBody"));
    let (made, preview) =
        (described.output(&reference("BroadcastReply")), described.output(&reference("PreviewReply")));
    let query = query
        .field(federated_query(position))
        .field(retrieve())
        .field(aggregate_metrics())
        .field(enrich_context(preview));
    (query, mutation.field(store(broadcast, made, Described::new(document["components"]["schemas"].clone()))))
}

/// Adds the words that they take.
pub(crate) fn register(builder: SchemaBuilder) -> SchemaBuilder {
    let words = |name: &str, items: &[(&str, &str)]| {
        items.iter().fold(Enum::new(name), |words, (item, text)| words.item(EnumItem::new(*item).description(*text)))
    };
    let levels = LEVELS.map(|(level, _, text)| (level, text));
    builder
        .register(words("ConsistencyLevel", &CONSISTENCY))
        .register(words("PrivacyLevel", &levels))
        .register(words(
            "MetricType",
            &[("WISHES", "People who wished for something, by class"), ("REPORTS", "Answers counted")],
        ))
        .register(words("TimeWindow", &[("DAY", "The newest day published"), ("WEEK", "The newest seven")]))
        .register(words("AiModel", &[("VOCABULARY", "The public vocabulary, read on this device; there is no other")]))
        .register(words(
            "ReplicationPolicy",
            &[("FEDERATION", "Every provider of the federation, for as long as the table lives")],
        ))
}

fn object(name: &str, text: &str, members: &[(&str, TypeRef)]) -> Object {
    let begun = Object::new(name).description(text);
    members
        .iter()
        .fold(begun, |object, (member, kind)| object.field(field((*member).to_owned(), kind.clone(), &Value::Null)))
}

fn federated_result(cards: TypeRef) -> Object {
    object(
        "FederatedResult",
        "What the agent knows of a search, and which of the providers asked for answer at present.",
        &[
            ("cards", cards),
            ("complete", TypeRef::named_nn(TypeRef::BOOLEAN)),
            ("as_of", TypeRef::named(LONG)),
            ("providers", TypeRef::named_nn_list_nn("ProviderAnswer")),
        ],
    )
}

fn provider_answer() -> Object {
    object(
        "ProviderAnswer",
        "One of the providers that a search named.",
        &[
            ("provider", TypeRef::named_nn(TypeRef::INT)),
            ("answers", TypeRef::named_nn(TypeRef::BOOLEAN)),
            ("failure", TypeRef::named(TypeRef::STRING)),
        ],
    )
}

fn stored_data() -> Object {
    object(
        "StoredData",
        "What is kept under a key.",
        &[
            ("key", TypeRef::named_nn(TypeRef::STRING)),
            ("kind", TypeRef::named_nn(TypeRef::STRING)),
            ("data", TypeRef::named_nn(JSON)),
            ("confirmed_by", TypeRef::named_nn(TypeRef::INT)),
        ],
    )
}

fn metric_point() -> Object {
    object(
        "MetricPoint",
        "A count over many people.",
        &[
            ("day", TypeRef::named_nn(LONG)),
            ("label", TypeRef::named_nn(TypeRef::STRING)),
            ("people", TypeRef::named(TypeRef::FLOAT)),
            ("epsilon", TypeRef::named_nn(TypeRef::FLOAT)),
        ],
    )
}

fn argument(name: &str, kind: TypeRef) -> InputValue {
    InputValue::new(name, kind)
}

///
fn federated_query(position: TypeRef) -> Field {
    let field = Field::new("federatedQuery", TypeRef::named_nn("FederatedResult"), |context| {
        FieldFuture::new(async move {
            let answer = search(&context).await.map_err(|problem| refusal(&problem))?;
            Ok(Some(own(Some(answer), Shape::Typed)))
        })
    });
    field
        .description(
            "Who is near with such a wish, and which of these providers answer. No provider is told what is searched for: rows are read \
             as always, whichever are named here. One that fails is named in the answer; the others' part is there.",
        )
        .argument(argument("providers", TypeRef::named_nn_list_nn(TypeRef::INT)))
        .argument(argument("query", TypeRef::named_nn(TypeRef::STRING)))
        .argument(argument("near", position))
}

async fn search(context: &ResolverContext<'_>) -> Result<Value, Problem> {
    let malformed = |_| Problem::new(ProblemKind::MalformedQuery);
    let asked: Vec<u64> = context.args.try_get("providers").and_then(|given| given.deserialize()).map_err(malformed)?;
    let words: String = context.args.try_get("query").and_then(|given| given.deserialize()).map_err(malformed)?;
    let near: Value = context.args.try_get("near").and_then(|given| given.deserialize()).map_err(malformed)?;
    let status = ask(context, Operation::Status, None).await?;
    let known = status["providers"].as_array().cloned().unwrap_or_default();
    let named: Vec<Value> = asked.iter().map(|id| state_of(*id, &known)).collect();
    if named.is_empty() || named.iter().all(|provider| provider["failure"] == "unknown") {
        return Err(Problem::new(ProblemKind::InvalidId).with_detail("name providers of this federation"));
    }
    let found = ask(context, Operation::Proximity, Some(json!({ "location": near, "context": words }))).await?;
    let whole = named.iter().all(|provider| provider["answers"] == json!(true));
    let complete = whole && found["complete"] == json!(true);
    Ok(json!({ "cards": found["cards"], "complete": complete, "as_of": found["as_of"], "providers": named }))
}

fn state_of(id: u64, known: &[Value]) -> Value {
    match known.iter().find(|provider| provider["id"] == json!(id)) {
        Some(provider) if provider["up"] == json!(true) => json!({ "provider": id, "answers": true }),
        Some(_) => json!({ "provider": id, "answers": false, "failure": "unreachable" }),
        None => json!({ "provider": id, "answers": false, "failure": "unknown" }),
    }
}

///
fn retrieve() -> Field {
    let field = Field::new("retrieve", TypeRef::named_nn("StoredData"), |context| {
        FieldFuture::new(async move {
            let answer = kept(&context).await.map_err(|problem| refusal(&problem))?;
            Ok(Some(own(Some(answer), Shape::Typed)))
        })
    });
    field
        .description(
            "A broadcast of this person by its id, or a kept contact by its. Both are the device's own, so every level gives the same \
             data; a level says how much of the federation must be there to stand behind it, and refuses with wrong-state otherwise.",
        )
        .argument(argument("key", TypeRef::named_nn(TypeRef::STRING)))
        .argument(argument("consistency", TypeRef::named_nn("ConsistencyLevel")))
}

async fn kept(context: &ResolverContext<'_>) -> Result<Value, Problem> {
    let malformed = |_| Problem::new(ProblemKind::MalformedQuery);
    let key = context.args.try_get("key").and_then(|given| given.string().map(str::to_owned)).map_err(malformed)?;
    let level = context
        .args
        .try_get("consistency")
        .and_then(|given| given.enum_name().map(str::to_owned))
        .map_err(malformed)?;
    let status = ask(context, Operation::Status, None).await?;
    let providers = status["providers"].as_array().cloned().unwrap_or_default();
    let up = providers.iter().filter(|provider| provider["up"] == json!(true)).count();
    let needed = match level.as_str() {
        "ALL" => providers.len(),
        "QUORUM" => 2,
        _ => 0,
    };
    if up < needed {
        let detail = format!("{up} of {} providers answer, and this level needs {needed}", providers.len());
        return Err(Problem::new(ProblemKind::WrongState).with_detail(detail));
    }
    for (operation, list, kind) in
        [(Operation::ListBroadcasts, "broadcasts", "broadcast"), (Operation::People, "people", "person")]
    {
        let listed = ask(context, operation, None).await?;
        let found =
            listed[list].as_array().and_then(|items| items.iter().find(|item| item["id"] == json!(key)).cloned());
        if let Some(data) = found {
            return Ok(json!({ "key": key, "kind": kind, "data": data, "confirmed_by": needed }));
        }
    }
    Err(ProblemKind::UnknownBroadcast.into())
}

///
fn aggregate_metrics() -> Field {
    let field = Field::new("aggregateMetrics", TypeRef::named_nn_list_nn("MetricPoint"), |context| {
        FieldFuture::new(async move {
            let points = counted(&context).await.map_err(|problem| refusal(&problem))?;
            Ok(Some(own(Some(Value::Array(points)), Shape::Typed)))
        })
    });
    field
        .description(
            "What two providers published of the last days. The noise was added and its budget spent when a day was counted, so asking \
             costs nothing; a level can only make a count coarser.",
        )
        .argument(argument("metric", TypeRef::named_nn("MetricType")))
        .argument(argument("window", TypeRef::named_nn("TimeWindow")))
        .argument(argument("privacy", TypeRef::named_nn("PrivacyLevel")))
}

async fn counted(context: &ResolverContext<'_>) -> Result<Vec<Value>, Problem> {
    let word = |name: &str| {
        let given = context.args.try_get(name).and_then(|given| given.enum_name().map(str::to_owned));
        given.map_err(|_| Problem::new(ProblemKind::MalformedQuery))
    };
    let (metric, window, level) = (word("metric")?, word("window")?, word("privacy")?);
    let step = LEVELS.iter().find(|(name, ..)| *name == level).map_or(1.0, |(_, step, _)| *step);
    let published = ask(context, Operation::Aggregates, None).await?;
    let days = if window == "WEEK" { 7 } else { 1 };
    let statements = published["statements"].as_array().into_iter().flatten().take(days);
    Ok(statements.flat_map(|statement| points(statement, &metric, step)).collect())
}

/// A statement's counts of one kind, rounded to a step. What is not published stays absent.
pub(crate) fn points(statement: &Value, metric: &str, step: f64) -> Vec<Value> {
    let rounded = |people: &Value| people.as_f64().map(|people| (people / step).round() * step);
    let point = |label: &Value, people: &Value| json!({ "day": statement["day"], "label": label, "people": rounded(people), "epsilon": statement["epsilon"] });
    if metric == "REPORTS" {
        return vec![point(&json!("reports"), &statement["reports"])];
    }
    let classes = statement["classes"].as_array().into_iter().flatten();
    classes.map(|class| point(&class["class"], &class["people"])).collect()
}

///
fn store(broadcast: TypeRef, made: TypeRef, described: Described) -> Field {
    let described = std::sync::Arc::new(described);
    let field = Field::new("store", made, move |context| {
        let described = std::sync::Arc::clone(&described);
        FieldFuture::new(async move {
            let data = context.args.try_get("data")?.deserialize::<Value>()?;
            let schema = json!({ "$ref": "#/components/schemas/BroadcastBody" });
            let mut body = described.body(&schema, data);
            if let Some(ttl) = context.args.get("ttl").filter(|given| !given.is_null()) {
                body["ttl_hours"] = json!(ttl.i64()?);
            }
            let answer = ask(&context, Operation::Broadcast, Some(body)).await.map_err(|problem| refusal(&problem))?;
            Ok(Some(own(Some(answer), Shape::Typed)))
        })
    });
    field
        .description("Publishes a context, as `broadcast` does; `ttl` is in hours. Where it is kept is not the person's to choose: a choice would tell one person from others.")
        .argument(argument("data", broadcast))
        .argument(argument("ttl", TypeRef::named(TypeRef::INT)))
        .argument(argument("replication", TypeRef::named("ReplicationPolicy")))
}

///
fn enrich_context(preview: TypeRef) -> Field {
    let field = Field::new("enrichContext", preview, |context| {
        FieldFuture::new(async move {
            let words = context.args.try_get("context")?.string()?.to_owned();
            let level =
                context.args.get("level").filter(|given| !given.is_null()).map(|given| given.f64()).transpose()?;
            let body = json!({ "context": words, "enrichment": level.unwrap_or(1.0) });
            let answer = ask(&context, Operation::Preview, Some(body)).await.map_err(|problem| refusal(&problem))?;
            Ok(Some(own(Some(answer), Shape::Typed)))
        })
    });
    field
        .description("The class and topics of some words, and what the public vocabulary adds to them. Read on this device; nothing is kept or sent.")
        .argument(argument("context", TypeRef::named_nn(TypeRef::STRING)))
        .argument(argument("model", TypeRef::named_nn("AiModel")))
        .argument(argument("level", optional(TypeRef::named(TypeRef::FLOAT))))
}

async fn ask(context: &ResolverContext<'_>, operation: Operation, body: Option<Value>) -> Result<Value, Problem> {
    let call = Call { operation, parameter: String::new(), query: Vec::new(), body };
    Ok(call_operation(context, call).await?.unwrap_or_default())
}
