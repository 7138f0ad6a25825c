//! One person and the device that runs the real release code for them.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, bail};
use mosaic_attack::{ByteStatistics, EventView, SlotView};
use mosaic_geo::{PlaceIndex, Resident};
use mosaic_net::{Cadence, Scheduled};
use mosaic_obfuscate::{Topic, Vocabulary};
use mosaic_release::{Accepted, Draft, Refusal, ReleaseError, ReleasedEvent, Releaser, ReleaserState};
use mosaic_types::{
    ClassId, ContextText, Enrichment, LatLng, Mode, NoiseRatio, RowTag, Sensitive, Stream, Timestamp, TtlHours,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::{naive::Wish, population::PopulationPlan, tables::Tables};

/// A person and their device. Everything it draws comes from its own stream of random numbers, so that a
/// recording is the same whatever order, or however many threads, the devices are played in.
pub(crate) struct Device<'a> {
    pub(crate) user: u32,
    pub(crate) releaser: Releaser,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) mode: Mode,
    resident: &'a Resident,
    cadence: Cadence,
    wish_at: Timestamp,
}

/// A wish that was just released.
pub(crate) struct Wished {
    pub(crate) place: LatLng,
    pub(crate) accepted: Accepted,
}

impl<'a> Device<'a> {
    pub(crate) fn new(user: u32, resident: &'a Resident, places: &Arc<PlaceIndex>, plan: PopulationPlan) -> Self {
        let parts: [&[u8]; 3] = [b"device", &plan.seed.to_be_bytes(), &user.to_be_bytes()];
        let mut rng = ChaCha20Rng::from_seed(mosaic_crypto::digest(&parts));
        let mut seed = [0; 32];
        rng.fill(&mut seed[..]);
        Self {
            user,
            resident,
            releaser: Releaser::new(
                seed,
                Arc::clone(places),
                plan.liked.map_or_else(ReleaserState::default, ReleaserState::where_popular),
            ),
            cadence: Cadence::draw(plan.mode.class(), &mut rng),
            mode: plan.mode,
            wish_at: plan.start.after(Duration::from_secs(rng.random_range(0..3_600))),
            rng,
        }
    }

    /// The event of the first tick after `after`.
    pub(crate) fn next(&mut self, after: Timestamp) -> Scheduled {
        self.cadence.next(after, &mut self.rng)
    }

    pub(crate) fn stream(&self) -> Stream {
        Stream::from(self.mode.class())
    }

    /// The person wants something, somewhere, now, if it is time again: an earlier wish gives way.
    pub(crate) fn wish(&mut self, now: Timestamp, places: &PlaceIndex) -> Result<Option<Wished>> {
        if self.wish_at > now {
            return Ok(None);
        }
        let wish = Wish::of(self.user, self.resident, places, self.wish_at, &mut self.rng);
        self.wish_at = self.wish_at.after(Duration::from_secs(self.rng.random_range(3_600..10_800)));
        let earlier: Vec<_> = self.releaser.broadcasts().map(|broadcast| broadcast.id).collect();
        earlier.into_iter().for_each(|id| {
            self.releaser.withdraw(id);
        });
        let draft = Draft {
            place: Sensitive::new(wish.place),
            words: ContextText::new(popular_topic(wish.class, &mut self.rng))?,
            requested: NoiseRatio::new(0.5)?,
            mode: self.mode,
            ttl: TtlHours::default(),
            enrichment: Enrichment::default(),
        };
        match self.releaser.draft(now, draft) {
            Ok(accepted) => Ok(Some(Wished { place: wish.place, accepted })),
            // the wish stays unsaid; the device sends on
            Err(Refusal::OutsideArea { .. }) => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// One wish at home that stands for two days and is sent again and again: what a rebroadcast attack needs.
    pub(crate) fn stand(&mut self, now: Timestamp) -> Result<()> {
        let class = self.resident.interests()[0];
        let draft = Draft {
            place: Sensitive::new(self.resident.home()),
            words: ContextText::new(popular_topic(class, &mut self.rng))?,
            requested: NoiseRatio::new(0.5)?,
            mode: self.mode,
            ttl: TtlHours::default(),
            enrichment: Enrichment::default(),
        };
        match self.releaser.draft(now, draft) {
            Ok(_) | Err(Refusal::OutsideArea { .. }) => Ok(()),
            Err(refusal) => Err(refusal.into()),
        }
    }

    pub(crate) fn discovery(&mut self, at: Timestamp, resolution: u8, tables: &mut Tables) -> Result<ReleasedEvent> {
        let (stream, table) = (self.stream(), tables.descriptor(at.period()));
        for _ in 0..8 {
            match self.releaser.discovery_event(at, resolution, &table, stream, tables, &mut self.rng) {
                Err(ReleaseError::Missing(inputs)) => tables.evaluate(&inputs)?,
                released => return Ok(released?),
            }
        }
        bail!("the release asks for ever more outputs")
    }
}

/// A topic of the class, the n-th of its list with weight 1 / n: on one evening many want the same few
/// things, and wave at the same cards.
pub(crate) fn popular_topic(class: ClassId, rng: &mut ChaCha20Rng) -> &'static str {
    popular_topic_of(class, rng).map_or("company", |topic| topic.name.as_str())
}

/// The same, and not its name alone; none of a class without topics.
pub(crate) fn popular_topic_of(class: ClassId, rng: &mut ChaCha20Rng) -> Option<&'static Topic> {
    let mut topics: Vec<_> = Vocabulary::builtin().topics_of(class).collect();
    topics.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.id.cmp(&b.id)));
    let weight = |rank: usize| 1.0 / (rank + 1) as f64;
    let mut point = rng.random_range(0.0..1.0) * (0..topics.len()).map(weight).sum::<f64>();
    let found = (0..topics.len()).find(|rank| {
        point -= weight(*rank);
        point < 0.0
    });
    found.and_then(|rank| topics.get(rank)).copied()
}

/// What a provider keeps of an event, with the truth beside it for the judge.
pub(crate) fn view(user: u32, event: &ReleasedEvent) -> EventView {
    let fields = event.fields();
    let table = u64::from(fields.table.0) << 24;
    let truths: Vec<bool> = event.slot_truth().expose(|truth| truth.iter().map(|slot| slot.is_real()).collect());
    let slots = fields.rows.iter().zip(&fields.slots).zip(truths);
    let slots = slots.map(|((tag, bytes), real): ((&RowTag, _), _)| SlotView {
        key: table | u64::from(tag.row()),
        chain: tag.chain(),
        bytes: ByteStatistics::of(bytes),
        real,
    });
    EventView { user, at: event.leaves().as_secs(), slots: slots.collect() }
}
