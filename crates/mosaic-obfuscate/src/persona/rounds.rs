use std::time::Duration;

use mosaic_types::{Timestamp, TtlHours};
use mosaic_wire::PartsNeeded;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};

use super::{Echo, Inclusion};
use crate::{Granularity, Lifetime};

/// Length of a block in seconds: the longest time to live, so what stands began in this block or the last.
const BLOCK_S: u64 = 168 * 3_600;
/// New rounds a block, by company: from people who rarely want something to people who always do. With the
/// lifetimes below a company has 0.3 to 6 rounds at a time; a person may have 0 to 10.
const ACTIVITY: [f64; 7] = [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 20.0];
/// Hours that people choose oftener than others, besides the default.
const ROUND_HOURS: [u32; 5] = [24, 72, 96, 120, 168];
/// Share of rounds that are taken back before their time is over.
const WITHDRAWN_SHARE: f64 = 0.4;
/// Share of quiet rounds that are zones. A person's round is one only once the week's budget is spent: never
/// for most, nearly always for who moves a lot or stays in emergency mode.
const ZONE_SHARE: f64 = 0.25;
/// How many parts everybody's words need in ten quiet rounds: most of what people write on a phone fits one.
const PARTS: [PartsNeeded; 10] = {
    let mut ten = [PartsNeeded::One; 10];
    (ten[0], ten[1], ten[2]) = (PartsNeeded::Three, PartsNeeded::Two, PartsNeeded::Two);
    ten
};

/// Names one round of a device, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RoundId {
    /// The person's broadcast of that number, with the nine companions.
    Own(u64),
    /// A round without the person.
    Quiet {
        /// Whose: from 1.
        company: u16,
        /// The week in which it began, counted from the Unix epoch.
        block: u32,
        /// Which one of the company in that week.
        number: u8,
    },
}

impl RoundId {
    /// The company that speaks in it: 0 is the person's.
    pub const fn company(self) -> u16 {
        match self {
            Self::Own(_) => 0,
            Self::Quiet { company, .. } => company,
        }
    }

    /// Ten bytes that differ for different rounds, for key derivation: the company, then the name, big-endian.
    pub fn to_bytes(self) -> [u8; 10] {
        let name = match self {
            Self::Own(number) => number.to_be_bytes(),
            Self::Quiet { block, number, .. } => (u64::from(block) << 8 | u64::from(number)).to_be_bytes(),
        };
        let mut bytes = [0; 10];
        bytes[..2].copy_from_slice(&self.company().to_be_bytes());
        bytes[2..].copy_from_slice(&name);
        bytes
    }
}

/// Ten wishes that begin and end together and are shown equally finely: the person's broadcast and a wish of
/// each companion, or one of each of a quiet company. An event carries the bundles of one round, so when and
/// how long something was seen, how often, and which time to live it names, is the same for all ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// Its name.
    pub id: RoundId,
    /// When it stands.
    pub life: Lifetime,
    /// Whether all ten are zones.
    pub granularity: Granularity,
    /// Where the person's broadcast stands in their habits; absent in quiet rounds.
    pub echo: Option<Echo>,
    /// Whether everybody's seat is drawn for.
    pub inclusion: Inclusion,
    /// How many coded parts everybody's words need.
    pub parts: PartsNeeded,
}

impl Round {
    /// Equal for rounds in which everybody wants the same at the same places.
    pub(super) fn theme(&self) -> Vec<u8> {
        self.echo.map_or_else(|| self.id.to_bytes().to_vec(), |echo| echo.theme().to_vec())
    }

    /// Equal for rounds in which everybody says the same as well.
    pub(super) fn wording(&self) -> Vec<u8> {
        self.echo.map_or_else(|| self.id.to_bytes().to_vec(), |echo| echo.wording().to_vec())
    }
}

/// How many new rounds a company has in a block, on average.
pub(super) fn activity(rng: &mut impl Rng) -> f64 {
    ACTIVITY[rng.random_range(0..ACTIVITY.len())]
}

/// The blocks in which whatever stands at `at` began.
pub(super) fn blocks(at: Timestamp) -> [u32; 2] {
    let block = u32::try_from(at.as_secs() / BLOCK_S).unwrap_or(u32::MAX);
    [block.saturating_sub(1), block]
}

/// The quiet rounds that begin in a block: a Poisson number of uniform instants, so that neither the edges of
/// blocks nor those of windows show.
pub(super) fn begun(company: u16, block: u32, mean: f64, rng: &mut ChaCha20Rng) -> Vec<Round> {
    let count = poisson(mean, rng);
    let round = |number| {
        let since = u64::from(block) * BLOCK_S + rng.random_range(0..BLOCK_S);
        let life = lifetime(Timestamp::from_secs(since), rng);
        let zone = rng.random_bool(ZONE_SHARE);
        let granularity = if zone { Granularity::Zone } else { Granularity::Fine };
        let id = RoundId::Quiet { company, block, number };
        let (echo, inclusion, parts) = (None, Inclusion::Always, PartsNeeded::One);
        Round { id, life, granularity, echo, inclusion, parts }
    };
    (0..count).map(round).collect()
}

/// How long everybody's words are in a quiet round.
pub(super) fn parts(rng: &mut impl Rng) -> PartsNeeded {
    PARTS[usize::from(rng.random_range(0..10_u8))]
}

/// Some stand their whole time, some are taken back at any moment before: every length that a person can
/// reach under a time to live is reached, and none beyond.
fn lifetime(since: Timestamp, rng: &mut impl Rng) -> Lifetime {
    let whole = Lifetime::whole(since, time_to_live(rng));
    let seconds = whole.ends().since(since).as_secs().max(2);
    let early = Duration::from_secs(rng.random_range(1..seconds));
    if rng.random_bool(WITHDRAWN_SHARE) { whole.withdrawn(early) } else { whole }
}

/// Half keep the default of 48 h, a quarter choose round numbers, the others anything that is allowed.
fn time_to_live(rng: &mut impl Rng) -> TtlHours {
    let (kind, round, any) =
        (rng.random_range(0..4_u8), rng.random_range(0..ROUND_HOURS.len()), rng.random_range(24..=168));
    let hours = match kind {
        0 | 1 => return TtlHours::default(),
        2 => ROUND_HOURS[round],
        _ => any,
    };
    TtlHours::new(hours).unwrap_or_default()
}

/// By products of uniform draws (Knuth), good for small means; at most 255.
fn poisson(mean: f64, rng: &mut impl Rng) -> u8 {
    let limit = (-mean).exp();
    let mut product = rng.random::<f64>();
    let mut count = 0_u8;
    while product > limit && count < u8::MAX {
        product *= rng.random::<f64>();
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// How many windows a stranger can see a round in.
    fn windows(life: Lifetime) -> u32 {
        life.ends().before(Duration::from_millis(1)).window().0 - life.since().window().0 + 1
    }

    /// Whatever time to live a person sets and whenever they take the broadcast back, quiet rounds do too; and
    /// none outlasts its time to live. Seed 21, 4,000,000 lifetimes; the rarest of the 7,141 pairs (taken back
    /// within the first window, 168 h) is expected 16 times, so one stays away with probability below 10⁻⁴.
    #[test]
    fn every_time_to_live_and_length_of_a_person_occurs() {
        let mut rng = ChaCha8Rng::seed_from_u64(21);
        let mut seen = BTreeSet::new();
        for _ in 0..4_000_000 {
            let since = Timestamp::from_secs(1_763_683_200 + rng.random_range(0..BLOCK_S));
            let life = lifetime(since, &mut rng);
            assert!(life.ends() <= Lifetime::whole(since, life.ttl()).ends() && life.ends() > since);
            seen.insert((life.ttl().hours(), windows(life)));
        }
        let person = (24..=168_u8).flat_map(|hours| (1..=u32::from(hours).div_ceil(2) + 1).map(move |n| (hours, n)));
        let missing: Vec<_> = person.filter(|pair| !seen.contains(pair)).collect();
        assert_eq!((missing, seen.len()), (Vec::new(), 7_141));
    }

    /// The default is the commonest time to live. Seed 22, 20,000 draws; the share is 0.5 + 1/580, five standard
    /// errors are 0.018.
    #[test]
    fn half_keep_the_default() {
        let mut rng = ChaCha8Rng::seed_from_u64(22);
        let default = (0..20_000).filter(|_| time_to_live(&mut rng) == TtlHours::default()).count();
        assert!((9_670..=10_400).contains(&default), "{default}");
    }

    /// Seed 23, 20,000 draws at mean 4: mean and variance within five standard errors.
    #[test]
    fn the_number_of_new_rounds_is_poisson() {
        let mut rng = ChaCha8Rng::seed_from_u64(23);
        let counts: Vec<f64> = (0..20_000).map(|_| f64::from(poisson(4.0, &mut rng))).collect();
        let mean = counts.iter().sum::<f64>() / 20_000.0;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!((mean - 4.0).abs() < 0.071 && (variance - 4.0).abs() < 0.22, "{mean} {variance}");
    }
}
