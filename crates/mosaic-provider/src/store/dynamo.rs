//! The store as a table behind the DynamoDB API, at AWS or at any server that speaks it.
//!
//! One process at a time writes; every write names the fence as its condition. A commit that fits is one transaction.
//! A larger one is written down first, decided by one write, applied and finished, by the next process if need be.
//! `docs/adr/0018-a-store-behind-the-dynamodb-api.md` says why, and what it costs.

mod calls;
mod fence;
mod net;
mod place;
mod table;
mod view;
mod wire;

use std::{
    collections::VecDeque,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use mosaic_types::Period;
use tokio::runtime::{Builder, Runtime};
use zeroize::Zeroizing;

use super::{Bucket, Change, Each, Entry, Store, StoreError, TableAddress, keyfiles::KeyFiles};

use calls::{CallError, Calls};
use fence::NotTaken;
use net::Net;
use table::{Doomed, Found, NotApplied, Table, parts_of, removing};
use wire::{SignedHttp, Wire};

pub use view::TableView;
pub use wire::TableCredentials;

/// A store in a table, with the periods' sealing keys as single files in `share-keys/` of the provider's folder: they
/// never leave the machine, so what they seal cannot be opened from the table or any copy of it.
///
/// What is erased is in the table no more once nothing is left to tidy; what the service's own disks keep of it, nobody
/// here can say.
///
/// A process whose table was taken over, or that does not know whether its last commit took place, answers every call
/// with an error from then on: it has to start again.
pub struct TableStore {
    runtime: Option<Runtime>,
    table: Arc<Table>,
    keys: KeyFiles,
    address: TableAddress,
    /// What is to be swept; of the first, the partitions before `swept` are.
    doomed: VecDeque<Doomed>,
    swept: usize,
    bytes: u64,
}

/// What may be chosen about a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableOptions {
    /// How long somebody who has the table is given to show itself, before it is taken. Zero takes it at once.
    pub watch: Duration,
    /// How often we show ourselves; must be well below what others watch. `None`: never.
    pub beat: Option<Duration>,
    /// Whether the service removes by itself what should be long gone. Only with a clock that shows the world's time.
    pub expire: bool,
    /// Attempts at each request, 1 at least, each of 5 seconds at most.
    pub attempts: u32,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self { watch: Duration::from_secs(10), beat: Some(Duration::from_secs(3)), expire: true, attempts: 6 }
    }
}

impl TableStore {
    /// Opens the table for `owner`, whose key this is, making it if there is none, and `share-keys/` in `folder`.
    /// Finishes what another process had decided.
    ///
    /// # Errors
    /// [`StoreError::Held`] while another process serves from it, [`StoreError::Foreign`] when it is another provider's,
    /// [`StoreError::Table`] without the service, [`StoreError`] otherwise.
    pub fn open(
        folder: &Path,
        address: &TableAddress,
        owner: &[u8; 32],
        credentials: TableCredentials,
        options: TableOptions,
    ) -> Result<Self, StoreError> {
        let wire = SignedHttp::new(address, credentials)?;
        Self::open_over(Box::new(wire), KeyFiles::open(folder)?, address, owner, options)
    }

    /// As [`Self::open`], over whatever carries the requests.
    fn open_over(
        wire: Box<dyn Wire>,
        keys: KeyFiles,
        address: &TableAddress,
        owner: &[u8; 32],
        options: TableOptions,
    ) -> Result<Self, StoreError> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("store").enable_all().build()?;
        let calls = Calls::new(wire, address.table.clone(), options.attempts);
        let failed = |error| failed(address, error);
        let opened = wait(&runtime, async {
            let bytes = ready(&calls, options.expire).await?;
            let taken = fence::take(&calls, owner, options.watch).await?;
            let table = Table {
                calls,
                epoch: taken.epoch,
                named: AtomicU64::new(0),
                expire: options.expire,
                fenced: AtomicBool::new(false),
                unsure: AtomicBool::new(false),
            };
            let recovered = table.recover(taken.decided).await?;
            let doomed = table.doomed().await?;
            Ok((table, recovered, doomed, bytes))
        });
        let (table, recovered, doomed, bytes) = opened.map_err(|error| match error {
            NotTaken::Foreign => StoreError::Foreign { table: address.to_string() },
            NotTaken::Held => StoreError::Held { table: address.to_string() },
            NotTaken::Call(error) => failed(error),
        })?;
        recovered.ok_or_else(|| damaged(address, "a part of a decided commit is missing"))?;
        let table = Arc::new(table);
        if let Some(every) = options.beat {
            runtime.spawn(show(Arc::clone(&table), every));
        }
        Ok(Self {
            runtime: Some(runtime),
            table,
            keys,
            address: address.clone(),
            doomed: doomed.into(),
            swept: 0,
            bytes,
        })
    }

    /// Runs `work` to its end; an error that ends this process's turn is kept.
    fn run<T: Send>(&self, work: impl Future<Output = Result<T, CallError>> + Send) -> Result<T, StoreError> {
        self.usable()?;
        let runtime = self.runtime.as_ref().ok_or(StoreError::Unsure)?;
        wait(runtime, work).map_err(|error| failed(&self.address, error))
    }

    fn usable(&self) -> Result<(), StoreError> {
        if self.table.fenced.load(Ordering::Relaxed) {
            return Err(StoreError::Fenced { table: self.address.to_string() });
        }
        if self.table.unsure.load(Ordering::Relaxed) { Err(StoreError::Unsure) } else { Ok(()) }
    }

    /// Whether an entry is removed already, whatever still lies in the table.
    fn is_doomed(&self, bucket: Bucket, key: &[u8]) -> bool {
        self.doomed.iter().any(|doomed| match doomed {
            Doomed::Prefix(of, prefix) => *of == bucket && key.starts_with(prefix),
            Doomed::Value(_) => false,
        })
    }

    /// Entries under a prefix that are not removed, in order.
    fn standing(&self, bucket: Bucket, prefix: &[u8], keys_only: bool) -> Result<Vec<Found>, StoreError> {
        let mut found = self.run(self.table.under(bucket, prefix, keys_only))?;
        found.retain(|found| !self.is_doomed(bucket, &found.key));
        Ok(found)
    }

    fn whole(&self, found: Vec<Found>) -> Result<Vec<Entry>, StoreError> {
        let missing = || damaged(&self.address, "a part of a value is missing");
        let values = self.run(self.table.values(found))?;
        values.into_iter().map(|(key, value)| Ok((key, value.ok_or_else(missing)?))).collect()
    }

    /// Makes way for what is put beneath something that is still to be swept.
    fn clear_way(&mut self, net: &Net) -> Result<(), StoreError> {
        let in_the_way = |doomed: &Doomed| match doomed {
            Doomed::Prefix(bucket, prefix) => net.puts_under(*bucket, prefix),
            Doomed::Value(_) => false,
        };
        while let Some(at) = self.doomed.iter().position(in_the_way) {
            self.doomed.swap(0, at);
            self.swept = 0;
            let left = self.doomed.len();
            while self.doomed.len() == left {
                self.sweep_step()?;
            }
        }
        Ok(())
    }

    /// A bounded part of the first on the list.
    fn sweep_step(&mut self) -> Result<(), StoreError> {
        let Some(first) = self.doomed.front() else { return Ok(()) };
        let table = &self.table;
        let next = self.run(async {
            let next = match first {
                Doomed::Prefix(bucket, prefix) => table.sweep(*bucket, prefix, self.swept).await?,
                Doomed::Value(id) => table.sweep_value(id).await.map(|()| None)?,
            };
            if next.is_none() {
                table.apply(vec![first.spare()]).await?;
            }
            Ok(next)
        })?;
        self.swept = next.unwrap_or(0);
        if next.is_none() {
            self.doomed.pop_front();
        }
        Ok(())
    }

    /// Turns prefixes that something is put beneath into single keys, and everything into changes of the table.
    /// `unreferred` gets what has to be swept if the changes are not applied, `doomed` what has to be if they are.
    async fn prepare(
        &self,
        mut net: Net,
        unreferred: &mut Vec<Doomed>,
        doomed: &mut Vec<Doomed>,
    ) -> Result<Vec<serde_json::Value>, CallError> {
        let mut changes = Vec::new();
        for (bucket, prefix) in std::mem::take(&mut net.prefixes) {
            if net.puts_under(bucket, &prefix) {
                for found in self.table.under(bucket, &prefix, true).await? {
                    net.writes.entry((bucket, found.key)).or_insert(None);
                }
            } else {
                doomed.push(Doomed::Prefix(bucket, prefix));
            }
        }
        for ((bucket, key), value) in &net.writes {
            if place::may_be_large(*bucket) {
                let former = self.table.entry(*bucket, key).await?;
                doomed.extend(former.as_ref().and_then(parts_of).map(Doomed::Value));
            }
            let Some(value) = value else {
                changes.push(removing(*bucket, key));
                continue;
            };
            let (change, parts) = self.table.storing(*bucket, key, value).await?;
            changes.push(change);
            changes.extend(parts.iter().map(Doomed::spare));
            unreferred.extend(parts);
        }
        changes.extend(doomed.iter().map(Doomed::doom));
        Ok(changes)
    }
}

impl Store for TableStore {
    fn get(&self, bucket: Bucket, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.usable()?;
        if self.is_doomed(bucket, key) || key.len() > place::MOST_KEY {
            return Ok(None);
        }
        let item = self.run(self.table.entry(bucket, key))?;
        let found = item.map(|item| Found { key: key.to_vec(), item });
        Ok(self.whole(found.into_iter().collect())?.pop().map(|(_, value)| value))
    }

    fn scan(&self, bucket: Bucket, prefix: &[u8]) -> Result<Vec<Entry>, StoreError> {
        self.whole(self.standing(bucket, prefix, false)?)
    }

    fn has(&self, bucket: Bucket, prefix: &[u8]) -> Result<bool, StoreError> {
        Ok(!self.standing(bucket, prefix, true)?.is_empty())
    }

    fn every(&self, each: &mut Each<'_>) -> Result<(), StoreError> {
        for bucket in Bucket::ALL {
            for partition in place::partitions(bucket, b"") {
                let mut after = None;
                loop {
                    let (mut found, next) = self.run(self.table.page(partition, after))?;
                    found.retain(|found| !self.is_doomed(bucket, &found.key));
                    for (key, value) in self.whole(found)? {
                        each(bucket, &key, &value)?;
                    }
                    after = next;
                    if after.is_none() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.usable()?;
        let net = Net::of(changes);
        if !net.writes.iter().all(fits) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a key or a value is too large").into());
        }
        self.clear_way(&net)?;
        let (mut unreferred, mut doomed) = (Vec::new(), Vec::new());
        let prepared = self.run(self.prepare(net, &mut unreferred, &mut doomed));
        let done = match prepared {
            Ok(changes) => self.run_whole(changes),
            Err(error) => Err(error),
        };
        if matches!(done, Err(StoreError::Unsure)) {
            self.table.unsure.store(true, Ordering::Relaxed);
        }
        self.doomed.extend(if done.is_ok() { doomed } else { unreferred });
        done
    }

    fn tidy(&mut self) -> Result<bool, StoreError> {
        self.usable()?;
        self.sweep_step()?;
        Ok(!self.doomed.is_empty())
    }

    fn keep_key(&mut self, period: Period, key: &[u8; 32]) -> Result<(), StoreError> {
        self.keys.keep(period, key)
    }

    fn key(&self, period: Period) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        self.keys.get(period)
    }

    fn destroy_key(&mut self, period: Period) -> Result<(), StoreError> {
        self.keys.destroy(period)
    }

    /// As the service counted when the table was opened; it counts every few hours.
    fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl TableStore {
    fn run_whole(&self, changes: Vec<serde_json::Value>) -> Result<(), StoreError> {
        let runtime = self.runtime.as_ref().ok_or(StoreError::Unsure)?;
        wait(runtime, self.table.apply_whole(changes)).map_err(|error| match error {
            NotApplied::None(error) => failed(&self.address, error),
            NotApplied::Unsure => StoreError::Unsure,
        })
    }
}

impl Drop for TableStore {
    /// Says that nobody is here any more, so that the next start need not watch.
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        if self.usable().is_ok() {
            let _watched_instead = wait(&runtime, self.table.calls.transact(vec![fence::leave(self.table.epoch)]));
        }
        runtime.shutdown_background();
    }
}

/// Waits until the table can be used, making it if there is none; its bytes.
async fn ready(calls: &Calls, expire: bool) -> Result<u64, CallError> {
    const LONGEST: u32 = 60;
    let mut made = false;
    for _ in 0..LONGEST {
        match calls.describe().await {
            Ok((bytes, true)) => {
                if made && expire {
                    calls.expire().await?;
                }
                return Ok(bytes);
            }
            Ok((_, false)) => tokio::time::sleep(Duration::from_secs(1)).await,
            Err(CallError::Missing) => {
                calls.create().await?;
                made = true;
            }
            Err(error) => return Err(error),
        }
    }
    Err(CallError::Busy)
}

/// Shows that somebody is here, until another has taken over or is to.
async fn show(table: Arc<Table>, every: Duration) {
    for count in 0.. {
        if table.unsure.load(Ordering::Relaxed) {
            return;
        }
        if matches!(fence::beat(&table.calls, table.epoch, count).await, Err(CallError::Condition)) {
            table.fenced.store(true, Ordering::Relaxed);
            return;
        }
        tokio::time::sleep(every).await;
    }
}

/// Runs `work` to its end on the store's own runtime, also for a caller that is inside of one.
fn wait<T: Send>(runtime: &Runtime, work: impl Future<Output = T> + Send) -> T {
    thread::scope(|scope| match scope.spawn(|| runtime.block_on(work)).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

fn fits(((bucket, key), value): (&(Bucket, Vec<u8>), &Option<Vec<u8>>)) -> bool {
    let small = value.as_ref().is_none_or(|value| value.len() <= table::PART);
    key.len() <= place::MOST_KEY && (small || place::may_be_large(*bucket))
}

fn damaged(address: &TableAddress, what: &'static str) -> StoreError {
    StoreError::Damaged { path: address.to_string().into(), offset: None, what, source: None }
}

fn failed(address: &TableAddress, error: CallError) -> StoreError {
    let table = address.to_string();
    match error {
        CallError::Fenced => StoreError::Fenced { table },
        CallError::Busy => StoreError::Busy,
        error => StoreError::Table { table, what: "the service did not do it", source: Some(Box::new(error)) },
    }
}

#[cfg(test)]
#[path = "../../tests/it/server.rs"]
mod server;
#[cfg(test)]
mod tests;
