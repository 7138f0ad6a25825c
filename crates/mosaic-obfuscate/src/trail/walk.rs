use mosaic_geo::{Cell, distance_m};
use mosaic_types::{LatLng, Mode};

use super::noise::Carried;
use crate::blur::{SNAP_RINGS, snap};

/// Rings around a released cell in which the true one is sought: 7 km, beyond which the widest noise falls once in
/// 10^7 times.
const RINGS: u32 = 8;
/// How far people are from where they were, on average: at once this much, in metres…
const AT_ONCE_M: f64 = 250.0;
/// … and this much more for each second: a walk. Who moves faster is followed less well.
const PACE_M_PER_S: f64 = 1.4;

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
/// weighs `Π weight(x) · P(seen | x) · e^{−d(x, x') / (250 m + 1.4 m/s · gap)}`, at its last place.
///
/// `weight` is the public prior: how much goes on in a cell, zero where no release can name it.
pub fn believed(story: &[(Seen, u32)], weight: &impl Fn(Cell) -> u32) -> Belief {
    let mut belief = Belief::default();
    for (seen, gap) in story {
        let mut next = candidates(*seen, weight);
        if !belief.0.is_empty() {
            let reach = AT_ONCE_M + PACE_M_PER_S * f64::from(*gap);
            for standing in &mut next {
                let from =
                    |before: &Standing| before.chance * (-distance_m(before.center, standing.center) / reach).exp();
                standing.chance *= belief.0.iter().map(from).sum::<f64>();
            }
        }
        belief = normalised(next);
    }
    belief
}

/// Where somebody may be of whom one cell was seen, by prior and noise, not yet normalised.
fn candidates(seen: Seen, weight: &impl Fn(Cell) -> u32) -> Vec<Standing> {
    let center = seen.cell.center();
    let width = width_m(seen.cell);
    let carried = Carried::over(seen.mode, width);
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
    Belief(standings)
}
