//! Two aggregators and the reports of a day.

use mosaic_aggregate::{
    Answer, Batch, Counted, NoisedAnswer, NoisedSum, PartOfDay, Policy, Published, Refused, ReportFields, Side,
    Statement, TooFew, report,
};
use mosaic_crypto::signing::SigningKey;
use mosaic_types::{ClassId, ProviderId, Sensitive, TileId};
use rand_chacha::ChaCha20Rng;

pub(crate) const TODAY: Counted = Counted { tile: TileId(7), day: 20_412 };

pub(crate) fn provider(number: u8) -> ProviderId {
    ProviderId::new(number).unwrap()
}

pub(crate) fn key(provider: u8) -> SigningKey {
    SigningKey::from_bytes(&[provider; 32])
}

pub(crate) fn wish(class: u8, part: PartOfDay) -> Sensitive<Answer> {
    Sensitive::new(Answer::wish(ClassId::new(class).unwrap(), part))
}

/// A report of what somebody wished for.
pub(crate) fn reported(truth: &Sensitive<Answer>, rng: &mut ChaCha20Rng) -> [ReportFields; 2] {
    let answer = NoisedAnswer::draw(truth, rng);
    report(TODAY, answer, rng).unwrap()
}

/// The leader, provider 1, and the helper, provider 3.
pub(crate) struct Aggregators(pub(crate) [Batch; 2]);

impl Aggregators {
    pub(crate) fn new() -> Self {
        let batch = |side| Batch::open(TODAY, side, [9; 32]).unwrap();
        Self([batch(Side::Leader), batch(Side::Helper)])
    }

    /// Both check the report and say what became of it.
    pub(crate) fn take(&mut self, shares: &[ReportFields; 2]) -> [Result<(), Refused>; 2] {
        let [leader, helper] = &mut self.0;
        match (leader.begin(&shares[0]), helper.begin(&shares[1])) {
            (Ok(one), Ok(other)) => {
                let (mine, theirs) = (*one.verifier_share(), *other.verifier_share());
                [leader.finish(one, &theirs), helper.finish(other, &mine)]
            }
            (one, other) => [one.map(drop), other.map(drop)],
        }
    }

    pub(crate) fn close(self, policy: Policy, rng: &mut ChaCha20Rng) -> Result<[NoisedSum; 2], TooFew> {
        let [leader, helper] = self.0;
        Ok([leader.close(policy, rng)?, helper.close(policy, rng)?])
    }
}

pub(crate) fn statement(sums: &[NoisedSum; 2]) -> Statement {
    Statement::of([&sums[0], &sums[1]], provider(1), provider(3)).unwrap()
}

pub(crate) fn publish(sums: &[NoisedSum; 2]) -> Published {
    let said = statement(sums);
    let signatures = [said.sign(&key(1)), said.sign(&key(3))];
    said.signed(signatures).verify(|provider| Some(key(provider.get()).verifying_key())).unwrap()
}
