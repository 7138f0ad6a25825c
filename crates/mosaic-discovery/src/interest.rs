use std::{collections::BTreeSet, fmt};

use mosaic_geo::{Cell, Resolution};
use mosaic_types::{ClassId, LatLng, ModeProfile, Radius, SearchWindow, Sensitive, Timestamp, TopicId, Window};
use mosaic_wire::{Groups, OprfInput};

/// What a person looks for, and from where. The place is the true one: it never leaves the device.
#[derive(Clone)]
pub struct Interest {
    /// Class of the public vocabulary.
    pub class: ClassId,
    /// Topics of that class; what only these name can be read.
    pub topics: Vec<TopicId>,
    /// Where the reader is.
    pub place: Sensitive<LatLng>,
    /// How far around to look.
    pub radius: Radius,
    /// How far back to look.
    pub window: SearchWindow,
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interest([hidden])")
    }
}

/// How far from a true place its card may lie, and how many rings are read in any case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// Rings of cells read around the reader's own: 1 balanced, 2 maximum (DESIGN section 4).
    pub ring: u32,
    /// Distance in metres that the publisher's noise stays below 19 times out of 20.
    pub blur_m: f64,
}

impl Reach {
    /// The 95 % quantile of planar Laplace in units of the distance at which two places are
    /// indistinguishable up to a factor 4: the radius is Gamma(2, ε), its quantile 4.7439/ε, and
    /// ε = ln 4 / scale.
    pub const BLUR_95_PER_SCALE: f64 = 4.743_864_5 / (2.0 * std::f64::consts::LN_2);

    /// The reach of a mode's row in the table of DESIGN section 4.
    pub fn of(profile: &ModeProfile) -> Self {
        Self { ring: profile.ring, blur_m: profile.location_scale_m * Self::BLUR_95_PER_SCALE }
    }
}

/// The resolutions of discovery, fine to coarse, each with the radius it is meant for (PRIVACY 1.2).
const LEVELS: [(Resolution, u32); 3] = [(Resolution::R8, 500), (Resolution::R7, 2_000), (Resolution::R6, 5_000)];

/// Which OPRF inputs answer an interest: the rows of this window and the one before in the disks of
/// r8, r7 and r6 around the reader's own place, then the topics in the periods of both windows.
///
/// A disk has `reach.ring` rings, and more where the radius and the publisher's noise together reach
/// further: a card whose true place is within the radius lies in a planned cell 19 times out of 20.
/// A resolution widens up to the radius it is meant for; beyond it the next coarser one takes over.
pub fn plan(interest: &Interest, now: Timestamp, reach: Reach, groups: Groups) -> Vec<OprfInput> {
    let windows = [now.window(), now.window().previous()];
    let mut inputs = Vec::new();
    for (resolution, meant_for) in LEVELS {
        let reach_m = f64::from(interest.radius.metres().min(meant_for)) + reach.blur_m;
        let cells = interest.place.expose(|place| cells_around(*place, resolution, reach.ring, reach_m));
        let split = groups.at(resolution.number()).unwrap_or(1).max(1);
        for window in windows {
            inputs.extend(cells.iter().map(|cell| row_input(*cell, resolution, window, split, interest.class)));
        }
    }
    inputs.extend(topic_inputs(interest, windows));
    inputs
}

fn row_input(cell: Cell, resolution: Resolution, window: Window, split: u8, class: ClassId) -> OprfInput {
    OprfInput::Row {
        period: window.start().period(),
        resolution: resolution.number(),
        cell: cell.raw(),
        window,
        groups: split,
        group: class.get() % split,
    }
}

fn topic_inputs(interest: &Interest, windows: [Window; 2]) -> impl Iterator<Item = OprfInput> {
    let periods: BTreeSet<_> = windows.map(|window| window.start().period()).into();
    periods.into_iter().rev().flat_map(move |period| {
        let topics: BTreeSet<_> = interest.topics.iter().copied().filter(|topic| *topic != TopicId::NONE).collect();
        topics.into_iter().map(move |topic| OprfInput::Topic { period, class: interest.class, topic })
    })
}

/// The disk of `ring` rings, and every other cell that a point within `reach_m` may lie in.
fn cells_around(place: LatLng, resolution: Resolution, ring: u32, reach_m: f64) -> Vec<Cell> {
    let home = Cell::at(place, resolution);
    // neighbouring centres are at least 1.2 circumradii of the largest cell apart and rows of hexagons
    // 0.86 of that, so one ring per circumradius and two more enclose the circle
    let rings = (reach_m / circumradius_m(resolution)).ceil() + 2.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive count")]
    let wide = home.disk((rings as u32).max(ring));
    let near: BTreeSet<Cell> = home.disk(ring).into_iter().collect();
    wide.into_iter().filter(|cell| near.contains(cell) || cell.distance_m(place) <= reach_m).collect()
}

/// Largest distance in metres from a cell's centre to its corner, anywhere on Earth: the longest
/// edges of the H3 statistics, rounded up.
fn circumradius_m(resolution: Resolution) -> f64 {
    match resolution {
        Resolution::R6 => 4_700.0,
        Resolution::R7 => 1_780.0,
        Resolution::R8 => 675.0,
        Resolution::R9 => 256.0,
    }
}
