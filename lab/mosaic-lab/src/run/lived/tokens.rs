//! Scoreboard 22 and 23: tokens at their issuer, which sees everything but the blinds, and what a flood costs.

use std::collections::HashMap;

use mosaic_attack::{BoostingPlan, Learner, TokenPair, token_attack};
use mosaic_provider::Price;
use mosaic_types::ProviderId;
use mosaic_wire::TokensQuery;
use rand::RngExt;

use crate::{
    practice::{IssueSeen, Practice, TokenSeen},
    report::Row,
    run::Bench,
    runs::{RESAMPLES, exactly},
};

/// Pairs of one token and of two, at most.
const PAIRS: usize = 20_000;
/// Events of a flood (PRIVACY 10).
const FLOOD: f64 = 1e5;
/// Providers of a federation here.
const PROVIDERS: f64 = 3.0;

pub(super) fn attack(bench: &mut Bench<'_>, recorded: &Practice, one: ProviderId) {
    linking(bench, recorded, one);
    flooding(bench);
}

/// Was this token issued to whom it now comes from? The issuer compares what it evaluated with what comes back, when,
/// among all purchases that it could be of: those of the same hour and purpose.
fn linking(bench: &mut Bench<'_>, recorded: &Practice, one: ProviderId) {
    let mut issued: HashMap<[u8; 32], Vec<&IssueSeen>> = HashMap::new();
    for seen in recorded.issued.iter().filter(|seen| seen.provider == one) {
        issued.entry(seen.challenge).or_default().push(seen);
    }
    let redeemed: Vec<&TokenSeen> = recorded.redeemed.iter().filter(|token| token.provider == one).collect();
    let step = redeemed.len().div_ceil(PAIRS).max(1);
    let mut pairs = Vec::new();
    for spent in redeemed.into_iter().step_by(step) {
        let pair = |given: &IssueSeen, same| TokenPair {
            user: spent.user,
            issued_at: given.at.as_millis() as f64 / 1e3,
            redeemed_at: spent.at.as_millis() as f64 / 1e3,
            issued: given.bytes.clone(),
            redeemed: spent.bytes.to_vec(),
            same,
        };
        let could_be = issued.get(&spent.challenge).map(Vec::as_slice).unwrap_or_default();
        // what was issued later would tell by itself
        let (own, others): (Vec<_>, Vec<_>) =
            could_be.iter().copied().filter(|given| given.at <= spent.at).partition(|given| given.user == spent.user);
        pairs.extend(own.first().map(|given| pair(given, true)));
        if !others.is_empty() {
            pairs.push(pair(others[bench.rng.random_range(0..others.len())], false));
        }
    }
    let found = token_attack(&pairs, Learner::Trees(BoostingPlan::default()), RESAMPLES, &mut bench.rng);
    let metric = "advantage, issue and redemption";
    let row = Row::printed("tokens", "token redemption linking", "P1", metric, found.advantage);
    let limits = format!(
        "{} pairs judged: the interval is as wide as chance makes it at that many. Everybody joined in one instant here, so          times of issue cannot tell; who buys at an odd time has fewer to hide among",
        found.observations
    );
    bench.rows.push(row.on("22").beside(1.0).judged(-1.0, 0.01).because(&limits));
}

/// What 10^5 events cost one stranger at the full price, while it is lowest.
fn flooding(bench: &mut Bench<'_>) {
    let price = Price::standard(50);
    // a unit over a day, at every provider
    let events = TokensQuery::DEPOSITS as f64 * 24.0 * PROVIDERS;
    let row = |id: &str, metric: &str, value: f64| {
        Row::printed(format!("flooding{id}"), "flooding 10^5 events", "Y", metric, exactly(value))
    };
    let batches = FLOOD / events;
    let limits =
        "a batch is one unit over a day, from all three; a device buys two. By calculation from the provider's price";
    bench.rows.push(
        row("", "memory-hard batches", batches).on("23").beside(0.0).judged(400.0, f64::INFINITY).because(limits),
    );
    let attempts = batches * f64::from(price.work) * (PROVIDERS - 1.0);
    let kept = "64 MiB each; two of three providers must have issued a deposit token, so two are paid";
    bench.rows.push(row("/attempts", "Argon2id attempts", attempts).because(kept));
}
