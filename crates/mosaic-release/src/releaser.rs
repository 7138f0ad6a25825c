use std::{collections::BTreeSet, sync::Arc, time::Duration};

use mosaic_crypto::kdf::{self, Label};
use mosaic_geo::{Cell, PlaceIndex, Resolution};
use mosaic_obfuscate::{
    Cast, Charge, Ledger, Lifetime, Reading as WordsRead, RoundId, Vocabulary,
    blur::{self, Anchor},
    trail::Candidate,
};
use mosaic_types::{
    ClassShares, ContactText, ContextText, Enrichment, LatLng, Mode, NoiseRatio, Timestamp, TopicId, TtlHours, Week,
};
use mosaic_wire::{CardText, OprfInput, TableDescriptor};
use rand::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    Accepted, Broadcast, BroadcastId, Draft, Evaluating, Granularity, Included, QueryError, Refusal, ReleasedContact,
    ReleaserState, Spendings, WhyZone,
    combined::{self, Combined},
    preview::GivingWay,
    query,
    retry::Retries,
    state::{MemoKey, Source},
};

/// Most broadcasts that may stand at once: what one window's discovery events can carry.
const MOST_BROADCASTS: usize = 10;
/// Most topics that are released: as many as a persona names.
const MOST_TOPICS: u8 = 4;
/// No cell that a decoy may name is near.
const OUTSIDE: Refusal = Refusal::OutsideArea { within_km: blur::SNAP_WITHIN_KM };

/// Turns drafts into events. Holds the device seed; owns the ledger, the memo and the personas.
pub struct Releaser {
    pub(crate) keys: Keys,
    pub(crate) places: Arc<PlaceIndex>,
    pub(crate) cast: Cast,
    pub(crate) state: ReleaserState,
    pub(crate) retries: Retries,
    pub(crate) giving_way: GivingWay,
}

/// Keys of separate uses, all from the device seed. Erased on drop.
pub(crate) struct Keys {
    pub(crate) blur: Zeroizing<[u8; 32]>,
    pub(crate) bundles: Zeroizing<[u8; 32]>,
    pub(crate) order: Zeroizing<[u8; 32]>,
}

impl Releaser {
    /// A releaser for the device with this seed, over these public places, going on from `state`.
    /// Equal seeds have equal personas, noise and card keys: the seed is the device's identity. Personas stay
    /// where `state` knows them, whatever else is new in the index.
    pub fn new(seed: [u8; 32], places: Arc<PlaceIndex>, mut state: ReleaserState) -> Self {
        let seed = Zeroizing::new(seed);
        let key = |purpose: &[u8]| Zeroizing::new(kdf::derive(seed.as_slice(), Label::DeviceSeed, &[purpose]));
        let keys = Keys { blur: key(b"blur"), bundles: key(b"bundles"), order: key(b"slot order") };
        let mut cast = Cast::new(&key(b"personas"), &places, &state.whereabouts).liking(state.liked);
        cast.follow(&state.habits);
        // without places nobody lives anywhere, and who did comes back with the places
        if !places.is_empty() {
            state.whereabouts = cast.whereabouts();
        }
        Self { keys, places, cast, state, retries: Retries::default(), giving_way: GivingWay::default() }
    }

    /// Lets the personas of a device that has shown nothing yet like what is liked where it begins, for as long as it lives,
    /// as [`ReleaserState::where_popular`] does before it begins. That nothing was shown is the caller's to know: personas
    /// that change together tell who stays.
    pub fn begin_where_popular(&mut self, liked: ClassShares) {
        self.state.liked = Some(liked);
        let cast = std::mem::replace(&mut self.cast, Cast::new(&[0; 32], &self.places, &self.state.whereabouts));
        self.cast = cast.liking(self.state.liked);
    }

    /// Releases a draft: from here on only what strangers may learn is kept (DESIGN section 3, step 2).
    ///
    /// A spent ledger never refuses; it coarsens the place to a zone and says so. So does a cell that would tell too much
    /// together with earlier ones, and a second change of place in half an hour ([`WhyZone`]).
    ///
    /// # Errors
    /// [`Refusal`]: no places to make decoys of, none near here, or too many broadcasts standing.
    pub fn draft(&mut self, now: Timestamp, draft: Draft) -> Result<Accepted, Refusal> {
        self.draft_after(now, draft, Duration::ZERO)
    }

    /// As [`Self::draft`], for a broadcast that begins to stand after `wait`: no event leaving earlier carries it, and
    /// its companions' wishes begin with it.
    ///
    /// # Errors
    /// As [`Self::draft`].
    pub fn draft_after(&mut self, now: Timestamp, draft: Draft, wait: Duration) -> Result<Accepted, Refusal> {
        if self.places.is_empty() {
            return Err(Refusal::NoPlaces);
        }
        self.state.broadcasts.retain(|_, broadcast| !broadcast.is_over(now));
        if self.state.broadcasts.len() >= MOST_BROADCASTS {
            return Err(Refusal::TooMany { most: MOST_BROADCASTS });
        }
        let reading = reading_of(&draft.words, draft.enrichment);
        let place = draft.place.into_exposed();
        let id = BroadcastId(self.state.last_id + 1);
        let (cell, why_zone) = self.released_place(place, now, draft.mode, id)?;
        let granularity = why_zone.map_or(Granularity::Fine, |_| Granularity::Zone);
        let text = draft.words.expose(|words| CardText::clipped(words).as_str().to_owned());
        let echo =
            self.state.habits.show(reading.class, cell, now.window(), draft.mode, &wording(&reading.topics, &text));
        self.cast.follow(&self.state.habits);
        self.state.last_id = id.0;
        let broadcast = Broadcast {
            id,
            class: reading.class,
            topics: reading.topics,
            text,
            cell,
            granularity,
            created: now.after(wait),
            mode: draft.mode,
            ttl_hours: draft.ttl.hours(),
            requested_thousandths: thousandths(draft.requested),
            echo,
            ends_early: None,
        };
        let accepted = Accepted { why_zone, ..self.accepted(&broadcast, reading.confidence, now) };
        self.state.broadcasts.insert(broadcast.id, broadcast);
        Ok(accepted)
    }

    fn accepted(&self, broadcast: &Broadcast, confidence: f64, now: Timestamp) -> Accepted {
        Accepted {
            id: broadcast.id,
            class: broadcast.class,
            topics: broadcast.topics.clone(),
            confidence,
            requested: broadcast.requested(),
            effective_discovery: broadcast.effective_discovery(),
            effective_rendezvous: broadcast.effective_rendezvous(),
            granularity: broadcast.granularity,
            why_zone: None,
            inclusion: self.included(broadcast),
            ledger_left: self.ledger_left(now),
        }
    }

    /// Whether a broadcast is shown, and what the draw for it is worth.
    pub fn included(&self, broadcast: &Broadcast) -> Included {
        let inclusion = broadcast.inclusion();
        Included {
            shown: self.cast.includes_the_person(&broadcast.round()),
            probability: inclusion.probability(),
            epsilon: self.cast.epsilon(inclusion),
        }
    }

    /// The cell strangers may see instead of `place`: remembered, or blurred and paid for, and snapped to where
    /// personas may be; or a zone, and why. Only a cell that personas may name is released; where there is none, nothing
    /// is charged.
    fn released_place(
        &mut self,
        place: LatLng,
        at: Timestamp,
        mode: Mode,
        id: BroadcastId,
    ) -> Result<(Cell, Option<WhyZone>), Refusal> {
        let (week, memo) = (at.week(), &self.state.memo);
        let fine = |anchor| MemoKey { week, anchor, mode: mode as u8, zone: 0 };
        let anchor = Anchor::of_stay(place, &self.keys.blur, |anchor| memo.contains_key(&fine(anchor)));
        let key = fine(anchor);
        let mut ledger = self.state.ledger.clone().unwrap_or_else(|| Ledger::new(week));
        let mut combined = Combined::of(self.state.combined.as_ref(), week);
        let refused = combined.refuses(&key, at).or_else(|| {
            let charge = ledger.charge(week, anchor, mode);
            (charge == Charge::Spent).then_some(WhyZone::LedgerSpent)
        });
        let mut drawn = Vec::new();
        let fine = match refused {
            Some(why) => Err(why),
            None => {
                let draw = || blur::blurred(&self.keys.blur, place, anchor, week, mode);
                let point = memo.get(&key).map_or_else(draw, |known| LatLng::from(*known));
                let cell = blur::snap(point, &|cell| self.cast.may_name(cell)).ok_or(OUTSIDE)?;
                drawn.push((key, point));
                let candidate = Candidate { anchor, mode, cell, at };
                let weight = |cell| self.cast.weight(cell);
                combined.weigh(&candidate, key, id.0, &weight).map(|()| cell)
            }
        };
        let (shown, why) = match fine {
            Ok(cell) => (cell, None),
            Err(why) => {
                combined.count(why);
                let (key, point, zone) = self.zone(place, week)?;
                drawn.push((key, point));
                (zone, Some(why))
            }
        };
        (self.state.ledger, self.state.combined) = (Some(ledger), Some(combined));
        self.state.memo.retain(|key, _| key.week == week);
        self.state.memo.extend(drawn.into_iter().map(|(key, point)| (key, point.into())));
        Ok((shown, why))
    }

    /// The zone that stands for `place` in a week, with the point behind it and what that is remembered by.
    fn zone(&self, place: LatLng, week: Week) -> Result<(MemoKey, LatLng, Cell), Refusal> {
        let key = self.zone_key(place, week);
        let draw = || blur::blurred_zone(&self.keys.blur, key.anchor, week);
        let point = self.state.memo.get(&key).map_or_else(draw, |known| LatLng::from(*known));
        let plausible = |cell| self.cast.may_name(cell);
        // the middle of a zone's square may lie further out than the place does
        let snapped = blur::snap(place, &plausible).and_then(|_| blur::snap_zone(point, &plausible)).ok_or(OUTSIDE)?;
        Ok((key, point, snapped.parent(Resolution::R6).unwrap_or(snapped)))
    }

    /// One zone for a week and a coarse square, whatever the mode: uncharged, it must never be drawn afresh.
    fn zone_key(&self, place: LatLng, week: Week) -> MemoKey {
        let key = |anchor| MemoKey { week, anchor, mode: u8::MAX, zone: 1 };
        let known = |anchor| self.state.memo.contains_key(&key(anchor));
        key(Anchor::of_zone_stay(place, &self.keys.blur, known))
    }

    /// Takes a broadcast back: it enters no further event. Whether there was one. What was sent stays
    /// where it is until its table is destroyed.
    pub fn withdraw(&mut self, id: BroadcastId) -> Withdrawal {
        if let Some(combined) = &mut self.state.combined {
            combined.withdrawn(id.0);
        }
        if self.state.broadcasts.remove(&id).is_some() { Withdrawal::Withdrawn } else { Withdrawal::Unknown }
    }

    /// Makes a broadcast stricter: more noise, an earlier end, or both; what was paid for its place stays paid. Its ten
    /// go on together, with the time to live their bundles named before, and end together.
    ///
    /// # Errors
    /// [`TightenError`]; nothing was changed then.
    pub fn tighten(&mut self, now: Timestamp, id: BroadcastId, by: Tightening) -> Result<&Broadcast, TightenError> {
        let standing = self.state.broadcasts.get_mut(&id).filter(|broadcast| !broadcast.is_over(now));
        let broadcast = standing.ok_or(TightenError::Unknown)?;
        let noise = by.noise.map(thousandths);
        if noise.is_some_and(|noise| noise < broadcast.requested_thousandths) {
            return Err(TightenError::LessNoise { least: broadcast.requested() });
        }
        let end = by.ttl.map(|ttl| Lifetime::whole(broadcast.created, ttl).ends());
        if end.is_some_and(|end| end > broadcast.ends()) {
            return Err(TightenError::Longer { most: broadcast.ends() });
        }
        broadcast.requested_thousandths = noise.unwrap_or(broadcast.requested_thousandths);
        broadcast.ends_early = end.filter(|end| *end < broadcast.ends()).or(broadcast.ends_early);
        Ok(broadcast)
    }

    /// The broadcasts that were released and not withdrawn, oldest first; some may have ended.
    pub fn broadcasts(&self) -> impl Iterator<Item = &Broadcast> {
        self.state.broadcasts.values()
    }

    /// Broadcasts that have stood for a whole window at `at` and whose round no event showed in this window or the one
    /// before: nobody can have found them. Whatever the reason is, their person should know.
    pub fn unsent(&self, at: Timestamp) -> impl Iterator<Item = &Broadcast> {
        let since = at.window().previous();
        let recent = self.state.written.iter().filter(move |(slate, _)| slate.window >= since);
        let shown: BTreeSet<RoundId> = recent.flat_map(|(_, sources)| sources.iter().map(Source::round)).collect();
        let long = move |broadcast: &&Broadcast| broadcast.stands(at) && broadcast.created.window() < since;
        self.broadcasts().filter(long).filter(move |broadcast| !shown.contains(&RoundId::Own(broadcast.id.0)))
    }

    /// Where the public places come from, and how old they are.
    pub fn provenance(&self) -> &mosaic_geo::Provenance {
        self.places.provenance()
    }

    /// Left of the week's location budget, in units of `ε · 200 m`.
    pub fn ledger_left(&self, now: Timestamp) -> f64 {
        self.state.ledger.as_ref().map_or(Ledger::WEEKLY_BUDGET, |ledger| ledger.left(now.week()))
    }

    /// What the week's location budget was spent on and when it renews: numbers, no places.
    pub fn spendings(&self, now: Timestamp) -> Spendings {
        combined::spendings(self.state.ledger.as_ref(), self.state.combined.as_ref(), now.week())
    }

    /// What a restart must not forget, to be sealed by the vault.
    pub const fn state(&self) -> &ReleaserState {
        &self.state
    }

    /// Blinds up to sixteen inputs of `table` into a query of constant size.
    ///
    /// # Errors
    /// [`QueryError`] for more inputs, or inputs of another table.
    pub fn evaluate(
        table: &TableDescriptor,
        inputs: &[OprfInput],
        rng: &mut impl CryptoRng,
    ) -> Result<Evaluating, QueryError> {
        query::evaluate(table, inputs, rng)
    }

    /// A contact card that the person decided to give.
    pub const fn contact(text: ContactText) -> ReleasedContact {
        ReleasedContact::new(text)
    }
}

/// Bytes that are equal for equal topics and text.
pub(crate) fn wording(topics: &[TopicId], text: &str) -> Vec<u8> {
    topics.iter().flat_map(|topic| topic.0.to_be_bytes()).chain(text.bytes()).collect()
}

/// What is to become stricter about a broadcast; `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tightening {
    /// The noise asked for: as much as before, or more.
    pub noise: Option<NoiseRatio>,
    /// How long it stands, from its beginning: as long as before, or less.
    pub ttl: Option<TtlHours>,
}

/// Why a broadcast stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum TightenError {
    /// No broadcast of that name stands or waits.
    #[error("there is no such broadcast")]
    Unknown,
    /// It would have less noise than before.
    #[error("an update cannot lower the noise, which is {:.2}; withdraw it and broadcast anew", least.get())]
    LessNoise {
        /// What it has.
        least: NoiseRatio,
    },
    /// It would stand longer than before.
    #[error("an update cannot let it stand longer; withdraw it and broadcast anew")]
    Longer {
        /// When it ends.
        most: Timestamp,
    },
}

/// Whether there was something to withdraw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// It enters no further event.
    Withdrawn,
    /// No broadcast has this name.
    Unknown,
}

/// What words say to a broadcast of them: their class and up to four topics, those that enrichment adds last.
pub fn reading_of(words: &ContextText, enrichment: Enrichment) -> WordsRead {
    let vocabulary = Vocabulary::builtin();
    let mut reading = vocabulary.classify(words);
    reading.topics.truncate(MOST_TOPICS.into());
    reading.topics = vocabulary.enriched(reading.class, reading.topics, enrichment, MOST_TOPICS);
    reading
}

fn thousandths(ratio: NoiseRatio) -> u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 300 and 800")]
    let thousandths = (ratio.get() * 1_000.0).round() as u16;
    thousandths
}

#[cfg(test)]
mod tests {
    use mosaic_geo::synthetic_city;

    use super::*;
    use crate::fixtures::table;

    /// A device that meets a statement before it has shown anything has the personas of one that began with it, and others
    /// than one that meets none. All three have one seed.
    #[test]
    fn what_is_popular_is_learnt_before_the_first_event() {
        let at = Timestamp::from_secs(20_411 * 86_400 + 18 * 3_600);
        let places = Arc::new(synthetic_city(1));
        let mut people = [10.0; 16];
        people[3] = 900.0;
        let liked = ClassShares::new(people).unwrap();
        let device = |state| Releaser::new([7; 32], Arc::clone(&places), state);
        let needs = |releaser: Releaser| releaser.discovery_needs(at, 8, &table(at.period())).unwrap();
        let begun = needs(device(ReleaserState::where_popular(liked)));
        let mut later = device(ReleaserState::default());
        later.begin_where_popular(liked);
        assert_eq!((later.state().liked(), needs(later)), (Some(liked), begun.clone()));
        assert_ne!(needs(device(ReleaserState::default())), begun);
    }
}
