//! Point functions and the reads built on them: right for every row, and one key says nothing about which.

use mosaic_crypto::{
    dpf::{Domain, DpfKey, MalformedKey, OutsideDomain, share},
    pir::{Rows, STRIPE, ScanError, answer, combine},
};
use mosaic_vectors::{Edit, settle};
use proptest::prelude::*;
use serde_json::json;

use crate::support::rng;

fn domain(rows: u32) -> Domain {
    Domain::of(rows).unwrap()
}

#[test]
fn domains_are_powers_of_two() {
    assert_eq!((Domain::of(0), Domain::of((1 << 24) + 1)), (None, None));
    assert_eq!([1, 2, 3, 512, 513].map(|rows| domain(rows).rows()), [1, 2, 4, 512, 1_024]);
    assert_eq!(domain(1 << 24), Domain::MAX);
    // up to 512 rows a key is one leaf; each doubling costs 33 bytes
    assert_eq!([1, 512, 1_024, 1 << 17].map(|rows| domain(rows).key_size()), [99, 99, 132, 363]);
}

/// Every row of small tables, and the corners of a large one.
#[test]
fn both_halves_differ_at_the_row_alone() {
    let all = [1, 2, 64, 512, 1_024, 2_048].into_iter().flat_map(|rows| (0..rows).map(move |row| (rows, row)));
    let corners = [0, 1, 511, 512, 65_535, 131_071].map(|row| (131_072, row));
    for (rows, row) in all.chain(corners) {
        let [a, b] = share(row, domain(rows), &mut rng(u64::from(row))).unwrap().map(|key| key.expand());
        for at in 0..rows {
            assert_eq!(a.bit(at) != b.bit(at), at == row, "{row} of {rows}, at {at}");
        }
    }
    assert_eq!(share(4, domain(3), &mut rng(1)).err(), Some(OutsideDomain));
}

/// Of keys for single rows come selections of pairs, fours and so on, as if keys had been made for those.
#[test]
fn halved_selections_differ_at_what_holds_the_row_alone() {
    for (rows, row) in [(64, 37), (512, 0), (512, 511), (2_048, 1_234), (8, 5), (131_072, 99_999)] {
        let keys = share(row, domain(rows), &mut rng(u64::from(row))).unwrap();
        for times in 0..=rows.ilog2() {
            let [a, b] = [&keys[0], &keys[1]].map(|key| key.expand().halved(times));
            for at in 0..rows >> times {
                assert_eq!(a.bit(at) != b.bit(at), at == row >> times, "{row} of {rows}, {times} times, at {at}");
            }
        }
    }
}

proptest! {
    #[test]
    fn keys_survive_the_wire_and_nothing_else_does(row in 0_u32..5_000, seed: u64, cut in 1_usize..231, bit in 0_u8..8) {
        let domain = domain(5_000);
        for key in share(row, domain, &mut rng(seed)).unwrap() {
            let bytes = key.encode();
            prop_assert_eq!(bytes.len(), domain.key_size());
            prop_assert_eq!(DpfKey::decode(&bytes).unwrap().expand(), key.expand());
            prop_assert_eq!(DpfKey::decode(&bytes[..bytes.len() - cut]).err(), Some(MalformedKey));
            prop_assert_eq!(DpfKey::decode(&[bytes.as_slice(), &[0]].concat()).err(), Some(MalformedKey));
            // version, domain and party are closed
            for (at, keeps) in [(0, 0), (1, 0), (2, 1)] {
                let mut bent = bytes.to_vec();
                bent[at] ^= 1 << bit;
                prop_assert_eq!(DpfKey::decode(&bent).is_err(), bit >= keeps);
            }
        }
    }

    #[test]
    fn any_row_of_any_table_is_read(count in 1_usize..700, stripes in 1_usize..4, seed: u64) {
        let mut random = rng(seed);
        let width = stripes * STRIPE;
        let mut table = vec![0; count * width];
        random.fill_bytes(&mut table);
        let rows = Rows::new(&table, width).unwrap();
        let domain = domain(u32::try_from(count).unwrap());
        let wanted = [0, count / 2, count - 1];
        let (ours, theirs): (Vec<_>, Vec<_>) = wanted
            .iter()
            .map(|row| {
                let [a, b] = share(u32::try_from(*row).unwrap(), domain, &mut random).unwrap();
                (a.expand(), b.expand())
            })
            .unzip();
        let (one, other) = (answer(rows, &ours).unwrap(), answer(rows, &theirs).unwrap());
        for ((row, one), other) in wanted.into_iter().zip(&one).zip(&other) {
            prop_assert_eq!(combine(one, other).unwrap(), &table[row * width..(row + 1) * width]);
        }
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    assert_eq!(Rows::new(&[0; 128], 0).err(), Some(ScanError::Width));
    assert_eq!(Rows::new(&[0; 128], 63).err(), Some(ScanError::Width));
    assert_eq!(Rows::new(&[0; 127], 64).err(), Some(ScanError::Width));
    let rows = [0; 65 * 64];
    let short = share(1, domain(64), &mut rng(1)).unwrap().map(|key| key.expand());
    assert_eq!(answer(Rows::new(&rows, 64).unwrap(), &short).err(), Some(ScanError::Domain));
    assert_eq!(combine(&[0; 64], &[0; 128]).err(), Some(ScanError::Lengths));
    assert_eq!(answer(Rows::new(&[], 64).unwrap(), &short).unwrap(), [vec![0; 64], vec![0; 64]]);
}

/// A bit of a key is as often set whether the first row is asked for or the last. 2,000 keys of each, both parties,
/// 1,056 bits a key of two levels and a leaf (the three bytes of the head are the same): two-proportion z of every bit,
/// level 1e-4 over all of them (Bonferroni), that is |z| < 5.4. Seeds fixed.
#[test]
fn one_key_alone_is_the_same_for_every_row() {
    const KEYS: u32 = 2_000;
    let domain = domain(2_048);
    for party in [0, 1] {
        let ones = [0, 2_047].map(|row| {
            let mut random = rng(100 + u64::from(row));
            let mut counts = vec![0_u32; domain.key_size() * 8];
            for _ in 0..KEYS {
                let key = share(row, domain, &mut random).unwrap()[party].encode();
                for (bit, count) in counts.iter_mut().enumerate() {
                    *count += u32::from(key[bit / 8] >> (bit % 8) & 1);
                }
            }
            counts
        });
        for (bit, (first, last)) in ones[0].iter().zip(&ones[1]).enumerate() {
            let pooled = f64::from(first + last) / f64::from(2 * KEYS);
            let spread = (pooled * (1.0 - pooled) * 2.0 / f64::from(KEYS)).sqrt();
            let apart = (f64::from(*first) - f64::from(*last)).abs() / f64::from(KEYS);
            assert!(apart == 0.0 || apart / spread < 5.4, "party {party}, bit {bit}: {first} and {last}");
        }
    }
}

/// What one provider computes with: among 1,024 rows, the one that is asked for is selected as often as any other. 4,000
/// keys of each party; a share of 0.5 with a standard error of 0.0079, level 1e-4, that is ±0.031. Seeds fixed.
#[test]
fn the_row_asked_for_is_selected_half_the_time() {
    const KEYS: u32 = 4_000;
    let domain = domain(1_024);
    let mut random = rng(7);
    let mut selected = [[0_u32; 2]; 2];
    for _ in 0..KEYS {
        let row = random.next_u32() % 1_024;
        for (party, key) in share(row, domain, &mut random).unwrap().into_iter().enumerate() {
            let bits = key.expand();
            let other = (row + 1 + random.next_u32() % 1_023) % 1_024;
            selected[party][0] += u32::from(bits.bit(row).unwrap());
            selected[party][1] += u32::from(bits.bit(other).unwrap());
        }
    }
    for count in selected.as_flattened() {
        let share = f64::from(*count) / f64::from(KEYS);
        assert!((share - 0.5).abs() < 0.031, "{selected:?}");
    }
}

/// `vectors/crypto-dpf.json`: keys, a few bits, and each side's sum.
#[test]
fn keys_and_sums_are_the_vectors() {
    let cases = [(1_u32, 0_u32), (512, 300), (2_048, 1_234), (131_072, 99_999)].map(|(rows, row)| {
        let keys = share(row, domain(rows), &mut rng(u64::from(row))).unwrap();
        let table: Vec<u8> = (0..rows.min(2_048)).flat_map(|row| [row as u8; STRIPE]).collect();
        let sides = keys.map(|key| {
            let bits = key.expand();
            let sum = answer(Rows::new(&table, STRIPE).unwrap(), std::slice::from_ref(&bits)).unwrap();
            json!({
                "key": hex::encode(&*key.encode()),
                "bit_of_row": bits.bit(row),
                "first_word": format!("{:016x}", bits.words()[0]),
                "sum": hex::encode(&sum[0]),
            })
        });
        json!({ "rows": rows, "row": row, "keys": sides })
    });
    let valid = share(300, domain(512), &mut rng(300)).unwrap()[0].encode();
    let malformed = [
        ("empty", Edit::Length(0)),
        ("cut", Edit::Length(valid.len() - 1)),
        ("longer", Edit::Append(vec![0])),
        ("unknown version", Edit::Replace(0, vec![2])),
        ("another domain", Edit::Replace(1, vec![10])),
        ("domain above 2^24", Edit::Replace(1, vec![25])),
        ("third party", Edit::Replace(2, vec![2])),
    ]
    .map(|(name, edit)| {
        assert!(DpfKey::decode(&edit.apply(&valid)).is_err(), "{name}");
        json!({ "name": name, "edit": edit.json(), "error": "MalformedKey" })
    });
    let table = "row n of the first 2,048 rows holds 64 bytes of value n modulo 256";
    settle(
        "crypto-dpf.json",
        &json!({ "table": table, "vectors": cases, "valid": hex::encode(&*valid), "malformed": malformed }),
    );
}
