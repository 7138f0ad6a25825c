use std::time::Duration;

use rand::{CryptoRng, RngExt};

/// A uniform duration below `bound`, in whole milliseconds; zero when the bound is.
pub(crate) fn below(bound: Duration, rng: &mut (impl CryptoRng + ?Sized)) -> Duration {
    let millis = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 { Duration::ZERO } else { Duration::from_millis(rng.random_range(0..millis)) }
}

/// `most` different items, uniformly chosen and in uniform order; fewer when there are fewer.
pub(crate) fn some_of<T: Copy>(items: &[T], most: usize, rng: &mut (impl CryptoRng + ?Sized)) -> Vec<T> {
    let mut left = items.to_vec();
    let mut drawn = Vec::new();
    while drawn.len() < most && !left.is_empty() {
        drawn.push(left.swap_remove(rng.random_range(0..left.len())));
    }
    drawn
}

/// One item, uniformly chosen.
pub(crate) fn one_of<T: Copy>(items: &[T], rng: &mut (impl CryptoRng + ?Sized)) -> Option<T> {
    some_of(items, 1, rng).first().copied()
}
