use std::fmt;

use mosaic_aggregate::{Answer, Counted, NoisedAnswer, report};
use mosaic_types::Sensitive;
use mosaic_wire::{Releasable, ReportFields};
use rand::CryptoRng;

/// One of the two shares of a report that may leave the device, each for one aggregator. What they say together went
/// through randomised response, and by itself each is uniform.
pub struct ReleasedReport(ReportFields);

impl ReleasedReport {
    /// Releases what a person wished for on a day as the leader's and the helper's share. To be called once for a day: the
    /// randomised response would be drawn anew. `None` never.
    pub fn pair(counted: Counted, truth: &Sensitive<Answer>, rng: &mut impl CryptoRng) -> Option<[Self; 2]> {
        let answer = NoisedAnswer::draw(truth, rng);
        report(counted, answer, rng).map(|shares| shares.map(Self))
    }
}

impl Releasable for ReleasedReport {
    type Object = ReportFields;

    fn object(&self) -> &ReportFields {
        &self.0
    }
}

impl fmt::Debug for ReleasedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use mosaic_aggregate::{Batch, PartOfDay, Side};
    use mosaic_types::{ClassId, TileId};
    use mosaic_wire::encode;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    /// Both shares pass the barrier, are of one size whatever is said, and count as one vote.
    #[test]
    fn a_released_report_is_one_vote() {
        let today = Counted { tile: TileId(7), day: 20_412 };
        let wish = Answer::wish(ClassId::new(3).unwrap(), PartOfDay::Evening);
        for (seed, truth) in [(93, wish), (94, Answer::NOTHING)] {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let [leader, helper] = ReleasedReport::pair(today, &Sensitive::new(truth), &mut rng).unwrap();
            let [leader, helper] = [encode(&leader), encode(&helper)].map(|bytes| {
                assert_eq!(bytes.len(), ReportFields::SIZE);
                ReportFields::decode(&bytes).unwrap()
            });
            let [mut one, mut two] =
                [Side::Leader, Side::Helper].map(|side| Batch::open(today, side, [9; 32]).unwrap());
            let (first, second) = (one.begin(&leader).unwrap(), two.begin(&helper).unwrap());
            let (mine, theirs) = (*first.verifier_share(), *second.verifier_share());
            assert_eq!((one.finish(first, &theirs), two.finish(second, &mine)), (Ok(()), Ok(())));
            assert_eq!((one.reports(), two.reports()), (1, 1));
        }
    }
}
