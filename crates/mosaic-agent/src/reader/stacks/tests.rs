use mosaic_types::{Lane, SegmentId, Stream};
use mosaic_wire::{GenerationBlock, GenerationsReply, Reply};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::{super::private::PrivateReader, *};
use crate::{
    blocks::BlockPool,
    fixtures::{self, Desk, PERIOD, id, key},
    reader::BlindReads,
};

const ROWS: u32 = 1 << 10;

fn now() -> Timestamp {
    PERIOD.start()
}

fn table() -> TableId {
    TableId::new(PERIOD, Lane::Discovery)
}

/// Generations of three origins, ten records each.
fn blocks(many: u32, rng: &mut ChaCha20Rng) -> Vec<GenerationBlock> {
    let block = |number: u32| {
        let segment = SegmentId { table: table(), origin: id(1 + (number % 3) as u8), stream: Stream::Steady };
        let record = |_| Record {
            row: rng.random_range(0..ROWS),
            bytes: rng.random::<[u8; 32]>().repeat(6).try_into().unwrap(),
        };
        GenerationBlock::new(segment, number / 3, (0..10).map(record).collect()).unwrap()
    };
    (0..many).map(block).collect()
}

fn reader(blocks: &[GenerationBlock]) -> PrivateReader {
    let mut reader = PrivateReader::new(BlindReads::Always);
    for block in blocks {
        reader.agreed(&Head::seal(block, [0; 32], now(), &key(1)));
    }
    reader
}

fn desk(wanted: Vec<u32>) -> Desk {
    Desk { rows: Some(ROWS), wanted, ..Desk::new() }
}

fn query(question: &Question) -> &StackQuery {
    match &question.call {
        Call::Stack(query) => query,
        _ => panic!("a blind read"),
    }
}

/// Answers everything; the records of the rows delivered, and of the stacks.
fn play(
    reader: &mut PrivateReader,
    desk: &Desk,
    blocks: &[GenerationBlock],
    rng: &mut ChaCha20Rng,
) -> (Vec<Record>, Vec<ReadStack>) {
    let (mut rows, mut stacks) = (Vec::new(), Vec::new());
    for question in reader.ask(now(), desk, rng) {
        let reply = Reply::Stack(fixtures::sums(query(&question), blocks, ROWS));
        let answer = reader.take(now(), question.to, &question.asked, reply, &BlockPool::default()).unwrap();
        assert!(answer.liars.is_empty());
        for delivery in answer.read {
            match delivery {
                Delivery::Rows { records, .. } => rows.extend(records),
                Delivery::Stack(read) => stacks.push(read),
                Delivery::Generation { .. } => panic!("nothing is downloaded"),
            }
        }
    }
    (rows, stacks)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// All records of the wanted rows come, each once, and of no other row; whatever is wanted twice counts once.
    #[test]
    fn wanted_rows_are_read_whole(wanted in prop::collection::vec(0..ROWS, 0..300), seed: u64) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let blocks = blocks(7, &mut rng);
        let (mut reader, desk) = (reader(&blocks), desk(wanted.clone()));
        let (mut rows, stacks) = play(&mut reader, &desk, &blocks, &mut rng);
        prop_assert!(reader.is_done());
        let mut seen = BTreeSet::new();
        let read: BTreeSet<u32> =
            wanted.into_iter().filter(|row| seen.insert(*row)).take(BlindReads::ROWS).collect();
        let all = blocks.iter().flat_map(|block| block.records().to_vec());
        let expected: BTreeSet<Record> = all.filter(|record| read.contains(&record.row)).collect();
        rows.sort_unstable();
        prop_assert_eq!(&rows, &expected.iter().copied().collect::<Vec<_>>());
        prop_assert_eq!(stacks.len(), 1);
        prop_assert_eq!((&stacks[0].rows, &stacks[0].records, stacks[0].heads.len()), (&read, &expected, 7));
        prop_assert_eq!(reader.passed_over(), seen.len() - read.len());
    }

    /// What providers see has one shape: so many queries, of one size, about the same stack, to two of them each, whatever is
    /// wanted and whether anything is.
    #[test]
    fn questions_have_one_shape(wanted in prop::collection::vec(0..ROWS, 0..300), seed: u64) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let blocks = blocks(100, &mut rng);
        let shape = |wanted: Vec<u32>, rng: &mut ChaCha20Rng| -> Vec<_> {
            let questions = reader(&blocks).ask(now(), &desk(wanted), rng);
            let pairs = questions.chunks(2).map(|pair| {
                assert!(pair[0].to != pair[1].to, "never both halves to one provider");
                pair.iter().map(|one| (query(one).id().clone(), query(one).encode().len())).collect::<Vec<_>>()
            });
            pairs.collect()
        };
        let nothing = shape(Vec::new(), &mut rng);
        prop_assert_eq!(nothing.len(), 2 * LOOKS, "a hundred generations are two stacks");
        prop_assert_eq!(shape(wanted, &mut rng), nothing);
    }
}

/// When one half fails, both are asked anew: other keys, and another pair where there is one.
#[test]
fn after_a_failure_other_keys_go_to_another_pair() {
    let mut rng = ChaCha20Rng::seed_from_u64(31);
    let blocks = blocks(3, &mut rng);
    let (mut reader, desk) = (reader(&blocks), desk(vec![5]));
    let first = reader.ask(now(), &desk, &mut rng);
    assert!(reader.ask(now(), &desk, &mut rng).is_empty(), "everything is on its way");
    let later = now().after(std::time::Duration::from_secs(1));
    reader.failed(&first[0].asked, later);
    assert!(reader.ask(now(), &desk, &mut rng).is_empty(), "nobody is pressed");
    let again = reader.ask(later, &desk, &mut rng);
    assert_eq!(again.len(), 2);
    let pair = |questions: &[Question]| BTreeSet::from([questions[0].to, questions[1].to]);
    assert_ne!(pair(&again), pair(&first));
    let keys =
        |question: &Question| query(question).keys().iter().map(|key| key.encode().to_vec()).collect::<BTreeSet<_>>();
    assert!(first.iter().all(|old| again.iter().all(|new| keys(old).is_disjoint(&keys(new)))));
    // the half of the look that was given up is worth nothing any more
    let late = Reply::Stack(fixtures::sums(query(&first[1]), &blocks, ROWS));
    let answer = reader.take(later, first[1].to, &first[1].asked, late, &BlockPool::default()).unwrap();
    assert!(answer.read.is_empty() && answer.liars.is_empty());
}

/// Where both say that there is no table, because a row was stuffed, the generations are downloaded; who says so alone lies.
#[test]
fn a_stack_without_a_table_is_downloaded() {
    let mut rng = ChaCha20Rng::seed_from_u64(32);
    let blocks = blocks(2, &mut rng);
    let (mut reader, desk) = (reader(&blocks), desk(vec![5]));
    for question in reader.ask(now(), &desk, &mut rng).into_iter().take(2) {
        let reply = Reply::Stack(StackReply::read_whole());
        assert!(
            reader.take(now(), question.to, &question.asked, reply, &BlockPool::default()).unwrap().read.is_empty()
        );
    }
    let download = reader.ask(now(), &desk, &mut rng).remove(0);
    assert!(matches!(&download.asked, Asked::Whole(ids) if ids.len() == 2));
    let reply = Reply::Generations(GenerationsReply::new(blocks));
    let read = reader.take(now(), download.to, &download.asked, reply, &BlockPool::default()).unwrap().read;
    assert_eq!(read.len(), 2);
    assert!(reader.is_done());
}

/// Providers that answer no look, as older ones do, do not keep a device from reading.
#[test]
fn after_many_failures_a_stack_is_downloaded() {
    let mut rng = ChaCha20Rng::seed_from_u64(35);
    let blocks = blocks(2, &mut rng);
    let (mut reader, desk) = (reader(&blocks), desk(vec![5]));
    let mut at = now();
    let mut refused = 0;
    let download = loop {
        at = at.after(std::time::Duration::from_secs(1));
        let Some(question) = reader.ask(at, &desk, &mut rng).into_iter().next() else {
            panic!("something is to be asked")
        };
        if let Asked::Whole(ids) = question.asked {
            break ids;
        }
        refused += 1;
        reader.failed(&question.asked, at);
        assert!(refused <= 100);
    };
    assert_eq!((download.len(), refused), (2, 16));
}

/// With fewer than two providers that answer nobody is asked anything.
#[test]
fn one_provider_alone_gets_no_key() {
    let mut rng = ChaCha20Rng::seed_from_u64(33);
    let blocks = blocks(2, &mut rng);
    let mut reader = reader(&blocks);
    let alone = Desk { live: vec![id(2)], ..desk(vec![5]) };
    assert!(reader.ask(now(), &alone, &mut rng).is_empty());
    assert!(!reader.is_done());
}

/// Small generations cost less whole, large ones less blind; only the number of records and rows decides.
#[test]
fn what_is_read_blind_follows_from_sizes_alone() {
    let heads = |records: u32, many: u32| -> Vec<Head> {
        let mut rng = ChaCha20Rng::seed_from_u64(34);
        let head = Head::seal(&blocks(1, &mut rng)[0], [0; 32], now(), &key(1));
        (0..many).map(|index| Head { index, count: records, ..head }).collect()
    };
    let pays = |records: u32, many: u32, rows: u32| pays(&heads(records, many), rows);
    assert!(!pays(10, 30, 1 << 14) && !pays(277, 30, 1 << 14), "a thousand devices, ten minutes of three origins");
    assert!(pays(2_770, 30, 1 << 16), "ten thousand");
    assert!(pays(27_700, 30, 1 << 19), "a hundred thousand");
    assert!(!pays(2_770, 3, 1 << 16), "a minute of ten thousand");
    // the cut goes in steps, so it may turn back once, but not beyond a third more
    let first = (1..2_000).find(|records| pays(*records, 30, 1 << 14)).unwrap();
    assert!((first * 4 / 3..20 * first).all(|records| pays(records, 30, 1 << 14)), "from {first} on");
}
