use std::{env, sync::Arc, time::Duration};

use redis::{
    Pipeline, RedisError, Value,
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    cluster_routing::{Route, SingleNodeRoutingInfo, SlotAddr},
    pipe,
};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::{Instant, timeout},
};

use super::{Spend, Spending, SpendingSoon, SpentAddress, SpentError, SpentSet};

/// Groups of tokens, each in one slot of the cluster, so that one round trip serves a group's whole line.
const GROUPS: u8 = 16;

/// Tokens of one round trip at most.
const AT_ONCE: usize = 64;

/// Tokens of a group that may wait; further ones are refused at once.
const QUEUE: usize = 256;

/// How long a replica is waited for, in milliseconds.
const COPY_MS: u64 = 200;

/// How long a round trip may take, with everything that a failover brings.
const PATIENCE: Duration = Duration::from_secs(1);

/// Round trips in a row, of all groups, that may fail before the connection is made anew: two of each.
const FAILURES: u32 = 2 * GROUPS as u32;

/// Time between two attempts to connect.
const REST: Duration = Duration::from_secs(2);

/// How long a spending is kept, in seconds. A token is taken for 80 minutes; three hours leave more than any two clocks
/// that agents accept differ by.
const KEPT_S: u64 = 3 * 3_600;

/// The spent set in a Redis Cluster, which any number of fronts share.
///
/// A token is one key, set if nobody has: its master decides. It counts as spent only when a replica has it too, or a
/// failover would forget it. Nothing else is in the cluster: a digest as key, a digest as value.
pub struct RedisSpent {
    groups: Vec<mpsc::Sender<Asked>>,
}

/// A spending that waits for its group's next round trip.
struct Asked {
    spend: Spend,
    answer: oneshot::Sender<Result<Spending, SpentError>>,
}

impl RedisSpent {
    /// A client of the cluster. It connects when it is asked first, so that a front starts without it too. The name and
    /// password come from `REDIS_USERNAME` and `REDIS_PASSWORD`. Must run inside a tokio runtime.
    ///
    /// # Errors
    /// [`SpentError::Unreachable`] for an address that the client does not take.
    pub fn new(address: &SpentAddress) -> Result<Self, SpentError> {
        mosaic_transport::install_crypto();
        let named = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let mut builder = ClusterClient::builder(address.urls())
            .connection_timeout(PATIENCE)
            .response_timeout(PATIENCE)
            .retries(2)
            .min_retry_wait(20)
            .max_retry_wait(100);
        if let Some(name) = named("REDIS_USERNAME") {
            builder = builder.username(name);
        }
        if let Some(password) = named("REDIS_PASSWORD") {
            builder = builder.password(password);
        }
        let client = builder.build().map_err(|_| SpentError::Unreachable)?;
        let link = Arc::new(Link { client, state: Mutex::default() });
        let group = |number| {
            let (line, asked) = mpsc::channel(QUEUE);
            tokio::spawn(serve(Group { number, link: Arc::clone(&link), trouble: None }, asked));
            line
        };
        Ok(Self { groups: (0..GROUPS).map(group).collect() })
    }
}

impl SpentSet for RedisSpent {
    fn spend(&self, spend: Spend) -> SpendingSoon<'_> {
        Box::pin(async move {
            let group = &self.groups[usize::from(spend.id[0] % GROUPS)];
            let (answer, answered) = oneshot::channel();
            group.try_send(Asked { spend, answer }).map_err(|_| SpentError::Busy)?;
            answered.await.unwrap_or(Err(SpentError::Unreachable))
        })
    }
}

/// Serves a group's line until nobody can ask any more: whatever has gathered meanwhile goes together.
async fn serve(mut group: Group, mut line: mpsc::Receiver<Asked>) {
    let mut asked = Vec::with_capacity(AT_ONCE);
    while line.recv_many(&mut asked, AT_ONCE).await > 0 {
        let spends: Vec<Spend> = asked.iter().map(|asked| asked.spend).collect();
        let answers = group.link.ask(async |connection| group.spend_all(connection, &spends).await).await;
        let answers = answers.unwrap_or_else(|error| vec![Err(error); asked.len()]);
        group.note(answers.iter().find_map(|answer| answer.err()));
        for (asked, answer) in asked.drain(..).zip(answers) {
            let _unheard = asked.answer.send(answer);
        }
    }
}

/// The connection that all groups share. It follows a failover by itself; while no node answers at all it keeps a
/// processor busy with trying, so it is given up then and made anew after a rest.
struct Link {
    client: ClusterClient,
    state: Mutex<LinkState>,
}

#[derive(Default)]
struct LinkState {
    connection: Option<ClusterConnection>,
    failures: u32,
    tried: Option<Instant>,
}

impl Link {
    /// The connection, made if there is none and the last attempt is long enough ago.
    async fn connection(&self) -> Option<ClusterConnection> {
        let mut state = self.state.lock().await;
        if state.connection.is_none() && state.tried.is_none_or(|tried| tried.elapsed() >= REST) {
            state.tried = Some(Instant::now());
            let made = timeout(REST, self.client.get_async_connection()).await;
            state.connection = made.ok().and_then(Result::ok);
        }
        state.connection.clone()
    }

    /// Makes one round trip over the connection.
    async fn ask<T>(
        &self,
        trip: impl AsyncFnOnce(ClusterConnection) -> Result<T, SpentError>,
    ) -> Result<T, SpentError> {
        let connection = self.connection().await.ok_or(SpentError::Unreachable)?;
        let done = timeout(PATIENCE, trip(connection)).await.unwrap_or(Err(SpentError::Unreachable));
        self.note(done.is_ok()).await;
        done
    }

    /// Notes whether a round trip brought an answer.
    async fn note(&self, came: bool) {
        let mut state = self.state.lock().await;
        state.failures = if came { 0 } else { state.failures.saturating_add(1) };
        if state.failures >= FAILURES {
            (state.connection, state.failures) = (None, 0);
        }
    }
}

/// Tokens whose keys lie in one slot, so at one master.
struct Group {
    number: u8,
    link: Arc<Link>,
    /// Why it does not do it at present.
    trouble: Option<SpentError>,
}

impl Group {
    /// One round trip to the group's master, and the wait for its replica.
    async fn spend_all(
        &self,
        mut connection: ClusterConnection,
        spends: &[Spend],
    ) -> Result<Vec<Result<Spending, SpentError>>, SpentError> {
        let pipeline = self.pipeline(spends);
        let count = pipeline.len();
        let route = Route::with_key(self.tag(), SlotAddr::Master);
        let routed = connection.route_pipeline(pipeline, 0, count, SingleNodeRoutingInfo::SpecificNode(route));
        let said = routed.await.map_err(|error| unreachable(&error))?;
        let (copies, said) = said.split_last().ok_or(SpentError::Unreachable)?;
        let copied = matches!(copies, Value::Int(1..));
        let answers = said.chunks(2).zip(spends).map(|(said, spend)| judge(said, spend, copied));
        Ok(answers.collect())
    }

    /// Sets each key if nobody has, and says what was there. Each is then given its time again: a write of ours, whoever
    /// wrote the key, behind which the wait at the end stands.
    fn pipeline(&self, spends: &[Spend]) -> Pipeline {
        let mut pipeline = pipe();
        for spend in spends {
            let key = [self.tag().as_bytes(), &spend.id].concat();
            pipeline.cmd("SET").arg(&key).arg(&spend.bought).arg("NX").arg("GET").arg("EX").arg(KEPT_S);
            pipeline.cmd("EXPIRE").arg(&key).arg(KEPT_S);
        }
        pipeline.cmd("WAIT").arg(1).arg(COPY_MS);
        pipeline
    }

    /// Tells the operator when something begins and when it is over, not each time.
    fn note(&mut self, trouble: Option<SpentError>) {
        match (self.trouble, trouble) {
            (None, Some(error)) => tracing::error!(%error, group = self.number, "evaluations of a group are refused"),
            (Some(_), None) => tracing::info!(group = self.number, "evaluations of a group are answered again"),
            _ => {}
        }
        self.trouble = trouble;
    }

    /// The part of its keys that the slot follows from.
    fn tag(&self) -> String {
        format!("{{mosaic-spent-{}}}", self.number)
    }
}

/// What the two answers about one token say.
fn judge(said: &[Value], spend: &Spend, copied: bool) -> Result<Spending, SpentError> {
    let spending = match said {
        [Value::Nil, Value::Int(1)] => Spending::First,
        [Value::BulkString(before), Value::Int(1)] if *before == spend.bought => Spending::Again,
        [Value::BulkString(before), _] if *before != spend.bought => return Ok(Spending::Otherwise),
        _ => return Err(SpentError::Unreachable),
    };
    if copied { Ok(spending) } else { Err(SpentError::NotCopied) }
}

fn unreachable(error: &RedisError) -> SpentError {
    tracing::debug!(code = error.code(), kind = ?error.kind(), "the spent set did not do it");
    SpentError::Unreachable
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only a key that nobody else wrote, or that holds the same, and that a second node has, is a spending.
    #[test]
    fn nothing_is_spent_on_a_doubtful_answer() {
        let spend = Spend { id: [1; 32], bought: [2; 32], at: mosaic_types::Timestamp::from_millis(0) };
        let [same, other] = [[2; 32], [3; 32]].map(|bytes: [u8; 32]| Value::BulkString(bytes.to_vec()));
        let (here, gone) = (Value::Int(1), Value::Int(0));
        let judged = |one: &Value, two: &Value, copied| judge(&[one.clone(), two.clone()], &spend, copied);
        assert_eq!(judged(&Value::Nil, &here, true), Ok(Spending::First));
        assert_eq!(judged(&same, &here, true), Ok(Spending::Again));
        assert_eq!(judged(&other, &here, true), Ok(Spending::Otherwise));
        assert_eq!(judged(&Value::Nil, &here, false), Err(SpentError::NotCopied));
        assert_eq!(judged(&same, &here, false), Err(SpentError::NotCopied));
        for (one, two) in [(&Value::Nil, &gone), (&Value::Okay, &here), (&same, &gone), (&gone, &here)] {
            assert_eq!(judged(one, two, true), Err(SpentError::Unreachable), "{one:?} {two:?}");
        }
        assert_eq!(judge(&[], &spend, true), Err(SpentError::Unreachable));
    }
}
