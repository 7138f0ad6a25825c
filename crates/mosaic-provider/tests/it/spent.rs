//! The spent set: one suite for the one in memory and the one in a real Redis Cluster, and a master that is killed.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use mosaic_crypto::digest;
use mosaic_provider::spent::{RedisSpent, Spend, Spending, SpentError, SpentSet, SpentTokens, check_spent_conformance};
use mosaic_types::Timestamp;
use tokio::task::JoinSet;

use crate::redis::RedisCluster;

const NOW: Timestamp = Timestamp::from_secs(1_780_675_200);

#[tokio::test]
async fn the_spent_set_in_memory_conforms() {
    assert_eq!(check_spent_conformance(&Mutex::new(SpentTokens::default()), b"memory", NOW).await, Ok(()));
}

/// A part of the cluster's keys that lie in one slot, and a token of it.
const TAG: &str = "{mosaic-spent-5}";

fn token(number: usize) -> [u8; 32] {
    digest(&[b"token", &number.to_be_bytes()])
}

/// 6,000 tokens, each wanted by two fronts for different things at the same time, and asked for until it is settled. The
/// master of a third of them is killed meanwhile: of every token one front got what it wanted and the other did not, and
/// nothing was handed out while a second node had no copy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_is_spent_twice_while_a_master_is_killed() {
    const TOKENS: usize = 6_000;
    let Some(mut cluster) = RedisCluster::start() else { return };
    let set = || Arc::new(RedisSpent::new(&cluster.address().parse().unwrap()).unwrap());
    let fronts = [set(), set()];
    for front in &fronts {
        let seed = Arc::as_ptr(front).addr().to_be_bytes();
        assert_eq!(check_spent_conformance(&**front, &seed, NOW).await, Ok(()));
    }

    let (next, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut clients: JoinSet<Vec<[Spending; 2]>> = JoinSet::new();
    for _ in 0..64 {
        let (fronts, next, refused) = (fronts.clone(), next.clone(), refused.clone());
        clients.spawn(async move {
            let mut settled = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= TOKENS {
                    return settled;
                }
                let [one, other] = [0, 1].map(|front| insist(&fronts[front], number, front, &refused));
                let (one, other) = tokio::join!(one, other);
                settled.push([one, other]);
            }
        });
    }
    let master = cluster.master_of(TAG);
    while next.load(Ordering::Relaxed) < TOKENS / 3 {
        tokio::task::yield_now().await;
    }
    cluster.kill(master);
    let mut cluster = tokio::task::spawn_blocking(move || {
        cluster.wait_for_failover(TAG, master);
        cluster
    })
    .await
    .unwrap();

    // the promoted replica has no replica of its own: it must not be believed
    let fresh = (TOKENS..).map(token).find(|id| id[0] % 16 == 5).unwrap();
    let lonely = fronts[0].spend(Spend { id: fresh, bought: [1; 32], at: NOW }).await;
    assert!(matches!(lonely, Err(SpentError::NotCopied | SpentError::Unreachable)), "{lonely:?}");
    cluster.restart(master);
    let settled = clients.join_all().await.concat();
    assert_eq!(settled.len(), TOKENS);
    for [one, other] in settled {
        let got = |spending| matches!(spending, Spending::First | Spending::Again);
        assert!(got(one) != got(other), "{one:?} {other:?}");
    }
    assert!(refused.load(Ordering::Relaxed) > 0, "the kill came too late to be noticed");
    tokio::task::spawn_blocking(move || cluster.wait_until_whole()).await.unwrap();
}

/// All six nodes die at once: nothing is answered. When they are back, they are asked again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_was_away_is_asked_again() {
    const TOKENS: usize = 50;
    let Some(mut cluster) = RedisCluster::start() else { return };
    let set = RedisSpent::new(&cluster.address().parse().unwrap()).unwrap();
    let spend = |number| set.spend(Spend { id: token(number), bought: [1; 32], at: NOW });
    let refused = AtomicUsize::new(0);
    for number in 0..TOKENS {
        // a copy that comes late on a busy machine is asked for again
        assert_ne!(insist(&set, number, 0, &refused).await, Spending::Otherwise);
    }
    let nodes = 0..cluster.nodes.len();
    nodes.clone().for_each(|node| cluster.kill(node));
    for number in 0..TOKENS {
        assert!(spend(number).await.is_err());
    }
    nodes.for_each(|node| cluster.restart(node));
    cluster.wait_until_whole();
    for number in TOKENS..2 * TOKENS {
        assert_ne!(insist(&set, number, 0, &refused).await, Spending::Otherwise);
    }
}

/// Asks for one thing until the answer is one.
async fn insist(set: &RedisSpent, number: usize, front: usize, refused: &AtomicUsize) -> Spending {
    let spend = Spend { id: token(number), bought: digest(&[b"bought", &front.to_be_bytes()]), at: NOW };
    loop {
        match set.spend(spend).await {
            Ok(spending) => return spending,
            Err(_) => drop(refused.fetch_add(1, Ordering::Relaxed)),
        }
    }
}
