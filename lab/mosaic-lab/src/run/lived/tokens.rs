//! Scoreboard 22 and 23: the tokens that stand in for anonymous ones, at their issuer, and what a flood costs.

use std::collections::HashMap;

use mosaic_attack::{BoostingPlan, Learner, TokenPair, token_attack};
use mosaic_provider::Policy;
use mosaic_types::ProviderId;
use rand::RngExt;

use crate::{
    practice::{Practice, TokenSeen},
    report::Row,
    run::Bench,
    runs::{RESAMPLES, exactly},
};

/// Pairs of one token and of two, at most.
const PAIRS: usize = 1_000;
/// Events of a flood (PRIVACY 10).
const FLOOD: f64 = 1e5;

pub(super) fn attack(bench: &mut Bench<'_>, recorded: &Practice, one: ProviderId) {
    linking(bench, recorded, one);
    flooding(bench);
}

/// Was this token given to whom it is now taken from? The issuer compares what it gave out with what comes back.
fn linking(bench: &mut Bench<'_>, recorded: &Practice, one: ProviderId) {
    let issued: Vec<&TokenSeen> = recorded.issued.iter().filter(|token| token.provider == one).collect();
    let by_spend: HashMap<[u8; 32], &TokenSeen> = issued.iter().map(|token| (token.spend, *token)).collect();
    let redeemed: Vec<&TokenSeen> = recorded.redeemed.iter().filter(|token| token.provider == one).collect();
    let step = redeemed.len().div_ceil(PAIRS).max(1);
    let mut pairs = Vec::new();
    for spent in redeemed.into_iter().step_by(step) {
        let pair = |given: &TokenSeen, same| TokenPair {
            user: spent.user,
            issued_at: given.at.as_millis() as f64 / 1e3,
            redeemed_at: spent.at.as_millis() as f64 / 1e3,
            issued: given.bytes.to_vec(),
            redeemed: spent.bytes.to_vec(),
            same,
        };
        pairs.extend(by_spend.get(&spent.spend).map(|given| pair(given, true)));
        // another person's, from the same time on: that it was given later would tell by itself
        let others = |given: &&&TokenSeen| given.user != spent.user && given.at <= spent.at;
        let others: Vec<_> = issued.iter().filter(others).collect();
        if !others.is_empty() {
            pairs.push(pair(others[bench.rng.random_range(0..others.len())], false));
        }
    }
    let found = token_attack(&pairs, Learner::Trees(BoostingPlan::default()), RESAMPLES, &mut bench.rng);
    let metric = "advantage, issue and redemption";
    let row = Row::printed("tokens", "token redemption linking", "P1", metric, found.advantage);
    let limits = "the test issuer gives its tokens out in clear and sees them again; blinded issue is not built";
    bench.rows.push(row.on("22").beside(1.0).judged(-1.0, 0.01).because(limits));
}

/// What 10^5 events cost one stranger today.
fn flooding(bench: &mut Bench<'_>) {
    let agents = 50;
    let a_day = f64::from(Policy::for_agents(agents).tokens_per_hour / agents) * 24.0;
    let row = |id: &str, metric: &str, value: f64| {
        Row::printed(format!("flooding{id}"), "flooding 10^5 events", "Y", metric, exactly(value))
    };
    let limits = "no work is asked for at issue: the figure counts what is demanded, which is nothing";
    bench
        .rows
        .push(row("", "memory-hard batches", 0.0).on("23").beside(0.0).judged(400.0, f64::INFINITY).because(limits));
    let shared = "everybody draws on one ration, so a single stranger may also use up that of others";
    bench.rows.push(row("/identities", "declared agents' rations for one day", FLOOD / a_day).because(shared));
}
