use mosaic_geo::{Cell, EARTH_RADIUS_M, Resolution, cover, distance_m, offset_m};
use mosaic_types::{LatLng, Radius};
use proptest::prelude::*;

fn at(lat: f64, lng: f64) -> LatLng {
    LatLng::new(lat, lng).unwrap()
}

/// Poles, both sides of the antimeridian, a pentagon's middle at every resolution, and ordinary cities.
fn corners_of_the_world() -> Vec<LatLng> {
    let ordinary = [(90.0, 0.0), (-90.0, 77.0), (89.99, 179.99), (-17.8, 179.999), (-17.8, -179.999), (0.0, 0.0)];
    let towns = [(41.15, -8.62), (40.75, -73.98), (-45.0, 0.0), (64.7, 10.53), (60.17, 24.94)];
    let pentagons = PENTAGONS.map(|raw| Cell::from_raw(raw).unwrap().center());
    ordinary.into_iter().chain(towns).map(|(lat, lng)| at(lat, lng)).chain(pentagons).collect()
}

/// Pentagons of resolutions 6 and 8, in the base cells 4 and 117: their middles are those of all finer ones too.
const PENTAGONS: [u64; 2] = [0x0860_8000_07ff_ffff, 0x088e_a000_001f_ffff];

/// Metres from a point to a cell, by walking along its border: independent of the arcs the cover computes with.
fn walked_distance_m(cell: Cell, from: LatLng) -> f64 {
    if cell.contains(from) {
        return 0.0;
    }
    let corners = cell.corners();
    let sides = corners.iter().zip(corners.iter().cycle().skip(1));
    let points = sides.flat_map(|(&a, &b)| {
        let (east, north) = mosaic_geo::displacement_m(a, b);
        (0..=64).map(move |step| offset_m(a, east * f64::from(step) / 64.0, north * f64::from(step) / 64.0))
    });
    points.map(|point| distance_m(from, point)).fold(f64::INFINITY, f64::min)
}

fn assert_cover_equals_brute_force(center: LatLng, metres: u32, resolution: Resolution) {
    let radius = f64::from(metres);
    let covered = cover(center, Radius::new(metres).unwrap(), resolution);
    // The narrowest cells of a resolution (around pentagons) are half as wide as the widest: 0.6 of the mean edge.
    let narrowest_m = [2_200.0, 830.0, 310.0, 118.0][usize::from(resolution.number() - 6)];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 5 km over 118 m")]
    let rings = (radius / narrowest_m).ceil() as u32 + 2;
    // A walk in steps of at most 75 m misses the nearest point, 100 m away or more, by at most 7 m.
    let unsure = 7.0;
    for cell in Cell::at(center, resolution).disk(rings) {
        let metres = walked_distance_m(cell, center);
        let inside = covered.binary_search(&cell).is_ok();
        assert!(
            inside == (metres <= radius) || (metres - radius).abs() < unsure,
            "{cell} is {metres} m from {center:?}, the radius is {radius}, covered: {inside}"
        );
    }
}

#[test]
fn covers_equal_brute_force_at_the_corners_of_the_world() {
    for center in corners_of_the_world() {
        for resolution in Resolution::ALL {
            assert_cover_equals_brute_force(center, 100, resolution);
            assert_cover_equals_brute_force(center, 1_700, resolution.min(Resolution::R8));
        }
    }
}

#[test]
fn numbers_that_are_no_cells_are_refused() {
    let cell = Cell::at(at(41.15, -8.62), Resolution::R8);
    assert_eq!(Cell::from_raw(cell.raw()), Ok(cell));
    assert!([0, 1, u64::MAX, cell.raw() | 1 << 63].into_iter().all(|raw| Cell::from_raw(raw).is_err()));
    // Porto at resolution 5: a cell of H3, not one of ours.
    assert!(Cell::from_raw(0x0853_9231_3fff_ffff).is_err());
    assert!(Resolution::from_number(5).is_err() && Resolution::from_number(10).is_err());
}

#[test]
fn disks_have_the_size_of_hexagons_and_pentagons() {
    let cell = Cell::at(at(41.15, -8.62), Resolution::R8);
    assert_eq!([cell.disk(0).len(), cell.disk(1).len(), cell.disk(2).len()], [1, 7, 19]);
    for pentagon in PENTAGONS.map(|raw| Cell::from_raw(raw).unwrap()) {
        assert_eq!((pentagon.corners().len() % 5, pentagon.disk(1).len()), (0, 6));
    }
}

prop_compose! {
    /// Uniform on the sphere, with poles and antimeridian as likely as they are.
    fn anywhere()(sine in -1.0_f64..=1.0, lng in -180.0_f64..=180.0) -> LatLng {
        at(sine.asin().to_degrees(), lng)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn covers_equal_brute_force(center in anywhere(), metres in 100_u32..=1_500, number in 6_u8..=9) {
        assert_cover_equals_brute_force(center, metres, Resolution::from_number(number).unwrap());
    }

    /// Whoever is within the radius is in a covered cell: no cell is missing, however the border runs.
    #[test]
    fn nobody_within_the_radius_is_missed(
        center in anywhere(), metres in 100_u32..=5_000, angle in 0.0_f64..7.0, share in 0.0_f64..0.999_999, number in 6_u8..=9,
    ) {
        let away = f64::from(metres) * share;
        let other = offset_m(center, away * angle.cos(), away * angle.sin());
        let resolution = Resolution::from_number(number).unwrap();
        let covered = cover(center, Radius::new(metres).unwrap(), resolution);
        prop_assert!(covered.contains(&Cell::at(other, resolution)));
        prop_assert!(covered.is_sorted());
    }

    #[test]
    fn a_cell_holds_its_positions(position in anywhere(), number in 6_u8..=9) {
        let cell = Cell::at(position, Resolution::from_number(number).unwrap());
        prop_assert!(cell.contains(position) && cell.contains(cell.center()));
        prop_assert!(cell.distance_m(position) == 0.0);
        prop_assert!(distance_m(cell.center(), position) <= cell.uncertainty_m() + 1.0);
        prop_assert_eq!(cell.resolution().number(), number);
        prop_assert_eq!(cell.parent(Resolution::R6).map(Cell::resolution), Some(Resolution::R6));
        prop_assert!(distance_m(position, cell.center()) < EARTH_RADIUS_M);
    }
}
