use mosaic_types::Mode;

/// How likely noise carries a point from one cell to another, by the distance of their centres in widths of a cell.
pub(super) struct Carried {
    /// Distance in widths and probability, nearest first.
    by_distance: Vec<(f64, f64)>,
}

/// Cells this many widths away in each direction are tabulated.
const REACH: i32 = 9;
/// Points to each side, up to two thirds of a width, over which a true point is spread inside its cell.
const SPREAD: i32 = 6;
/// Parts of equal probability into which the noise is cut: by radius and by direction.
const RADII: u32 = 32;
const DIRECTIONS: u32 = 18;

impl Carried {
    /// For the planar Laplace noise of `mode` over a honeycomb whose cells are `width_m` from centre to centre: the true
    /// point is anywhere in its cell, the blurred one falls into whichever cell is nearest, as snapping does. The cells of
    /// H3 are nearly such a honeycomb.
    pub(super) fn over(mode: Mode, width_m: f64) -> Self {
        let rate = 4.0_f64.ln() / mode.profile().location_scale_m * width_m.max(1.0);
        let offsets = || (-REACH..=REACH).flat_map(|q| (-REACH..=REACH).map(move |r| (q, r)));
        let mut table: Vec<(i32, f64, f64)> = Vec::new();
        let drawn = fallen(rate);
        for (q, r) in offsets() {
            let square = q * q + q * r + r * r;
            if square > REACH * REACH {
                continue;
            }
            let hits = drawn.iter().find(|(cell, _)| *cell == (q, r)).map_or(0.0, |(_, share)| *share);
            match table.iter_mut().find(|(known, _, _)| *known == square) {
                Some((_, sum, many)) => (*sum, *many) = (*sum + hits, *many + 1.0),
                None => table.push((square, hits, 1.0)),
            }
        }
        table.sort_by_key(|(square, _, _)| *square);
        let density = |away: f64| HALF_ROOT_3 * rate * rate / std::f64::consts::TAU * (-rate * away).exp();
        let entry = |(square, sum, many): (i32, f64, f64)| {
            let away = f64::from(square).sqrt();
            // far out no part falls, and the density at the centre says enough
            (away, if sum > 0.0 { sum / many } else { density(away) })
        };
        Self { by_distance: table.into_iter().map(entry).collect() }
    }

    /// The probability at a distance in widths: between two tabulated ones by the logarithm.
    pub(super) fn at(&self, away: f64) -> f64 {
        let next = self.by_distance.partition_point(|(known, _)| *known < away);
        match (next.checked_sub(1).and_then(|before| self.by_distance.get(before)), self.by_distance.get(next)) {
            (Some((near, a)), Some((far, b))) => {
                let share = (away - near) / (far - near);
                (a.ln() + share * (b.ln() - a.ln())).exp()
            }
            (None, Some((_, first))) => *first,
            (_, None) => 0.0,
        }
    }
}

/// Area of a cell of width 1: √3/2.
const HALF_ROOT_3: f64 = 0.866_025_403_784_438_6;

/// Where equal parts of the noise fall, from points spread evenly over the cell at the origin; shares add up to 1.
fn fallen(rate: f64) -> Vec<((i32, i32), f64)> {
    let steps = (-SPREAD..=SPREAD).map(|step| 2.0 * f64::from(step) / (3.0 * f64::from(SPREAD)));
    let inside =
        steps.clone().flat_map(|x| steps.clone().map(move |y| (x, y))).filter(|(x, y)| nearest(*x, *y) == (0, 0));
    let inside: Vec<(f64, f64)> = inside.collect();
    let moves: Vec<(f64, f64)> = (0..RADII)
        .flat_map(|part| {
            let radius = radius_of((f64::from(part) + 0.5) / f64::from(RADII)) / rate;
            // turned a little from radius to radius, so that no direction is preferred
            let turn = f64::from(part) * 0.618_034;
            (0..DIRECTIONS).map(move |direction| {
                let angle = std::f64::consts::TAU * (f64::from(direction) + turn) / f64::from(DIRECTIONS);
                (radius * angle.cos(), radius * angle.sin())
            })
        })
        .collect();
    let mut cells = std::collections::BTreeMap::<(i32, i32), u32>::new();
    for (x, y) in &inside {
        for (east, north) in &moves {
            *cells.entry(nearest(x + east, y + north)).or_default() += 1;
        }
    }
    let all = cells.values().copied().map(f64::from).sum::<f64>();
    cells.into_iter().map(|(cell, many)| (cell, f64::from(many) / all)).collect()
}

/// The radius, in units of 1/ε, within which that share of planar Laplace noise lies: `1 − (1 + r) e^{−r}`.
fn radius_of(share: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 60.0_f64);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if 1.0 - (1.0 + middle) * (-middle).exp() < share { low = middle } else { high = middle }
    }
    low
}

/// The cell of the honeycomb of width 1 whose centre is nearest, in axial coordinates.
fn nearest(x: f64, y: f64) -> (i32, i32) {
    let r = y / HALF_ROOT_3;
    let q = x - r / 2.0;
    let s = -q - r;
    let (mut near_q, mut near_r) = (q.round(), r.round());
    let (off_q, off_r, off_s) = ((near_q - q).abs(), (near_r - r).abs(), (s.round() - s).abs());
    if off_q > off_r && off_q > off_s {
        near_q = -near_r - s.round();
    } else if off_r > off_s {
        near_r = -near_q - s.round();
    }
    #[expect(clippy::cast_possible_truncation, reason = "a few dozen widths")]
    let cell = (near_q as i32, near_r as i32);
    cell
}

#[cfg(test)]
#[expect(clippy::print_stdout, reason = "tests: figures to read")]
mod tests {
    use mosaic_geo::offset_m;
    use mosaic_types::LatLng;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::blur::PlanarLaplace;

    /// Against the sampler that releases use, and cells as H3 has them: 40,000 draws a mode (seed 71), the released cell
    /// itself within 0.02, which covers four standard errors and that H3 is no perfect honeycomb.
    #[test]
    fn carried_as_the_sampler_carries() {
        let mut rng = ChaCha20Rng::seed_from_u64(71);
        let cell = mosaic_geo::Cell::at(LatLng::new(41.17, -8.6).unwrap(), mosaic_geo::Resolution::R8);
        let ring = cell.disk(1);
        let width = ring.iter().map(|next| mosaic_geo::distance_m(cell.center(), next.center())).sum::<f64>() / 6.0;
        for mode in [Mode::Emergency, Mode::Balanced, Mode::Maximum] {
            let law = PlanarLaplace::with_scale(mode.profile().location_scale_m);
            let (mut same, mut next, n) = (0.0, 0.0, 40_000);
            let mut drawn = 0;
            while drawn < n {
                let point = offset_m(cell.center(), rng.random_range(-700.0..700.0), rng.random_range(-700.0..700.0));
                if !cell.contains(point) {
                    continue;
                }
                drawn += 1;
                let moved = law.sample(&mut rng);
                let to = offset_m(point, f64::from(moved.east_m), f64::from(moved.north_m));
                let to = mosaic_geo::Cell::at(to, mosaic_geo::Resolution::R8);
                same += f64::from(u8::from(to == cell)) / f64::from(n);
                next += f64::from(u8::from(to != cell && ring.contains(&to))) / f64::from(n) / 6.0;
            }
            let carried = Carried::over(mode, width);
            println!(
                "{mode}: stays {same:.3} (table {:.3}), each neighbour {next:.4} ({:.4})",
                carried.at(0.0),
                carried.at(1.0)
            );
            assert!((carried.at(0.0) - same).abs() < 0.02 && (carried.at(1.0) - next).abs() < 0.006, "{mode}");
        }
    }
}
