//! People whose devices run the real release code, and what one provider sees of them.
//!
//! The provider's view is stronger than the design grants it: every event is linked to its writer and
//! every provider's segment is seen. What the people do is what they do in the demo: they move, they
//! say what they are after, and their devices send on schedule whether or not there is anything to say.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use mosaic_attack::{EventView, SlotView};
use mosaic_crypto::oprf::{OprfOutput, WholeKey};
use mosaic_federation::sizing::Load;
use mosaic_geo::{PlaceIndex, Resident, Residents};
use mosaic_net::Cadence;
use mosaic_obfuscate::Vocabulary;
use mosaic_release::{Draft, OprfOutputs, OutgoingFrame, ReleaseError, ReleasedEvent, Releaser, ReleaserState};
use mosaic_types::{
    ContextText, Lane, Mode, NoiseRatio, Period, RowTag, Sensitive, Stream, TileId, Timestamp, TtlHours,
};
use mosaic_wire::{Groups, LaneShape, OprfInput, PublicShare, RendezvousState, TableDescriptor};
use rand::{CryptoRng, RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use zeroize::Zeroizing;

use crate::naive::Wish;

/// How many people, how long, from which seed.
#[derive(Clone, Copy, Debug)]
pub struct PopulationPlan {
    /// People; each has one device.
    pub agents: u32,
    /// Length of the recording.
    pub length: Duration,
    /// Everything is drawn from it.
    pub seed: u64,
    /// The mode of all devices.
    pub mode: Mode,
    /// First instant; a Saturday evening in the demo.
    pub start: Timestamp,
}

/// What was recorded: both lanes as a provider sees them, and the truth behind them.
#[derive(Debug)]
pub struct Recording {
    /// Discovery events in order of time.
    pub discovery: Vec<EventView>,
    /// Rendezvous events in order of time.
    pub rendezvous: Vec<EventView>,
    /// The true wishes behind them, in order of time.
    pub wishes: Vec<Wish>,
}

/// Lets `plan.agents` people live in `places` and records their devices' traffic.
///
/// # Errors
/// When nobody can live there or the release refuses something, with what it said.
pub fn record(places: &Arc<PlaceIndex>, plan: PopulationPlan) -> Result<Recording> {
    let residents = Residents::generate(places, plan.agents as usize, plan.seed)?;
    let mut rng = ChaCha20Rng::seed_from_u64(plan.seed);
    let mut tables = Tables::new(plan, &mut rng)?;
    let mut recording = Recording { discovery: Vec::new(), rendezvous: Vec::new(), wishes: Vec::new() };
    for (user, resident) in (0..).zip(residents.all()) {
        Device::new(user, resident, places, plan, &mut rng).live(places, &mut tables, &mut recording, &mut rng)?;
    }
    recording.discovery.sort_by_key(|event| event.at);
    recording.rendezvous.sort_by_key(|event| event.at);
    recording.wishes.sort_by_key(|wish| wish.at);
    Ok(recording)
}

/// The tables' descriptors and outputs. The lab holds the whole OPRF key, so an output costs one
/// multiplication instead of a round trip; every device then sees the same values as in a federation.
struct Tables {
    key: WholeKey,
    shapes: [LaneShape; 2],
    outputs: HashMap<OprfInput, OprfOutput>,
    descriptors: HashMap<Period, TableDescriptor>,
}

impl Tables {
    fn new(plan: PopulationPlan, rng: &mut impl CryptoRng) -> Result<Self> {
        let mut scalar = [0; 32];
        rng.fill_bytes(&mut scalar);
        scalar[31] &= 0x0F; // below 2^252 and so canonical
        let key = WholeKey::from_bytes(&scalar)?;
        let load = Load { agents: plan.agents, origins: 3 };
        let shape = |lane| {
            let shape = load.shape(lane);
            LaneShape { rows: shape.rows, capacity: shape.capacity }
        };
        let shapes = [shape(Lane::Discovery), shape(Lane::Rendezvous)];
        Ok(Self { key, shapes, outputs: HashMap::new(), descriptors: HashMap::new() })
    }

    fn descriptor(&mut self, period: Period) -> TableDescriptor {
        let [discovery, rendezvous] = self.shapes;
        let public_key = self.key.public_key();
        let describe = || TableDescriptor {
            tile: TileId(1),
            period,
            valid_from: period.start(),
            threshold: 2,
            public_key,
            shares: Vec::<PublicShare>::new(),
            transcript: [0; 32],
            discovery,
            rendezvous,
            generation_s: [5, 60, 600],
            groups: Groups::DEFAULT,
        };
        self.descriptors.entry(period).or_insert_with(describe).clone()
    }

    fn evaluate(&mut self, inputs: &[OprfInput]) -> Result<()> {
        for input in inputs {
            if !self.outputs.contains_key(input) {
                self.outputs.insert(*input, self.key.evaluate(&input.encode())?);
            }
        }
        Ok(())
    }
}

impl OprfOutputs for Tables {
    fn get(&self, input: &OprfInput) -> Option<&OprfOutput> {
        self.outputs.get(input)
    }
}

/// One person's device.
struct Device<'a> {
    user: u32,
    resident: &'a Resident,
    releaser: Releaser,
    cadence: Cadence,
    plan: PopulationPlan,
    /// A secret shared with one other person, and how often the two talk.
    channel: RendezvousState,
    talkative: f64,
    counter: u16,
}

impl<'a> Device<'a> {
    fn new(
        user: u32,
        resident: &'a Resident,
        places: &Arc<PlaceIndex>,
        plan: PopulationPlan,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let (mut seed, mut root) = ([0; 32], [0; 32]);
        rng.fill_bytes(&mut seed);
        rng.fill_bytes(&mut root);
        Self {
            user,
            resident,
            releaser: Releaser::new(seed, Arc::clone(places), ReleaserState::default()),
            cadence: Cadence::draw(plan.mode.class(), rng),
            plan,
            channel: RendezvousState::new(root),
            talkative: rng.random_range(0.0..1.0),
            counter: 0,
        }
    }

    fn live(
        mut self,
        places: &PlaceIndex,
        tables: &mut Tables,
        recording: &mut Recording,
        rng: &mut impl CryptoRng,
    ) -> Result<()> {
        let end = self.plan.start.after(self.plan.length);
        let mut wish_at = self.plan.start.after(Duration::from_secs(rng.random_range(0..3_600)));
        let mut now = self.plan.start;
        loop {
            let send = self.cadence.next(now, rng);
            if send.leave_at >= end {
                return Ok(());
            }
            if wish_at <= send.leave_at {
                recording.wishes.push(self.wish(wish_at, places, rng)?);
                wish_at = wish_at.after(Duration::from_secs(rng.random_range(3_600..10_800)));
            }
            let table = tables.descriptor(send.leave_at.period());
            let (lane, event) = match send.resolution {
                Some(resolution) => {
                    (&mut recording.discovery, self.discovery(send.leave_at, resolution, &table, tables, rng)?)
                }
                None => (&mut recording.rendezvous, self.rendezvous(send.leave_at, &table, rng)?),
            };
            lane.push(view(self.user, &event));
            now = send.tick;
        }
    }

    /// The person wants something, somewhere, now: an earlier wish gives way.
    fn wish(&mut self, at: Timestamp, places: &PlaceIndex, rng: &mut impl CryptoRng) -> Result<Wish> {
        let wish = Wish::of(self.user, self.resident, places, at, rng);
        let topics: Vec<&str> = Vocabulary::builtin().topics_of(wish.class).map(|topic| topic.name.as_str()).collect();
        let words = topics.get(rng.random_range(0..topics.len().max(1))).copied().unwrap_or("company");
        let earlier: Vec<_> = self.releaser.broadcasts().map(|broadcast| broadcast.id).collect();
        earlier.into_iter().for_each(|id| {
            self.releaser.withdraw(id);
        });
        let draft = Draft {
            place: Sensitive::new(wish.place),
            words: ContextText::new(words).context("a topic's name is no context")?,
            requested: NoiseRatio::new(0.5).context("a ratio")?,
            mode: self.plan.mode,
            ttl: TtlHours::default(),
        };
        self.releaser.draft(at, draft)?;
        Ok(wish)
    }

    fn discovery(
        &mut self,
        at: Timestamp,
        resolution: u8,
        table: &TableDescriptor,
        tables: &mut Tables,
        rng: &mut impl CryptoRng,
    ) -> Result<ReleasedEvent> {
        let stream = Stream::from(self.plan.mode.class());
        for _ in 0..8 {
            match self.releaser.discovery_event(at, resolution, table, stream, tables, rng) {
                Err(ReleaseError::Missing(inputs)) => tables.evaluate(&inputs)?,
                released => return Ok(released?),
            }
        }
        bail!("the release asks for ever more outputs")
    }

    /// People who talk have something for some slots; people who do not send all the same.
    fn rendezvous(
        &mut self,
        at: Timestamp,
        table: &TableDescriptor,
        rng: &mut impl CryptoRng,
    ) -> Result<ReleasedEvent> {
        let most = self.releaser.rendezvous_ratio(at, self.plan.mode).most_real_of(10);
        let waiting = (0..most).filter(|_| rng.random_bool(self.talkative)).count();
        let frames = (0..waiting).map(|_| self.frame(table, rng)).collect();
        let stream = Stream::from(self.plan.mode.class());
        Ok(self.releaser.rendezvous_event(at, table, stream, self.plan.mode, frames, rng)?)
    }

    fn frame(&mut self, table: &TableDescriptor, rng: &mut impl CryptoRng) -> OutgoingFrame {
        let direction = mosaic_wire::Direction::FromInitiator;
        let counter = self.counter;
        self.counter += 1;
        let mut plain = Zeroizing::new([0; mosaic_wire::RECORD_PLAIN]);
        // what a frame says is text for somebody; a structured plaintext is the harder case
        plain.fill(b' ');
        plain[0] = rng.random_range(b'a'..=b'z');
        OutgoingFrame {
            id: mosaic_release::FrameId(u64::from(counter)),
            rows: std::array::from_fn(|chain| self.channel.row(direction, counter, chain as u8, table.rendezvous.rows)),
            key: Zeroizing::new(self.channel.key(direction, counter)),
            plain,
        }
    }
}

/// What a provider keeps of an event, with the truth beside it for the judge.
fn view(user: u32, event: &ReleasedEvent) -> EventView {
    let fields = event.fields();
    let table = u64::from(fields.table.0) << 24;
    let truths: Vec<bool> = event.slot_truth().expose(|truth| truth.iter().map(|slot| slot.is_real()).collect());
    let slots = fields.rows.iter().zip(&fields.slots).zip(truths);
    let slots = slots.map(|((row, bytes), real): ((&RowTag, _), _)| SlotView {
        key: table | u64::from(row.row()),
        bytes: bytes.to_vec(),
        real,
    });
    EventView { user, at: event.leaves().as_secs(), slots: slots.collect() }
}
