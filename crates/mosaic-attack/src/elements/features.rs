//! What co-occurrence in noised traffic alone gives away of an element (PRIVACY part D).

use rand::Rng;

use crate::ranking::{by_user, pooled_mean};
use crate::traffic::{OwnPair, Traffic};
use crate::{Estimate, EventView, auc, bootstrap_by_user};

/// What co-occurrence alone achieves.
#[derive(Clone, Copy, Debug)]
pub struct Coherence {
    /// AUC over elements.
    pub auc: Estimate,
    /// Share of real elements among the `r` best of a broadcast with `r` real ones.
    pub top_r_precision: Estimate,
}

/// Ranks elements by the mean of their three largest smoothed PMIs: true elements describe one visit
/// and belong together, noise was drawn independently. Learns nothing, so it judges every user.
pub fn coherence_attack(events: &[EventView], resamples: usize, rng: &mut impl Rng) -> Coherence {
    let traffic = Traffic::new(events);
    let scored = events.iter().map(|event| {
        let score = |index: usize| (traffic.cohesion(event, index, OwnPair::LeftOut), event.slots[index].real);
        (event.user, (0..event.slots.len()).map(score).collect())
    });
    let users = by_user(scored);
    Coherence {
        auc: bootstrap_by_user(&users, resamples, rng, pooled_auc),
        top_r_precision: bootstrap_by_user(&top_r(&users), resamples, rng, pooled_mean),
    }
}

pub(crate) type Scored = Vec<(f64, bool)>;

pub(crate) fn pooled_auc(drawn: &[&Vec<Scored>]) -> f64 {
    auc(&drawn.iter().flat_map(|events| events.iter().flatten().copied()).collect::<Scored>())
}

/// Per user and broadcast, the precision of the `r` best, ties by expectation; broadcasts of one kind
/// are left out.
pub(crate) fn top_r(users: &[Vec<Scored>]) -> Vec<Vec<f64>> {
    users.iter().map(|events| events.iter().filter_map(top_r_precision).collect()).collect()
}

fn top_r_precision(event: &Scored) -> Option<f64> {
    let real = event.iter().filter(|slot| slot.1).count();
    if real == 0 || real == event.len() {
        return None;
    }
    let mut ranked: Vec<f64> = event.iter().map(|slot| slot.0).collect();
    ranked.sort_by(|a, b| b.total_cmp(a));
    let last = ranked[real - 1];
    let counted = |keep: &dyn Fn(&(f64, bool)) -> bool| event.iter().filter(|slot| keep(slot)).count() as f64;
    let (above, tied) = (counted(&|slot| slot.0 > last), counted(&|slot| slot.0 == last));
    let (above_real, tied_real) = (counted(&|slot| slot.0 > last && slot.1), counted(&|slot| slot.0 == last && slot.1));
    Some((above_real + tied_real * (real as f64 - above) / tied) / real as f64)
}

#[cfg(test)]
mod tests {
    use super::super::naive::mixed;
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    /// Seed 44, 100 users × 60 broadcasts: at 50 % pool noise true elements stand out together; whole
    /// contexts of strangers cohere as well as the truth, and nothing is left (the interval holds 0.5).
    #[test]
    fn single_noise_elements_do_not_cohere_and_whole_contexts_do() {
        let mut rng = ChaCha20Rng::seed_from_u64(44);
        let naive = coherence_attack(&mixed(&mut rng, 100, 60, 0.5, true), 20, &mut rng);
        assert!(naive.auc.low > 0.75 && naive.top_r_precision.low > 0.6, "{naive:?}");
        let whole = coherence_attack(&mixed(&mut rng, 100, 60, 0.5, false), 50, &mut rng);
        assert!(whole.auc.low < 0.5 && 0.5 < whole.auc.high, "{whole:?}");
    }

    #[test]
    fn ties_at_the_border_are_shared() {
        let event = vec![(2.0, true), (1.0, true), (1.0, false), (1.0, false), (0.0, false)];
        assert_eq!(top_r_precision(&event), Some((1.0 + 1.0 / 3.0) / 2.0));
        assert_eq!(top_r_precision(&vec![(1.0, true)]), None);
    }
}
