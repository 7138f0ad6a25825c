use mosaic_types::LatLng;

/// A position in 1e-7 degrees: what OpenStreetMap itself keeps, and what an index keeps. Latitude in ±900,000,000,
/// longitude in -1,800,000,000..1,800,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct E7 {
    pub(super) lat: i32,
    pub(super) lng: i32,
}

/// A quarter of a turn.
pub(super) const QUARTER: i32 = 900_000_000;
/// Half a turn.
pub(super) const HALF: i32 = 1_800_000_000;

impl E7 {
    /// Two numbers that lie on the globe.
    pub(super) fn new(lat: i32, lng: i32) -> Option<Self> {
        ((-QUARTER..=QUARTER).contains(&lat) && (-HALF..HALF).contains(&lng)).then_some(Self { lat, lng })
    }

    /// The position in degrees.
    pub(super) fn position(self) -> LatLng {
        let (lat, lng) = (f64::from(self.lat) / 1e7, f64::from(self.lng) / 1e7);
        LatLng::new(lat, lng).unwrap_or_else(|_| LatLng::wrapped(lat, lng))
    }
}

impl From<LatLng> for E7 {
    #[expect(clippy::cast_possible_truncation, reason = "a position is within 180 degrees")]
    fn from(position: LatLng) -> Self {
        let lng = (position.lng() * 1e7).round() as i32;
        Self { lat: (position.lat() * 1e7).round() as i32, lng: if lng == HALF { -HALF } else { lng } }
    }
}
