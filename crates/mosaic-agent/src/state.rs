use std::collections::BTreeMap;

use mosaic_discovery::StoredGroups;
use mosaic_release::ReleaserState;
use mosaic_types::{
    AnonymityFloor, ClassShares, ContactText, MatchThreshold, Mode, NoiseRatio, Reporting, Risk, Timestamp, TtlHours,
};
use rand::{CryptoRng, RngExt as _};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{alerts::Evidence, answers::KeptAnswers, trail::Trail, tries::Tries};

/// Everything of an agent that outlives a restart: seed, releaser, settings, kept people, evidence. Sealed
/// by the vault and by nothing else. No session key, no unkept contact, no true place (S-46, C-58).
#[derive(Serialize, Deserialize)]
pub struct AgentState {
    pub(crate) seed: [u8; 32],
    pub(crate) phase_ms: u64,
    pub(crate) releaser: ReleaserState,
    pub(crate) settings: Settings,
    pub(crate) kept: BTreeMap<String, KeptPerson>,
    pub(crate) evidence: Vec<Evidence>,
    /// Stored behind the rest: see [`Later`].
    #[serde(skip)]
    pub(crate) trail: Trail,
    /// Stored behind the rest, as the trail is.
    #[serde(skip)]
    pub(crate) answers: KeptAnswers,
    #[serde(skip)]
    pub(crate) tries: Tries,
    #[serde(skip)]
    pub(crate) groups: StoredGroups,
}

/// What came after the first version, and stands behind it. A state without is one of that version, and a program of
/// that version reads what stands before.
#[derive(Serialize, Deserialize)]
enum Later {
    Second { floor: Option<AnonymityFloor>, trail: Trail },
    Third { floor: Option<AnonymityFloor>, trail: Trail, risk: Risk, habits: Habits },
    Fourth(Fourth),
    Fifth { fourth: Fourth, groups: StoredGroups, threshold: MatchThreshold },
}

/// What the third version added.
#[derive(Default, Serialize, Deserialize)]
struct Third {
    floor: Option<AnonymityFloor>,
    trail: Trail,
    risk: Risk,
    habits: Habits,
}

/// What the fourth version added.
#[derive(Default, Serialize, Deserialize)]
struct Fourth {
    third: Third,
    reporting: Reporting,
    answers: Box<KeptAnswers>,
    tries: Tries,
}

/// What a person set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    ttl_hours: Option<u8>,
    noise_thousandths: Option<u16>,
    /// Stored behind the rest: see [`Later`].
    #[serde(skip)]
    floor: Option<AnonymityFloor>,
    /// Of broadcasts that state none. Stored behind the rest, as the next one is.
    #[serde(skip)]
    pub(crate) risk: Risk,
    #[serde(skip)]
    pub(crate) habits: Habits,
    /// Whether a noised answer is given about each day. Stored behind the rest.
    #[serde(skip)]
    pub(crate) reporting: Reporting,
    /// From which similarity on a card is a match. Stored behind the rest.
    #[serde(skip)]
    pub(crate) threshold: MatchThreshold,
}

/// Whether the person was told what habits give away at high risk: once is enough (L6-44).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Habits {
    #[default]
    ToTell,
    Told,
}

impl Settings {
    pub(crate) fn of_mode(mode: Mode) -> Self {
        Self { mode, ..Self::default() }
    }

    pub(crate) fn ttl(&self) -> TtlHours {
        self.ttl_hours.and_then(|hours| TtlHours::new(hours.into()).ok()).unwrap_or_default()
    }

    pub(crate) fn set_ttl(&mut self, ttl: TtlHours) {
        self.ttl_hours = Some(ttl.hours());
    }

    /// The noise set, or none.
    pub(crate) fn noise(&self) -> Option<NoiseRatio> {
        self.noise_thousandths.and_then(|raw| NoiseRatio::new(f64::from(raw) / 1_000.0).ok())
    }

    pub(crate) fn set_noise(&mut self, noise: NoiseRatio) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the ratio is within 0.3..=0.8")]
        let thousandths = (noise.get() * 1_000.0).round() as u16;
        self.noise_thousandths = Some(thousandths);
    }

    /// The anonymity floor set, or none.
    pub(crate) const fn floor(&self) -> Option<AnonymityFloor> {
        self.floor
    }

    pub(crate) const fn set_floor(&mut self, floor: AnonymityFloor) {
        self.floor = Some(floor);
    }

    /// The anonymity floor in force: the setting, or the mode's own.
    pub(crate) fn effective_floor(&self) -> AnonymityFloor {
        self.floor.unwrap_or(self.mode.profile().anonymity_floor)
    }

    /// What is requested when a person names no ratio: the setting, or the mode's own ratio.
    pub(crate) fn requested(&self) -> NoiseRatio {
        self.noise().unwrap_or(self.mode.profile().rendezvous_floor)
    }
}

/// A contact the person chose to keep.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeptPerson {
    pub(crate) contact: String,
    pub(crate) since: Timestamp,
}

impl KeptPerson {
    pub(crate) fn new(contact: &ContactText, since: Timestamp) -> Self {
        Self { contact: contact.expose(str::to_owned), since }
    }
}

impl Drop for KeptPerson {
    fn drop(&mut self) {
        self.contact.zeroize();
    }
}

/// Bytes that are no agent state of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the stored agent state cannot be read")]
pub struct DecodeStateError;

impl AgentState {
    /// A new device: fresh seed, default settings.
    pub fn fresh(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        Self {
            seed,
            phase_ms: rng.random_range(0..3_600_000),
            releaser: ReleaserState::default(),
            settings: Settings::default(),
            kept: BTreeMap::new(),
            evidence: Vec::new(),
            trail: Trail::default(),
            answers: KeptAnswers::fresh(),
            tries: Tries::default(),
            groups: StoredGroups::default(),
        }
    }

    /// A new device that starts in `mode`.
    #[must_use]
    pub fn in_mode(mut self, mode: Mode) -> Self {
        self.settings = Settings::of_mode(mode);
        self
    }

    /// What its personas like as the region did when the device began, if it knew.
    pub const fn liked(&self) -> Option<ClassShares> {
        self.releaser.liked()
    }

    /// The state as the vault seals it.
    ///
    /// # Errors
    /// [`DecodeStateError`] only if it cannot be encoded, which no state causes.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, DecodeStateError> {
        let first = postcard::to_stdvec(self).map_err(|_| DecodeStateError)?;
        let later = {
            let Settings { floor, risk, habits, reporting, threshold, .. } = self.settings;
            let third = Third { floor, trail: self.trail.clone(), risk, habits };
            let (answers, tries) = (Box::new(self.answers.clone()), self.tries.clone());
            let fourth = Fourth { third, reporting, answers, tries };
            Later::Fifth { fourth, groups: self.groups.clone(), threshold }
        };
        postcard::to_extend(&later, first).map(Zeroizing::new).map_err(|_| DecodeStateError)
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`DecodeStateError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeStateError> {
        let (mut state, rest): (Self, _) = postcard::take_from_bytes(bytes).map_err(|_| DecodeStateError)?;
        if !rest.is_empty() {
            let usual = MatchThreshold::default();
            let fourth = |fourth| (fourth, StoredGroups::default(), usual);
            let third = |third| fourth(Fourth { third, ..Fourth::default() });
            let (fourth, groups, threshold) = match postcard::from_bytes(rest).map_err(|_| DecodeStateError)? {
                Later::Second { floor, trail } => third(Third { floor, trail, ..Third::default() }),
                Later::Third { floor, trail, risk, habits } => third(Third { floor, trail, risk, habits }),
                Later::Fourth(known) => fourth(known),
                Later::Fifth { fourth, groups, threshold } => (fourth, groups, threshold),
            };
            let Fourth { third, reporting, answers, tries } = fourth;
            (state.groups, state.settings.threshold) = (groups, threshold);
            (state.settings.floor, state.trail, state.tries) = (third.floor, third.trail, tries);
            (state.settings.risk, state.settings.habits) = (third.risk, third.habits);
            (state.settings.reporting, state.answers) = (reporting, *answers);
        }
        Ok(state)
    }
}

impl Drop for AgentState {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha20Rng;

    use mosaic_types::Code;

    use super::*;
    use crate::answers::Tastes;

    /// Seed 7. What the first version wrote is read, what is written now is read by the first version, and what was set
    /// comes back.
    #[test]
    fn every_version_is_read() {
        let mut state = AgentState::fresh(&mut ChaCha20Rng::seed_from_u64(7)).in_mode(Mode::Maximum);
        let first = postcard::to_stdvec(&state).unwrap();
        assert_eq!(AgentState::from_bytes(&first).unwrap().settings, state.settings);
        state.settings.set_floor(AnonymityFloor::new(3.5).unwrap());
        let second = Later::Second { floor: state.settings.floor, trail: Trail::default() };
        let second = postcard::to_extend(&second, first.clone()).unwrap();
        assert_eq!(AgentState::from_bytes(&second).unwrap().settings, state.settings);
        (state.settings.risk, state.settings.habits) = (Risk::High, Habits::Told);
        let third = Later::Third {
            floor: state.settings.floor,
            trail: Trail::default(),
            risk: Risk::High,
            habits: Habits::Told,
        };
        let third = postcard::to_extend(&third, first.clone()).unwrap();
        let read = AgentState::from_bytes(&third).unwrap();
        assert_eq!((read.settings, read.answers.tastes), (state.settings, Tastes::Settled));
        assert_eq!(AgentState::from_bytes(&state.to_bytes().unwrap()).unwrap().answers.tastes, Tastes::Open);
        let third =
            Third { floor: state.settings.floor, trail: Trail::default(), risk: Risk::High, habits: Habits::Told };
        let fourth = Later::Fourth(Fourth { third, ..Fourth::default() });
        let fourth = postcard::to_extend(&fourth, first.clone()).unwrap();
        assert_eq!(AgentState::from_bytes(&fourth).unwrap().settings, state.settings);
        state.settings.reporting = Reporting::On;
        state.settings.threshold = MatchThreshold::new(0.5).unwrap();
        let (nameplate, now) = (Code::from_number(0).nameplate(), Timestamp::from_secs(1));
        assert_eq!(state.tries.take(now, nameplate), Some(2));
        let bytes = state.to_bytes().unwrap();
        assert!(bytes.starts_with(&first) && postcard::from_bytes::<AgentState>(&bytes).is_ok());
        let again = AgentState::from_bytes(&bytes).unwrap();
        assert_eq!((again.settings, again.settings.effective_floor().get()), (state.settings, 3.5));
        assert_eq!(again.tries.clone().take(now, nameplate), Some(1));
        assert!(AgentState::from_bytes(&[first, vec![9]].concat()).is_err());
    }
}
