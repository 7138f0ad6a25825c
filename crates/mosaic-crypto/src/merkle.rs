//! Merkle trees of RFC 6962 section 2.1 over SHA-256: leaves are hashed behind 0x00, nodes behind 0x01,
//! and an empty tree is SHA-256 of nothing.

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
