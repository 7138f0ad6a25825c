//! Where a key lies in the table: a partition of one bucket and one of 256 shards, and a sort key that keeps the order.

use std::time::Duration;

use mosaic_federation::{TABLE_LIFE, retires_at};
use mosaic_types::TableId;

use super::super::Bucket;

/// Bytes of a key at most: the service allows 1,024 for a sort key, one of which is ours.
pub(super) const MOST_KEY: usize = 1_023;

/// How long after its end an item is left to the service to remove, should we never have done it.
const GRACE: Duration = TABLE_LIFE;

/// A partition that holds entries.
pub(super) type Partition = [u8; 2];

/// What spreads a bucket's keys.
enum Spread {
    /// Not spread: a few keys, or small ones.
    One,
    /// By the table at the beginning, so that what is read together lies together.
    Table,
    /// By the first byte of the hash at the end, which is uniform whatever people do.
    Hash,
}

const fn spread(bucket: Bucket) -> Spread {
    match bucket {
        Bucket::Open | Bucket::Verdicts | Bucket::Replicas | Bucket::Spent => Spread::Hash,
        Bucket::Heads | Bucket::Blocks => Spread::Table,
        Bucket::Ceremonies | Bucket::Tables | Bucket::Evidence | Bucket::Counts => Spread::One,
    }
}

/// Whether values of a bucket may be of any size. Those of the others are a few records each and are not looked at
/// before they are replaced.
pub(super) const fn may_be_large(bucket: Bucket) -> bool {
    !matches!(spread(bucket), Spread::Hash)
}

/// The partition of a key.
pub(super) fn partition(bucket: Bucket, key: &[u8]) -> Partition {
    let shard = match spread(bucket) {
        Spread::One => 0,
        Spread::Table => shard_of_table(key.first_chunk::<4>().map_or(key, |table| table)),
        Spread::Hash => key.len().checked_sub(32).and_then(|at| key.get(at)).copied().unwrap_or(0),
    };
    [bucket as u8, shard]
}

/// Every partition that may hold keys with this beginning.
pub(super) fn partitions(bucket: Bucket, prefix: &[u8]) -> Vec<Partition> {
    let all = || (0..=u8::MAX).map(|shard| [bucket as u8, shard]).collect();
    match (spread(bucket), prefix.first_chunk::<4>()) {
        (Spread::One, _) => vec![[bucket as u8, 0]],
        (Spread::Table, Some(table)) => vec![[bucket as u8, shard_of_table(table)]],
        (Spread::Table, None) | (Spread::Hash, _) => all(),
    }
}

/// Consecutive tables lie in different shards.
fn shard_of_table(table: &[u8]) -> u8 {
    table.iter().rev().fold(0_u8, |shard, byte| shard.wrapping_mul(31).wrapping_add(*byte))
}

/// The sort key: never empty, and in the order of the keys.
pub(super) fn sort_key(key: &[u8]) -> Vec<u8> {
    [&[1][..], key].concat()
}

/// Reads [`sort_key`].
pub(super) fn key_of(sort_key: &[u8]) -> Option<&[u8]> {
    sort_key.strip_prefix(&[1])
}

/// Seconds since 1970 after which nobody can want the entry, if its key says so.
pub(super) fn expires(bucket: Bucket, key: &[u8]) -> Option<u64> {
    const DAY: u64 = 86_400;
    let end = match bucket {
        Bucket::Open | Bucket::Verdicts | Bucket::Replicas | Bucket::Heads | Bucket::Blocks => {
            retires_at(TableId(u32::from_be_bytes(*key.first_chunk()?)).period()).as_secs()
        }
        // good for their day and the next
        Bucket::Spent => u64::from_be_bytes(*key.first_chunk()?).checked_add(2)?.checked_mul(DAY)?,
        Bucket::Ceremonies | Bucket::Tables | Bucket::Evidence | Bucket::Counts => return None,
    };
    end.checked_add(GRACE.as_secs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A scan finds every key where it was put, and in order.
        #[test]
        fn a_key_lies_where_its_beginnings_are_looked_for(
            bucket in prop::sample::select(&Bucket::ALL[..]),
            [key, other] in prop::array::uniform2(prop::collection::vec(any::<u8>(), 0..50)),
        ) {
            let place = partition(bucket, &key);
            for length in 0..=key.len() {
                prop_assert!(partitions(bucket, &key[..length]).contains(&place));
            }
            let stored = sort_key(&key);
            prop_assert_eq!(key_of(&stored), Some(&key[..]));
            prop_assert_eq!(sort_key(&key).cmp(&sort_key(&other)), key.cmp(&other));
            let _never_panics = expires(bucket, &key);
        }
    }

    /// Rows of strangers are hashes: over 2,560 of them, no shard has more than four times its part (seed-free: the
    /// hashes are those of the numbers 0 to 2,559).
    #[test]
    fn hashes_fill_all_shards() {
        let mut counts = [0_u32; 256];
        for number in 0..2_560_u32 {
            let hash = mosaic_crypto::digest(&[b"shard", &number.to_be_bytes()]);
            counts[usize::from(partition(Bucket::Verdicts, &[&[0; 4][..], &hash].concat())[1])] += 1;
        }
        assert!(counts.iter().all(|count| (1..=40).contains(count)), "{counts:?}");
    }
}
