//! Whether a device's motion sensors agree with the movement its receiver reports (L1-24): a hook for whoever has
//! sensors. A device that lies still cannot be walking or driving, whatever positions it is fed.

use super::Travel;

/// One reading of both sensors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motion {
    /// Acceleration along the device's axes in m/s², gravity included.
    pub acceleration: [f64; 3],
    /// Turning around them in rad/s.
    pub turning: [f64; 3],
}

/// What the sensors say about a claimed movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// Nothing speaks against it.
    Agrees,
    /// The device lies still, the positions move.
    Still,
    /// The positions go at a walk or a run, the device knows no steps.
    NoSteps,
    /// Too little was recorded to say.
    TooShort,
}

/// The sensors over some seconds, boiled down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MotionSummary {
    /// How much the length of the acceleration varies, as a standard deviation in m/s².
    pub shaking: f64,
    /// How much the device turns, as a root mean square in rad/s.
    pub turning: f64,
    /// How regular its steps are: the greatest autocorrelation of the acceleration between 1.2 and 3.5 Hz, at most 1.
    pub steps: f64,
}

/// Below this shaking a device lies still: several times the noise of a phone's sensor, below any pocket or vehicle.
pub const STILL_SHAKING: f64 = 0.12;
/// Below this turning a device lies still.
pub const STILL_TURNING: f64 = 0.05;
/// From this regularity on there are steps.
pub const STEPS: f64 = 0.4;
/// The shortest recording that is judged, in seconds.
const SHORTEST_S: f64 = 3.0;
/// The slowest that counts as moving, in metres a second: a receiver at rest wanders about as fast.
const MOVING_MPS: f64 = 0.5;

impl MotionSummary {
    /// Boils down readings taken `rate_hz` times a second; `None` for less than three seconds or a rate below 10 Hz,
    /// and when a reading is no number.
    pub fn of(readings: &[Motion], rate_hz: f64) -> Option<Self> {
        if !(10.0..=10_000.0).contains(&rate_hz) || as_count(readings.len()) < SHORTEST_S * rate_hz {
            return None;
        }
        let length = |[x, y, z]: [f64; 3]| (x * x + y * y + z * z).sqrt();
        let pull: Vec<f64> = readings.iter().map(|reading| length(reading.acceleration)).collect();
        let turned = readings.iter().map(|reading| length(reading.turning).powi(2)).sum::<f64>();
        let mean = pull.iter().sum::<f64>() / as_count(pull.len());
        let swing: Vec<f64> = pull.iter().map(|pull| pull - mean).collect();
        let variance = swing.iter().map(|swing| swing * swing).sum::<f64>() / as_count(swing.len());
        let summary = Self {
            shaking: variance.sqrt(),
            turning: (turned / as_count(readings.len())).sqrt(),
            steps: regularity(&swing, rate_hz),
        };
        (summary.shaking.is_finite() && summary.turning.is_finite()).then_some(summary)
    }

    /// Whether the device lies still.
    pub fn is_still(&self) -> bool {
        self.shaking < STILL_SHAKING && self.turning < STILL_TURNING
    }

    /// Whether it is carried at a walk or a run.
    pub fn has_steps(&self) -> bool {
        !self.is_still() && self.steps >= STEPS
    }
}

/// Holds a claimed speed in metres a second against what the sensors recorded. Nothing is claimed below 0.5 m/s.
pub fn cross_check(readings: &[Motion], rate_hz: f64, claimed_mps: f64) -> Agreement {
    let Some(summary) = MotionSummary::of(readings, rate_hz) else { return Agreement::TooShort };
    if claimed_mps < MOVING_MPS {
        return Agreement::Agrees;
    }
    if summary.is_still() {
        return Agreement::Still;
    }
    let on_foot = matches!(Travel::of_speed(claimed_mps), Travel::Walk | Travel::Run);
    if on_foot && !summary.has_steps() { Agreement::NoSteps } else { Agreement::Agrees }
}

/// The greatest autocorrelation among the periods of steps.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand readings at most")]
fn regularity(swing: &[f64], rate_hz: f64) -> f64 {
    let energy: f64 = swing.iter().map(|swing| swing * swing).sum();
    if energy <= 0.0 {
        return 0.0;
    }
    let periods = (rate_hz / 3.5).ceil() as usize..=(rate_hz / 1.2).floor() as usize;
    let same = |period: usize| {
        let products = swing.iter().zip(swing.iter().skip(period)).map(|(a, b)| a * b);
        products.sum::<f64>() / energy
    };
    periods.map(same).fold(0.0, f64::max)
}

#[expect(clippy::cast_precision_loss, reason = "numbers of readings are far below 2^53")]
const fn as_count(count: usize) -> f64 {
    count as f64
}
