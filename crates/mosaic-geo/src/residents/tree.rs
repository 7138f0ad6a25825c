use std::collections::BinaryHeap;

use mosaic_types::LatLng;

use crate::{EARTH_RADIUS_M, distance_m, found::Found, sphere::UnitVector};

/// A k-d tree over unit vectors: exact everywhere on the globe, because a chord in space knows neither antimeridian nor
/// pole. The tree is the order of `nodes`: the middle of a slice splits it along the axis `depth % 3`.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    point: UnitVector,
    position: LatLng,
    place: u32,
}

/// What a search keeps: at most `most` places.
struct Search {
    from: LatLng,
    point: UnitVector,
    most: usize,
    found: BinaryHeap<Found>,
}

impl Tree {
    pub(super) fn new(positions: impl Iterator<Item = LatLng>) -> Self {
        let node = |(place, position): (u32, LatLng)| Node { point: position.into(), position, place };
        let mut nodes: Vec<Node> = (0_u32..).zip(positions).map(node).collect();
        arrange(&mut nodes, 0);
        Self { nodes }
    }

    /// The `most` nearest with their distance, nearest first.
    pub(super) fn nearest(&self, from: LatLng, most: usize) -> Vec<(u32, f64)> {
        let mut search = Search { from, point: from.into(), most, found: BinaryHeap::new() };
        if most > 0 {
            search.visit(&self.nodes, 0);
        }
        search.found.into_sorted_vec().into_iter().map(|found| (found.place, found.metres)).collect()
    }
}

fn arrange(nodes: &mut [Node], depth: usize) {
    if nodes.len() < 2 {
        return;
    }
    let middle = nodes.len() / 2;
    let along = |node: &Node| node.point.0[depth % 3];
    let (before, _, after) = nodes.select_nth_unstable_by(middle, |a, b| along(a).total_cmp(&along(b)));
    arrange(before, depth + 1);
    arrange(after, depth + 1);
}

impl Search {
    fn visit(&mut self, nodes: &[Node], depth: usize) {
        let (before, rest) = nodes.split_at(nodes.len() / 2);
        let Some((node, after)) = rest.split_first() else { return };
        self.offer(node);
        let gap = self.point.0[depth % 3] - node.point.0[depth % 3];
        let (near, far) = if gap < 0.0 { (before, after) } else { (after, before) };
        self.visit(near, depth + 1);
        // A plane `gap` away from the point is at least `gap` radii away along the ground; a micrometre for rounding.
        if gap.abs() * EARTH_RADIUS_M <= self.limit() + 1e-6 {
            self.visit(far, depth + 1);
        }
    }

    fn offer(&mut self, node: &Node) {
        let found = Found { metres: distance_m(self.from, node.position), place: node.place };
        self.found.push(found);
        if self.found.len() > self.most {
            self.found.pop();
        }
    }

    /// Farther than this, nothing can enter any more.
    fn limit(&self) -> f64 {
        match self.found.peek() {
            Some(farthest) if self.found.len() >= self.most => farthest.metres,
            _ => f64::INFINITY,
        }
    }
}
