//! What people type: `500m`, `2h`, `41.15,-8.61`. Bounds are checked by the types these become.

use std::str::FromStr;

use mosaic_api::Position;
use mosaic_types::LatLng;

/// A distance in metres: `500m`, `1.5km`, or a bare number of metres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Metres(pub(crate) u32);

/// A span in seconds: `90s`, `30m`, `2h`, `2d`; a bare number is seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) u32);

/// A place: `LAT,LON` in degrees.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct At(pub(crate) Position);

impl std::fmt::Debug for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("At([hidden])")
    }
}

impl FromStr for Metres {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a distance reads 500m or 1.5km".to_owned();
        scaled(text, &[("km", 1_000.0), ("m", 1.0), ("", 1.0)]).map(Self).ok_or_else(wrong)
    }
}

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a time span reads 90s, 30m, 2h or 2d".to_owned();
        let units = [("d", 86_400.0), ("h", 3_600.0), ("m", 60.0), ("s", 1.0), ("", 1.0)];
        scaled(text, &units).map(Self).ok_or_else(wrong)
    }
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a place reads LAT,LON in degrees, such as -45.0012,0.0034".to_owned();
        let (lat, lon) = text.split_once(',').ok_or_else(wrong)?;
        let degree = |text: &str| text.trim().parse::<f64>().map_err(|_| wrong());
        let (lat, lon) = (degree(lat)?, degree(lon)?);
        LatLng::new(lat, lon).map_err(|error| error.to_string())?;
        Ok(Self(Position { lat, lon }))
    }
}

/// The number before the first unit that fits, in whole base units.
fn scaled(text: &str, units: &[(&str, f64)]) -> Option<u32> {
    let text = text.trim().to_ascii_lowercase();
    let (number, factor) = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    let value = number.trim_end().parse::<f64>().ok()? * factor;
    let whole = value.round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to fit just before")]
    (whole >= 0.0 && whole <= f64::from(u32::MAX) && (value - whole).abs() < 1e-6).then_some(whole as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn suffixes_of_the_requirements() {
        assert_eq!("500m".parse(), Ok(Metres(500)));
        assert_eq!("1.5km".parse(), Ok(Metres(1_500)));
        assert_eq!("2h".parse(), Ok(Seconds(7_200)));
        assert_eq!("48h".parse(), Ok(Seconds(172_800)));
        assert_eq!("300".parse(), Ok(Seconds(300)));
        for wrong in ["", "h", "2 weeks", "-5m", "NaN", "inf", "1e99h", "1.001m"] {
            assert!(wrong.parse::<Metres>().is_err() && wrong.parse::<Seconds>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn places_are_checked_at_the_door() {
        assert_eq!("41.15,-8.61".parse(), Ok(At(Position { lat: 41.15, lon: -8.61 })));
        for wrong in ["91,0", "0,181", "NaN,0", "41.15", "north,west"] {
            assert!(wrong.parse::<At>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whole_seconds_come_back(seconds in 0_u32..4_000_000_000) {
            prop_assert_eq!(format!("{seconds}s").parse(), Ok(Seconds(seconds)));
        }
    }
}
