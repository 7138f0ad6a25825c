//! A thousand pairs of people who stand near each other, want the same and ask for 70 % noise (L3-25, L5-29): do their
//! devices find each other's bundle, and read words that need several coded parts?
//!
//! Everything but the network is the product's: release, cadence, reading plan, card book. Each pair has the table to
//! itself, so that no row is ever full.

use std::{
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};
use mosaic_attack::share_interval;
use mosaic_discovery::{Card, CardBook, Interest, Reach, plan};
use mosaic_geo::{PlaceIndex, offset_m};
use mosaic_net::Cadence;
use mosaic_obfuscate::{Vocabulary, sample_words};
use mosaic_release::{
    Draft, OprfOutputs as _, Refusal, ReleaseError, ReleasedEvent, Releaser, ReleaserState, SlotTruth,
};
use mosaic_types::{
    ContextText, Enrichment, Lane, LatLng, Mode, NoiseRatio, Period, Radius, SearchWindow, Sensitive, Stream,
    Timestamp, TopicId, TtlHours,
};
use mosaic_wire::{OprfInput, PartsNeeded, RECORD, rows};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

use crate::{
    device::popular_topic_of,
    report::Row,
    run::Bench,
    runs::{evening, exactly},
    tables::Tables,
};

/// The noise that everybody asks for (L5-29), and how far apart two are at most.
const NOISE: f64 = 0.70;
const NEAR_M: f64 = 500.0;
/// Both speak within so long, at random.
const SPOKEN: Duration = Duration::from_hours(2);
/// Who finds the other has so long from the later of the two.
const HOUR: Duration = Duration::from_hours(1);
/// For how long is looked at all: as long as anything is asked for; in maximum mode an event leaves once an hour.
fn longest(mode: Mode) -> Duration {
    if mode == Mode::Maximum { 4 * HOUR } else { 2 * HOUR }
}

/// Whether the two of a pair use the same words, or each words of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wording {
    Same,
    Own,
}

/// What became of a pair: for each of the two, how long after the later wish it had the other's card, and could read all of
/// the words.
type Outcome = [Found; 2];

#[derive(Clone, Copy, Default)]
struct Found {
    card: Option<Duration>,
    words: Option<Duration>,
    same_class: bool,
}

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let count = bench.plan.size.pairs;
    bench.progress.stage(&format!("{count} pairs who want the same"), 0);
    let seed = bench.rng.random();
    let play = |mode, wording| play(bench.places, count, (mode, wording), seed);
    let (same, own) = (play(Mode::Balanced, Wording::Same)?, play(Mode::Balanced, Wording::Own)?);
    let hidden = play(Mode::Maximum, Wording::Same)?;
    let row = |id: &str, metric: &str, found| {
        Row::printed(format!("matching/pairs{id}"), "near pairs at 70 % noise", "-", metric, found)
    };
    let within = |limit: Duration| move |at: Option<Duration>| at.is_some_and(|at| at <= limit);
    let of_each = |pairs: &[Outcome], holds: &dyn Fn(&Found) -> bool| {
        let all = || pairs.iter().flatten();
        share_interval(all().filter(|found| holds(found)).count() as u64, all().count() as u64)
    };
    let metric = format!("other's card found within an hour, {} of {count} pairs", 2 * count);
    let found = of_each(&same, &|found| within(HOUR)(found.card));
    bench.rows.push(row("", &metric, found).judged(0.80, 1.0));
    let found = of_each(&same, &|found| within(HOUR)(found.words));
    bench.rows.push(row("/coded", "other's words of three coded parts read within an hour", found).judged(0.95, 1.0));
    let found = of_each(&same, &|found| within(2 * HOUR)(found.words));
    bench.rows.push(row("/coded/two-hours", "… within two hours", found));
    let found = of_each(&own, &|found| within(HOUR)(found.card));
    let limits = "each says it in words of their own: where a device reads another class, it looks elsewhere";
    bench.rows.push(row("/own-words", "card found, words of one's own", found).judged(0.80, 1.0).because(limits));
    let found = of_each(&own, &|found| found.same_class);
    bench.rows.push(row("/own-words/class", "both read as one class", found));
    let found = of_each(&own, &|found| within(2 * HOUR)(found.words));
    bench.rows.push(row("/own-words/coded", "words of one's own read within two hours", found));
    maximum(bench, &hidden);
    Ok(())
}

/// In maximum mode a wish is shown in one case of two; who is not shown still looks.
fn maximum(bench: &mut Bench<'_>, pairs: &[Outcome]) {
    let row = |id: &str, metric: &str, found| {
        Row::printed(format!("matching/maximum{id}"), "discovery in maximum mode", "-", metric, found).on("U2")
    };
    let count = pairs.len() as u64;
    let found = |found: &Found| found.card.is_some();
    let either = pairs.iter().filter(|pair| pair.iter().any(found)).count() as u64;
    let each = pairs.iter().flatten().filter(|side| found(side)).count() as u64;
    let both = pairs.iter().filter(|pair| pair.iter().all(found)).count() as u64;
    let metric = format!("one of two at most 500 m apart found the other within four hours, {count} pairs");
    let limits = "who is not shown reads and can wave: one who finds is enough for the two to meet";
    bench.rows.push(row("", &metric, share_interval(either, count)).judged(0.50, 1.0).because(limits));
    bench.rows.push(row("/each", "the other was found", share_interval(each, 2 * count)));
    bench.rows.push(row("/both", "both found the other", share_interval(both, count)));
    let mut waits: Vec<f64> = pairs.iter().flatten().filter_map(|side| Some(side.card?.as_secs_f64() / 60.0)).collect();
    waits.sort_by(f64::total_cmp);
    if let Some(median) = waits.get(waits.len() / 2) {
        bench.rows.push(row("/median", "minutes from the later wish, median of those found", exactly(*median)));
    }
}

/// Plays all pairs, on all cores; in their order.
fn play(places: &Arc<PlaceIndex>, count: u32, how: (Mode, Wording), seed: u64) -> Result<Vec<Outcome>> {
    let waiting = Mutex::new(0..count);
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let worker = || -> Result<Vec<(u32, Outcome)>> {
        let (mut tables, mut done) = (Tables::new(2 * count, seed)?, Vec::new());
        while let Some(number) = next() {
            let parts: [&[u8]; 3] = [b"pair", &seed.to_be_bytes(), &number.to_be_bytes()];
            let mut rng = ChaCha20Rng::from_seed(mosaic_crypto::digest(&parts));
            done.push((number, one_pair(places, how, &mut tables, &mut rng)?));
        }
        Ok(done)
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let played: Result<Vec<_>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| anyhow!("a pair stopped"))?).collect()
    });
    let mut played = played?.concat();
    played.sort_by_key(|(number, _)| *number);
    Ok(played.into_iter().map(|(_, outcome)| outcome).collect())
}

/// One of two: what they said, and what their device sends and reads.
struct Side {
    releaser: Releaser,
    rng: ChaCha20Rng,
    mode: Mode,
    cadence: Cadence,
    said: Timestamp,
    words: String,
    /// None where the release took no wish there: nothing of the person is shown, and nobody is looked for.
    interest: Option<Interest>,
    book: CardBook,
}

/// An event with the slot that carries the person's bundle.
struct Sent {
    readable: Timestamp,
    row: u32,
    period: Period,
    record: [u8; RECORD],
}

fn one_pair(
    places: &Arc<PlaceIndex>,
    (mode, wording): (Mode, Wording),
    tables: &mut Tables,
    rng: &mut ChaCha20Rng,
) -> Result<Outcome> {
    let classes = Vocabulary::builtin().classes();
    let class = classes[rng.random_range(0..classes.len())].id;
    let topic = popular_topic_of(class, rng).context("a class without topics")?;
    let venues = places.all();
    let here = venues.get(rng.random_range(0..venues.len().max(1))).context("nobody can be there")?.position;
    let (far, way) = (NEAR_M * rng.random::<f64>().sqrt(), rng.random_range(0.0..std::f64::consts::TAU));
    let there = offset_m(here, far * way.cos(), far * way.sin());
    let words = |rng: &mut ChaCha20Rng| sample_words(topic, PartsNeeded::Three, rng);
    let first = words(rng);
    let second = if wording == Wording::Same { first.clone() } else { words(rng) };
    let mut sides = [Side::new(places, mode, here, first, rng)?, Side::new(places, mode, there, second, rng)?];
    let later = sides[0].said.max(sides[1].said);
    let end = later.after(longest(mode));
    let [ours, theirs] = [0, 1].map(|side| sides[side].sends(end, tables));
    let (ours, theirs) = (ours?, theirs?);
    let same_class = sides.iter().filter_map(|side| Some(side.interest.as_ref()?.class)).collect::<Vec<_>>();
    let same_class = matches!(same_class[..], [one, other] if one == other);
    let texts = sides.each_ref().map(|side| side.words.clone());
    let found = [sides[0].reads(later, theirs, &texts[1], tables)?, sides[1].reads(later, ours, &texts[0], tables)?];
    Ok(found.map(|found| Found { same_class, ..found }))
}

impl Side {
    fn new(places: &Arc<PlaceIndex>, mode: Mode, place: LatLng, words: String, rng: &mut ChaCha20Rng) -> Result<Self> {
        let mut rng = ChaCha20Rng::from_rng(rng);
        let mut releaser = Releaser::new(rng.random(), Arc::clone(places), ReleaserState::default());
        let cadence = Cadence::draw(mode.class(), &mut rng);
        let said = evening().after(Duration::from_millis(rng.random_range(0..SPOKEN.as_millis() as u64)));
        let draft = Draft {
            place: Sensitive::new(place),
            words: ContextText::new(&words)?,
            requested: NoiseRatio::new(NOISE)?,
            mode,
            ttl: TtlHours::default(),
            enrichment: Enrichment::default(),
        };
        let interest = match releaser.draft(said, draft) {
            Ok(accepted) => Some(Interest {
                class: accepted.class,
                topics: accepted.topics,
                place: Sensitive::new(place),
                radius: Radius::default(),
                window: SearchWindow::default(),
            }),
            Err(Refusal::OutsideArea { .. }) => None,
            Err(refusal) => return Err(refusal.into()),
        };
        Ok(Self { releaser, rng, mode, cadence, said, words, interest, book: CardBook::new() })
    }

    /// What the device sends until `end` for strangers, as far as it is the person's.
    fn sends(&mut self, end: Timestamp, tables: &mut Tables) -> Result<Vec<Sent>> {
        let profile = self.mode.class().profile();
        // sealed with the next generation and read with the next poll of an open app
        let lag = profile.generation + profile.poll;
        let (mut after, mut sent) = (self.said, Vec::new());
        loop {
            let send = self.cadence.next(after, &mut self.rng);
            after = send.tick;
            if send.leave_at.after(lag) >= end {
                return Ok(sent);
            }
            let Some(resolution) = send.resolution else { continue };
            let event = self.event(send.leave_at, resolution, tables)?;
            let truth = event.slot_truth().expose(|truth| *truth);
            let fields = event.fields();
            let slots = fields.rows.iter().zip(&fields.slots).zip(truth);
            let own = slots.filter(|(_, truth)| matches!(truth, SlotTruth::Broadcast(_)));
            let period = fields.table.period();
            sent.extend(own.map(|((tag, record), _)| Sent {
                readable: event.leaves().after(lag),
                row: tag.row(),
                period,
                record: *record,
            }));
        }
    }

    fn event(&mut self, at: Timestamp, resolution: u8, tables: &mut Tables) -> Result<ReleasedEvent> {
        let (stream, table) = (Stream::from(self.mode.class()), tables.descriptor(at.period()));
        for _ in 0..8 {
            match self.releaser.discovery_event(at, resolution, &table, stream, tables, &mut self.rng) {
                Err(ReleaseError::Missing(inputs)) => tables.evaluate(&inputs)?,
                released => return Ok(released?),
            }
        }
        Err(anyhow!("the release asks for ever more outputs"))
    }

    /// Reads what the other sent, each as soon as this person looks and it can be read, with the plan of that moment.
    fn reads(&mut self, later: Timestamp, sent: Vec<Sent>, words: &str, tables: &mut Tables) -> Result<Found> {
        let mut found = Found::default();
        let Some(interest) = &self.interest else { return Ok(found) };
        let reach = Reach::of(&self.mode.profile());
        for one in sent {
            let now = one.readable.max(later);
            let inputs = plan(interest, now, reach, tables.descriptor(now.period()).groups);
            tables.evaluate(&inputs)?;
            let keys = topic_keys(&inputs, one.period, tables);
            let shape = tables.shape(Lane::Discovery);
            let leads = |input: &&OprfInput| {
                let output = tables.get(input).filter(|_| is_row_of(input, one.period));
                output.is_some_and(|output| rows::discovery_row(output, 0, shape.rows) == one.row)
            };
            let cards = inputs
                .iter()
                .filter(leads)
                .filter_map(|input| Card::open(now, input, tables.get(input)?, &keys, &one.record));
            for card in cards {
                let _insertion = self.book.insert(now, card);
            }
            let ranked = self.book.ranked(interest, reach, now);
            let waited = now.since(later);
            if !ranked.is_empty() {
                found.card.get_or_insert(waited);
            }
            let read = |text: &Option<String>| text.as_deref().is_some_and(|text| text == words);
            if ranked.iter().any(|ranked| read(&ranked.card.text)) {
                found.words.get_or_insert(waited);
            }
        }
        Ok(found)
    }
}

const fn is_row_of(input: &OprfInput, wanted: Period) -> bool {
    matches!(input, OprfInput::Row { period, .. } if period.0 == wanted.0)
}

fn topic_keys(inputs: &[OprfInput], wanted: Period, tables: &Tables) -> Vec<(TopicId, [u8; 32])> {
    let key = |input: &OprfInput| match input {
        OprfInput::Topic { period, topic, .. } if *period == wanted => {
            Some((*topic, rows::topic_key(tables.get(input)?)))
        }
        _ => None,
    };
    inputs.iter().filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    use mosaic_geo::city::synthetic_city;

    use super::*;

    /// Seed 12, ten pairs: who says the same nearby is found, whatever the order in which pairs are played; in maximum mode
    /// some are not shown.
    #[test]
    fn near_pairs_find_each_other() {
        let places = Arc::new(synthetic_city(1));
        let cards = |mode| {
            let pairs = play(&places, 10, (mode, Wording::Same), 12).unwrap();
            pairs.iter().flatten().filter(|side| side.card.is_some()).count()
        };
        let (balanced, maximum) = (cards(Mode::Balanced), cards(Mode::Maximum));
        assert!(balanced >= 17 && maximum < balanced, "{balanced} and {maximum} of 20");
    }
}
