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
