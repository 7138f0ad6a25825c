use std::{sync::Arc, time::Duration};

use mosaic_crypto::oprf;
use mosaic_provider::{ProviderCore, store::MemoryStore};
use mosaic_types::{Lane, Period, ProviderId, Stream};
use mosaic_wire::{Call, CellReply, CellRequest, ProblemCode, Reply, TokenPurpose};

use crate::cluster::{Cluster, federation, id, policy, query_bytes};

type Points = Vec<[u8; 32]>;

fn evaluate(cluster: &mut Cluster<MemoryStore>, number: u8, period: Period, blinded: &[[u8; 32]]) -> Points {
    let table = cluster.table(number, period);
    let token = cluster.token(number, TokenPurpose::Evaluate);
    let query = query_bytes(&table, blinded);
    let reply = cluster.call(number, Call::Cell(CellRequest::Evaluate { token, query })).unwrap();
    let Reply::Cell(CellReply::Evaluation { points, proof }) = reply else { panic!("{reply:?}") };
    let evaluation = oprf::Evaluation { points: points.to_vec(), proof };
    oprf::verify_evaluation(table.share(id(number)).unwrap(), blinded, &evaluation).unwrap();
    evaluation.points
}

/// The output of one input out of the evaluations of two providers.
fn output(cluster: &mut Cluster<MemoryStore>, pair: [u8; 2], period: Period) -> [u8; 64] {
    let (blinds, blinded): (Vec<_>, Points) =
        (0..16).map(|_| oprf::blind(b"the same input", &mut cluster.rng).unwrap()).unzip();
    let parts: Vec<(ProviderId, Points)> =
        pair.map(|number| (id(number), evaluate(cluster, number, period, &blinded))).to_vec();
    let parts: Vec<(ProviderId, &[[u8; 32]])> = parts.iter().map(|(id, points)| (*id, points.as_slice())).collect();
    let combined = oprf::combine(&parts).unwrap();
    *blinds[0].finalize(&combined[0]).unwrap().as_bytes()
}

#[test]
fn any_two_providers_evaluate_to_the_same_output() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    let period = cluster.now.period();
    let outputs = [[1, 2], [2, 3], [1, 3]].map(|pair| output(&mut cluster, pair, period));
    assert_eq!(outputs[0], outputs[1]);
    assert_eq!(outputs[1], outputs[2]);
    assert_ne!(outputs[0], output(&mut cluster, [1, 2], period.next()), "another table, another key");
}

#[test]
fn three_of_five_works_too() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 5]);
    let table = cluster.table(4, cluster.now.period());
    assert_eq!((table.threshold, table.shares.len()), (3, 5));
}

#[test]
fn one_provider_down_across_a_table_change() {
    for absent in [1, 2, 3] {
        let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
        let live: Vec<u8> = [1, 2, 3].into_iter().filter(|number| *number != absent).collect();
        cluster.down = vec![id(absent)];
        // over two boundaries: the second table is made while one is away
        cluster.pass(Duration::from_hours(9), Duration::from_mins(5));
        let period = cluster.now.period();
        let expected = output(&mut cluster, [live[0], live[1]], period);
        let event = cluster.event(Stream::Steady);
        let receipt = cluster.deposit(live[0], event).unwrap();
        assert_eq!(receipt.replica, id(live[1]));
        // it comes back, fetches the dealings and has its share
        cluster.down.clear();
        cluster.pass(Duration::from_mins(5), Duration::from_mins(1));
        assert_eq!(output(&mut cluster, [live[0], absent], period), expected, "{absent} was away");
    }
}

#[test]
fn with_two_down_everything_says_so_and_nothing_is_lost() {
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    let event = cluster.event(Stream::Steady);
    let token = cluster.token(1, TokenPurpose::Deposit);
    cluster.down = vec![id(2), id(3)];
    assert_eq!(cluster.deposit_with(1, token.clone(), event), Err(ProblemCode::NoReplica));
    // one returns: the same event is acknowledged with the bits it was given, and stored once
    cluster.down = vec![id(3)];
    let receipt = cluster.deposit_with(1, token, event).unwrap();
    assert_eq!((receipt.accepted, receipt.replica), (0x3ff, id(2)));
    cluster.pass(Duration::from_mins(2), Duration::from_secs(30));
    assert_eq!(cluster.core(1).counters().generations_sealed, 1);
    assert_eq!(cluster.core(2).counters().generations_replicated, 1);
    // alone, no table key can be made
    cluster.down = vec![id(2), id(3)];
    cluster.pass(Duration::from_hours(9), Duration::from_mins(30));
    let unready = cluster.call(1, Call::Table(cluster.now.period()));
    assert!(matches!(unready, Err(problem) if problem.code == ProblemCode::NotReady));
    cluster.down.clear();
    cluster.pass(Duration::from_mins(3), Duration::from_secs(30));
    let now = cluster.now;
    assert!(cluster.core(1).gauges(now).ready);
}

#[test]
fn a_restart_in_the_middle_of_a_ceremony_goes_on() {
    // the restart happens after each number of messages, on every provider in turn
    for messages in 0..24 {
        let mut cluster = Cluster::new(vec![MemoryStore::default(); 3]);
        for provider in cluster.live() {
            cluster.tick(provider);
        }
        let victim = id(messages % 3 + 1);
        exchange_some(&mut cluster, messages.into());
        restart(&mut cluster, victim);
        cluster.pass(Duration::from_mins(5), Duration::from_secs(30));
        let period = cluster.now.period();
        let tables = [1, 2, 3].map(|number| cluster.table(number, period));
        assert!(tables[0] == tables[1] && tables[1] == tables[2], "after {messages} messages");
        let expected = output(&mut cluster, [1, 2], period);
        assert_eq!(output(&mut cluster, [2, 3], period), expected);
    }
}

/// Delivers so many messages; the rest is lost.
fn exchange_some(cluster: &mut Cluster<MemoryStore>, most: usize) {
    let mut delivered = 0;
    while delivered < most {
        let before = delivered;
        for from in cluster.live() {
            let now = cluster.now;
            let outgoing = cluster.cores.get_mut(&from).unwrap().take_outgoing(now, &mut cluster.rng);
            for message in outgoing {
                if delivered == most {
                    break;
                }
                delivered += 1;
                let answer = cluster.cores.get_mut(&message.to).unwrap().on_peer(now, &mut cluster.rng, &message.body);
                let core = cluster.cores.get_mut(&from).unwrap();
                core.on_reply(now, &mut cluster.rng, message.id, answer.map_err(|_| unreachable!())).unwrap();
            }
        }
        if delivered == before {
            return;
        }
    }
}

/// Kills a provider and starts it again from what its store holds.
pub(crate) fn restart(cluster: &mut Cluster<MemoryStore>, victim: ProviderId) {
    let store = cluster.cores.remove(&victim).unwrap().into_store();
    let (_, keys) = federation(cluster.cores.len() as u8 + 1, 1);
    let keys = keys.into_iter().find(|keys| keys.me == victim).unwrap();
    let core = ProviderCore::open(keys, Arc::clone(&cluster.federation), store, policy(), cluster.now).unwrap();
    cluster.cores.insert(victim, core);
}

#[test]
fn a_stranger_or_other_keys_do_not_open() {
    let (federation, _) = federation(3, 1);
    let (_, others) = crate::cluster::federation(3, 99);
    for keys in others {
        let opened = ProviderCore::open(
            keys,
            Arc::clone(&federation),
            MemoryStore::default(),
            policy(),
            crate::cluster::start(),
        );
        assert!(matches!(opened, Err(mosaic_provider::OpenError::NotAMember)));
    }
}

#[test]
fn shares_in_the_store_open_with_two_keys_only() {
    // without the period's own key, nothing of the ceremony is readable after a restart
    let mut cluster = Cluster::ready(vec![MemoryStore::default(); 3]);
    let period = cluster.now.period();
    let mut store = cluster.core(1).store().clone();
    mosaic_provider::store::Store::destroy_key(&mut store, period).unwrap();
    let keys = federation(3, 1).1.remove(0);
    let core = ProviderCore::open(keys, Arc::clone(&cluster.federation), store, policy(), cluster.now).unwrap();
    assert!(!core.gauges(cluster.now).ready);
    assert_eq!(cluster.table(1, period).lane(Lane::Discovery).rows, 1 << 14);
}
