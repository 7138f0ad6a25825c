use std::{collections::BTreeSet, fmt};

use mosaic_wire::{ReportFields, Side};
use prio::{
    codec::{Decode as _, Encode as _, ParameterizedDecode as _},
    field::Field128,
    vdaf::{
        Aggregatable as _, AggregateShare, Aggregator as _, VerifyTransition,
        prio3::{Prio3InputShare, Prio3PublicShare, Prio3VerifierShare, Prio3VerifyState},
    },
};
use rand::CryptoRng;
use thiserror::Error;
use zeroize::ZeroizeOnDrop;

use crate::{
    ANSWERS, Counted, NoisedSum, Policy, TooFew,
    sum::{self, Reports},
    vdaf,
};

/// What an aggregator tells the other about a report: whether both shares are one vote, and nothing about which.
pub type VerifierShare = [u8; VERIFIER_SHARE];

/// Bytes of a [`VerifierShare`]: eighteen field elements and a seed.
const VERIFIER_SHARE: usize = 320;

/// Why a report was not counted. The sum is what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// For another side, area or day.
    #[error("the report is not for this batch")]
    OtherBatch,
    /// Its name was counted or is being checked: a second report under one name.
    #[error("the report was seen before")]
    SeenBefore,
    /// The batch is full.
    #[error("the batch is full")]
    Full,
    /// No share of a histogram.
    #[error("the report cannot be read")]
    Unreadable,
    /// The shares together are not one vote for one answer, or one of them was changed.
    #[error("the report is not one vote for one answer")]
    NotOneVote,
}

/// One aggregator's part of the reports of one day in one area.
pub struct Batch {
    counted: Counted,
    side: Side,
    key: VerifyKey,
    seen: BTreeSet<[u8; 16]>,
    reports: Reports,
    share: AggregateShare<Field128>,
}

/// The key that both aggregators know and no client: proofs are sound only against who does not know it. Erased on drop.
#[derive(ZeroizeOnDrop)]
struct VerifyKey([u8; 32]);

/// A report that waits for the other aggregator's share of the proof.
pub struct Begun {
    id: [u8; 16],
    state: Prio3VerifyState<Field128, 32>,
    mine: VerifierShare,
}

impl Begun {
    /// What the other aggregator is to be told.
    pub const fn verifier_share(&self) -> &VerifierShare {
        &self.mine
    }

    /// The report's name, equal for both.
    pub const fn id(&self) -> &[u8; 16] {
        &self.id
    }
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun([hidden])")
    }
}

impl Batch {
    /// The most reports of a batch, counted or being checked.
    pub const MOST: usize = 1 << 20;
    /// Bytes of [`Self::state`].
    pub const STATE: usize = Reports::SIZE + 16 * ANSWERS;

    /// An empty batch. `verify_key` is a secret of the two aggregators, drawn for this batch alone. `None` never.
    pub fn open(counted: Counted, side: Side, verify_key: [u8; 32]) -> Option<Self> {
        let share = vdaf::histogram()?.aggregate_init(&());
        let key = VerifyKey(verify_key);
        Some(Self { counted, side, key, seen: BTreeSet::new(), reports: Reports::default(), share })
    }

    /// The batch that [`Self::state`] told of, with the reports that were decided by then: after a restart an aggregator
    /// goes on where its store left off. `None` for what is no such state.
    pub fn resume(
        (counted, side): (Counted, Side),
        verify_key: [u8; 32],
        state: &[u8; Self::STATE],
        decided: impl IntoIterator<Item = [u8; 16]>,
    ) -> Option<Self> {
        let (reports, share) = state.split_first_chunk::<{ Reports::SIZE }>()?;
        let elements: Result<Vec<Field128>, _> = share.chunks_exact(16).map(Field128::get_decoded).collect();
        let share = AggregateShare::from(elements.ok()?);
        let (reports, seen) = (Reports::from_bytes(reports)?, decided.into_iter().collect());
        Some(Self { reports, share, seen, ..Self::open(counted, side, verify_key)? })
    }

    /// What was counted so far, to be stored with what was decided about each report: how many 4 ‖ digest of their names 32 ‖
    /// 65 field elements of 16 bytes. The sum has no noise yet, and by itself is uniform. `None` never.
    pub fn state(&self) -> Option<[u8; Self::STATE]> {
        let mut bytes = self.reports.to_bytes().to_vec();
        for element in self.share.as_ref() {
            element.encode(&mut bytes).ok()?;
        }
        bytes.try_into().ok()
    }

    /// How many reports were counted.
    pub const fn reports(&self) -> u32 {
        self.reports.count()
    }

    /// Whether a sum of the other aggregator is of the same batch and the same reports, so that both belong together.
    pub fn agrees_with(&self, theirs: &NoisedSum) -> bool {
        (theirs.counted, theirs.reports) == (self.counted, self.reports) && theirs.side != self.side
    }

    /// Begins to check a report: both aggregators do, each its own share, and tell each other what comes out. A name is
    /// taken from here on, whether its report turns out to be good or not.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn begin(&mut self, report: &ReportFields) -> Result<Begun, Refused> {
        let meant = Counted { tile: report.tile, day: report.day };
        if meant != self.counted || report.side != self.side {
            return Err(Refused::OtherBatch);
        }
        if self.seen.contains(&report.id) {
            return Err(Refused::SeenBefore);
        }
        if self.seen.len() >= Self::MOST {
            return Err(Refused::Full);
        }
        let begun = self.verifier(report).ok_or(Refused::Unreadable)?;
        self.seen.insert(report.id);
        Ok(begun)
    }

    /// What [`Self::begin`] told the other aggregator about a report, once more: it may not have heard it. It is the same
    /// every time. `None` for no share of a histogram.
    pub fn again(&self, report: &ReportFields) -> Option<VerifierShare> {
        self.verifier(report).map(|begun| begun.mine)
    }

    fn verifier(&self, report: &ReportFields) -> Option<Begun> {
        let histogram = vdaf::histogram()?;
        let side = self.side as usize;
        let public = Prio3PublicShare::get_decoded_with_param(histogram, &report.public_share).ok()?;
        let input = Prio3InputShare::get_decoded_with_param(&(histogram, side), report.input()).ok()?;
        let context = vdaf::context(self.counted);
        let begun = histogram.verify_init(&self.key.0, &context, side, &(), &report.id, &public, &input);
        let (state, share) = begun.ok()?;
        Some(Begun { id: report.id, state, mine: share.get_encoded().ok()?.try_into().ok()? })
    }

    /// Counts a report if its shares together are one vote. Both aggregators see the same two shares of the proof, so both
    /// count it or neither does.
    ///
    /// # Errors
    /// [`Refused::NotOneVote`], [`Refused::Unreadable`].
    pub fn finish(&mut self, begun: Begun, theirs: &VerifierShare) -> Result<(), Refused> {
        let histogram = vdaf::histogram().ok_or(Refused::Unreadable)?;
        let Begun { id, state, mine } = begun;
        let ordered = if self.side == Side::Leader { [&mine, theirs] } else { [theirs, &mine] };
        let read = |bytes: &VerifierShare| Prio3VerifierShare::get_decoded_with_param(&state, bytes);
        let [leader, helper] = ordered.map(read);
        let shares = [leader.map_err(|_| Refused::Unreadable)?, helper.map_err(|_| Refused::Unreadable)?];
        let context = vdaf::context(self.counted);
        let not_one = |_| Refused::NotOneVote;
        let message = histogram.verifier_shares_to_message(&context, &(), shares).map_err(not_one)?;
        match histogram.verify_next(&context, state, message).map_err(not_one)? {
            VerifyTransition::Finish(output) => {
                self.share.accumulate(&output).map_err(not_one)?;
                self.reports.take_in(&id);
                Ok(())
            }
            // a histogram is checked in one round
            VerifyTransition::Continue(..) => Err(Refused::NotOneVote),
        }
    }

    /// Ends the batch: puts this aggregator's noise on its sum. What comes out is stored before anybody sees it, and the
    /// batch is gone: noise drawn twice for one day would be noise averaged.
    ///
    /// # Errors
    /// [`TooFew`] reports; nothing was drawn. The batch is gone all the same.
    pub fn close(self, policy: Policy, rng: &mut impl CryptoRng) -> Result<NoisedSum, TooFew> {
        let Self { counted, side, reports, share, .. } = self;
        sum::noised((counted, side), reports, share.as_ref(), policy, rng)
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({:?}, {:?}, {} reports)", self.counted, self.side, self.reports())
    }
}
