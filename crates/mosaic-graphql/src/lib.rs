//! The GraphQL schema of the local API, made of its list of operations and their descriptions.
//!
//! There is one engine. A field of the schema *is* an operation of [`mosaic_api::Operation`]: its arguments are the
//! parameters and the body that `docs/openapi.json` describes, its type is the answer, and asking for it calls the operation
//! through [`Operations`], where a request over HTTP would go as well. An operation that is added to the list is in the schema
//! without a line here. The five fields that the requirements name stand beside them and call the same operations
//! (`named`).
//!
//! What holds: a document nests at most [`DEEPEST`] fields, has at most [`MOST_FIELDS`] of them and calls at most
//! [`MOST_CALLS`] operations, whatever aliases and fragments it uses; a refusal keeps its problem type, as
//! `extensions.problem`. Words stay words: where a description lists a choice of them, the schema has `String`, because words
//! such as `open-door` are no names in GraphQL.

mod described;
mod named;
mod schema;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_graphql::{
    Request, Variables,
    dynamic::{self, SchemaError},
};
use futures_util::{StreamExt as _, future::BoxFuture, stream::BoxStream};
use mosaic_api::{GraphQlBody, News, Operation, Problem, ProblemKind, ProximityBody};
use serde_json::Value;

/// Fields below each other in one document; an introspection by usual tools takes thirteen.
pub const DEEPEST: usize = 16;
/// Fields in one document, fragments unfolded.
pub const MOST_FIELDS: usize = 1_000;
/// Operations that one document calls.
pub const MOST_CALLS: usize = 10;

/// One operation with what it is asked with.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The operation; never one that is [`Operation::is_http_only`].
    pub operation: Operation,
    /// What its path names; empty where the path has no parameter.
    pub parameter: String,
    /// Names and values of its query.
    pub query: Vec<(String, String)>,
    /// Its body.
    pub body: Option<Value>,
}

/// What answers: the agent, by the code that answers over HTTP.
pub trait Operations: Send + Sync + 'static {
    /// Calls an operation; `None` is an answer that says nothing.
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Option<Value>, Problem>>;

    /// News of one kind, what stands first; ends when the session that carries it rotates.
    fn news(&self, kind: News, search: Option<ProximityBody>) -> BoxStream<'static, Result<Value, Problem>>;
}

/// The schema over something that answers. Cheap to clone.
#[derive(Clone)]
pub struct Schema(dynamic::Schema);

impl Schema {
    /// Builds it.
    ///
    /// # Errors
    /// When the description of the API makes no schema: a fault of ours, and a test finds none.
    pub fn new(operations: Arc<dyn Operations>) -> Result<Self, SchemaError> {
        let document = serde_json::to_value(mosaic_api::openapi()).unwrap_or_default();
        let builder = schema::build(&document);
        Ok(Self(builder.limit_depth(DEEPEST).limit_complexity(MOST_FIELDS).data(operations).finish()?))
    }

    /// The schema in its own language, as `docs/schema.graphql` has it.
    pub fn sdl(&self) -> String {
        self.0.sdl()
    }

    /// Answers a query or a mutation.
    pub async fn answer(&self, asked: GraphQlBody) -> Value {
        to_json(self.0.execute(request(asked)).await)
    }

    /// Answers a subscription, as long as there is news; anything else with one answer.
    pub fn follow(&self, asked: GraphQlBody) -> BoxStream<'static, Value> {
        self.0.execute_stream(request(asked)).map(to_json).boxed()
    }
}

fn request(asked: GraphQlBody) -> Request {
    let variables = Variables::from_json(asked.variables.map(Value::Object).unwrap_or_default());
    let request = Request::new(asked.query).variables(variables).data(Calls::default());
    match asked.operation_name {
        Some(name) => request.operation_name(name),
        None => request,
    }
}

fn to_json(response: async_graphql::Response) -> Value {
    serde_json::to_value(response).unwrap_or_default()
}

/// Operations that one document called so far.
#[derive(Default)]
struct Calls(AtomicUsize);

impl Calls {
    fn one_more(&self) -> Result<(), Problem> {
        if self.0.fetch_add(1, Ordering::Relaxed) < MOST_CALLS {
            return Ok(());
        }
        Err(Problem::new(ProblemKind::Quota).with_detail(format!("one document calls at most {MOST_CALLS} operations")))
    }
}

/// A refusal as GraphQL has it: the sentence, and the problem beside it.
fn refusal(problem: &Problem) -> async_graphql::Error {
    let mut error = async_graphql::Error::new(problem.to_string());
    let value = serde_json::to_value(problem).ok().and_then(|value| async_graphql::Value::from_json(value).ok());
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("problem", value.unwrap_or_default());
    error
}
