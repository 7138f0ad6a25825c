//! Who may write: a number that only grows, in a few items, one of which every write names as its condition.
//!
//! Whoever takes the table over raises the number in all of them. What the one before sends from then on is refused by
//! the service, whenever it arrives; no clock is trusted for that. Clocks serve for one thing, to guess politely whether
//! somebody is still there.

use std::time::Duration;

use serde_json::{Value, json};

use super::calls::{CallError, Calls, Item, b, bytes_in, n, number_in, random};

/// Items that hold the number. Two writes that name the same one stand in each other's way, so those of one commit
/// name different ones.
pub(super) const LANES: u8 = 8;

/// The partition of the fence.
const FENCE: &[u8] = b"F";
/// The item that says that somebody is there.
const BEAT: &[u8] = b"beat";

/// A commit that was decided and perhaps not finished: the name of its record and the number of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decided {
    pub(super) id: Vec<u8>,
    pub(super) parts: u64,
}

/// What the first lane says.
struct Fence {
    epoch: u64,
    owner: Vec<u8>,
    holder: Vec<u8>,
    left: bool,
    decided: Option<Decided>,
}

/// The table is ours until somebody else takes it.
pub(super) struct Taken {
    pub(super) epoch: u64,
    pub(super) decided: Option<Decided>,
}

/// Why the table could not be taken.
#[derive(Debug)]
pub(super) enum NotTaken {
    /// It belongs to another provider.
    Foreign,
    /// Somebody is there.
    Held,
    /// The service did not do it.
    Call(CallError),
}

impl From<CallError> for NotTaken {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// Takes the table for `owner`, unless whoever has it shows itself within `watch`.
pub(super) async fn take(calls: &Calls, owner: &[u8; 32], watch: Duration) -> Result<Taken, NotTaken> {
    let holder = random().ok_or(CallError::Unreachable)?;
    let before = look(calls).await?;
    let items = match &before {
        None => (0..LANES).map(|lane| first(lane, owner, &holder)).collect(),
        Some(fence) if fence.owner != owner => return Err(NotTaken::Foreign),
        Some(fence) => {
            if !fence.left && shows_itself(calls, watch).await? {
                return Err(NotTaken::Held);
            }
            (0..LANES).map(|lane| raise(lane, fence.epoch, &holder)).collect()
        }
    };
    let done = calls.transact(items).await;
    // also after an error: an answer that was lost is settled by looking
    match look(calls).await? {
        Some(fence) if fence.holder == holder => Ok(Taken { epoch: fence.epoch, decided: fence.decided }),
        _ => Err(match done {
            Ok(()) | Err(CallError::Fenced | CallError::Condition) => NotTaken::Held,
            Err(error) => error.into(),
        }),
    }
}

/// Whose table it is; `None` before anybody took it.
pub(super) async fn owner(calls: &Calls) -> Result<Option<Vec<u8>>, CallError> {
    Ok(look(calls).await?.map(|fence| fence.owner))
}

async fn look(calls: &Calls) -> Result<Option<Fence>, CallError> {
    let Some(item) = calls.get(FENCE, &[0]).await? else { return Ok(None) };
    let bytes = |name| bytes_in(&item, name).unwrap_or_default();
    let decided = bytes_in(&item, "p").map(|id| Decided { id, parts: number_in(&item, "c").unwrap_or(0) });
    let epoch = number_in(&item, "e").unwrap_or(0);
    Ok(Some(Fence { epoch, owner: bytes("o"), holder: bytes("h"), left: item.get("r").is_some(), decided }))
}

async fn shows_itself(calls: &Calls, watch: Duration) -> Result<bool, CallError> {
    if watch.is_zero() {
        return Ok(false);
    }
    let before = calls.get(FENCE, BEAT).await?;
    tokio::time::sleep(watch).await;
    Ok(calls.get(FENCE, BEAT).await? != before)
}

fn first(lane: u8, owner: &[u8], holder: &[u8]) -> Value {
    let item = json!({ "k": b(FENCE), "s": b(&[lane]), "e": n(1), "h": b(holder), "o": b(owner) });
    json!({ "Put": { "Item": item, "ConditionExpression": "attribute_not_exists(k)" } })
}

fn raise(lane: u8, epoch: u64, holder: &[u8]) -> Value {
    json!({ "Update": {
        "Key": key(lane),
        "UpdateExpression": "SET e = :n, h = :h REMOVE r",
        "ConditionExpression": "e = :e",
        "ExpressionAttributeValues": { ":e": n(epoch), ":n": n(epoch + 1), ":h": b(holder) },
    } })
}

/// The condition that the table is still ours.
pub(super) fn holds(lane: u8, epoch: u64) -> Value {
    json!({ "ConditionCheck": {
        "Key": key(lane),
        "ConditionExpression": "e = :e",
        "ExpressionAttributeValues": { ":e": n(epoch) },
    } })
}

/// Decides a commit whose record is complete.
pub(super) fn decide(epoch: u64, decided: &Decided) -> Value {
    json!({ "Update": {
        "Key": key(0),
        "UpdateExpression": "SET p = :p, c = :c",
        "ConditionExpression": "e = :e AND attribute_not_exists(p)",
        "ExpressionAttributeValues": { ":e": n(epoch), ":p": b(&decided.id), ":c": n(decided.parts) },
    } })
}

/// Says that a decided commit is applied.
pub(super) fn finished(epoch: u64) -> Value {
    json!({ "Update": {
        "Key": key(0),
        "UpdateExpression": "REMOVE p, c",
        "ConditionExpression": "e = :e",
        "ExpressionAttributeValues": { ":e": n(epoch) },
    } })
}

/// Says that nobody is there any more.
pub(super) fn leave(epoch: u64) -> Value {
    json!({ "Update": {
        "Key": key(0),
        "UpdateExpression": "SET r = :r",
        "ConditionExpression": "e = :e",
        "ExpressionAttributeValues": { ":e": n(epoch), ":r": n(1) },
    } })
}

/// Shows that somebody is there; [`CallError::Condition`] when another has taken over.
pub(super) async fn beat(calls: &Calls, epoch: u64, count: u64) -> Result<(), CallError> {
    let item: Item = json!({ "k": b(FENCE), "s": b(BEAT), "e": n(epoch), "n": n(count) });
    calls.put_if(item, "attribute_not_exists(e) OR e <= :e", n(epoch)).await
}

fn key(lane: u8) -> Value {
    json!({ "k": b(FENCE), "s": b(&[lane]) })
}
