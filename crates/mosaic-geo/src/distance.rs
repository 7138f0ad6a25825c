use mosaic_types::LatLng;

use crate::sphere::UnitVector;

/// Mean radius of the Earth in metres (IUGG). The sphere is up to 0.56 % off the ellipsoid, far below any blur.
pub const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// Great-circle distance in metres (haversine).
pub fn distance_m(a: LatLng, b: LatLng) -> f64 {
    let (lat_a, lat_b) = (a.lat().to_radians(), b.lat().to_radians());
    let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let h = half(b.lat() - a.lat()) + lat_a.cos() * lat_b.cos() * half(b.lng() - a.lng());
    2.0 * EARTH_RADIUS_M * h.clamp(0.0, 1.0).sqrt().asin()
}

/// The point `east` and `north` metres from `origin`, along the great circle in that direction, so that the distance is
/// exactly `hypot(east, north)` (up to half the circumference). Crosses the antimeridian and the poles. At a pole, east
/// and north are those of the meridian that `origin` names. A displacement that is not finite leaves `origin` as it is.
pub fn offset_m(origin: LatLng, east: f64, north: f64) -> LatLng {
    let metres = east.hypot(north);
    if !metres.is_finite() || metres == 0.0 {
        return origin;
    }
    let (to_east, to_north) = UnitVector::east_and_north(origin);
    let direction = to_east.blend(east / metres, to_north, north / metres);
    let (sin, cos) = (metres / EARTH_RADIUS_M).sin_cos();
    UnitVector::from(origin).blend(cos, direction, sin).to_position().unwrap_or(origin)
}

/// Metres east and north from `from` to `to`: the inverse of [`offset_m`] for distances below half the circumference.
pub fn displacement_m(from: LatLng, to: LatLng) -> (f64, f64) {
    let (to_east, to_north) = UnitVector::east_and_north(from);
    let target = UnitVector::from(to);
    let (east, north) = (target.dot(to_east), target.dot(to_north));
    let flat = east.hypot(north);
    if flat < 1e-15 {
        return (0.0, 0.0);
    }
    let metres = UnitVector::from(from).angle(target) * EARTH_RADIUS_M;
    (east / flat * metres, north / flat * metres)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).unwrap()
    }

    #[test]
    fn known_distances() {
        // A degree of a great circle is pi / 180 of the radius.
        let degree = EARTH_RADIUS_M.to_radians();
        assert!((distance_m(at(0.0, 179.5), at(0.0, -179.5)) - degree).abs() < 1e-6);
        assert!((distance_m(at(89.5, 0.0), at(89.5, 180.0)) - degree).abs() < 1e-6);
        let antipodes = distance_m(at(12.0, 34.0), at(-12.0, -146.0));
        assert!((antipodes - EARTH_RADIUS_M * std::f64::consts::PI).abs() < 1.0);
        // Lisbon to Porto, 274 km by any atlas.
        assert!((distance_m(at(38.7223, -9.1393), at(41.1579, -8.6291)) - 274_000.0).abs() < 1_000.0);
    }

    #[test]
    fn offsets_cross_the_antimeridian_and_the_pole() {
        let fiji = offset_m(at(-17.0, 179.9999), 100.0, 0.0);
        assert!(fiji.lng() < -179.0, "wrapped to the western hemisphere");
        let beyond = offset_m(at(89.9999, 10.0), 0.0, 1_000.0);
        assert!((beyond.lng() + 170.0).abs() < 1e-6 && beyond.lat() < 90.0, "comes down on the other side");
        assert_eq!(offset_m(at(1.0, 2.0), f64::NAN, 0.0), at(1.0, 2.0));
    }

    proptest! {
        #[test]
        fn an_offset_is_as_long_as_it_says_and_can_be_undone(
            lat in -90.0_f64..=90.0, lng in -180.0_f64..=180.0, east in -2e5_f64..2e5, north in -2e5_f64..2e5,
        ) {
            let origin = at(lat, lng);
            let moved = offset_m(origin, east, north);
            prop_assert!((distance_m(origin, moved) - east.hypot(north)).abs() < 1e-2);
            let (back_east, back_north) = displacement_m(origin, moved);
            prop_assert!((back_east - east).abs() < 1e-2 && (back_north - north).abs() < 1e-2);
        }
    }
}
