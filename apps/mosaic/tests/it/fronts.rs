//! One provider in many processes: two fronts and a writer answer as one. Processes and a master of the spent set are
//! killed meanwhile.

use std::sync::Arc;

use mosaic_crypto::oprf;
use mosaic_transport::ProviderClient;
use mosaic_types::{Lane, SegmentId, Stream, TableId};
use mosaic_wire::{
    Call, CallFailure, EvaluateFields, GenerationId, GenerationsQuery, HeadsQuery, KnownGenerations, Problem,
    ProblemCode, WireToken,
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    crash::address,
    support::{Install, SECRET},
    town::{POINTS, Town, evaluate, query},
};

/// Tokens that both fronts are asked for at the same time while a master is killed.
const RIVALS: usize = 2_000;

/// A town whose provider has two fronts.
async fn town(seed: u64, speed: f64) -> Option<Town> {
    let mut town = Town::start(seed, speed).await?;
    (1..=2).for_each(|number| town.start_front(number));
    Some(town)
}

/// Nothing in a reply is a front's own but the nonce of a proof.
#[test]
fn two_fronts_answer_as_one_and_keep_nothing() {
    mosaic_transport::install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let Some(mut town) = town(0xf207, 20.0).await else { return };
        let key = town.federation.signing_key(address(1).provider).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(0xf208);
        let mut acked = town.world.deposit_some(20).await;
        town.world.assert_all_there(&key, &acked).await;
        equal_answers(&mut town, &mut rng).await;

        // a front is killed: the other one serves, and a new one knows as much
        town.fronts.get_mut(&1).unwrap().kill();
        acked.extend(town.world.deposit_some(20).await);
        town.start_front(1);
        town.world.assert_all_there(&key, &acked).await;
        equal_answers(&mut town, &mut rng).await;

        // the writer is killed: reads and evaluations go on, deposits say when to come again
        let table = town.world.table().await;
        let tokens = town.evaluation_tokens(2, &mut rng).await;
        town.world.running.get_mut(&1).unwrap().kill();
        for (client, token) in town.clients().iter().take(2).zip(tokens) {
            evaluate(client, token, query(&table, b"without a writer", &mut rng)).await.unwrap();
        }
        town.world.assert_all_there(&key, &acked).await;
        let refused = town.clients()[0].call(&address(1), &Call::Terms).await;
        assert!(
            matches!(
                refused,
                Err(CallFailure::Refused(Problem { code: ProblemCode::NotReady, retry_after_s: Some(_) }))
            ),
            "{refused:?}"
        );
        town.world.start(1);
        acked.extend(town.world.deposit_some(20).await);
        town.world.assert_all_there(&key, &acked).await;
        for file in ["provider.toml", "federation.json"] {
            let text = std::fs::read_to_string(town.world.home.file("p1").join(file)).unwrap();
            assert!(!text.contains(SECRET), "{file}");
        }
        let kept = std::fs::read_to_string(town.world.home.file("p1").join("provider.toml")).unwrap();
        assert!(kept.contains(&town.table.address("mosaic-fronts")), "{kept}");
        assert!(town.fronts.into_values().all(|front| front.terminate() == 0));
    });
}

/// The same question to both fronts: heads, blocks, a table and an evaluation are alike, a token is spent at both, and
/// the writer evaluates nothing.
async fn equal_answers(town: &mut Town, rng: &mut ChaCha8Rng) {
    let [one, other, writer] = <[ProviderClient; 3]>::try_from(town.clients()).unwrap();
    let table = town.world.table().await;
    let id = TableId::new(table.dangerously_unverified().period, Lane::Rendezvous);
    let segment = SegmentId { table: id, origin: address(1).provider, stream: Stream::Fast };
    let heads = Call::Heads(HeadsQuery::new(vec![KnownGenerations { segment, count: 0 }]).unwrap());
    let generations = Call::Generations(GenerationsQuery::new(vec![GenerationId { segment, index: 0 }]).unwrap());
    let tables = Call::Table(table.dangerously_unverified().period);
    let at = address(1);
    for call in [&heads, &generations, &tables] {
        // a generation may be sealed between two questions, and a front looks every second
        let mut alike = false;
        for _ in 0..2_000 {
            let ask = async |client: &ProviderClient| format!("{:?}", client.call(&at, call).await.unwrap());
            let (one, other, writer) = tokio::join!(ask(&one), ask(&other), ask(&writer));
            alike = one == other && other == writer;
            if alike {
                break;
            }
        }
        assert!(alike, "two processes of one provider differ");
    }
    let asked = query(&table, b"the same", rng);
    let token = town.evaluation_tokens(1, rng).await.pop().unwrap();
    let refused = evaluate(&writer, token.clone(), asked).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::NotReady, "the writer does not know what is spent");
    let share = table.dangerously_unverified().share(address(1).provider).unwrap();
    let first = evaluate(&one, token.clone(), asked).await.unwrap();
    let again = evaluate(&other, token.clone(), asked).await.unwrap();
    for evaluation in [&first, &again] {
        oprf::verify_evaluation(share, asked[POINTS..].as_chunks().0, evaluation).unwrap();
    }
    assert_eq!(again.points, first.points);
    let spent = evaluate(&other, token, query(&table, b"another", rng)).await.unwrap_err();
    assert_eq!(spent.code, ProblemCode::TokenSpent);
}

/// 2,000 tokens, each wanted by two people at two fronts for different points at the same time, while the master of a
/// third of them is killed and comes back: one of the two is answered, every refusal but that of the other says when to
/// come again, and in the end each token is settled.
#[test]
fn a_killed_master_lets_no_token_be_spent_twice() {
    mosaic_transport::install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let Some(mut town) = town(0xf209, 1.0).await else { return };
        let mut rng = ChaCha8Rng::seed_from_u64(0xf20a);
        let table = town.world.table().await;
        let tokens = Arc::new(std::sync::Mutex::new(town.evaluation_tokens(RIVALS, &mut rng).await));
        tokens.lock().unwrap().truncate(RIVALS);
        let asked = [b"one", b"two"].map(|word| query(&table, word, &mut rng));
        let [one, other, _] = <[ProviderClient; 3]>::try_from(town.clients()).unwrap();
        let mut people: JoinSet<(usize, usize)> = JoinSet::new();
        for _ in 0..16 {
            let (tokens, clients) = (Arc::clone(&tokens), [one.clone(), other.clone()]);
            people.spawn(async move {
                let (mut settled, mut refused) = (0, 0);
                loop {
                    let Some(token) = tokens.lock().unwrap().pop() else { return (settled, refused) };
                    let [one, other] = [0, 1].map(|at| insist(&clients[at], token.clone(), asked[at]));
                    let ((one, first), (other, second)) = tokio::join!(one, other);
                    assert!(one != other, "{one} {other}");
                    settled += 1;
                    refused += first + second;
                }
            });
        }
        while tokens.lock().unwrap().len() > RIVALS * 2 / 3 {
            tokio::task::yield_now().await;
        }
        let mut redis = town.redis;
        let _whole_again = tokio::task::spawn_blocking(move || {
            let master = redis.master_of("{mosaic-spent-3}");
            redis.kill(master);
            redis.wait_for_failover("{mosaic-spent-3}", master);
            redis.restart(master);
            redis.wait_until_whole();
            redis
        })
        .await
        .unwrap();
        let (settled, refused): (Vec<_>, Vec<_>) = people.join_all().await.into_iter().unzip();
        assert_eq!(settled.into_iter().sum::<usize>(), RIVALS);
        assert!(refused.into_iter().sum::<usize>() > 0, "the kill came too late to be noticed");
    });
}

/// Asks until it is settled whether the token buys this, and how often the answer was to come again.
async fn insist(client: &ProviderClient, token: WireToken, asked: [u8; EvaluateFields::SIZE]) -> (bool, usize) {
    let mut refused = 0;
    loop {
        match evaluate(client, token.clone(), asked).await {
            Ok(_) => return (true, refused),
            Err(problem) if problem.code == ProblemCode::TokenSpent => return (false, refused),
            Err(problem) => {
                assert!(problem.code.status() == 503 && problem.retry_after_s.is_some(), "{problem:?}");
                refused += 1;
            }
        }
    }
}

/// Two people and the agents of their own: one broadcasts and the other finds the card, with a provider of two fronts
/// among the three, of which one is killed before.
#[test]
fn agents_notice_nothing() {
    mosaic_transport::install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let Some(mut town) = town(0xf20b, 20.0).await else { return };
        let clock = town.world.clock.clone();
        let person = || {
            let home = Install::new();
            std::fs::copy(town.world.home.file("whole.json"), home.file("federation.json")).unwrap();
            home.write("practice.password", "ours");
            let agent = home.start(&["agent", "--mode", "emergency", "--practice-clock", &clock]);
            (home, agent)
        };
        let ((ana, _one), (ben, _other)) = tokio::task::block_in_place(|| (person(), person()));
        tokio::task::block_in_place(|| {
            ana.run(&["broadcast", "--context", "coffee meetup"]).done();
            found(&ben, "coffee meetup");
        });
        town.fronts.get_mut(&1).unwrap().kill();
        town.start_front(1);
        tokio::task::block_in_place(|| {
            ben.run(&["broadcast", "--context", "chess in the park"]).done();
            found(&ana, "chess in the park");
        });
        for name in ["mosaic_provider_evaluations_total", "mosaic_provider_head_reads_total"] {
            assert!((1..=2).map(|front| town.count(front, name)).sum::<u64>() > 0, "{name}");
        }
    });
}

/// Asks for these words until a card says them: nobody's decoys do. A question is a process, which gives the others
/// their time.
fn found(who: &Install, words: &str) {
    let ask = || who.run(&["query", "--context", words, "--radius", "1km", "--time-window", "2h"]).done();
    let said = |reply: &Value| reply["cards"].as_array().unwrap().iter().any(|card| card["text"] == words);
    let there = (0..4_000).any(|_| said(&ask()));
    assert!(there, "nobody was found: {:?}", who.run(&["status"]).json);
}
