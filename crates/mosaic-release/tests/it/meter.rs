use std::{collections::BTreeMap, time::Duration};

use mosaic_release::{Measuring, Meter, Reading, ReleasedEvent, Releaser, SlotTruth};
use mosaic_types::{AnonymityFloor, Mode, Timestamp};
use mosaic_wire::encode;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::world::{NOW, Oracle, draft, releaser, table, town};

const ORDER: [u8; 5] = [8, 7, 8, 6, 8];

fn own(truth: &[SlotTruth]) -> usize {
    truth.iter().filter(|truth| truth.is_real()).count()
}

/// One device with a meter; every event is measured and then released.
struct Metered {
    releaser: Releaser,
    meter: Meter,
    oracle: Oracle,
    rng: ChaCha20Rng,
    mode: Mode,
    floor: AnonymityFloor,
}

impl Metered {
    fn new(seed: u8, mode: Mode, floor: f64) -> Self {
        Self {
            releaser: releaser(seed),
            meter: Meter::new(town()),
            oracle: Oracle::new(),
            rng: ChaCha20Rng::seed_from_u64(seed.into()),
            mode,
            floor: AnonymityFloor::new(floor).unwrap(),
        }
    }

    fn send(&mut self, at: Timestamp, resolution: u8) -> (Reading, ReleasedEvent) {
        let table = table(at.period());
        let measuring = Measuring { at, resolution, table: &table, mode: self.mode, floor: self.floor };
        let reading = self.meter.measure(&mut self.releaser, &measuring).unwrap();
        let event = self.oracle.event(&mut self.releaser, at, resolution, &mut self.rng);
        self.meter.absorb(at, &reading.bundles);
        (reading, event)
    }
}

/// Whatever gives way, an event has ten slots of one look, and the person's bundle is in it exactly if the preview
/// showed it last.
#[test]
fn what_gives_way_changes_nothing_else() {
    let (mut releaser, mut oracle) = (releaser(31), Oracle::new());
    let mut rng = ChaCha20Rng::seed_from_u64(31);
    releaser.draft(NOW, draft("coffee meetup", 0.5, Mode::Balanced)).unwrap();
    for (step, resolution) in (0..).zip([8, 7, 6]) {
        let at = NOW.after(Duration::from_mins(step * 12));
        let table = table(at.period());
        let kept = releaser.preview(at, resolution, &table, |_| None).unwrap();
        assert_eq!((kept.bundles.len(), kept.truth.expose(|truth| own(truth))), (10, 1));
        assert_eq!(format!("{kept:?}"), "Preview([hidden])");
        let without = releaser
            .preview(at, resolution, &table, |preview| {
                preview.truth.expose(|truth| truth.iter().position(|t| t.is_real()))
            })
            .unwrap();
        assert_eq!((without.bundles.len(), without.truth.expose(|truth| own(truth))), (10, 0));
        let event = oracle.event(&mut releaser, at, resolution, &mut rng);
        assert_eq!((encode(&event).len(), event.slot_truth().expose(|truth| own(truth))), (2_048, 0));
        // an objection holds for the event it was made to
        let next = releaser.preview(at, resolution, &table, |_| None).unwrap();
        assert_eq!(next.truth.expose(|truth| own(truth)), 1);
    }
}

/// Maximum mode, floor of ten: what the model gives more than a tenth does not leave.
#[test]
fn maximum_mode_withholds_what_falls_below_the_floor() {
    // the first device for which the draw is for the wish
    let shown = |seed: &u8| {
        let mut device = Metered::new(*seed, Mode::Maximum, 10.0);
        device.releaser.draft(NOW, draft("coffee meetup", 0.8, Mode::Maximum)).unwrap().inclusion.shown
    };
    let mut device = Metered::new((32..).find(shown).unwrap(), Mode::Maximum, 10.0);
    device.releaser.draft(NOW, draft("coffee meetup", 0.8, Mode::Maximum)).unwrap();
    let mut withheld = 0;
    for hour in 0..12_u64 {
        let (reading, event) = device.send(NOW.after(Duration::from_hours(hour)), ORDER[hour as usize % 5]);
        assert!(reading.own.is_none_or(|own| own.probability <= 0.1 + 1e-9));
        assert_eq!(event.slot_truth().expose(|truth| own(truth)), usize::from(reading.own.is_some()));
        assert_eq!(encode(&event).len(), 2_048);
        withheld += usize::from(!reading.held_back.is_empty());
    }
    assert!(withheld > 0);
}

/// Balanced mode, floor of ten, a day: in each table a bundle is written at each resolution as soon as without a
/// meter, and at most as often; some windows go without.
#[test]
fn balanced_mode_slows_and_never_delays_the_first_write_of_a_table() {
    let start = NOW.period().end();
    let day = |floor| {
        let mut device = Metered::new(33, Mode::Balanced, floor);
        device.releaser.draft(start, draft("coffee meetup", 0.5, Mode::Balanced)).unwrap();
        let mut written: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for step in 0..120_u32 {
            let at = start.after(Duration::from_mins(u64::from(step) * 12));
            let resolution = ORDER[step as usize % 5];
            let (_, event) = device.send(at, resolution);
            if event.slot_truth().expose(|truth| own(truth)) == 1 {
                written.entry((at.period(), resolution)).or_default().push(step);
            }
        }
        written
    };
    let (with, without) = (day(10.0), day(1.0));
    let first = |written: &BTreeMap<_, Vec<u32>>| written.iter().map(|(key, at)| (*key, at[0])).collect::<Vec<_>>();
    let all = |written: &BTreeMap<_, Vec<u32>>| written.values().map(Vec::len).sum::<usize>();
    assert_eq!(first(&with), first(&without));
    assert_eq!(all(&without), 36, "each of twelve windows, at three resolutions");
    assert!((18..36).contains(&all(&with)), "{}", all(&with));
}

#[test]
fn emergency_mode_holds_nothing_back() {
    let mut device = Metered::new(34, Mode::Emergency, 10.0);
    device.releaser.draft(NOW, draft("coffee meetup", 0.5, Mode::Emergency)).unwrap();
    let (reading, event) = device.send(NOW, 8);
    assert!(reading.held_back.is_empty() && reading.own.is_some());
    assert!((1.0..=10.0).contains(&reading.hypotheses) && (reading.shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert_eq!(event.slot_truth().expose(|truth| own(truth)), 1);
    assert!(device.meter.joint(Mode::Emergency, &[reading.shares]).is_some_and(|joint| joint.len() == 10));
    assert_eq!(format!("{reading:?} {:?}", device.meter), "Reading([hidden]) Meter([hidden])");
}
