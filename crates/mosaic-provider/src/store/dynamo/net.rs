use std::collections::{BTreeMap, BTreeSet};

use super::super::{Bucket, Change};

/// What a list of changes comes to: every key at most once, so that they can be applied in whatever order, and again.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Net {
    /// The last value of each key, or none.
    pub(super) writes: BTreeMap<(Bucket, Vec<u8>), Option<Vec<u8>>>,
    /// What goes beneath these prefixes, before the writes.
    pub(super) prefixes: BTreeSet<(Bucket, Vec<u8>)>,
}

impl Net {
    pub(super) fn of(changes: &[Change]) -> Self {
        let mut net = Self::default();
        for change in changes {
            match change {
                Change::Put(bucket, key, value) => {
                    net.writes.insert((*bucket, key.clone()), Some(value.clone()));
                }
                Change::Remove(bucket, key) => {
                    net.writes.insert((*bucket, key.clone()), None);
                }
                Change::RemovePrefix(bucket, prefix) | Change::Erase(bucket, prefix) => {
                    net.writes.retain(|(of, key), _| of != bucket || !key.starts_with(prefix));
                    net.prefixes.insert((*bucket, prefix.clone()));
                }
            }
        }
        net
    }

    /// Whether something is put beneath a prefix.
    pub(super) fn puts_under(&self, bucket: Bucket, prefix: &[u8]) -> bool {
        let beneath = self.writes.range((bucket, prefix.to_vec())..);
        beneath.take_while(|((of, key), _)| *of == bucket && key.starts_with(prefix)).any(|(_, value)| value.is_some())
    }
}
