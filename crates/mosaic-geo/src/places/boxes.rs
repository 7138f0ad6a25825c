use mosaic_types::LatLng;

use super::{
    degrees::{E7, HALF},
    layout::{FAN, i32_at, levels},
};

/// A box of latitudes and longitudes in 1e-7 degrees; it crosses the antimeridian when `west > east`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GeoBox {
    pub(super) south: i32,
    pub(super) west: i32,
    pub(super) north: i32,
    pub(super) east: i32,
}

impl GeoBox {
    /// The smaller of the two boxes around some points: the one that crosses the antimeridian or the one that does
    /// not. `None` without points.
    pub(super) fn around(points: impl Iterator<Item = E7>) -> Option<Self> {
        let mut found: Option<Self> = None;
        // The same with longitudes counted from the antimeridian instead of from Greenwich.
        let (mut low, mut high) = (i32::MAX, i32::MIN);
        for point in points {
            let turned = if point.lng < 0 { point.lng + HALF } else { point.lng - HALF };
            (low, high) = (low.min(turned), high.max(turned));
            let one = Self { south: point.lat, west: point.lng, north: point.lat, east: point.lng };
            found = Some(found.map_or(one, |so_far| Self {
                south: so_far.south.min(point.lat),
                west: so_far.west.min(point.lng),
                north: so_far.north.max(point.lat),
                east: so_far.east.max(point.lng),
            }));
        }
        let plain = found?;
        let back = |turned: i32| if turned < 0 { turned + HALF } else { turned - HALF };
        let narrower = i64::from(high) - i64::from(low) < i64::from(plain.east) - i64::from(plain.west);
        Some(if narrower { Self { west: back(low), east: back(high), ..plain } } else { plain })
    }

    /// The `index`th box of a section.
    pub(super) fn read(section: &[u8], index: usize) -> Option<Self> {
        let part = |number| i32_at(section, 4 * index + number);
        Some(Self { south: part(0)?, west: part(1)?, north: part(2)?, east: part(3)? })
    }

    /// The bytes in the file.
    pub(super) fn write(self, to: &mut Vec<u8>) {
        [self.south, self.west, self.north, self.east].iter().for_each(|edge| to.extend(edge.to_le_bytes()));
    }
}

/// Where a search starts, with what every distance from there needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    position: LatLng,
    cos_lat: f64,
}

impl Origin {
    pub(super) fn new(position: LatLng) -> Self {
        Self { position, cos_lat: position.lat().to_radians().cos() }
    }

    /// Haversine of the angle to a position: grows with the distance and needs no arc sine.
    pub(super) fn haversine(self, to: LatLng) -> f64 {
        half(to.lat() - self.position.lat())
            + self.cos_lat * to.lat().to_radians().cos() * half(to.lng() - self.position.lng())
    }

    /// At most the haversine of the angle to any point of the box: that of its gap in latitude and its gap in
    /// longitude, the latter at the latitude where it is shortest. Holds at the poles, where the cosine is zero, and
    /// across the antimeridian, where the gap goes the other way round.
    pub(super) fn haversine_at_least(self, area: GeoBox) -> f64 {
        let degrees = |e7: i32| f64::from(e7) / 1e7;
        let lat = self.position.lat();
        let (south, north) = (degrees(area.south), degrees(area.north));
        let up = if lat < south {
            south - lat
        } else if lat > north {
            lat - north
        } else {
            0.0
        };
        let (west, east) = (degrees(area.west), degrees(area.east));
        let lng = self.position.lng();
        let inside = if area.west <= area.east { lng >= west && lng <= east } else { lng >= west || lng <= east };
        if inside {
            return half(up);
        }
        let around = |gap: f64| if gap < 0.0 { gap + 360.0 } else { gap };
        let aside = around(west - lng).min(around(lng - east)).min(180.0);
        let steepest = south.abs().max(north.abs());
        half(up) + self.cos_lat * steepest.to_radians().cos().max(0.0) * half(aside)
    }

    /// At least the haversine of the angle to any point of the box, 1 being the antipode: by the triangle inequality
    /// along its edges.
    pub(super) fn haversine_at_most(self, area: GeoBox) -> f64 {
        let degrees = |e7: i32| f64::from(e7) / 1e7;
        let (south, north) = (degrees(area.south), degrees(area.north));
        let lat = self.position.lat();
        let up = (lat - south).abs().max((lat - north).abs());
        let far = |lng: f64| {
            let gap = (lng - self.position.lng()).abs();
            gap.min(360.0 - gap)
        };
        let (west, east) = (degrees(area.west), degrees(area.east));
        let width = if area.west <= area.east { east - west } else { east - west + 360.0 };
        // The farthest longitude is an end, unless the box holds the opposite meridian.
        let opposite =
            if self.position.lng() < 0.0 { self.position.lng() + 180.0 } else { self.position.lng() - 180.0 };
        let holds_opposite = {
            let from_west = (opposite - west).rem_euclid(360.0);
            from_west <= width
        };
        let aside = if holds_opposite { 180.0 } else { far(west).max(far(east)) };
        let flattest = if south <= 0.0 && north >= 0.0 { 0.0 } else { south.abs().min(north.abs()) };
        half(up.min(180.0)) + self.cos_lat * flattest.to_radians().cos() * half(aside)
    }
}

fn half(degrees: f64) -> f64 {
    (degrees.to_radians() / 2.0).sin().powi(2)
}

/// The boxes of every level over points in a fixed order, leaves first, up to a single one.
pub(super) fn boxes_over(points: &[E7]) -> impl Iterator<Item = GeoBox> {
    let sizes = levels(points.len()).into_iter().scan(1_usize, |size, _| {
        *size = size.saturating_mul(FAN);
        Some(*size)
    });
    sizes.flat_map(|size| points.chunks(size)).filter_map(|chunk| GeoBox::around(chunk.iter().copied()))
}
