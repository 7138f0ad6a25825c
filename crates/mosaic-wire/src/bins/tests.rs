use mosaic_crypto::{dpf, pir};
use mosaic_types::{Lane, Period, ProviderId, SegmentId, Stream, TableId};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::{GenerationBlock, RECORD};

const ROWS: u32 = 1 << 10;

fn segment() -> SegmentId {
    let table = TableId::new(Period(122_478), Lane::Discovery);
    SegmentId { table, origin: ProviderId::new(2).unwrap(), stream: Stream::Steady }
}

fn block(rows: impl IntoIterator<Item = u32>, rng: &mut ChaCha20Rng) -> GenerationBlock {
    let record = |row| {
        let mut bytes = [0; RECORD];
        rng.fill(&mut bytes[..]);
        Record { row, bytes }
    };
    GenerationBlock::new(segment(), 41, rows.into_iter().map(record).collect()).unwrap()
}

fn head(block: &GenerationBlock) -> TreeHead {
    TreeHead { root: block.root(), count: block.records().len() as u32 }
}

fn bin(table: &BinTable, number: u32) -> Bin {
    let at = number as usize * table.width();
    Bin::decode(&table.bytes[at..at + table.width()]).unwrap()
}

/// A row asked of two providers that hold the same block, each with one half of a key.
fn read(table: &BinTable, row: u32, rng: &mut ChaCha20Rng) -> Vec<u8> {
    let keys = dpf::share(row, Cut::domain(ROWS).unwrap(), rng).unwrap();
    let selected = keys.map(|key| table.cut_by().select(&key.expand()));
    let [one, other] = selected.map(|selected| pir::answer(table.rows().unwrap(), &[selected]).unwrap().remove(0));
    pir::combine(&one, &other).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Every bin of every generation shows all records of its rows, and none of them is confirmed as another bin unless it
    /// holds all of that one too.
    #[test]
    fn a_bin_holds_all_records_of_its_rows(rows in prop::collection::vec(0..ROWS, 0..200), seed: u64) {
        let block = block(rows, &mut ChaCha20Rng::seed_from_u64(seed));
        let (table, head) = (BinTable::cut(block.records(), ROWS).unwrap(), head(&block));
        let cut = table.cut_by();
        prop_assert_eq!(table.head(), head);
        prop_assert_eq!(table.bytes().len(), table.width() * cut.bins() as usize);
        prop_assert!(cut.bins() == 1 || table.bytes().len() <= BinTable::most_bytes(block.records().len()));
        let of = |number: u32| -> Vec<Record> { cut.rows_of(number).flat_map(|row| block.row(row).to_vec()).collect() };
        for number in 0..cut.bins() {
            let bin = bin(&table, number);
            prop_assert!(cut.rows_of(number).all(|row| cut.bin(row) == number));
            prop_assert_eq!(bin.confirmed(&cut.rows_of(number), &head).map(<[Record]>::to_vec), Ok(of(number)));
            prop_assert_eq!(Bin::decode(&bin.encode(table.width())), Ok(bin.clone()));
            let other = (number + 1) % cut.bins();
            if let Ok(shown) = bin.confirmed(&cut.rows_of(other), &head) {
                prop_assert_eq!(shown.to_vec(), of(other));
            }
        }
    }

    /// Bytes of a stranger are refused or are a bin, and never more.
    #[test]
    fn any_bytes_are_refused_or_a_bin(bytes in prop::collection::vec(any::<u8>(), 0..900), version: bool) {
        let mut bytes = bytes;
        bytes.resize(bytes.len().next_multiple_of(STRIPE), 0);
        if let Some(first) = bytes.first_mut().filter(|_| version) {
            *first = Bin::VERSION;
        }
        if let Ok(bin) = Bin::decode(&bytes) {
            prop_assert_eq!(bin.encode(bytes.len()), bytes);
        }
    }
}

/// From end to end: what two answers add up to is the bin, and it proves itself. Seed 5, tables of 1 to 3,000 records, all read with keys of one domain; every seventh row.
#[test]
fn two_answers_add_up_to_a_bin_that_proves_itself() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let bins = [1, 30, 200, 3_000].map(|many| read_all(many, &mut rng));
    assert!(bins.iter().collect::<std::collections::BTreeSet<_>>().len() > 2, "several cuts: {bins:?}");
}

/// How many bins there were.
fn read_all(many: u32, rng: &mut ChaCha20Rng) -> u32 {
    let rows: Vec<u32> = (0..many).map(|_| rng.random_range(0..ROWS)).collect();
    let block = block(rows, rng);
    let (table, head) = (BinTable::cut(block.records(), ROWS).unwrap(), head(&block));
    for row in (0..ROWS).step_by(7) {
        let bin = Bin::decode(&read(&table, row, rng)).unwrap();
        let rows = table.cut_by().rows_of(table.cut_by().bin(row));
        let shown = bin.confirmed(&rows, &head).unwrap();
        assert_eq!(shown.iter().filter(|record| record.row == row).copied().collect::<Vec<_>>(), block.row(row));
    }
    table.cut_by().bins()
}

/// A provider that changes its answer anywhere is noticed: every byte of a sum, one after the other.
#[test]
fn a_changed_byte_anywhere_is_noticed() {
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let block = block((0..60).map(|number| number * 17 % ROWS), &mut rng);
    let (table, head) = (BinTable::cut(block.records(), ROWS).unwrap(), head(&block));
    let (good, rows) = (read(&table, 340, &mut rng), table.cut_by().rows_of(table.cut_by().bin(340)));
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        let refused = Bin::decode(&bad).map_or(true, |bin| bin.confirmed(&rows, &head).is_err());
        assert!(refused, "byte {at}");
    }
}

/// Records left out at either side, or all of them, and another tree's root: not confirmed.
#[test]
fn what_leaves_records_out_is_not_confirmed() {
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let block = block([3, 9, 9, 10, 15, 16, 40], &mut rng);
    let (tree, head) = (Tree::over(block.leaf_hashes()), head(&block));
    let shown = |range: Range<usize>| Bin {
        first: range.start as u32,
        path: tree.range_path(range.clone()).unwrap_or_default(),
        records: block.records()[range].to_vec(),
    };
    assert_eq!(shown(0..6).confirmed(&(8..16), &head).map(<[Record]>::len), Ok(4), "rows 8 to 15");
    assert_eq!(shown(0..7).confirmed(&(8..16), &head).map(<[Record]>::len), Ok(4), "more neighbours do no harm");
    for range in [1..6, 0..5, 2..6, 0..1, 5..6, 0..0] {
        assert_eq!(shown(range.clone()).confirmed(&(8..16), &head), Err(BadBin::Incomplete), "{range:?}");
    }
    assert_eq!(shown(5..7).confirmed(&(32..40), &head), Ok(&[][..]), "rows 32 to 39 are empty, and that is proven");
    let other = TreeHead { root: [1; 32], ..head };
    assert_eq!(shown(0..6).confirmed(&(8..16), &other), Err(BadBin::Unproven));
    for count in [0, 5, 17] {
        assert_eq!(shown(0..6).confirmed(&(8..16), &TreeHead { count, ..head }), Err(BadBin::Unproven), "{count}");
    }
    assert_eq!(shown(0..0).confirmed(&(8..16), &TreeHead { count: 0, ..head }), Ok(&[][..]));
}

/// Equal widths for all bins, and the fullest is the one that needs it: nothing about a bin is told by its length.
#[test]
fn bins_are_as_long_as_the_fullest_needs() {
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    for rows in [vec![], vec![5], (0..40).map(|_| 77).collect(), (0..ROWS).collect::<Vec<_>>()] {
        let table = BinTable::cut(block(rows, &mut rng).records(), ROWS).unwrap();
        let lengths: Vec<usize> = (0..table.cut_by().bins()).map(|number| bin(&table, number).len()).collect();
        let fullest = lengths.into_iter().max().unwrap();
        assert!(table.width().is_multiple_of(STRIPE) && (fullest..fullest + STRIPE).contains(&table.width()));
    }
}

/// As fine as a table of so many records may be; evenly filled rows make finer bins than uneven ones.
#[test]
fn cuts_follow_the_records() {
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let mut bins = |rows: &mut dyn Iterator<Item = u32>| {
        let table = BinTable::cut(block(rows, &mut rng).records(), 1 << 12)?;
        assert!(table.cut_by().bins() == 1 || table.bytes().len() <= BinTable::most_bytes(table.head().count as usize));
        Some(table.cut_by().bins())
    };
    assert_eq!(bins(&mut std::iter::empty()), Some(128), "64 KiB of padding");
    let even = |count: u32| (0..count).map(|number| number * 7 % (1 << 12));
    let found = [100, 4_000, 20_000, 60_000].map(|count| bins(&mut even(count)));
    assert!(found.is_sorted() && found[3] == Some(1 << 12), "{found:?}");
    let clumped = bins(&mut even(20_000).chain((0..40).map(|_| 5)));
    assert!(clumped < found[2], "{clumped:?}");
    assert_eq!([Cut::of(1, 0), Cut::of(9, 2)].map(|cut| cut.map(Cut::bins)), [Some(1), Some(3)]);
    assert_eq!([Cut::of(0, 0), Cut::of(RowTag::MAX_ROWS + 1, 0), Cut::of(9, 23)], [None; 3]);
    assert!(Cut::domain(0).is_none() && Cut::domain(RowTag::MAX_ROWS + 1).is_none());
    assert_eq!(Cut::domain(1 << 17).map(Domain::rows), Some(1 << 17));
}

/// One row stuffed so full that a look would be as long as all of it: such records are read whole.
#[test]
fn where_a_row_is_stuffed_there_is_no_table() {
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let mut stuffed = |many: usize| {
        let even = (0..1 << 15).map(|number| number * 4);
        let block = block(even.chain(std::iter::repeat_n(77, many)), &mut rng);
        BinTable::cut(block.records(), 1 << 17).map(|table| table.bytes().len())
    };
    assert!(stuffed(100).is_some_and(|size| size <= BinTable::MOST));
    assert_eq!(stuffed(2_000), None);
    assert!(BinTable::cut(&[], 0).is_none());
}
