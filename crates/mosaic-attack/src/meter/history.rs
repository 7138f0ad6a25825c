use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use mosaic_geo::{Cell, distance_m};
use mosaic_types::{ClassId, LatLng, Timestamp, TtlHours};

use super::Popularity;

/// What a bundle is described by, in order.
pub const FEATURES: [&str; 12] = [
    "times-seen",
    "hours-since-first",
    "hours-since-last",
    "own-cell",
    "own-class",
    "town-cell",
    "town-class",
    "metres-from-own-middle",
    "metres-to-next",
    "time-to-live",
    "resolution",
    "hour",
];

/// A bundle as whoever opens it sees it, without topics and text, which lie in a second layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenBundle {
    /// Its class.
    pub class: ClassId,
    /// Its cell, at the event's resolution.
    pub cell: Cell,
    /// Its time to live.
    pub ttl: TtlHours,
}

impl SeenBundle {
    /// One number for what was wanted and where: by it a bundle is known again.
    pub fn key(&self) -> u64 {
        self.cell.raw() ^ u64::from(self.class.get()).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

/// What one writer sent before, as far as it is remembered.
#[derive(Clone, Debug, Default)]
pub struct History {
    memory: Option<Duration>,
    events: VecDeque<(Timestamp, Vec<SeenBundle>)>,
    seen: HashMap<u64, VecDeque<Timestamp>>,
    cells: HashMap<Cell, u32>,
    classes: HashMap<ClassId, u32>,
    middle: Middle,
}

impl History {
    /// Remembers everything, as an attacker may who kept what the providers destroyed.
    pub fn of_everything() -> Self {
        Self::default()
    }

    /// Remembers this long: what a table's life puts before everybody's eyes is 48 h.
    pub fn of_the_last(memory: Duration) -> Self {
        Self { memory: Some(memory), ..Self::default() }
    }

    /// Takes in an event that left at `at`. Events come in order of time.
    pub fn absorb(&mut self, at: Timestamp, bundles: &[SeenBundle]) {
        for bundle in bundles {
            self.seen.entry(bundle.key()).or_default().push_back(at);
            *self.cells.entry(bundle.cell).or_default() += 1;
            *self.classes.entry(bundle.class).or_default() += 1;
            self.middle.add(bundle.cell, 1);
        }
        if self.memory.is_some() {
            self.events.push_back((at, bundles.to_vec()));
            self.forget_before(at);
        }
    }

    /// How often a bundle was seen.
    pub fn times(&self, bundle: &SeenBundle) -> usize {
        self.seen.get(&bundle.key()).map_or(0, VecDeque::len)
    }

    /// The numbers of [`FEATURES`] for each bundle of an event that leaves at `at`.
    pub fn rows(&self, at: Timestamp, bundles: &[SeenBundle], town: &impl Popularity) -> Vec<Vec<f64>> {
        (0..bundles.len()).map(|index| self.row(at, bundles, index, town)).collect()
    }

    fn row(&self, at: Timestamp, bundles: &[SeenBundle], index: usize, town: &impl Popularity) -> Vec<f64> {
        let bundle = bundles[index];
        let (place, seen) = (bundle.cell.center(), self.seen.get(&bundle.key()));
        let hours = |since: Option<&Timestamp>| since.map_or(-1.0, |since| at.since(*since).as_secs_f64() / 3_600.0);
        let log = |count: f64| (1.0 + count).ln();
        let others = bundles.iter().enumerate().filter(|(other, _)| *other != index);
        let nearest = others.map(|(_, other)| distance_m(place, other.cell.center())).fold(1e5, f64::min);
        vec![
            self.times(&bundle) as f64,
            hours(seen.and_then(VecDeque::front)),
            hours(seen.and_then(VecDeque::back)),
            log(self.cells.get(&bundle.cell).copied().unwrap_or_default().into()),
            log(self.classes.get(&bundle.class).copied().unwrap_or_default().into()),
            log(town.of_cell(bundle.cell)),
            log(town.of_class(bundle.class)),
            self.middle.point().map_or(0.0, |middle| distance_m(place, middle)),
            nearest,
            bundle.ttl.hours().into(),
            bundle.cell.resolution().number().into(),
            (at.as_secs() / 3_600 % 24) as f64,
        ]
    }

    fn forget_before(&mut self, now: Timestamp) {
        let Some(memory) = self.memory else { return };
        let oldest = now.before(memory);
        while let Some((_, bundles)) = self.events.pop_front_if(|(at, _)| *at < oldest) {
            for bundle in bundles {
                if let Some(times) = self.seen.get_mut(&bundle.key()) {
                    times.pop_front();
                }
                count_down(&mut self.cells, bundle.cell);
                count_down(&mut self.classes, bundle.class);
                self.middle.add(bundle.cell, -1);
            }
        }
        self.seen.retain(|_, times| !times.is_empty());
    }
}

fn count_down<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, u32>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

/// The mean place, in whole millionths of a degree: what is taken away again leaves no rounding behind.
#[derive(Clone, Copy, Debug, Default)]
struct Middle {
    lat: i64,
    lng: i64,
    count: i64,
}

impl Middle {
    fn add(&mut self, cell: Cell, sign: i64) {
        let place = cell.center();
        #[expect(clippy::cast_possible_truncation, reason = "degrees, below 180")]
        let millionths = |degrees: f64| (degrees * 1e6).round() as i64;
        self.lat += sign * millionths(place.lat());
        self.lng += sign * millionths(place.lng());
        self.count += sign;
    }

    fn point(self) -> Option<LatLng> {
        let mean = |sum: i64| sum as f64 / self.count as f64 / 1e6;
        if self.count == 0 { None } else { LatLng::new(mean(self.lat), mean(self.lng)).ok() }
    }
}

/// Each row beside how far it lies from the mean of its event: twice as many numbers.
pub fn contrast(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mean = |at: usize| rows.iter().map(|row| row[at]).sum::<f64>() / rows.len() as f64;
    let means: Vec<f64> = (0..rows.first().map_or(0, Vec::len)).map(mean).collect();
    let widen =
        |row: &Vec<f64>| row.iter().copied().chain(row.iter().zip(&means).map(|(value, mean)| value - mean)).collect();
    rows.iter().map(widen).collect()
}

#[cfg(test)]
mod tests {
    use mosaic_geo::Resolution;

    use super::*;

    struct Nowhere;

    impl Popularity for Nowhere {
        fn of_cell(&self, _: Cell) -> f64 {
            0.0
        }

        fn of_class(&self, _: ClassId) -> f64 {
            0.0
        }
    }

    fn bundle(number: u8) -> SeenBundle {
        let place = LatLng::new(41.0 + f64::from(number) * 0.02, -8.6).unwrap();
        SeenBundle {
            class: ClassId::new(number % 16).unwrap(),
            cell: Cell::at(place, Resolution::R8),
            ttl: TtlHours::default(),
        }
    }

    fn hour(hour: u64) -> Timestamp {
        Timestamp::from_secs(1_795_276_800 + hour * 3_600)
    }

    #[test]
    fn what_was_seen_before_counts() {
        let mut history = History::of_everything();
        history.absorb(hour(0), &[bundle(0), bundle(1)]);
        history.absorb(hour(2), &[bundle(0), bundle(2)]);
        let rows = history.rows(hour(5), &[bundle(0), bundle(3)], &Nowhere);
        assert_eq!(rows[0][..3], [2.0, 5.0, 3.0]);
        assert_eq!(rows[1][..5], [0.0, -1.0, -1.0, 0.0, 0.0]);
        assert!((rows[0][3] - 3.0_f64.ln()).abs() < 1e-12);
        assert_eq!(rows[0].len(), FEATURES.len());
        let wide = contrast(&rows);
        assert_eq!((wide[0][FEATURES.len()], wide[1][FEATURES.len()]), (1.0, -1.0));
        assert!(contrast(&[]).is_empty());
    }

    /// After any number of events, what is remembered is what the last two days would leave alone.
    #[test]
    fn what_is_forgotten_leaves_no_trace() {
        let memory = Duration::from_hours(48);
        let mut long = History::of_the_last(memory);
        let mut fresh = History::of_the_last(memory);
        for at in 0..400_u16 {
            let bundles = [bundle((at % 7) as u8), bundle((at % 11) as u8 + 20)];
            long.absorb(hour(at.into()), &bundles);
            if at >= 351 {
                fresh.absorb(hour(at.into()), &bundles);
            }
        }
        let asked = [bundle(1), bundle(22), bundle(60)];
        assert_eq!(long.rows(hour(400), &asked, &Nowhere), fresh.rows(hour(400), &asked, &Nowhere));
        assert_eq!((long.events.len(), long.seen.len()), (fresh.events.len(), fresh.seen.len()));
    }
}
