use std::{collections::BTreeMap, sync::OnceLock};

use mosaic_crypto::digest;
use mosaic_types::Mode;
use thiserror::Error;

use super::FEATURES;
use crate::{
    BoostedTrees, BoostingPlan, Choice, Isotonic, joint_posterior,
    meter_codec::{Reader, Writer},
};

/// What a stored model begins with; the last byte is the version of the format.
const MAGIC: &[u8; 8] = b"MOSMETR\x01";
/// Modes in the order of their calibrations.
const MODES: [Mode; 3] = [Mode::Emergency, Mode::Balanced, Mode::Maximum];
/// The person and the personas.
const IDENTITIES: usize = 10;
/// An identity that an event does not show still counts this much there: an event must not exclude anybody.
const UNSEEN: f64 = 1e-3;
/// How much of each event's evidence may count in the joint question: all, or less where events repeat each other.
const WEIGHTS: [f64; 12] = [0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0];

/// From what a model was made: with the code, all that is needed to make it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterPlan {
    /// Everything is drawn from it.
    pub seed: u64,
    /// Generated people of each mode, trained on and calibrated on together.
    pub people: u32,
    /// Hours that each was recorded for.
    pub hours: u32,
}

impl MeterPlan {
    /// The plan of the model that ships.
    pub const SHIPPED: Self = Self { seed: 1, people: 240, hours: 48 };
}

/// One event of a generated person, to learn from.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// The mode of the device.
    pub mode: Mode,
    /// Rows of the event's bundles, contrasted, and which is real.
    pub choice: Choice,
    /// Whose each bundle is: 0 the person, then the personas.
    pub identities: Vec<u8>,
}

/// Bytes that are no model for this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeMeterError {
    /// Not a model, or of another format.
    #[error("this is no anonymity meter of this version")]
    Format,
    /// Bytes changed since it was written.
    #[error("the checksum of the anonymity meter does not fit")]
    Damaged,
    /// It was trained on other features than this program computes.
    #[error("the anonymity meter was trained on other features: make it anew with `mosaic lab meter`")]
    OtherFeatures,
}

/// A trained and calibrated attacker that fits into the agent.
#[derive(Clone, Debug)]
pub struct MeterModel {
    plan: MeterPlan,
    trees: BoostedTrees,
    by_mode: [(Isotonic, f64); 3],
}

impl MeterModel {
    /// The model that ships, made by `mosaic lab meter` from [`MeterPlan::SHIPPED`]; `None` only if the file in
    /// `models/` is none for this program, which a test excludes.
    pub fn builtin() -> Option<&'static Self> {
        static BUILTIN: OnceLock<Option<MeterModel>> = OnceLock::new();
        BUILTIN.get_or_init(|| Self::decode(include_bytes!("../../../../models/meter.bin")).ok()).as_ref()
    }

    /// Learns which bundle of an event is real from `training`, and how sure to be of it from `tuning`: events
    /// of other people.
    pub fn fit(plan: MeterPlan, training: &[Lesson], tuning: &[Lesson]) -> Self {
        let rows: Vec<Vec<f64>> = training.iter().flat_map(|lesson| lesson.choice.rows.iter().cloned()).collect();
        let real: Vec<bool> = training.iter().flat_map(|lesson| labels(&lesson.choice)).collect();
        let growing = BoostingPlan { trees: 120, depth: 4, rate: 0.1, leaf: 40 };
        let trees = BoostedTrees::fit(&rows, &real, growing);
        let calibrated = |mode: Mode| {
            let own: Vec<&Lesson> = tuning.iter().filter(|lesson| lesson.mode == mode).collect();
            let pairs = own.iter().flat_map(|lesson| {
                let scores = lesson.choice.rows.iter().map(|row| trees.score(row));
                scores.zip(labels(&lesson.choice)).collect::<Vec<_>>()
            });
            let isotonic = Isotonic::fit(&pairs.collect::<Vec<_>>());
            let weight = joint_weight(&own, |lesson| posterior(&trees, &isotonic, &lesson.choice.rows));
            (isotonic, weight)
        };
        let by_mode = MODES.map(calibrated);
        Self { plan, trees, by_mode }
    }

    /// From what it was made.
    pub const fn plan(&self) -> MeterPlan {
        self.plan
    }

    /// The attacker's probability for each bundle of an event (its contrasted rows) that it is the person's,
    /// given that one of them is: they sum to 1.
    pub fn posterior(&self, mode: Mode, rows: &[Vec<f64>]) -> Vec<f64> {
        posterior(&self.trees, &self.by_mode[mode as usize].0, rows)
    }

    /// The attacker's probability for each of the ten identities that it is the person, after several events of
    /// which it was given whose bundles belong together: `shares[t][k]` is what event `t` gave to identity `k`.
    pub fn joint(&self, mode: Mode, shares: &[[f64; IDENTITIES]]) -> Vec<f64> {
        joint(shares, self.by_mode[mode as usize].1)
    }

    /// The model as bytes: magic and version 8 ‖ hash of the features 32 ‖ seed 8 ‖ people 4 ‖ hours 4 ‖ trees ‖
    /// three times (calibration ‖ weight of an event 8) ‖ digest of all before 32.
    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.bytes(MAGIC);
        to.bytes(&features());
        to.u64(self.plan.seed);
        to.u32(self.plan.people);
        to.u32(self.plan.hours);
        self.trees.write(&mut to);
        for (isotonic, weight) in &self.by_mode {
            isotonic.write(&mut to);
            to.f64(*weight);
        }
        let check = digest(&[&to.0]);
        to.bytes(&check);
        to.0
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeMeterError`]; a model for other features is refused, so that it never states wrong numbers.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeMeterError> {
        let Some((body, check)) = bytes.split_last_chunk::<32>().filter(|(body, _)| body.starts_with(MAGIC)) else {
            return Err(DecodeMeterError::Format);
        };
        if digest(&[body]) != *check {
            return Err(DecodeMeterError::Damaged);
        }
        let mut from = Reader(&body[MAGIC.len()..]);
        if from.take::<32>().ok_or(DecodeMeterError::Format)? != features() {
            return Err(DecodeMeterError::OtherFeatures);
        }
        let model = Self::read(&mut from).filter(|_| from.0.is_empty());
        model.ok_or(DecodeMeterError::Format)
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let plan = MeterPlan { seed: from.u64()?, people: from.u32()?, hours: from.u32()? };
        let trees = BoostedTrees::read(from, 2 * FEATURES.len())?;
        let mut one = || Some((Isotonic::read(from)?, from.finite().filter(|weight| (0.0..=1.0).contains(weight))?));
        let by_mode = [one()?, one()?, one()?];
        Some(Self { plan, trees, by_mode })
    }
}

/// Which features a model means: their names, and how a town is known.
fn features() -> [u8; 32] {
    let mut parts: Vec<&[u8]> = vec![b"mosaic/meter/1", b"contrasted; public town"];
    parts.extend(FEATURES.iter().map(|name| name.as_bytes()));
    digest(&parts)
}

fn labels(choice: &Choice) -> Vec<bool> {
    (0..choice.rows.len()).map(|k| k == choice.truth).collect()
}

fn posterior(trees: &BoostedTrees, isotonic: &Isotonic, rows: &[Vec<f64>]) -> Vec<f64> {
    isotonic.posterior(&rows.iter().map(|row| trees.score(row)).collect::<Vec<_>>())
}

/// Evidence of each event to the power `weight`: events of one device repeat each other, so that taken whole
/// they would be counted many times over.
fn joint(shares: &[[f64; IDENTITIES]], weight: f64) -> Vec<f64> {
    let prior = [1.0; IDENTITIES];
    let tempered = shares.iter().map(|event| event.map(|share| share.max(UNSEEN).powf(weight)));
    let tempered: Vec<[f64; IDENTITIES]> = tempered.collect();
    joint_posterior(&prior, &tempered.iter().map(<[f64; IDENTITIES]>::as_slice).collect::<Vec<_>>())
}

/// The weight under which the joint posteriors of the people of `lessons` are least surprised by the truth.
fn joint_weight(lessons: &[&Lesson], posterior: impl Fn(&Lesson) -> Vec<f64>) -> f64 {
    let mut people: BTreeMap<u32, Vec<[f64; IDENTITIES]>> = BTreeMap::new();
    for lesson in lessons {
        let mut shares = [0.0; IDENTITIES];
        for (share, identity) in posterior(lesson).iter().zip(&lesson.identities) {
            if let Some(sum) = shares.get_mut(usize::from(*identity)) {
                *sum += share;
            }
        }
        people.entry(lesson.choice.user).or_default().push(shares);
    }
    let surprise = |weight: f64| -> f64 {
        people.values().map(|shares| -joint(shares, weight).first().copied().unwrap_or(UNSEEN).max(1e-9).ln()).sum()
    };
    let best = WEIGHTS.into_iter().min_by(|a, b| surprise(*a).total_cmp(&surprise(*b)));
    best.unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::{Claimed, calibration};

    const SMALL: MeterPlan = MeterPlan { seed: 7, people: 60, hours: 2 };

    /// Events of ten bundles; the person's first number is raised by one standard deviation of a uniform sum.
    fn lessons(rng: &mut ChaCha20Rng, users: std::ops::Range<u32>) -> Vec<Lesson> {
        let lesson = |user: u32, rng: &mut ChaCha20Rng| {
            let truth = rng.random_range(0..10_usize);
            let row = |k: usize| -> Vec<f64> {
                let own = if k == truth { 0.5 } else { 0.0 };
                (0..2 * FEATURES.len()).map(|at| rng.random_range(0.0..1.0) + if at == 0 { own } else { 0.0 }).collect()
            };
            let rows = (0..10).map(row).collect();
            let identities = (0..10_u8).map(|k| (k + 10 - truth as u8) % 10).collect();
            let mode = MODES[user as usize % 3];
            Lesson { mode, choice: Choice { user, rows, truth }, identities }
        };
        users.flat_map(|user| (0..20).map(|_| lesson(user, rng)).collect::<Vec<_>>()).collect()
    }

    fn model(rng: &mut ChaCha20Rng) -> MeterModel {
        let (training, tuning) = (lessons(rng, 0..60), lessons(rng, 60..120));
        MeterModel::fit(SMALL, &training, &tuning)
    }

    /// The file in `models/` is what this program's features and the shipped plan make: made anew by `mosaic lab
    /// meter`, and compared byte for byte by the lab's ignored test.
    #[test]
    fn the_shipped_model_is_for_these_features_and_that_plan() {
        let decoded = MeterModel::decode(include_bytes!("../../../../models/meter.bin"));
        assert_eq!(decoded.map(|model| model.plan()), Ok(MeterPlan::SHIPPED));
        assert!(MeterModel::builtin().is_some());
    }

    /// Seed 161: 60 people learnt, 60 tuned, 1,200 events of 60 others judged: what is stated holds to within
    /// 0.03 (noise of ten bins of 1,200 claims: about 0.01), and the likeliest is real far more often than by chance.
    #[test]
    fn what_it_states_holds_for_people_it_never_saw() {
        let mut rng = ChaCha20Rng::seed_from_u64(161);
        let model = model(&mut rng);
        let (mut claims, mut hits) = (Vec::new(), 0);
        for lesson in lessons(&mut rng, 120..180) {
            let posterior = model.posterior(lesson.mode, &lesson.choice.rows);
            assert!((posterior.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let best = (0..10).max_by(|a, b| posterior[*a].total_cmp(&posterior[*b]));
            hits += usize::from(best == Some(lesson.choice.truth));
            claims.extend(posterior.iter().enumerate().map(|(k, probability)| Claimed {
                user: lesson.choice.user,
                probability: *probability,
                held: k == lesson.choice.truth,
            }));
        }
        let found = calibration(&claims, 10, 40, &mut rng);
        assert!(found.error.value < 0.03 && hits > 400, "{found:?} {hits}");
    }

    #[test]
    fn bytes_come_back_and_nothing_else_does() {
        let mut rng = ChaCha20Rng::seed_from_u64(162);
        let model = model(&mut rng);
        let bytes = model.encode();
        let again = MeterModel::decode(&bytes).unwrap();
        assert_eq!((again.encode(), again.plan()), (bytes.clone(), SMALL));
        let rows = lessons(&mut rng, 0..1)[0].choice.rows.clone();
        assert_eq!(again.posterior(Mode::Balanced, &rows), model.posterior(Mode::Balanced, &rows));
        assert_eq!(MeterModel::decode(&bytes[..bytes.len() - 1]).unwrap_err(), DecodeMeterError::Damaged);
        assert_eq!(MeterModel::decode(b"").unwrap_err(), DecodeMeterError::Format);
        let mend = |mut bytes: Vec<u8>| {
            let body = bytes.len() - 32;
            let check = digest(&[&bytes[..body]]);
            bytes[body..].copy_from_slice(&check);
            bytes
        };
        let mut other = bytes.clone();
        other[8] ^= 1;
        assert_eq!(MeterModel::decode(&mend(other)).unwrap_err(), DecodeMeterError::OtherFeatures);
        let mut long = bytes;
        long.splice(long.len() - 32..long.len() - 32, [0]);
        assert_eq!(MeterModel::decode(&mend(long)).unwrap_err(), DecodeMeterError::Format);
    }

    /// Whatever the bytes, reading ends without a panic, and what is read can be asked. Seed 163, 3,000 damaged models
    /// under checksums that fit.
    #[test]
    fn damaged_models_never_panic() {
        let mut rng = ChaCha20Rng::seed_from_u64(163);
        let whole = model(&mut rng).encode();
        let rows = lessons(&mut rng, 0..1)[0].choice.rows.clone();
        for _ in 0..3_000 {
            let mut bytes = whole[..whole.len() - 32].to_vec();
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(56..bytes.len());
                bytes[at] = rng.random();
            }
            bytes.truncate(if rng.random_bool(0.3) { rng.random_range(0..bytes.len()) } else { bytes.len() });
            bytes.extend(digest(&[&bytes]));
            if let Ok(model) = MeterModel::decode(&bytes) {
                assert_eq!(model.posterior(Mode::Maximum, &rows).len(), 10);
            }
        }
    }

    /// Ten events that each say 2:1 for one identity, taken whole and by a tenth.
    #[test]
    fn repeated_evidence_counts_as_much_as_it_is_given() {
        let mut event = [1.0 / 11.0; IDENTITIES];
        event[3] = 2.0 / 11.0;
        let odds = |weight| {
            let joint = joint(&[event; 10], weight);
            joint[3] / joint[0]
        };
        assert!((odds(1.0) - 1_024.0).abs() < 1e-6 && (odds(0.1) - 2.0).abs() < 1e-9);
        assert!(joint(&[], 1.0).iter().all(|share| (share - 0.1).abs() < 1e-12));
    }
}
