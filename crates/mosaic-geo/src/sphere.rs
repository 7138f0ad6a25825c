use mosaic_types::LatLng;

/// A point of the unit sphere. Neighbours at the poles and across the antimeridian are neighbours here too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct UnitVector(pub(crate) [f64; 3]);

impl UnitVector {
    pub(crate) fn dot(self, other: Self) -> f64 {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        a * x + b * y + c * z
    }

    pub(crate) fn cross(self, other: Self) -> Self {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        Self([b * z - c * y, c * x - a * z, a * y - b * x])
    }

    pub(crate) fn length(self) -> f64 {
        self.dot(self).sqrt()
    }

    /// `self * factor + other * other_factor`.
    pub(crate) fn blend(self, factor: f64, other: Self, other_factor: f64) -> Self {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        Self([a * factor + x * other_factor, b * factor + y * other_factor, c * factor + z * other_factor])
    }

    /// Angle to `other` in radians; exact for tiny angles and for antipodes alike.
    pub(crate) fn angle(self, other: Self) -> f64 {
        self.cross(other).length().atan2(self.dot(other))
    }

    /// Angle to the nearest point of the shorter great-circle arc from `a` to `b`.
    pub(crate) fn angle_to_arc(self, a: Self, b: Self) -> f64 {
        let to_ends = self.angle(a).min(self.angle(b));
        let normal = a.cross(b);
        let length = normal.length();
        if length < 1e-15 {
            return to_ends;
        }
        let foot = self.blend(1.0, normal, -self.dot(normal) / (length * length));
        let inside = a.cross(foot).dot(normal) >= 0.0 && foot.cross(b).dot(normal) >= 0.0;
        if inside { (self.dot(normal) / length).abs().min(1.0).asin() } else { to_ends }
    }

    /// The directions east and north at this point; at a pole, those of `lng`.
    pub(crate) fn east_and_north(at: LatLng) -> (Self, Self) {
        let ((sin_lat, cos_lat), (sin_lng, cos_lng)) =
            (at.lat().to_radians().sin_cos(), at.lng().to_radians().sin_cos());
        (Self([-sin_lng, cos_lng, 0.0]), Self([-sin_lat * cos_lng, -sin_lat * sin_lng, cos_lat]))
    }

    /// The position in this direction; `None` for a vector without one.
    pub(crate) fn to_position(self) -> Option<LatLng> {
        let [x, y, z] = self.0;
        if self.length() < 1e-12 {
            return None;
        }
        Some(LatLng::wrapped(z.atan2(x.hypot(y)).to_degrees(), y.atan2(x).to_degrees()))
    }
}

impl From<LatLng> for UnitVector {
    fn from(at: LatLng) -> Self {
        let ((sin_lat, cos_lat), (sin_lng, cos_lng)) =
            (at.lat().to_radians().sin_cos(), at.lng().to_radians().sin_cos());
        Self([cos_lat * cos_lng, cos_lat * sin_lng, sin_lat])
    }
}

/// The middle of some positions; `None` when there are none or when they cancel out.
pub(crate) fn centroid(positions: impl IntoIterator<Item = LatLng>) -> Option<LatLng> {
    let zero = UnitVector([0.0; 3]);
    positions.into_iter().fold(zero, |sum, at| sum.blend(1.0, at.into(), 1.0)).to_position()
}
