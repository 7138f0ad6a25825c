use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mosaic_transport::os_rng;
use rand::Rng as _;
use serde_json::{Value, json};
use thiserror::Error;

use super::wire::{Answer, NoAnswer, Wire};

/// The calls that the store makes, each tried a few times.
pub(super) struct Calls {
    wire: Box<dyn Wire>,
    table: String,
    attempts: u32,
}

/// Why a call did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum CallError {
    /// The condition of a transaction's first item, which is the fence, did not hold.
    #[error("another process has taken over")]
    Fenced,
    /// A condition did not hold.
    #[error("a condition did not hold")]
    Condition,
    /// There is no such table.
    #[error("there is no such table")]
    Missing,
    /// The service refused, and would again.
    #[error("the service refused: {0}")]
    Refused(String),
    /// The service has no capacity now.
    #[error("the service asks to be left alone for a moment")]
    Busy,
    /// The service surely did not get the request.
    #[error("the service cannot be reached")]
    Unreachable,
    /// Whether the request was carried out is not known.
    #[error("the service did not answer")]
    Lost,
}

/// Items as the service writes them.
pub(super) type Item = Value;

/// A page of a query, and where the next one begins.
pub(super) type Page = (Vec<Item>, Option<Value>);

impl Calls {
    /// The first pause between two attempts; each is twice as long, up to a second, less a random part.
    const PAUSE: Duration = Duration::from_millis(25);

    pub(super) fn new(wire: Box<dyn Wire>, table: String, attempts: u32) -> Self {
        Self { wire, table, attempts: attempts.max(1) }
    }

    pub(super) async fn get(&self, k: &[u8], s: &[u8]) -> Result<Option<Item>, CallError> {
        let request = json!({ "TableName": self.table, "Key": { "k": b(k), "s": b(s) }, "ConsistentRead": true });
        Ok(self.call("GetItem", &request).await?.get_mut("Item").map(Value::take))
    }

    /// Items of one partition in ascending order: those whose sort key starts so, or all.
    pub(super) async fn query(&self, k: &[u8], prefix: Option<&[u8]>, read: Read) -> Result<Page, CallError> {
        let mut request = json!({
            "TableName": self.table,
            "ConsistentRead": true,
            "KeyConditionExpression": if prefix.is_some() { "k = :k AND begins_with(s, :s)" } else { "k = :k" },
            "ExpressionAttributeValues": { ":k": b(k) },
        });
        if let Some(prefix) = prefix {
            request["ExpressionAttributeValues"][":s"] = b(prefix);
        }
        if let Some(limit) = read.limit {
            request["Limit"] = limit.into();
        }
        if read.keys_only {
            request["ProjectionExpression"] = "s, x".into();
        }
        if let Some(after) = read.after {
            request["ExclusiveStartKey"] = after;
        }
        let mut answer = self.call("Query", &request).await?;
        let items = match answer["Items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        Ok((items, answer.get_mut("LastEvaluatedKey").map(Value::take).filter(|key| !key.is_null())))
    }

    /// All pages of [`Self::query`].
    pub(super) async fn query_all(
        &self,
        k: &[u8],
        prefix: Option<&[u8]>,
        keys_only: bool,
    ) -> Result<Vec<Item>, CallError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let (items, next) = self.query(k, prefix, Read { after, limit: None, keys_only }).await?;
            all.extend(items);
            after = next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    pub(super) async fn put(&self, item: Item) -> Result<(), CallError> {
        self.call("PutItem", &json!({ "TableName": self.table, "Item": item })).await.map(drop)
    }

    /// As [`Self::put`], unless the condition, with `:e` in it, does not hold.
    pub(super) async fn put_if(&self, item: Item, condition: &str, e: Value) -> Result<(), CallError> {
        let request = json!({
            "TableName": self.table,
            "Item": item,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": { ":e": e },
        });
        self.call("PutItem", &request).await.map(drop)
    }

    /// All of these, or none; a hundred at most.
    pub(super) async fn transact(&self, mut items: Vec<Value>) -> Result<(), CallError> {
        for item in items.iter_mut().filter_map(Value::as_object_mut).flat_map(|item| item.values_mut()) {
            item["TableName"] = self.table.clone().into();
        }
        let token = random().ok_or(CallError::Unreachable)?;
        let request = json!({ "TransactItems": items, "ClientRequestToken": hex::encode(token) });
        self.call("TransactWriteItems", &request).await.map(drop)
    }

    /// Bytes in the table as the service counted them last, and whether it can be used.
    pub(super) async fn describe(&self) -> Result<(u64, bool), CallError> {
        let answer = self.call("DescribeTable", &json!({ "TableName": self.table })).await?;
        let table = &answer["Table"];
        Ok((table["TableSizeBytes"].as_u64().unwrap_or(0), table["TableStatus"] == "ACTIVE"))
    }

    /// Makes the table, paid by request; one that is being made already is as good.
    pub(super) async fn create(&self) -> Result<(), CallError> {
        let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "B" });
        let request = json!({
            "TableName": self.table,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [attribute("k"), attribute("s")],
            "KeySchema": [
                { "AttributeName": "k", "KeyType": "HASH" },
                { "AttributeName": "s", "KeyType": "RANGE" },
            ],
        });
        match self.call("CreateTable", &request).await {
            Ok(_) => Ok(()),
            Err(CallError::Refused(kind)) if kind == "ResourceInUseException" => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Lets the service remove items after the time in their attribute `t`.
    pub(super) async fn expire(&self) -> Result<(), CallError> {
        let request = json!({
            "TableName": self.table,
            "TimeToLiveSpecification": { "Enabled": true, "AttributeName": "t" },
        });
        self.call("UpdateTimeToLive", &request).await.map(drop)
    }

    async fn call(&self, operation: &'static str, request: &Value) -> Result<Value, CallError> {
        let body = request.to_string().into_bytes();
        let mut failed = CallError::Unreachable;
        for attempt in 0..self.attempts {
            if attempt > 0 {
                pause(attempt).await;
            }
            let (error, again) = match self.wire.send(operation, body.clone()).await {
                Ok(answer) => match judge(answer) {
                    Ok(value) => return Ok(value),
                    Err(refused) => refused,
                },
                Err(NoAnswer::Unsent) => (CallError::Unreachable, true),
                Err(NoAnswer::Lost) => (CallError::Lost, true),
            };
            // what may have been carried out before is not undone by a later refusal
            if failed != CallError::Lost {
                failed = error;
            }
            if !again {
                break;
            }
        }
        Err(failed)
    }
}

/// What a query is to bring.
#[derive(Default)]
pub(super) struct Read {
    /// Where it goes on.
    pub(super) after: Option<Value>,
    /// How many items at most.
    pub(super) limit: Option<u32>,
    /// Sort keys and names of values in parts, nothing else.
    pub(super) keys_only: bool,
}

/// The answer, or what is wrong and whether it may be otherwise at the next attempt.
fn judge(answer: Answer) -> Result<Value, (CallError, bool)> {
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    match (answer.status, body) {
        (200, Some(value)) => Ok(value),
        // nobody says what a broken answer stands for
        (200 | 500.., _) => Err((CallError::Lost, true)),
        (_, body) => Err(refusal(&body.unwrap_or_default())),
    }
}

fn refusal(body: &Value) -> (CallError, bool) {
    let kind = body["__type"].as_str().unwrap_or_default();
    match kind.rsplit('#').next().unwrap_or_default() {
        "TransactionCanceledException" => cancelled(body),
        "ConditionalCheckFailedException" => (CallError::Condition, false),
        "ResourceNotFoundException" => (CallError::Missing, false),
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "LimitExceededException"
        | "TransactionInProgressException"
        | "TransactionConflictException" => (CallError::Busy, true),
        kind => (CallError::Refused(kind.to_owned()), false),
    }
}

fn cancelled(body: &Value) -> (CallError, bool) {
    let reasons = body["CancellationReasons"].as_array().map_or(&[][..], Vec::as_slice);
    let codes: Vec<&str> = reasons.iter().map(|reason| reason["Code"].as_str().unwrap_or_default()).collect();
    match codes.as_slice() {
        ["ConditionalCheckFailed", ..] => (CallError::Fenced, false),
        codes if codes.contains(&"ConditionalCheckFailed") => (CallError::Condition, false),
        codes => match codes.iter().find(|code| !["None", ""].contains(*code)) {
            Some(&("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")) | None => {
                (CallError::Busy, true)
            }
            Some(code) => (CallError::Refused((*code).to_owned()), false),
        },
    }
}

async fn pause(attempt: u32) {
    let longest = Calls::PAUSE.saturating_mul(1 << attempt.min(6)).min(Duration::from_secs(1));
    let part = random().map_or(u8::MAX, |bytes| bytes[0]);
    tokio::time::sleep(longest.mul_f64(0.5 + f64::from(part) / 512.0)).await;
}

/// Sixteen random bytes; `None` when the system has none.
pub(super) fn random() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    os_rng().ok()?.fill_bytes(&mut bytes);
    Some(bytes)
}

/// Bytes as the service writes them.
pub(super) fn b(bytes: &[u8]) -> Value {
    json!({ "B": BASE64_STANDARD.encode(bytes) })
}

/// A number as the service writes it.
pub(super) fn n(number: u64) -> Value {
    json!({ "N": number.to_string() })
}

/// The bytes of an attribute.
pub(super) fn bytes_in(item: &Item, name: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(item.get(name)?["B"].as_str()?).ok()
}

/// The number in an attribute.
pub(super) fn number_in(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?["N"].as_str()?.parse().ok()
}
