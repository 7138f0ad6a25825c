use std::{collections::BTreeSet, fmt};

use mosaic_geo::{Cell, Resolution};
use mosaic_types::{ClassId, LatLng, Mode, ModeProfile, Radius, SearchWindow, Sensitive, Timestamp, TopicId, Window};
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
///
/// A reader does not know the publisher's mode, so it never reckons with less noise than balanced mode makes.
/// Whoever blurs more, in maximum mode or with a zone, is found at resolution 6 at the latest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// Rings of cells read around the reader's own: 1 balanced, 2 maximum (DESIGN section 4).
    pub ring: u32,
    /// Scale of the noise reckoned with at resolutions 8 and 7, in metres.
    scale_m: f64,
}

impl Reach {
    /// The 95 % quantile of planar Laplace in units of the distance at which two places are
    /// indistinguishable up to a factor 4: the radius is Gamma(2, ε), its quantile 4.7439/ε, and
    /// ε = ln 4 / scale.
    pub const BLUR_95_PER_SCALE: f64 = 4.743_864_5 / (2.0 * std::f64::consts::LN_2);
    /// What snapping adds, in metres: about the edge of an r8 cell. A blurred point whose own cell no decoy may
    /// name moves to a neighbouring one; only where public places are sparse does it move further (up to
    /// 3 km), and such a card may be missed at r8.
    pub const SNAP_M: f64 = 530.0;

    /// The reach of a mode's row in the table of DESIGN section 4.
    pub fn of(profile: &ModeProfile) -> Self {
        let least = Mode::Balanced.profile().location_scale_m;
        Self { ring: profile.ring, scale_m: profile.location_scale_m.max(least) }
    }

    /// What a zone adds, in metres: it is drawn around the middle of a square of 6 km, so half its diagonal.
    pub const ZONE_M: f64 = 4_243.0;

    /// Distance in metres that noise and snapping of a card at this resolution stay below 19 times out of 20. At r6
    /// zones lie too, and nothing tells a card of one from others: those are blurred at the widest scale, around
    /// the middle of their square.
    pub fn off_by_m(self, resolution: Resolution) -> f64 {
        let (scale_m, zone_m) = match resolution {
            Resolution::R6 => (self.scale_m.max(Mode::Maximum.profile().location_scale_m), Self::ZONE_M),
            Resolution::R7 | Resolution::R8 | Resolution::R9 => (self.scale_m, 0.0),
        };
        scale_m * Self::BLUR_95_PER_SCALE + Self::SNAP_M + zone_m
    }
}

/// The resolutions of discovery, fine to coarse, each with the radius it is meant for (PRIVACY 1.2).
const LEVELS: [(Resolution, u32); 3] = [(Resolution::R8, 500), (Resolution::R7, 2_000), (Resolution::R6, 5_000)];

/// Which OPRF inputs answer an interest: the rows of this window and the one before in the disks of
/// r8, r7 and r6 around the reader's own place, then the topics in the periods of both windows.
///
/// A disk has `reach.ring` rings, and more where the radius, the publisher's noise and snapping together reach
/// further: a card whose true place is within the radius lies in a planned cell 19 times out of 20.
/// A resolution widens up to the radius it is meant for; beyond it the next coarser one takes over.
pub fn plan(interest: &Interest, now: Timestamp, reach: Reach, groups: Groups) -> Vec<OprfInput> {
    let windows = [now.window(), now.window().previous()];
    let mut inputs = Vec::new();
    for (resolution, meant_for) in LEVELS {
        let reach_m = f64::from(interest.radius.metres().min(meant_for)) + reach.off_by_m(resolution);
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

#[cfg(test)]
mod tests {
    use mosaic_geo::{cover, offset_m};
    use proptest::prelude::*;

    use super::*;

    /// Forty minutes into the first window of a table period: the window before is in the table before.
    const NOW: Timestamp = Timestamp::from_secs(122_478 * 4 * 3_600 + 2_400);

    fn interest(place: LatLng, radius: u32) -> Interest {
        Interest {
            class: ClassId::new(5).unwrap(),
            topics: vec![TopicId(7), TopicId(7), TopicId::NONE],
            place: Sensitive::new(place),
            radius: Radius::new(radius).unwrap(),
            window: SearchWindow::default(),
        }
    }

    fn porto() -> LatLng {
        LatLng::new(41.1579, -8.6291).unwrap()
    }

    fn planned(inputs: &[OprfInput], wanted: Window) -> BTreeSet<Cell> {
        let cell = |input: &OprfInput| match input {
            OprfInput::Row { cell, window, .. } if *window == wanted => Cell::from_raw(*cell).ok(),
            _ => None,
        };
        inputs.iter().filter_map(cell).collect()
    }

    #[test]
    fn both_windows_each_in_its_own_table_and_each_topic_once() {
        let reach = Reach::of(&Mode::Balanced.profile());
        let inputs = plan(&interest(porto(), 500), NOW, reach, Groups::DEFAULT);
        let (this, before) = (NOW.window(), NOW.window().previous());
        assert_ne!(this.start().period(), before.start().period());
        assert_eq!(planned(&inputs, this), planned(&inputs, before));
        for input in &inputs {
            match *input {
                OprfInput::Row { period, resolution, window, groups, group, .. } => {
                    assert_eq!(period, window.start().period());
                    assert_eq!((groups, group), [(16, 5), (4, 1), (1, 0)][usize::from(resolution) - 6]);
                }
                OprfInput::Topic { class, topic, .. } => assert_eq!((class.get(), topic), (5, TopicId(7))),
            }
        }
        assert_eq!(inputs.iter().filter(|input| matches!(input, OprfInput::Topic { .. })).count(), 2);
        assert!(inputs.len() <= 128, "one budget of evaluations per window: {}", inputs.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Wherever the reader stands and however far they look, every cell within radius and noise is
        /// planned at the resolution meant for that radius, and the fixed disk always is.
        #[test]
        fn cells_cover_radius_and_noise(lat in -89.9_f64..89.9, lng in -180.0_f64..180.0, radius in 100_u32..=5_000, slow: bool) {
            let place = LatLng::new(lat, lng).unwrap();
            let profile = if slow { Mode::Maximum.profile() } else { Mode::Balanced.profile() };
            let reach = Reach::of(&profile);
            let planned = planned(&plan(&interest(place, radius), NOW, reach, Groups::DEFAULT), NOW.window());
            let (resolution, _) = LEVELS.into_iter().find(|(_, meant_for)| radius <= *meant_for).unwrap();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "metres")]
            let whole = Radius::new((radius + reach.off_by_m(resolution) as u32).min(5_000)).unwrap();
            prop_assert!(cover(place, whole, resolution).iter().all(|cell| planned.contains(cell)));
            for (resolution, _) in LEVELS {
                prop_assert!(Cell::at(place, resolution).disk(profile.ring).iter().all(|cell| planned.contains(cell)));
            }
        }

        /// A card blurred by less than the stated quantile lies in the plan, at every resolution.
        #[test]
        fn a_blurred_neighbour_is_planned(east in -350.0_f64..350.0, north in -350.0_f64..350.0, blur in 0.0_f64..1.0, angle in 0.0..std::f64::consts::TAU) {
            let reach = Reach::of(&Mode::Balanced.profile());
            let planned = planned(&plan(&interest(porto(), 500), NOW, reach, Groups::DEFAULT), NOW.window());
            for (resolution, _) in LEVELS {
                let off = blur * reach.off_by_m(resolution);
                let shown = offset_m(offset_m(porto(), east, north), off * angle.cos(), off * angle.sin());
                prop_assert!(planned.contains(&Cell::at(shown, resolution)));
            }
        }
    }

    /// A reader in a fast mode reckons with everybody's noise, not with its own.
    #[test]
    fn no_mode_reckons_with_less_than_balanced_noise() {
        let off = |mode: Mode, resolution| Reach::of(&mode.profile()).off_by_m(resolution).round();
        assert_eq!(
            [Mode::Emergency, Mode::Balanced, Mode::Maximum].map(|m| off(m, Resolution::R8)),
            [1_214.0, 1_214.0, 2_241.0]
        );
        assert_eq!([Mode::Emergency, Mode::Balanced, Mode::Maximum].map(|m| off(m, Resolution::R6)), [6_484.0; 3]);
    }
}
