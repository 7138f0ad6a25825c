//! What is in the table, beneath buckets and changes: entries, values in parts, records of large commits, and what is
//! to be swept. Every function is one step that a crash can come after.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream};
use serde_json::{Value, json};

use super::{
    super::Bucket,
    calls::{CallError, Calls, Item, Page, Read, b, bytes_in, n, number_in},
    fence::{self, Decided, LANES},
    place::{self, Partition},
};

/// Items of one transaction at most, the fence not counted: the service takes a hundred.
pub(super) const AT_ONCE: usize = 99;
/// Bytes of one transaction at most, as JSON, which is a third more than the service counts towards its 4 MB.
const TRANSACTION: usize = 3 << 20;
/// Bytes of one part of a record at most: the service takes 400 KB in an item, and a part of a value fits.
const RECORD_PART: usize = 380_000;
/// Bytes of a value that are stored in one item: the service takes 400 KB.
pub(super) const PART: usize = 256 << 10;
/// Requests under way at one time.
const ABREAST: usize = 16;

const RECORDS: &[u8] = b"R";
const DOOMED: &[u8] = b"D";

/// The name of a value in parts, or of a record: never used twice.
pub(super) type Id = Vec<u8>;

/// A table that is ours.
pub(super) struct Table {
    pub(super) calls: Calls,
    pub(super) epoch: u64,
    /// Names given in this epoch.
    pub(super) named: AtomicU64,
    /// Items that the service is to remove by itself if we never do.
    pub(super) expire: bool,
    /// Another process has taken over.
    pub(super) fenced: AtomicBool,
    /// Nobody knows whether the last commit took place.
    pub(super) unsure: AtomicBool,
}

/// What became of changes that were not applied as they should.
#[derive(Debug)]
pub(super) enum NotApplied {
    /// None of them was.
    None(CallError),
    /// Nobody knows, or they are decided and not finished.
    Unsure,
}

impl From<CallError> for NotApplied {
    fn from(error: CallError) -> Self {
        Self::None(error)
    }
}

/// What is removed already as far as anybody sees, and has to leave the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doomed {
    /// Every entry whose key starts so.
    Prefix(Bucket, Vec<u8>),
    /// The parts of a value that nothing refers to.
    Value(Id),
}

impl Doomed {
    fn sort_key(&self) -> Vec<u8> {
        match self {
            Self::Prefix(bucket, prefix) => [&[b'p', *bucket as u8][..], prefix].concat(),
            Self::Value(id) => [b"v", &id[..]].concat(),
        }
    }

    fn read(sort_key: &[u8]) -> Option<Self> {
        match sort_key.split_first()? {
            (b'p', rest) => {
                let (number, prefix) = rest.split_first()?;
                let bucket = Bucket::ALL.into_iter().find(|bucket| *bucket as u8 == *number)?;
                Some(Self::Prefix(bucket, prefix.to_vec()))
            }
            (b'v', id) => Some(Self::Value(id.to_vec())),
            _ => None,
        }
    }

    fn item(&self) -> Item {
        json!({ "k": b(DOOMED), "s": b(&self.sort_key()) })
    }

    /// The change that dooms it.
    pub(super) fn doom(&self) -> Value {
        json!({ "Put": { "Item": self.item() } })
    }

    /// The change that takes it off the list.
    pub(super) fn spare(&self) -> Value {
        json!({ "Delete": { "Key": self.item() } })
    }
}

/// An entry as it lies in the table.
pub(super) struct Found {
    pub(super) key: Vec<u8>,
    pub(super) item: Item,
}

impl Found {
    pub(super) fn of(item: Item) -> Option<Self> {
        let key = place::key_of(&bytes_in(&item, "s")?)?.to_vec();
        Some(Self { key, item })
    }
}

impl Table {
    /// One that is somebody else's, to look at: the fence's number begins at one, so no change of ours would be taken.
    pub(super) const fn to_look_at(calls: Calls) -> Self {
        let [fenced, unsure] = [const { AtomicBool::new(false) }; 2];
        Self { calls, epoch: 0, named: AtomicU64::new(0), expire: false, fenced, unsure }
    }

    pub(super) fn new_id(&self) -> Id {
        let count = self.named.fetch_add(1, Ordering::Relaxed);
        [self.epoch.to_be_bytes(), count.to_be_bytes()].concat()
    }

    /// Notes whether an error means that the table is somebody else's now.
    fn noted<T>(&self, done: Result<T, CallError>) -> Result<T, CallError> {
        if matches!(done, Err(CallError::Fenced)) {
            self.fenced.store(true, Ordering::Relaxed);
        }
        done
    }

    /// One transaction, refused if the table is somebody else's.
    async fn guarded(&self, lane: u8, mut changes: Vec<Value>) -> Result<(), CallError> {
        changes.insert(0, fence::holds(lane, self.epoch));
        self.noted(self.calls.transact(changes).await)
    }

    /// Applies changes to different items, in whatever order, as far as it gets.
    pub(super) async fn apply(&self, changes: Vec<Value>) -> Result<(), CallError> {
        let mut lanes = vec![Vec::new(); usize::from(LANES)];
        for (number, chunk) in chunks(changes, TRANSACTION).into_iter().enumerate() {
            lanes[number % usize::from(LANES)].push(chunk);
        }
        let run = |(lane, chunks): (u8, Vec<Vec<Value>>)| async move {
            for chunk in chunks {
                self.guarded(lane, chunk).await?;
            }
            Ok(())
        };
        try_join_all((0..LANES).zip(lanes).map(run)).await.map(drop)
    }

    /// Applies changes to different items, all or none of them: in one transaction, or by way of a record.
    pub(super) async fn apply_whole(&self, changes: Vec<Value>) -> Result<(), NotApplied> {
        let mut whole = chunks(changes, TRANSACTION);
        match whole.len() {
            0 => Ok(()),
            1 => self.guarded(0, whole.remove(0)).await.map_err(unless_lost),
            _ => self.apply_recorded(chunks(whole.concat(), RECORD_PART)).await,
        }
    }

    /// Writes a record, decides it in one write, applies it and removes it.
    async fn apply_recorded(&self, chunks: Vec<Vec<Value>>) -> Result<(), NotApplied> {
        let decided = Decided { id: self.new_id(), parts: chunks.len() as u64 };
        let parts: Vec<Item> =
            (0..).zip(&chunks).map(|(number, chunk)| record_part(&decided.id, number, chunk)).collect();
        self.put_all(parts).await?;
        self.noted(self.calls.transact(vec![fence::decide(self.epoch, &decided)]).await).map_err(unless_lost)?;
        self.finish(&decided, chunks.into_iter().flatten().collect()).await.map_err(|_| NotApplied::Unsure)
    }

    /// Applies what was decided; doing so again changes nothing.
    async fn finish(&self, decided: &Decided, changes: Vec<Value>) -> Result<(), CallError> {
        self.apply(changes).await?;
        self.noted(self.calls.transact(vec![fence::finished(self.epoch)]).await)?;
        // what is left of a record that is not decided is removed at the next start at the latest
        let _later = self
            .apply((0..decided.parts).map(|number| delete(RECORDS, &part_name(&decided.id, number))).collect())
            .await;
        Ok(())
    }

    /// Finishes what whoever had the table before had decided, and removes the records of what it had not. `None` when
    /// a part of a record is missing, which never happens.
    pub(super) async fn recover(&self, decided: Option<Decided>) -> Result<Option<()>, CallError> {
        if let Some(decided) = decided {
            let mut changes = Vec::new();
            for number in 0..decided.parts {
                let part = self.calls.get(RECORDS, &part_name(&decided.id, number)).await?;
                let bytes = part.and_then(|item| bytes_in(&item, "v"));
                let Some(Value::Array(part)) = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()) else {
                    return Ok(None);
                };
                changes.extend(part);
            }
            self.finish(&decided, changes).await?;
        }
        let left = self.calls.query_all(RECORDS, None, true).await?;
        self.apply(left.iter().filter_map(|item| Some(delete(RECORDS, &bytes_in(item, "s")?))).collect()).await?;
        Ok(Some(()))
    }

    /// Entries under a prefix, in ascending order.
    pub(super) async fn under(&self, bucket: Bucket, prefix: &[u8], keys_only: bool) -> Result<Vec<Found>, CallError> {
        let start = &place::sort_key(prefix)[..];
        let partitions = place::partitions(bucket, prefix).into_iter();
        let read = partitions.map(async |partition| self.calls.query_all(&partition, Some(start), keys_only).await);
        let pages: Vec<Vec<Item>> = stream::iter(read).buffered(ABREAST).try_collect().await?;
        let mut found: Vec<Found> = pages.into_iter().flatten().filter_map(Found::of).collect();
        found.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        Ok(found)
    }

    /// A page of a partition.
    pub(super) async fn page(
        &self,
        partition: Partition,
        after: Option<Value>,
    ) -> Result<(Vec<Found>, Option<Value>), CallError> {
        let (items, next): Page = self.calls.query(&partition, None, Read { after, ..Read::default() }).await?;
        Ok((items.into_iter().filter_map(Found::of).collect(), next))
    }

    /// An entry.
    pub(super) async fn entry(&self, bucket: Bucket, key: &[u8]) -> Result<Option<Item>, CallError> {
        self.calls.get(&place::partition(bucket, key), &place::sort_key(key)).await
    }

    /// The value of an entry; `None` when its parts are not all there.
    pub(super) async fn value(&self, item: &Item) -> Result<Option<Vec<u8>>, CallError> {
        let Some(id) = bytes_in(item, "x") else { return Ok(bytes_in(item, "v")) };
        let parts = self.calls.query_all(&value_partition(&id), None, false).await?;
        let whole = number_in(item, "n") == Some(parts.len() as u64);
        let bytes: Option<Vec<Vec<u8>>> = parts.iter().map(|part| bytes_in(part, "v")).collect();
        Ok(bytes.filter(|_| whole).map(|parts| parts.concat()))
    }

    /// The values of entries, in their order.
    pub(super) async fn values(&self, found: Vec<Found>) -> Result<Vec<(Vec<u8>, Option<Vec<u8>>)>, CallError> {
        let read = found.into_iter().map(|found| async move { Ok((found.key, self.value(&found.item).await?)) });
        stream::iter(read).buffered(ABREAST).try_collect().await
    }

    /// The change that stores an entry, and what has to be on the list until it is applied: the parts of a large value
    /// are stored first, and nothing refers to them yet.
    pub(super) async fn storing(
        &self,
        bucket: Bucket,
        key: &[u8],
        value: &[u8],
    ) -> Result<(Value, Option<Doomed>), CallError> {
        let mut item = json!({ "k": b(&place::partition(bucket, key)), "s": b(&place::sort_key(key)) });
        let expires = place::expires(bucket, key).filter(|_| self.expire);
        if let Some(at) = expires {
            item["t"] = n(at);
        }
        if value.len() <= PART {
            item["v"] = b(value);
            return Ok((json!({ "Put": { "Item": item } }), None));
        }
        let id = self.new_id();
        let unreferred = Doomed::Value(id.clone());
        self.calls.put(unreferred.item()).await?;
        let parts = value.chunks(PART).zip(0_u32..).map(|(bytes, number)| {
            let mut part = json!({ "k": b(&value_partition(&id)), "s": b(&number.to_be_bytes()), "v": b(bytes) });
            if let Some(at) = expires {
                part["t"] = n(at);
            }
            part
        });
        self.put_all(parts.collect()).await?;
        item["x"] = b(&id);
        item["n"] = n(value.len().div_ceil(PART) as u64);
        Ok((json!({ "Put": { "Item": item } }), Some(unreferred)))
    }

    /// Puts items that nothing refers to yet.
    async fn put_all(&self, items: Vec<Item>) -> Result<(), CallError> {
        stream::iter(items.into_iter().map(|item| self.calls.put(item))).buffer_unordered(ABREAST).try_collect().await
    }

    /// What is on the list.
    pub(super) async fn doomed(&self) -> Result<Vec<Doomed>, CallError> {
        let items = self.calls.query_all(DOOMED, None, true).await?;
        Ok(items.iter().filter_map(|item| Doomed::read(&bytes_in(item, "s")?)).collect())
    }

    /// Removes a part of what lies under a prefix, `ABREAST` partitions from the `at`-th on; where the next step goes
    /// on, or `None` when nothing is left.
    pub(super) async fn sweep(&self, bucket: Bucket, prefix: &[u8], at: usize) -> Result<Option<usize>, CallError> {
        let all = place::partitions(bucket, prefix);
        let step = all.get(at..).unwrap_or_default();
        let step = &step[..step.len().min(ABREAST)];
        let start = &place::sort_key(prefix)[..];
        let read = step.iter().copied().map(async |partition| {
            let few = Read { after: None, limit: Some(AT_ONCE as u32), keys_only: true };
            self.calls.query(&partition, Some(start), few).await
        });
        let pages = try_join_all(read).await?;
        let mut gone = Vec::new();
        for (partition, (items, _)) in step.iter().zip(&pages) {
            for item in items {
                if let Some(id) = bytes_in(item, "x") {
                    self.sweep_value(&id).await?;
                }
                gone.extend(bytes_in(item, "s").map(|s| delete(partition, &s)));
            }
        }
        self.apply(gone).await?;
        let more = pages.iter().any(|(_, next)| next.is_some());
        let next = if more { at } else { at + step.len() };
        Ok(Some(next).filter(|next| *next < all.len()))
    }

    /// Removes the parts of a value.
    pub(super) async fn sweep_value(&self, id: &[u8]) -> Result<(), CallError> {
        let partition = value_partition(id);
        let parts = self.calls.query_all(&partition, None, true).await?;
        self.apply(parts.iter().filter_map(|part| Some(delete(&partition, &bytes_in(part, "s")?))).collect()).await
    }
}

/// The change that removes an entry.
pub(super) fn removing(bucket: Bucket, key: &[u8]) -> Value {
    delete(&place::partition(bucket, key), &place::sort_key(key))
}

/// The name of an entry's value in parts.
pub(super) fn parts_of(item: &Item) -> Option<Id> {
    bytes_in(item, "x")
}

fn delete(k: &[u8], s: &[u8]) -> Value {
    json!({ "Delete": { "Key": { "k": b(k), "s": b(s) } } })
}

fn value_partition(id: &[u8]) -> Vec<u8> {
    [b"V", id].concat()
}

fn part_name(id: &[u8], number: u64) -> Vec<u8> {
    [id, &number.to_be_bytes()].concat()
}

fn record_part(id: &[u8], number: u64, changes: &[Value]) -> Item {
    let bytes = Value::from(changes).to_string();
    json!({ "k": b(RECORDS), "s": b(&part_name(id, number)), "v": b(bytes.as_bytes()) })
}

fn unless_lost(error: CallError) -> NotApplied {
    if error == CallError::Lost { NotApplied::Unsure } else { NotApplied::None(error) }
}

/// Changes in groups of few enough for one transaction, of `most` bytes as JSON unless a single change has more.
fn chunks(changes: Vec<Value>, most: usize) -> Vec<Vec<Value>> {
    let (mut chunks, mut size) = (Vec::<Vec<Value>>::new(), 0);
    for change in changes {
        let bytes = change.to_string().len();
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < AT_ONCE && size + bytes <= most => {
                chunk.push(change);
                size += bytes;
            }
            _ => {
                chunks.push(vec![change]);
                size = bytes;
            }
        }
    }
    chunks
}
