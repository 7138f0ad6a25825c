//! The whole question "who is here now within 500 m" as an agent asks it of providers that can read nothing: every record of the
//! window is fetched, held against its signed head, looked at by row, opened where a row is one that the place and the class
//! lead to, and what opens is ranked, decoys and all. OPRF outputs are cached, as after the first question of a window.
//!
//! ```sh
//! cargo bench --locked -p mosaic-discovery --bench question                   # a million records
//! cargo bench --locked -p mosaic-discovery --bench question -- 100000 --json  # so many, for `cargo xtask compare provider`
//! ```
//!
//! Fetching over TLS is not in it: the loopback bench of mosaic-provider measures that, in records a second.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and ends at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::{
    collections::HashMap,
    env,
    hint::black_box,
    time::{Duration, Instant},
};

use mosaic_crypto::{digest, oprf::OprfOutput, record, signing::SigningKey};
use mosaic_discovery::{Card, CardBook, Interest, Reach, plan};
use mosaic_types::{
    ClassId, Lane, LatLng, Mode, ProviderId, Radius, RowTag, SearchWindow, SegmentId, Sensitive, Stream, TableId,
    Timestamp, TopicId, TtlHours,
};
use mosaic_wire::{
    Bundle, CardText, Carrier, GenerationBlock, Groups, Head, OprfInput, Part, RECORD, Record, TopicLayer, rows,
};
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Forty minutes into the first window of a table's period.
const NOW: Timestamp = Timestamp::from_secs(122_478 * 4 * 3_600 + 2_400);
/// Records a square kilometre: a million in a square of forty kilometres, as the open index has it.
const DENSITY: f64 = 625.0;
/// Rows of a table for more than ten thousand devices, and records that one holds of an origin.
const ROWS: u32 = 1 << 18;
const CAPACITY: usize = 64;
const TOPIC: TopicId = TopicId(7);
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let records = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let told = Asker::new(records).measure();
    if arguments.iter().any(|argument| argument == "--json") {
        println!("{told}");
    } else {
        println!("{}", told.pretty());
    }
}

/// What one question took, in seconds, the median of several; and what it met.
struct Told {
    records: usize,
    cards: usize,
    answers: usize,
    decode: f64,
    verify: f64,
    open: f64,
    rank: f64,
}

impl Told {
    fn whole(&self) -> f64 {
        self.decode + self.verify + self.open + self.rank
    }

    fn pretty(&self) -> String {
        let Self { records, cards, answers, decode, verify, open, rank } = self;
        format!(
            "{records} records, {cards} cards opened, {answers} answers: {:.1} ms; decoding {:.1} ms, heads and roots {:.1} \
             ms, rows looked at and records opened {:.1} ms, ranking {:.2} ms",
            self.whole() * 1e3,
            decode * 1e3,
            verify * 1e3,
            open * 1e3,
            rank * 1e3
        )
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { records, cards, answers, decode, verify, open, rank } = self;
        write!(
            f,
            r#"{{"records":{records},"cards":{cards},"answers":{answers},"decode_s":{decode},"verify_s":{verify},"open_s":{open},"rank_s":{rank},"whole_s":{}}}"#,
            self.whole()
        )
    }
}

/// An agent that has its outputs, and what three origins sealed in this window.
struct Asker {
    interest: Interest,
    outputs: HashMap<OprfInput, OprfOutput>,
    topic_key: [u8; 32],
    watched: HashMap<u32, Vec<OprfInput>>,
    sealed: Vec<(Head, Vec<u8>)>,
    records: usize,
    key: SigningKey,
}

impl Asker {
    fn new(records: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(21);
        let interest = Interest {
            class: ClassId::new(5).unwrap(),
            topics: vec![TOPIC],
            place: Sensitive::new(LatLng::new(41.15, -8.62).unwrap()),
            radius: Radius::new(500).unwrap(),
            window: SearchWindow::default(),
        };
        let inputs = plan(&interest, NOW, reach(), Groups::DEFAULT);
        let outputs: HashMap<_, _> = inputs.iter().map(|input| (*input, output(input))).collect();
        let topic = inputs.iter().find(|input| matches!(input, OprfInput::Topic { .. })).unwrap();
        let topic_key = rows::topic_key(&outputs[topic]);
        let mut watched: HashMap<u32, Vec<OprfInput>> = HashMap::new();
        for input in inputs.iter().filter(|input| is_row_of_this_table(input)) {
            for chain in 0..RowTag::CHAIN {
                watched.entry(rows::discovery_row(&outputs[input], chain, ROWS)).or_default().push(*input);
            }
        }
        let mut stored = Vec::with_capacity(records);
        let share = records as f64 / 1e6;
        for input in inputs.iter().filter(|input| is_row_of_this_table(input)) {
            publish(input, &outputs[input], &topic_key, share, &mut stored, &mut rng);
        }
        assert!(stored.len() < records, "the cells around hold more than there are records");
        while stored.len() < records {
            let mut bytes = [0; RECORD];
            rng.fill_bytes(&mut bytes);
            stored.push(Record { row: rng.random_range(0..ROWS), bytes });
        }
        let key = SigningKey::from_bytes(&[3; 32]);
        let sealed = seal(stored, &key, &mut rng);
        Self { interest, outputs, topic_key, watched, sealed, records, key }
    }

    fn measure(&self) -> Told {
        let mut rounds: Vec<Told> = (0..ROUNDS).map(|_| self.ask()).collect();
        rounds.sort_by(|a, b| a.whole().total_cmp(&b.whole()));
        rounds.swap_remove(ROUNDS / 2)
    }

    fn ask(&self) -> Told {
        let [mut decode, mut verify, mut open] = [Duration::ZERO; 3];
        let (mut book, mut cards) = (CardBook::new(), 0);
        let (public, keys) = (self.key.verifying_key(), [(TOPIC, self.topic_key)]);
        for (head, bytes) in &self.sealed {
            let block = timed(&mut decode, || GenerationBlock::decode(black_box(bytes)).unwrap());
            timed(&mut verify, || assert!(head.verify(&public).is_ok() && head.covers(&block)));
            timed(&mut open, || {
                for record in block.records() {
                    let inputs = self.watched.get(&record.row).map(Vec::as_slice).unwrap_or_default();
                    let open = |input| Card::open(NOW, input, &self.outputs[input], &keys, &record.bytes);
                    if let Some(card) = inputs.iter().find_map(open) {
                        cards += 1;
                        book.insert(NOW, card);
                    }
                }
            });
        }
        let mut rank = Duration::ZERO;
        let answers = timed(&mut rank, || book.ranked(&self.interest, reach(), NOW).len());
        let [decode, verify, open, rank] = [decode, verify, open, rank].map(|time| time.as_secs_f64());
        Told { records: self.records, cards, answers, decode, verify, open, rank }
    }
}

fn timed<T>(sum: &mut Duration, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    *sum += begun.elapsed();
    done
}

fn reach() -> Reach {
    Reach::of(&Mode::Balanced.profile())
}

/// A value that looks like the function's: what it is does not change what reading costs.
fn output(input: &OprfInput) -> OprfOutput {
    let [a, b] = [0_u8, 1].map(|half| digest(&[&[half], &input.encode()]));
    OprfOutput::from_bytes([a, b].concat().try_into().unwrap())
}

/// Everybody writes in the present window; the question covers the one before too.
fn is_row_of_this_table(input: &OprfInput) -> bool {
    matches!(input, OprfInput::Row { window, .. } if *window == NOW.window())
}

/// What everybody wrote to the row of one cell and class group: of five events three name a cell of resolution 8, one each a cell
/// of 7 and 6.
fn publish(
    input: &OprfInput,
    output: &OprfOutput,
    topic_key: &[u8; 32],
    share: f64,
    stored: &mut Vec<Record>,
    rng: &mut ChaCha8Rng,
) {
    let OprfInput::Row { resolution, cell, window, groups, group, .. } = *input else { return };
    let (area_km2, of_all) = match resolution {
        8 => (0.737, 0.6),
        7 => (5.161, 0.2),
        _ => (36.13, 0.2),
    };
    let wrote = (DENSITY * share * area_km2 * of_all / f64::from(groups)).round() as usize;
    // what finds every chained row full at all three origins is not stored
    let count = wrote.min(3 * CAPACITY * usize::from(RowTag::CHAIN));
    let outer = rows::discovery_key(output);
    for number in 0..count {
        let text = CardText::clipped("flat white?").carried(Carrier::of(window, resolution));
        let mut layer = TopicLayer { topics: [TopicId::NONE; 8], text };
        layer.topics[0] = TOPIC;
        let (topics_sealed, nonce) = record::seal_inner(topic_key, record::RecordNonce::draw(rng), &layer.encode());
        let mut public = [0; 32];
        rng.fill_bytes(&mut public);
        let class =
            ClassId::new(group + groups * u8::try_from(number % 3).unwrap()).unwrap_or(ClassId::new(5).unwrap());
        let class = if class.get() % groups == group { class } else { ClassId::new(5).unwrap() };
        let bundle = Bundle {
            coded: Part::WHOLE,
            class,
            cell,
            window,
            ttl: TtlHours::default(),
            public,
            link: [0; 16],
            topics_sealed,
        };
        // a full row chains to the next; three origins have rows of their own
        let chain = u8::try_from((number / (3 * CAPACITY)).min(usize::from(RowTag::CHAIN) - 1)).unwrap();
        let bytes = record::seal_record(&outer, nonce, &bundle.encode());
        stored.push(Record { row: rows::discovery_row(output, chain, ROWS), bytes });
    }
}

/// Generations of fifty thousand records, with their signed heads, as they travel.
fn seal(mut stored: Vec<Record>, key: &SigningKey, rng: &mut ChaCha8Rng) -> Vec<(Head, Vec<u8>)> {
    use rand::seq::SliceRandom as _;
    stored.shuffle(rng);
    let table = TableId::new(NOW.period(), Lane::Discovery);
    let segment = SegmentId { table, origin: ProviderId::new(1).unwrap(), stream: Stream::Steady };
    let mut previous = [0; 32];
    let mut sealed = Vec::new();
    for (index, records) in (0..).zip(stored.chunks(50_000)) {
        let block = GenerationBlock::new(segment, index, records.to_vec()).unwrap();
        let head = Head::seal(&block, previous, NOW, key);
        previous = head.hash();
        sealed.push((head, block.encode()));
    }
    sealed
}
