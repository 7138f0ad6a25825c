use mosaic_crypto::kdf::{self, Label};
use mosaic_types::LatLng;
use serde::{Deserialize, Serialize};

/// Side of an anchor's square in metres.
const SIDE_M: f64 = 250.0;
/// Side of a coarse anchor's square in metres: about that of an r6 cell.
const ZONE_SIDE_M: f64 = 6_000.0;
/// Metres in a degree of latitude on the sphere that distances use.
const METRES_PER_DEGREE: f64 = 111_195.08;

/// A square of 250 m whose grid is shifted by an offset only this device knows: visits inside one
/// square are one place to the memo and the ledger. The shift keeps strangers from learning a
/// position from where the output flips (PRIVACY 2.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Anchor {
    row: i32,
    column: i32,
}

impl Anchor {
    /// The square that `place` lies in for the holder of `device_key`.
    pub fn of(place: LatLng, device_key: &[u8; 32]) -> Self {
        Self::with_side(place, device_key, SIDE_M)
    }

    /// The coarse square of about an r6 cell, by which a zone is remembered.
    pub fn of_zone(place: LatLng, device_key: &[u8; 32]) -> Self {
        Self::with_side(place, device_key, ZONE_SIDE_M)
    }

    fn with_side(place: LatLng, device_key: &[u8; 32], side_m: f64) -> Self {
        let [a, b, c, d, e, f, g, h]: [u8; 8] = kdf::derive(device_key, Label::AnchorOffset, &[]);
        let shift = |word: [u8; 4]| f64::from(u32::from_be_bytes(word)) / 4_294_967_296.0;
        let row = (place.lat() * METRES_PER_DEGREE / side_m + shift([a, b, c, d])).floor();
        // All squares of a row share the scale of the row's southern edge, so columns line up inside it.
        let scale = ((row * side_m / METRES_PER_DEGREE).clamp(-90.0, 90.0).to_radians().cos()).max(1e-3);
        let column = (place.lng() * METRES_PER_DEGREE * scale / side_m + shift([e, f, g, h])).floor();
        Self { row: whole(row), column: whole(column) }
    }

    /// Eight big-endian bytes, for key derivation.
    pub fn to_bytes(self) -> [u8; 8] {
        let [a, b, c, d] = self.row.to_be_bytes();
        let [e, f, g, h] = self.column.to_be_bytes();
        [a, b, c, d, e, f, g, h]
    }
}

impl std::fmt::Debug for Anchor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Anchor([hidden])")
    }
}

fn whole(value: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "the Earth has fewer than 2^18 rows and columns")]
    let whole = value as i32;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_close_together_share_an_anchor_most_of_the_time() {
        let home = LatLng::new(41.1579, -8.6291).unwrap();
        let near = mosaic_geo::offset_m(home, 10.0, 10.0);
        let same = (0..200_u8).filter(|&key| Anchor::of(home, &[key; 32]) == Anchor::of(near, &[key; 32])).count();
        // A point and its neighbour 10 m away on both axes share a square with probability (240/250)².
        assert!((170..200).contains(&same), "{same}");
    }

    #[test]
    fn places_further_apart_than_a_square_never_share_one() {
        let home = LatLng::new(-33.86, 151.2).unwrap();
        let away = mosaic_geo::offset_m(home, 0.0, 260.0);
        assert!((0..50_u8).all(|key| Anchor::of(home, &[key; 32]) != Anchor::of(away, &[key; 32])));
    }
}
