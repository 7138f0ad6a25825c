//! One field for each operation.

use std::sync::Arc;

use async_graphql::dynamic::{
    Field, FieldFuture, FieldValue, InputValue, Object, ResolverContext, Schema, SchemaBuilder, Subscription,
    SubscriptionField, SubscriptionFieldFuture, TypeRef,
};
use futures_util::StreamExt as _;
use mosaic_api::{Method, News, Operation, Problem, ProblemKind};
use serde_json::{Value, json};

use crate::{
    Call, Calls, Operations,
    described::{Described, Shape, name, optional},
    named, refusal,
};

const QUERY: &str = "Query";
const MUTATION: &str = "Mutation";
const SUBSCRIPTION: &str = "Subscription";
/// The argument that is the body of an operation.
const BODY: &str = "input";

/// A schema without limits, and without what answers.
pub(crate) fn build(document: &Value) -> SchemaBuilder {
    let mut described = Described::new(document["components"]["schemas"].clone());
    let (mut query, mut mutation) = (Object::new(QUERY), Object::new(MUTATION));
    let told: Vec<Told> =
        Operation::ALL.into_iter().filter(is_field).map(|operation| Told::of(operation, &document)).collect();
    let shared = Arc::new(Described::new(document["components"]["schemas"].clone()));
    for told in &told {
        let (arguments, kind) = (told.arguments(&mut described), told.kind(&mut described));
        let field = told.field(kind, Arc::clone(&shared));
        let field = arguments.into_iter().fold(field, Field::argument);
        match told.changes_something() {
            true => mutation = mutation.field(field),
            false => query = query.field(field),
        }
    }
    (query, mutation) = named::add(query, mutation, &mut described, document);
    let builder = Schema::build(QUERY, Some(MUTATION), Some(SUBSCRIPTION)).register(query).register(mutation);
    let builder = builder.register(subscription(&mut described));
    named::register(described.register(builder))
}

/// Coordinates and tokens are in bodies here, so the forms for URLs say nothing of their own; and the description is asked
/// for by introspection.
fn is_field(operation: &Operation) -> bool {
    let by_url = matches!(operation, Operation::ProximityByUrl | Operation::AssociationByUrl | Operation::Describe);
    !by_url && !operation.is_http_only()
}

/// An operation and what the description says of it.
#[derive(Clone)]
struct Told {
    operation: Operation,
    /// Its parameters, those of the path and of the query.
    parameters: Vec<Value>,
    body: Option<Value>,
    answer: Option<Value>,
}

impl Told {
    fn of(operation: Operation, document: &Value) -> Self {
        let (method, path) = operation.route();
        let item = &document["paths"][path][format!("{method:?}").to_lowercase()];
        let schema = |content: &Value| content["content"]["application/json"].get("schema").cloned();
        let parameters = item["parameters"].as_array().cloned().unwrap_or_default();
        Self {
            operation,
            // a key is a matter of requests over HTTP that may be sent twice
            parameters: parameters.into_iter().filter(|parameter| parameter["in"] != "header").collect(),
            body: schema(&item["requestBody"]),
            answer: schema(&item["responses"][operation.success().to_string()]),
        }
    }

    /// Whether it is a mutation: it acts, or charges.
    fn changes_something(&self) -> bool {
        let reads = matches!(self.operation, Operation::Proximity | Operation::AssociationByToken | Operation::Preview);
        !reads && self.operation.route().0 != Method::Get
    }

    fn arguments(&self, described: &mut Described) -> Vec<InputValue> {
        let parameters = self.parameters.iter().map(|parameter| {
            let kind = described.input(&parameter["schema"]);
            let kind = if parameter["required"] == json!(true) { kind } else { optional(kind) };
            InputValue::new(name(parameter["name"].as_str().unwrap_or_default()), kind)
        });
        let mut arguments: Vec<_> = parameters.collect();
        arguments.extend(self.body.as_ref().map(|body| InputValue::new(BODY, described.input(body))));
        arguments
    }

    /// What says nothing over HTTP says `true` here: a field must have a value.
    fn kind(&self, described: &mut Described) -> TypeRef {
        self.answer.as_ref().map_or(TypeRef::named_nn(TypeRef::BOOLEAN), |answer| described.output(answer))
    }

    fn field(&self, kind: TypeRef, described: Arc<Described>) -> Field {
        let (told, shape) = (self.clone(), Shape::of(&kind));
        let field = Field::new(self.operation.name(), kind, move |context| {
            let call = told.call(&context, &described);
            FieldFuture::new(async move {
                let answer = call_operation(&context, call?).await.map_err(|problem| refusal(&problem))?;
                Ok(Some(own(answer, shape)))
            })
        });
        field.description(self.operation.summary())
    }

    fn call(&self, context: &ResolverContext<'_>, described: &Described) -> async_graphql::Result<Call> {
        let mut call = Call { operation: self.operation, parameter: String::new(), query: Vec::new(), body: None };
        for parameter in &self.parameters {
            let named = parameter["name"].as_str().unwrap_or_default();
            let Some(given) = context.args.get(&name(named)).filter(|given| !given.is_null()) else { continue };
            let text = match given.deserialize::<Value>()? {
                Value::String(text) => text,
                other => other.to_string(),
            };
            match parameter["in"].as_str() {
                Some("path") => call.parameter = text,
                _ => call.query.push((named.to_owned(), text)),
            }
        }
        if let Some(schema) = &self.body {
            call.body = Some(described.body(schema, context.args.try_get(BODY)?.deserialize()?));
        }
        Ok(call)
    }
}

/// Calls an operation for a field.
pub(crate) async fn call_operation(context: &ResolverContext<'_>, call: Call) -> Result<Option<Value>, Problem> {
    context.data::<Calls>().map_err(|_| ProblemKind::Internal)?.one_more()?;
    let operations = context.data::<Arc<dyn Operations>>().map_err(|_| ProblemKind::Internal)?;
    operations.call(call).await
}

/// An answer as the value of a field.
pub(crate) fn own(answer: Option<Value>, shape: Shape) -> FieldValue<'static> {
    match answer {
        None => FieldValue::value(true),
        Some(Value::Array(items)) if shape == Shape::Typed => {
            FieldValue::list(items.into_iter().map(|item| own(Some(item), shape)))
        }
        Some(object @ Value::Object(_)) if shape == Shape::Typed => FieldValue::owned_any(object),
        Some(plain) => FieldValue::value(async_graphql::Value::from_json(plain).unwrap_or_default()),
    }
}

/// The three kinds of news.
fn subscription(described: &mut Described) -> Subscription {
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let cards = described.output(&json!({ "type": "array", "items": reference("CardView") }));
    let (search, request) =
        (optional(described.input(&reference("ProximityBody"))), described.output(&reference("AssociationView")));
    let alert = described.output(&reference("Warning"));
    let field = |name: &str, kind: TypeRef, news: News, text: &str| {
        SubscriptionField::new(name, kind, move |context| {
            let asked =
                context.args.get(BODY).filter(|given| !given.is_null()).map(|given| given.deserialize::<Value>());
            SubscriptionFieldFuture::new(async move {
                context.data::<Calls>()?.one_more().map_err(|problem| refusal(&problem))?;
                let operations = context.data::<Arc<dyn Operations>>()?;
                // names of a search are the same in both languages
                let search = asked.transpose()?.map(without_nulls).map(serde_json::from_value).transpose();
                let search = search.map_err(|_| refusal(&ProblemKind::MalformedBody.into()))?;
                let news = operations.news(news, search);
                Ok(news.map(|told| told.map(|told| own(Some(told), Shape::Typed)).map_err(|problem| refusal(&problem))))
            })
        })
        .description(text)
    };
    let near =
        field("proximityUpdate", cards, News::ProximityUpdate, "Cards that became readable, or more of them did");
    Subscription::new(SUBSCRIPTION)
        .field(near.argument(InputValue::new(BODY, search)))
        .field(field(
            "associationRequest",
            request,
            News::AssociationRequest,
            "An association waits for the person's answer",
        ))
        .field(field("privacyAlert", alert, News::PrivacyAlert, "Something got worse"))
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, member)| !member.is_null())
                .map(|(name, member)| (name, without_nulls(member)))
                .collect(),
        ),
        other => other,
    }
}
