//! Merkle trees of RFC 6962 section 2.1 over SHA-256: leaves are hashed behind 0x00, nodes behind 0x01,
//! and an empty tree is SHA-256 of nothing.

use std::ops::Range;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A node, a leaf's hash or a root.
pub type Hash = [u8; 32];

/// The hash of one leaf.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root over `leaves`.
pub fn root(leaves: &[impl AsRef<[u8]>]) -> Hash {
    root_of_hashes(&hashes(leaves))
}

/// The root over leaves that were hashed by [`leaf_hash`] already.
pub fn root_of_hashes(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => Sha256::digest([]).into(),
        [only] => *only,
        _ => {
            let (left, right) = hashes.split_at(split(hashes.len()));
            node_hash(&root_of_hashes(left), &root_of_hashes(right))
        }
    }
}

/// The audit path of leaf `index`, from the leaf up; `None` outside the tree.
pub fn path(leaves: &[impl AsRef<[u8]>], index: usize) -> Option<Vec<Hash>> {
    path_of_hashes(&hashes(leaves), index)
}

/// The audit path over leaves that were hashed already.
pub fn path_of_hashes(hashes: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= hashes.len() {
        return None;
    }
    let mut path = Vec::new();
    let (mut rest, mut index) = (hashes, index);
    while rest.len() > 1 {
        let (left, right) = rest.split_at(split(rest.len()));
        let (inside, sibling) = if index < left.len() { (left, right) } else { (right, left) };
        index -= if index < left.len() { 0 } else { left.len() };
        path.push(root_of_hashes(sibling));
        rest = inside;
    }
    path.reverse();
    Some(path)
}

/// Whether `leaf` is number `index` of a tree of `count` leaves with this root (RFC 9162 section
/// 2.1.3.2, the iterative form).
pub fn verify(leaf: &[u8], index: usize, count: usize, path: &[Hash], root: &Hash) -> bool {
    climb(leaf_hash(leaf), index, count, path).is_some_and(|top| bool::from(top.ct_eq(root)))
}

fn climb(leaf: Hash, index: usize, count: usize, path: &[Hash]) -> Option<Hash> {
    let (mut place, mut last) = (index, count.checked_sub(1)?);
    if place > last {
        return None;
    }
    let mut top = leaf;
    for sibling in path {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            top = node_hash(sibling, &top);
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            top = node_hash(&top, sibling);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    (last == 0).then_some(top)
}

/// A whole tree, level by level, for whoever proves much of it. A level's last node moves up alone where it has no sibling,
/// which is the shape of RFC 6962.
pub struct Tree {
    /// The leaves' hashes first, the root last; empty without leaves.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// The tree over leaves that were hashed by [`leaf_hash`] already.
    pub fn over(leaves: Vec<Hash>) -> Self {
        let mut levels = Vec::new();
        let mut level = leaves;
        while level.len() > 1 {
            let above = pairs(&level);
            levels.push(std::mem::replace(&mut level, above));
        }
        levels.extend(Some(level).filter(|top| !top.is_empty()));
        Self { levels }
    }

    /// The root; of no leaves, SHA-256 of nothing.
    pub fn root(&self) -> Hash {
        self.levels.last().and_then(|top| top.first()).copied().unwrap_or_else(|| root_of_hashes(&[]))
    }

    /// What proves the leaves of `range` together: from the bottom up, the left neighbour of each level's first node where
    /// that is a right child, then the right neighbour of its last where that is a left child. At most two hashes a level.
    /// `None` for an empty range or one that reaches beyond the tree.
    pub fn range_path(&self, range: Range<usize>) -> Option<Vec<Hash>> {
        let count = self.levels.first().map_or(0, Vec::len);
        if range.is_empty() || range.end > count {
            return None;
        }
        let (mut first, mut last) = (range.start, range.end - 1);
        let mut path = Vec::new();
        for level in &self.levels {
            if first & 1 == 1 {
                path.push(level[first - 1]);
            }
            path.extend((last & 1 == 0).then(|| level.get(last + 1)).flatten());
            (first, last) = (first >> 1, last >> 1);
        }
        Some(path)
    }
}

/// Whether neighbouring leaves, hashed by [`leaf_hash`], are those from number `first` on of a tree of `count` leaves with
/// this root, by the path of [`Tree::range_path`]. No path proves no leaves.
pub fn verify_range(leaves: &[Hash], first: usize, count: usize, path: &[Hash], root: &Hash) -> bool {
    climb_range(leaves.to_vec(), first, count, path).is_some_and(|top| bool::from(top.ct_eq(root)))
}

fn climb_range(mut nodes: Vec<Hash>, mut first: usize, mut count: usize, path: &[Hash]) -> Option<Hash> {
    if nodes.is_empty() || first.checked_add(nodes.len()).is_none_or(|end| end > count) {
        return None;
    }
    let mut path = path.iter();
    while count > 1 {
        if first & 1 == 1 {
            nodes.insert(0, *path.next()?);
            first -= 1;
        }
        let after = first + nodes.len();
        if after & 1 == 1 && after < count {
            nodes.push(*path.next()?);
        }
        nodes = pairs(&nodes);
        (first, count) = (first >> 1, count.div_ceil(2));
    }
    nodes.first().copied().filter(|_| path.next().is_none())
}

/// The level above.
fn pairs(level: &[Hash]) -> Vec<Hash> {
    let node = |pair: &[Hash]| match pair {
        [left, right] => node_hash(left, right),
        rest => rest[0],
    };
    level.chunks(2).map(node).collect()
}

fn hashes(leaves: &[impl AsRef<[u8]>]) -> Vec<Hash> {
    leaves.iter().map(|leaf| leaf_hash(leaf.as_ref())).collect()
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: usize) -> usize {
    1 << (count - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_every_small_tree_verifies_and_no_other_place_does() {
        for count in 1..=33_usize {
            let leaves: Vec<[u8; 2]> = (0..count).map(|i| [i as u8, 7]).collect();
            let top = root(&leaves);
            for (index, leaf) in leaves.iter().enumerate() {
                let path = path(&leaves, index).unwrap();
                assert!(verify(leaf, index, count, &path, &top), "{index} of {count}");
                for other in (0..count).filter(|&other| other != index) {
                    assert!(!verify(leaf, other, count, &path, &top), "{index} as {other} of {count}");
                }
            }
        }
    }

    /// Every range of every small tree is proven by its path; as another range, with a changed leaf or with another path it is
    /// not.
    #[test]
    fn every_range_of_every_small_tree_verifies_and_no_other_does() {
        for count in 1..=20_usize {
            let leaves: Vec<Hash> = (0..count).map(|i| leaf_hash(&[i as u8, 9])).collect();
            let (tree, top) = (Tree::over(leaves.clone()), root_of_hashes(&leaves));
            assert_eq!(tree.root(), top, "{count}");
            for (first, end) in (0..count).flat_map(|first| (first + 1..=count).map(move |end| (first, end))) {
                let (path, part) = (tree.range_path(first..end).unwrap(), &leaves[first..end]);
                assert!(verify_range(part, first, count, &path, &top), "{first}..{end} of {count}");
                assert!(path.len() <= 2 * count.ilog2() as usize + 1);
                for other in (0..count).filter(|other| *other != first) {
                    assert!(!verify_range(part, other, count, &path, &top), "{first}..{end} from {other}");
                }
                let mut bent = part.to_vec();
                bent[(end - first) / 2][3] ^= 1;
                assert!(!verify_range(&bent, first, count, &path, &top));
                assert!(!verify_range(&part[1..], first + 1, count, &path, &top));
                assert!(!verify_range(part, first, count, &[path.as_slice(), &[[0; 32]]].concat(), &top));
                if let Some((_, shorter)) = path.split_last() {
                    assert!(!verify_range(part, first, count, shorter, &top));
                }
                if end - first == 1 {
                    assert_eq!(path, path_of_hashes(&leaves, first).unwrap());
                }
            }
        }
    }

    #[test]
    fn nothing_is_proven_of_nothing() {
        let tree = Tree::over(Vec::new());
        assert_eq!(tree.root(), root_of_hashes(&[]));
        assert!(tree.range_path(0..0).is_none() && tree.range_path(0..1).is_none());
        let one = Tree::over(vec![leaf_hash(b"a")]);
        assert_eq!(one.range_path(0..1), Some(Vec::new()));
        assert!(one.range_path(1..1).is_none() && one.range_path(0..2).is_none());
        assert!(!verify_range(&[], 0, 1, &[], &one.root()) && !verify_range(&[], 0, 0, &[], &tree.root()));
        assert!(!verify_range(&[one.root()], usize::MAX, 1, &[], &one.root()));
    }

    #[test]
    fn damaged_paths_fail() {
        let leaves: Vec<[u8; 1]> = (0..11).map(|i| [i]).collect();
        let (top, good) = (root(&leaves), path(&leaves, 4).unwrap());
        let mut bent = good.clone();
        bent[1][5] ^= 1;
        assert!(!verify(&leaves[4], 4, 11, &bent, &top));
        assert!(!verify(&leaves[4], 4, 11, &good[..good.len() - 1], &top));
        assert!(!verify(&leaves[4], 4, 11, &[good.clone(), vec![[0; 32]]].concat(), &top));
        assert!(!verify(&leaves[4], 4, 0, &good, &top));
        assert!(!verify(&leaves[5], 4, 11, &good, &top));
        assert!(path(&leaves, 11).is_none());
        // A node must not pass for a leaf: the prefixes differ.
        assert_ne!(leaf_hash(&[good[0], good[1]].concat()), node_hash(&good[0], &good[1]));
    }
}
