use mosaic_crypto::kdf::{self, Label};
use mosaic_types::LatLng;
use serde::{Deserialize, Serialize};

/// Side of an anchor's square in metres.
const SIDE_M: f64 = 250.0;
/// Side of a coarse anchor's square in metres: about that of an r6 cell.
const ZONE_SIDE_M: f64 = 6_000.0;
/// Metres in a degree of latitude on the sphere that distances use.
const METRES_PER_DEGREE: f64 = 111_195.08;

/// How far outside a known square a place still counts as a stay in it: four deviations of a receiver that
/// is 15 m off on each axis.
pub const STAY_WITHIN_M: f64 = 60.0;

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
        Grid::of(device_key, SIDE_M).square(place)
    }

    /// The coarse square of about an r6 cell, by which a zone is remembered.
    pub fn of_zone(place: LatLng, device_key: &[u8; 32]) -> Self {
        Grid::of(device_key, ZONE_SIDE_M).square(place)
    }

    /// The stay-cluster of `place`: its own square if that is `known`, else the nearest known one within
    /// [`STAY_WITHIN_M`], else its own. So a home at an edge, seen now on this side and now on that, is one
    /// place with one output and one charge (PRIVACY 2.3).
    ///
    /// What it means for geo-indistinguishability: the output reused is that of the place where the known
    /// square was first released, whatever the present place is, so reusing it draws no noise and says only
    /// what a repeat inside the square says: that this release is of the same stay. Which places share a
    /// stay depends on the secret grid and on what was released before this week, on nothing else. The
    /// bound of a factor 4 holds between first places; the choice between reuse and a new draw is outside
    /// it, as the edge of a square always was, and now lies 60 m further out.
    pub fn of_stay(place: LatLng, device_key: &[u8; 32], known: impl Fn(Self) -> bool) -> Self {
        Grid::of(device_key, SIDE_M).stay(place, known)
    }

    /// The same among coarse squares ([`Self::of_zone`]).
    pub fn of_zone_stay(place: LatLng, device_key: &[u8; 32], known: impl Fn(Self) -> bool) -> Self {
        Grid::of(device_key, ZONE_SIDE_M).stay(place, known)
    }

    /// The middle of a coarse square ([`Self::of_zone`]): what its zone is drawn around.
    pub fn zone_middle(self, device_key: &[u8; 32]) -> LatLng {
        Grid::of(device_key, ZONE_SIDE_M).middle(self)
    }

    /// Eight big-endian bytes, for key derivation.
    pub fn to_bytes(self) -> [u8; 8] {
        let [a, b, c, d] = self.row.to_be_bytes();
        let [e, f, g, h] = self.column.to_be_bytes();
        [a, b, c, d, e, f, g, h]
    }
}

/// Squares of one size, shifted by the device's offset.
struct Grid {
    side_m: f64,
    north: f64,
    east: f64,
}

impl Grid {
    fn of(device_key: &[u8; 32], side_m: f64) -> Self {
        let [a, b, c, d, e, f, g, h]: [u8; 8] = kdf::derive(device_key, Label::AnchorOffset, &[]);
        let shift = |word: [u8; 4]| f64::from(u32::from_be_bytes(word)) / 4_294_967_296.0;
        Self { side_m, north: shift([a, b, c, d]), east: shift([e, f, g, h]) }
    }

    /// How many squares north `place` lies.
    fn northing(&self, place: LatLng) -> f64 {
        place.lat() * METRES_PER_DEGREE / self.side_m + self.north
    }

    /// How many squares east `place` lies, in a row.
    fn easting(&self, place: LatLng, row: f64) -> f64 {
        place.lng() * METRES_PER_DEGREE * self.scale(row) / self.side_m + self.east
    }

    /// How much shorter a degree of longitude is in a row. All squares of a row share the scale of the row's
    /// southern edge, so columns line up inside it.
    fn scale(&self, row: f64) -> f64 {
        (row * self.side_m / METRES_PER_DEGREE).clamp(-90.0, 90.0).to_radians().cos().max(1e-3)
    }

    fn square(&self, place: LatLng) -> Anchor {
        let row = self.northing(place).floor();
        Anchor { row: whole(row), column: whole(self.easting(place, row).floor()) }
    }

    fn middle(&self, square: Anchor) -> LatLng {
        let degrees = |squares: f64| squares * self.side_m / METRES_PER_DEGREE;
        let row = f64::from(square.row);
        let lat = degrees(row + 0.5 - self.north).clamp(-90.0, 90.0);
        let lng = degrees(f64::from(square.column) + 0.5 - self.east) / self.scale(row);
        LatLng::wrapped(lat, lng)
    }

    fn stay(&self, place: LatLng, known: impl Fn(Anchor) -> bool) -> Anchor {
        let own = self.square(place);
        if known(own) {
            return own;
        }
        let near = self.around(place).into_iter().filter(|(away, anchor)| *away <= STAY_WITHIN_M && known(*anchor));
        near.min_by(|(a, _), (b, _)| a.total_cmp(b)).map_or(own, |(_, anchor)| anchor)
    }

    /// The nine squares around `place`, each with its distance in metres.
    fn around(&self, place: LatLng) -> Vec<(f64, Anchor)> {
        let northing = self.northing(place);
        let mut squares = Vec::with_capacity(9);
        for row in [-1.0, 0.0, 1.0].map(|step| northing.floor() + step) {
            let easting = self.easting(place, row);
            for column in [-1.0, 0.0, 1.0].map(|step| easting.floor() + step) {
                let away = gap(northing, row).hypot(gap(easting, column)) * self.side_m;
                squares.push((away, Anchor { row: whole(row), column: whole(column) }));
            }
        }
        squares
    }
}

/// From `at` to the unit interval that begins at `first`; zero inside.
fn gap(at: f64, first: f64) -> f64 {
    (first - at).max(at - first - 1.0).max(0.0)
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

    /// A place 59 m outside a known square stays in it, one 61 m outside does not, at any latitude.
    #[test]
    fn a_stay_reaches_a_little_beyond_its_square() {
        for (lat, key) in [(41.1579, 1), (-33.86, 2), (69.6, 3), (0.0, 4)] {
            let home = LatLng::new(lat, 18.9).unwrap();
            let key = [key; 32];
            let own = Anchor::of(home, &key);
            let stays = |east: f64, north: f64| {
                let place = mosaic_geo::offset_m(home, east, north);
                (Anchor::of(place, &key) == own, Anchor::of_stay(place, &key, |anchor| anchor == own) == own)
            };
            for (east, north) in [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)] {
                let edge = (0..2_500).map(|step| f64::from(step) / 10.0).find(|m| !stays(east * m, north * m).0);
                let edge = edge.unwrap();
                assert!(stays(east * (edge + 58.0), north * (edge + 58.0)).1, "{lat} {east} {north}");
                assert!(!stays(east * (edge + 62.0), north * (edge + 62.0)).1, "{lat} {east} {north}");
            }
        }
    }

    /// The middle of a coarse square lies in it, half a side from the edges: 100 devices, four latitudes.
    #[test]
    fn the_middle_of_a_zone_is_in_the_middle() {
        for lat in [-33.86, 0.0, 41.1579, 69.6] {
            let home = LatLng::new(lat, 18.9).unwrap();
            for key in (0..100_u8).map(|key| [key; 32]) {
                let zone = Anchor::of_zone(home, &key);
                let middle = zone.zone_middle(&key);
                for (east, north) in [(0.0, 0.0), (2_900.0, 0.0), (-2_900.0, 0.0), (0.0, 2_900.0), (0.0, -2_900.0)] {
                    assert_eq!(Anchor::of_zone(mosaic_geo::offset_m(middle, east, north), &key), zone, "{lat}");
                }
                assert!(mosaic_geo::distance_m(home, middle) <= 4_280.0, "half a diagonal");
            }
        }
    }

    /// Nothing is known: everything is its own square; two known: the own one wins, then the nearer.
    #[test]
    fn a_stay_is_its_own_square_first() {
        let (home, key) = (LatLng::new(41.1579, -8.6291).unwrap(), [5; 32]);
        let own = Anchor::of(home, &key);
        assert_eq!(Anchor::of_stay(home, &key, |_| false), own);
        assert_eq!(Anchor::of_stay(home, &key, |_| true), own);
    }

    #[test]
    fn places_further_apart_than_a_square_never_share_one() {
        let home = LatLng::new(-33.86, 151.2).unwrap();
        let away = mosaic_geo::offset_m(home, 0.0, 260.0);
        assert!((0..50_u8).all(|key| Anchor::of(home, &[key; 32]) != Anchor::of(away, &[key; 32])));
    }
}
