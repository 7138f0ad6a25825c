use thiserror::Error;

/// A point on the WGS 84 ellipsoid in degrees: latitude in `-90..=90`, longitude in `-180..=180`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatLng {
    lat: f64,
    lng: f64,
}

/// Why two numbers are no position. The message states the bounds and never repeats the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidPosition {
    /// A coordinate was `NaN` or infinite.
    #[error("a coordinate is not a finite number")]
    NotFinite,
    /// Latitude outside its range.
    #[error("latitude must lie between -90 and 90 degrees")]
    Latitude,
    /// Longitude outside its range.
    #[error("longitude must lie between -180 and 180 degrees")]
    Longitude,
}

impl LatLng {
    /// Checks and stores a position in degrees. Longitude 180 is kept as -180, so that equal places
    /// compare equal.
    ///
    /// # Errors
    /// [`InvalidPosition`] when a coordinate is not finite or out of range.
    pub fn new(lat: f64, lng: f64) -> Result<Self, InvalidPosition> {
        if !lat.is_finite() || !lng.is_finite() {
            return Err(InvalidPosition::NotFinite);
        }
        if !(-90.0..=90.0).contains(&lat) {
            return Err(InvalidPosition::Latitude);
        }
        if !(-180.0..=180.0).contains(&lng) {
            return Err(InvalidPosition::Longitude);
        }
        let lng = if lng == 180.0 { -180.0 } else { lng };
        Ok(Self { lat, lng })
    }

    /// The position that computed degrees mean: latitude clamped, longitude wrapped, what is not finite taken as zero.
    /// For results of our own arithmetic; whatever came from outside goes through [`Self::new`].
    #[must_use]
    pub fn wrapped(lat: f64, lng: f64) -> Self {
        let finite = |degrees: f64| if degrees.is_finite() { degrees } else { 0.0 };
        let turned = (finite(lng) + 180.0).rem_euclid(360.0);
        // `rem_euclid` rounds up to the divisor itself for tiny negative numbers.
        let lng = if turned < 360.0 { turned - 180.0 } else { -180.0 };
        Self { lat: finite(lat).clamp(-90.0, 90.0), lng }
    }

    /// Latitude in degrees.
    pub const fn lat(self) -> f64 {
        self.lat
    }

    /// Longitude in degrees, in `-180..180`.
    pub const fn lng(self) -> f64 {
        self.lng
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inclusive_and_nothing_else_enters() {
        assert!(LatLng::new(90.0, -180.0).is_ok());
        assert_eq!(LatLng::new(91.0, 0.0), Err(InvalidPosition::Latitude));
        assert_eq!(LatLng::new(0.0, 180.5), Err(InvalidPosition::Longitude));
        assert_eq!(LatLng::new(f64::NAN, 0.0), Err(InvalidPosition::NotFinite));
        assert_eq!(LatLng::new(0.0, 180.0), LatLng::new(0.0, -180.0));
        assert_eq!(LatLng::wrapped(91.0, 190.0), LatLng { lat: 90.0, lng: -170.0 });
        assert_eq!(LatLng::wrapped(f64::NAN, -180.0 - 1e-14), LatLng { lat: 0.0, lng: -180.0 });
    }
}
