use std::collections::BTreeMap;

use mosaic_geo::{Cell, distance_m};
use mosaic_types::{LatLng, Mode};

use super::noise::Carried;
use crate::blur::{SNAP_RINGS, snap};

/// Rings around a released cell in which the true one is sought: 7 km, beyond which the widest noise falls once in
/// 10^7 times.
const RINGS: u32 = 8;
/// Cells less likely than this are left out: they change no figure that is looked at.
const UNHEARD_OF: f64 = 1e-13;
/// How far people are from where they were, on average: at once this much, in metres…
const AT_ONCE_M: f64 = 250.0;
/// … and this much more for each second, a share of people each: on foot, or riding (L3-42). Whoever took all for
/// walkers would be sure of the wrong cell of somebody in a car.
const PACES_M_PER_S: [(f64, f64); 2] = [(0.7, 1.4), (0.3, 8.3)];

/// One fine cell that strangers saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The cell, at resolution 8.
    pub cell: Cell,
    /// The mode whose noise it carries.
    pub mode: Mode,
}

/// What is believed of where somebody is: cells with their probabilities.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Belief(Vec<Standing>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Standing {
    cell: Cell,
    center: LatLng,
    chance: f64,
}

impl Belief {
    /// The probability of the likeliest cell; zero if nothing is believed.
    pub fn highest(&self) -> f64 {
        self.0.iter().map(|standing| standing.chance).fold(0.0, f64::max)
    }

    /// The cells with their probabilities.
    pub fn cells(&self) -> impl Iterator<Item = (Cell, f64)> {
        self.0.iter().map(|standing| (standing.cell, standing.chance))
    }
}

/// What somebody believes who saw these cells, each so many seconds after the one before: the law in which a path
/// weighs `Π weight(x) · P(seen | x) · moved(d(x, x'), gap)`, at its last place. A move follows a planar exponential law
/// of mean reach `250 m + pace · gap`, seven in ten people on foot at 1.4 m/s and three riding at 8.3 m/s.
///
/// `weight` is the public prior: how much goes on in a cell, zero where no release can name it.
pub fn believed(story: &[(Seen, u32)], weight: &impl Fn(Cell) -> u32) -> Belief {
    let (mut belief, mut tables) = (Belief::default(), Tables::default());
    for (seen, gap) in story {
        let mut next = candidates(*seen, weight, &mut tables);
        if !belief.0.is_empty() {
            for standing in &mut next {
                let from = |before: &Standing| before.chance * moved(distance_m(before.center, standing.center), *gap);
                standing.chance *= belief.0.iter().map(from).sum::<f64>();
            }
        }
        belief = normalised(next);
    }
    belief
}

/// How likely somebody moves so far, in metres, in so many seconds: a density, in units of that of standing still.
fn moved(away_m: f64, gap: u32) -> f64 {
    let by_pace = |(share, pace): (f64, f64)| {
        let reach = AT_ONCE_M + pace * f64::from(gap);
        share * (AT_ONCE_M / reach).powi(2) * (-away_m / reach).exp()
    };
    PACES_M_PER_S.into_iter().map(by_pace).sum()
}

/// Tables of noise by mode and by width in steps of 2 %: the cells of a town are nearly equal.
type Tables = BTreeMap<(u8, i32), Carried>;

/// Where somebody may be of whom one cell was seen, by prior and noise, not yet normalised.
fn candidates(seen: Seen, weight: &impl Fn(Cell) -> u32, tables: &mut Tables) -> Vec<Standing> {
    let center = seen.cell.center();
    let width = width_m(seen.cell);
    #[expect(clippy::cast_possible_truncation, reason = "a few hundred")]
    let step = (width.max(1.0).ln() / 1.02_f64.ln()).round() as i32;
    let carried =
        tables.entry((seen.mode as u8, step)).or_insert_with(|| Carried::over(seen.mode, 1.02_f64.powi(step)));
    let snapping: Vec<LatLng> = snapped_to(seen.cell, weight).into_iter().map(Cell::center).collect();
    let known = seen.cell.disk(RINGS).into_iter().filter_map(|cell| Some((cell, weight(cell))).filter(|(_, w)| *w > 0));
    let standing = |(cell, weight): (Cell, u32)| {
        let from = cell.center();
        let near = |to: &LatLng| carried.at(distance_m(from, *to) / width);
        let elsewhere: f64 = snapping.iter().map(near).sum();
        let chance = f64::from(weight) * (near(&center) + elsewhere);
        Standing { cell, center: from, chance }
    };
    known.map(standing).collect()
}

/// The cells that no release can name and whose points are snapped to this one.
fn snapped_to(cell: Cell, weight: &impl Fn(Cell) -> u32) -> Vec<Cell> {
    let plausible = |cell| weight(cell) > 0;
    let nameless = cell.disk(SNAP_RINGS).into_iter().filter(|other| *other != cell && !plausible(*other));
    nameless.filter(|other| snap(other.center(), &plausible) == Some(cell)).collect()
}

/// From the centre of a cell to those of its neighbours, on average.
fn width_m(cell: Cell) -> f64 {
    let around: Vec<f64> = cell
        .disk(1)
        .into_iter()
        .filter(|next| *next != cell)
        .map(|next| distance_m(cell.center(), next.center()))
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "five or six")]
    let many = around.len().max(1) as f64;
    around.iter().sum::<f64>() / many
}

fn normalised(mut standings: Vec<Standing>) -> Belief {
    let all: f64 = standings.iter().map(|standing| standing.chance).sum();
    if all <= 0.0 {
        return Belief::default();
    }
    standings.iter_mut().for_each(|standing| standing.chance /= all);
    standings.retain(|standing| standing.chance > UNHEARD_OF);
    Belief(standings)
}

#[cfg(test)]
mod tests {
    use mosaic_geo::{Resolution, offset_m};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    use super::*;
    use crate::blur::PlanarLaplace;

    fn middle() -> Cell {
        Cell::at(LatLng::new(41.17, -8.6).unwrap(), Resolution::R8)
    }

    /// A world of nineteen cells, unequally lively.
    fn weight(cell: Cell) -> u32 {
        middle().disk(2).iter().position(|known| *known == cell).map_or(0, |at| 1 + (at as u32 * 7) % 11)
    }

    /// Every path of three places, weighed one by one.
    #[test]
    fn the_filter_is_the_sum_over_all_paths() {
        let cells = middle().disk(2);
        let story = [(cells[3], Mode::Maximum, 0), (cells[9], Mode::Balanced, 60), (cells[10], Mode::Maximum, 900)];
        let story = story.map(|(cell, mode, gap)| (Seen { cell, mode }, gap));
        let seen = story.map(|(seen, _)| candidates(seen, &weight, &mut Tables::new()));
        let moved = |a: &Standing, b: &Standing, gap: f64| {
            let (away, walk, ride) = (distance_m(a.center, b.center), 250.0 + 1.4 * gap, 250.0 + 8.3 * gap);
            0.7 * (-away / walk).exp() / (walk * walk) + 0.3 * (-away / ride).exp() / (ride * ride)
        };
        let mut last = vec![0.0; seen[2].len()];
        for a in &seen[0] {
            for b in &seen[1] {
                for (at, c) in seen[2].iter().enumerate() {
                    last[at] += a.chance * moved(a, b, 60.0) * b.chance * moved(b, c, 900.0) * c.chance;
                }
            }
        }
        let all: f64 = last.iter().sum();
        let belief = believed(&story, &weight);
        assert_eq!(belief.0.len(), 19);
        assert!(belief.cells().zip(last).all(|((_, found), path)| (found - path / all).abs() < 1e-10));
        assert!((belief.cells().map(|(_, chance)| chance).sum::<f64>() - 1.0).abs() < 1e-10);
    }

    /// Against the release itself: of people who are somewhere by the prior and whose blurred point is snapped to the
    /// middle cell, so many are in each cell. 60,000 people (seed 74) in maximum mode, some 7,000 of them snapped there; each
    /// share within 0.03, five standard errors.
    #[test]
    fn what_is_believed_after_one_release_is_so() {
        let mut rng = ChaCha20Rng::seed_from_u64(74);
        let law = PlanarLaplace::with_scale(Mode::Maximum.profile().location_scale_m);
        let cells = middle().disk(2);
        let all: u32 = cells.iter().map(|cell| weight(*cell)).sum();
        let mut found = vec![0.0; cells.len()];
        for _ in 0..60_000 {
            let mut left = rng.random_range(0..all);
            let home = cells.iter().position(|cell| {
                let here = weight(*cell);
                let chosen = left < here;
                left = left.saturating_sub(here);
                chosen
            });
            let home = home.unwrap();
            let point = loop {
                let near =
                    offset_m(cells[home].center(), rng.random_range(-650.0..650.0), rng.random_range(-650.0..650.0));
                if cells[home].contains(near) {
                    break near;
                }
            };
            let moved = law.sample(&mut rng);
            let point = offset_m(point, f64::from(moved.east_m), f64::from(moved.north_m));
            if distance_m(point, middle().center()) < 700.0 && snap(point, &|cell| weight(cell) > 0) == Some(middle()) {
                found[home] += 1.0;
            }
        }
        let snapped: f64 = found.iter().sum();
        assert!(snapped > 3_000.0, "{snapped}");
        let belief = believed(&[(Seen { cell: middle(), mode: Mode::Maximum }, 0)], &weight);
        for ((cell, stated), found) in belief.cells().zip(found) {
            assert!((stated - found / snapped).abs() < 0.03, "{cell}: {stated} {}", found / snapped);
        }
    }

    /// Long ago tells little, just now tells much; nobody lives where nothing is.
    #[test]
    fn what_was_seen_long_ago_tells_little() {
        let seen = Seen { cell: middle(), mode: Mode::Maximum };
        let after = |gap| believed(&[(seen, 0), (seen, gap)], &weight).highest();
        let alone = believed(&[(seen, 0)], &weight).highest();
        assert!(after(10) > after(3_600) && after(3_600) > after(86_400));
        assert!(after(10) > alone + 0.1 && (after(86_400) - alone).abs() < 0.02, "{alone} {}", after(86_400));
        assert!(believed(&[(seen, 0)], &|_| 0).highest().abs() < 1e-12);
    }
}
