use mosaic_crypto::{dpf, pir, signing::SigningKey};
use mosaic_types::{Lane, Period, ProviderId, SegmentId, Stream, Timestamp};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::{Bin, BinTable, Cut, RECORD};

const ROWS: u32 = 1 << 10;

fn segment(origin: u8) -> SegmentId {
    let table = TableId::new(Period(122_478), Lane::Discovery);
    SegmentId { table, origin: ProviderId::new(origin).unwrap(), stream: Stream::Steady }
}

fn blocks(many: u32, rng: &mut ChaCha20Rng) -> Vec<GenerationBlock> {
    let record = |_| {
        let mut bytes = [0; RECORD];
        rng.fill(&mut bytes[..]);
        Record { row: rng.random_range(0..ROWS), bytes }
    };
    let records: Vec<Record> = (0..many).map(record).collect();
    let block = |(number, part): (u32, &[Record])| {
        // the first record of each reached another origin too
        let again = records.first().into_iter().copied();
        GenerationBlock::new(segment(1 + (number % 3) as u8), number / 3, part.iter().copied().chain(again).collect())
    };
    (0..).zip(records.chunks(40)).map(|part| block(part).unwrap()).collect()
}

fn head(block: &GenerationBlock) -> Head {
    Head::seal(block, [0; 32], Timestamp::from_secs(1_763_748_000), &SigningKey::from_bytes(&[7; 32]))
}

fn query(rows: &[u32], id: &StackId, rng: &mut ChaCha20Rng) -> [StackQuery; 2] {
    let domain = Cut::domain(ROWS).unwrap();
    let all = (0..StackQuery::KEYS).map(|at| rows.get(at).copied().unwrap_or(0));
    let pairs: Vec<_> = all.map(|row| dpf::share(row, domain, rng).unwrap()).collect();
    [0, 1].map(|party| {
        let keys = pairs.iter().map(|pair| pair[party].clone()).collect();
        StackQuery::new(id.clone(), keys).unwrap()
    })
}

/// What an honest provider answers, after the query and the reply have travelled.
fn answer(query: &StackQuery, blocks: &[GenerationBlock]) -> StackReply {
    let query = StackQuery::decode(&query.encode()).unwrap();
    let table = BinTable::cut(Stack::of(blocks).unwrap().records(), ROWS).unwrap();
    let reply = StackReply::answer(&table, &query).unwrap();
    assert_eq!(reply.encode().len(), reply.encoded_len());
    StackReply::decode(&reply.encode()).unwrap()
}

/// Two providers, one stack of seven generations of three origins, 64 rows at a time: every record of every row comes out, each
/// once, and each bin proves itself against the root both name. Seed 21.
#[test]
fn rows_of_several_generations_are_read_at_once() {
    let mut rng = ChaCha20Rng::seed_from_u64(21);
    let mut blocks = blocks(270, &mut rng);
    let heads: Vec<_> = blocks.iter().map(head).collect();
    let id = StackId::of(&heads).unwrap();
    blocks.sort_by_key(|block| (block.segment(), block.index()));
    assert!(id.is_of(&blocks.iter().map(head).collect::<Vec<_>>()));
    let all = Stack::of(&blocks).unwrap();
    assert_eq!(all.records().len(), 270);
    let mut found = Vec::new();
    for rows in (0..ROWS).collect::<Vec<_>>().chunks(StackQuery::KEYS) {
        let [one, other] = query(rows, &id, &mut rng).map(|query| answer(&query, &blocks));
        let head = one.head().filter(|head| other.head() == Some(*head)).unwrap();
        assert_eq!(one.halvings(), other.halvings());
        let cut = Cut::of(ROWS, one.halvings()).unwrap();
        for (row, (one, other)) in rows.iter().zip(one.sums().zip(other.sums())) {
            let bin = Bin::decode(&pir::combine(one, other).unwrap()).unwrap();
            let shown = bin.confirmed(&cut.rows_of(cut.bin(*row)), &head).unwrap();
            found.extend(shown.iter().filter(|record| record.row == *row).copied());
        }
    }
    assert_eq!(found, all.records());
}

#[test]
fn a_stack_is_of_one_table_and_of_these_heads() {
    let blocks = blocks(100, &mut ChaCha20Rng::seed_from_u64(22));
    let heads: Vec<_> = blocks.iter().map(head).collect();
    let id = StackId::of(&heads).unwrap();
    assert_eq!(StackId::of(&heads.iter().rev().chain(&heads).copied().collect::<Vec<_>>()), Ok(id.clone()));
    assert!(!id.is_of(&heads[1..]));
    let forked = Head { sealed_at: Timestamp::from_secs(1), ..heads[0] };
    assert!(!id.is_of([&forked, &heads[1], &heads[2]]));
    let table = TableId::new(Period(122_478), Lane::Rendezvous);
    let elsewhere = Head { segment: SegmentId { table, ..heads[0].segment }, ..heads[0] };
    assert_eq!(StackId::of(&[heads[0], elsewhere]), Err(NoStack));
    assert_eq!(StackId::of(&[]), Err(NoStack));
    let many: Vec<_> = (0..=Stack::MOST as u32).map(|index| Head { index, ..heads[0] }).collect();
    assert_eq!(StackId::of(&many), Err(NoStack));
    assert!(StackId::of(&many[1..]).is_ok());
}

/// One size whatever is wanted and however many generations, and no fewer keys than always.
#[test]
fn queries_have_one_size_and_always_as_many_keys() {
    let mut rng = ChaCha20Rng::seed_from_u64(23);
    let heads: Vec<_> = blocks(200, &mut rng).iter().map(head).collect();
    let domain = Cut::domain(ROWS).unwrap();
    for (rows, heads) in [(&[][..], &heads[..1]), (&[5, 9, 1_023], &heads[..])] {
        for query in query(rows, &StackId::of(heads).unwrap(), &mut rng) {
            assert_eq!(query.encode().len(), StackQuery::size(domain));
        }
    }
    let id = StackId::of(&heads).unwrap();
    let keys = |many: usize, rows: u32| -> Vec<_> {
        let domain = Cut::domain(rows).unwrap();
        (0..many).map(|_| dpf::share(0, domain, &mut ChaCha20Rng::seed_from_u64(1)).unwrap()[0].clone()).collect()
    };
    assert!(StackQuery::new(id.clone(), keys(63, ROWS)).is_err());
    assert!(StackQuery::new(id.clone(), keys(65, ROWS)).is_err());
    assert!(StackQuery::new(id, [keys(63, ROWS), keys(1, 4)].concat()).is_err());
}

#[test]
fn sums_are_one_of_a_bins_width_for_each_key() {
    let head = TreeHead { root: [3; 32], count: 9 };
    let sums = |many: usize, width: usize| vec![vec![1; width]; many];
    assert!(StackReply::new(head, 22, 64, &sums(64, 64)).is_ok());
    assert!(StackReply::new(head, 0, StackReply::WIDEST, &sums(64, StackReply::WIDEST)).is_ok());
    for (width, sums) in [(64, sums(63, 64)), (64, sums(64, 128)), (65, sums(64, 65)), (0, sums(64, 0))] {
        assert_eq!(StackReply::new(head, 0, width, &sums), Err(UnevenSums));
    }
    let wide = StackReply::WIDEST + STRIPE;
    assert_eq!(StackReply::new(head, 0, wide, &sums(64, wide)), Err(UnevenSums));
    assert_eq!(StackReply::new(head, 23, 64, &sums(64, 64)), Err(UnevenSums));
    let whole = StackReply::read_whole();
    assert_eq!(StackReply::decode(&whole.encode()), Ok(whole.clone()));
    assert_eq!((whole.head(), whole.sums().count()), (None, 0));
}

proptest! {
    /// Bytes of a stranger are refused or are a message, and never more.
    #[test]
    fn any_bytes_are_refused_or_a_message(bytes in prop::collection::vec(any::<u8>(), 0..9_000), bits in 0_u8..12) {
        let mut bytes = bytes;
        if let Some([version, domain]) = bytes.first_chunk_mut() {
            (*version, *domain) = (StackQuery::VERSION, bits);
        }
        if let Ok(query) = StackQuery::decode(&bytes) {
            prop_assert_eq!(query.encode(), bytes.clone());
        }
        if let Ok(reply) = StackReply::decode(&bytes) {
            prop_assert_eq!(reply.encode(), bytes);
        }
    }
}
