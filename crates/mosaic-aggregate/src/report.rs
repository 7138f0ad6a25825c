use mosaic_wire::{ReportFields, Side};
use prio::{codec::Encode as _, vdaf::test_utils::TestVectorClient as _};
use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::{Counted, NoisedAnswer, vdaf};

/// Random bytes of a report: four seeds (the helper's share, the proof, and two blinds).
const RANDOM: usize = 128;

/// Cuts an answer into the two shares of a report, the leader's and the helper's. Each by itself is uniform but for its
/// size, and all reports have equal sizes. `None` never: 65 answers are what the histogram counts.
pub fn report(counted: Counted, answer: NoisedAnswer, rng: &mut impl CryptoRng) -> Option<[ReportFields; 2]> {
    let mut id = [0; 16];
    rng.fill_bytes(&mut id);
    let mut random = Zeroizing::new([0; RANDOM]);
    rng.fill_bytes(random.as_mut_slice());
    let answer = usize::from(answer.number());
    let cut = vdaf::histogram()?.shard_with_random(&vdaf::context(counted), &answer, &id, random.as_slice());
    let (public, inputs) = cut.ok()?;
    let public_share = public.get_encoded().ok()?.try_into().ok()?;
    let [leader, helper] = inputs.try_into().ok()?;
    let share = |side, input: Vec<u8>| {
        let mut input_share = [0; ReportFields::LEADER_SHARE];
        input_share.get_mut(..input.len())?.copy_from_slice(&input);
        let Counted { tile, day } = counted;
        Some(ReportFields { side, tile, day, id, public_share, input_share })
    };
    Some([share(Side::Leader, leader.get_encoded().ok()?)?, share(Side::Helper, helper.get_encoded().ok()?)?])
}
