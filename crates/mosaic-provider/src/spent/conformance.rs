use futures_util::future::join_all;
use mosaic_crypto::digest;
use mosaic_types::Timestamp;

use super::{Spend, Spending, SpentError, SpentSet};
use crate::store::Nonconforming;

/// Who ask for one token at the same time.
const RIVALS: u8 = 64;

/// The one suite every spent set passes. Tokens are drawn from `seed`, which the set must not have met before.
///
/// # Errors
/// `Nonconforming` with the first thing that was wrong; a [`SpentError`] counts as wrong.
pub async fn check_spent_conformance(set: &dyn SpentSet, seed: &[u8], at: Timestamp) -> Result<(), Nonconforming> {
    let spend = |token: u8, bought: u8| {
        let id = digest(&[b"spent conformance", seed, &[token]]);
        set.spend(Spend { id, bought: digest(&[&[bought]]), at })
    };
    expect("a fresh token is spent", spend(0, 0).await, Spending::First)?;
    expect("the same again is no second spending", spend(0, 0).await, Spending::Again)?;
    expect("nothing else is bought with it", spend(0, 1).await, Spending::Otherwise)?;
    expect("a refusal changes nothing", spend(0, 0).await, Spending::Again)?;
    expect("another token is another matter", spend(1, 1).await, Spending::First)?;
    let rivals = join_all((0..RIVALS).map(|rival| spend(2, rival))).await;
    let won: Vec<u8> = (0..RIVALS).filter(|rival| rivals[usize::from(*rival)] == Ok(Spending::First)).collect();
    let lost = rivals.iter().filter(|spending| **spending == Ok(Spending::Otherwise)).count();
    if won.len() != 1 || lost + 1 != usize::from(RIVALS) {
        return Err(Nonconforming("of all who ask at the same time, one wins"));
    }
    expect("who has won may ask again", spend(2, won[0]).await, Spending::Again)?;
    let many =
        join_all((0..=u8::MAX).map(|token| set.spend(Spend { id: digest(&[seed, &[token]]), bought: [7; 32], at })));
    let fresh = many.await.into_iter().all(|spending| spending == Ok(Spending::First));
    if fresh { Ok(()) } else { Err(Nonconforming("tokens do not stand in each other's way")) }
}

fn expect(what: &'static str, found: Result<Spending, SpentError>, expected: Spending) -> Result<(), Nonconforming> {
    if found == Ok(expected) { Ok(()) } else { Err(Nonconforming(what)) }
}
