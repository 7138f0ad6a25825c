//! Tiles of a map, drawn from what is installed here: public places, and cells that were released (Mapbox Vector Tile 2.1).
//!
//! The grid is the web's usual one: Web Mercator, `2^z` tiles a side, `y` from the north. A tile says what is public or was
//! released; a true position cannot be put into one, because [`draw`] takes cells and the index alone.

use std::{collections::BTreeMap, f64::consts::PI};

use mosaic_types::LatLng;
use mvt::{GeomEncoder, GeomType, Layer};
use thiserror::Error;

use crate::{Cell, PlaceIndex, PlaceRef, Resolution, distance_m};

/// Units along a tile's side.
const EXTENT: f64 = 4_096.0;
/// From here on every place is looked at; below, one of each r9 cell.
const ALL_PLACES_FROM: u8 = 12;
/// Squares along a side of which each shows one place, below the finest zoom.
const SQUARES: f64 = 64.0;
/// The same at the finest zoom, where a square has about a metre.
const FINEST_SQUARES: f64 = 512.0;

/// No tile of the grid, or one that is finer than what is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a tile has z from 0 to {}, and x and y below 2^z", TileAddress::FINEST)]
pub struct NoTile;

/// A tile could not be written.
#[derive(Debug, Error)]
#[error("the tile could not be written")]
pub struct DrawError(#[from] mvt::Error);

/// Which tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileAddress {
    z: u8,
    x: u32,
    y: u32,
}

/// A released cell to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// What it is, such as `card`.
    pub kind: &'static str,
    /// Its name among others of its kind.
    pub id: String,
    /// The cell.
    pub cell: Cell,
}

impl TileAddress {
    /// The finest zoom: a tile has about 600 m there, and programs enlarge it further.
    pub const FINEST: u8 = 16;

    /// Checks the bounds.
    ///
    /// # Errors
    /// [`NoTile`].
    pub fn new(z: u32, x: u32, y: u32) -> Result<Self, NoTile> {
        let zoom = u8::try_from(z).ok().filter(|zoom| *zoom <= Self::FINEST).ok_or(NoTile)?;
        if x >> z == 0 && y >> z == 0 { Ok(Self { z: zoom, x, y }) } else { Err(NoTile) }
    }

    /// Where a position lies, in units from this tile's north-west corner; within the tile from 0 to below the extent.
    fn project(self, position: LatLng) -> (f64, f64) {
        let tiles = f64::from(1_u32 << self.z);
        let (x, y) = (mercator_x(position.lng()) * tiles, mercator_y(position.lat()) * tiles);
        ((x - f64::from(self.x)) * EXTENT, (y - f64::from(self.y)) * EXTENT)
    }

    /// The position at so many tile widths from its north-west corner.
    fn position(self, right: f64, down: f64) -> Option<LatLng> {
        let tiles = f64::from(1_u32 << self.z);
        let lng = (f64::from(self.x) + right) / tiles * 360.0 - 180.0;
        let lat = (PI * (1.0 - 2.0 * (f64::from(self.y) + down) / tiles)).sinh().atan().to_degrees();
        LatLng::new(lat, lng.clamp(-180.0, 180.0)).ok()
    }

    fn holds(self, position: LatLng) -> bool {
        let (x, y) = self.project(position);
        (0.0..EXTENT).contains(&x) && (0.0..EXTENT).contains(&y)
    }
}

/// Degrees to the share of the map's width, from the west.
fn mercator_x(lng: f64) -> f64 {
    // the antimeridian belongs to the west
    ((lng + 180.0) / 360.0).rem_euclid(1.0)
}

/// Degrees to the share of the map's height, from the north; the poles lie outside.
fn mercator_y(lat: f64) -> f64 {
    0.5 - lat.to_radians().tan().asinh() / (2.0 * PI)
}

/// Draws a tile: layer `places` holds points with `type` (the category), `kind` (the tag of OpenStreetMap) and, where there is
/// one, `name`; layer `cells` holds the patches as polygons with `kind` and `id`. Where many places lie close together one
/// is shown: a named one before others, one to meet at before others.
///
/// # Errors
/// [`DrawError`], a fault of ours.
pub fn draw(address: TileAddress, index: &PlaceIndex, patches: &[Patch]) -> Result<Vec<u8>, DrawError> {
    let mut tile = mvt::Tile::new(EXTENT as u32);
    let mut layer = tile.create_layer("places");
    for place in shown(address, index) {
        layer = add_place(layer, address, place)?;
    }
    tile.add_layer(layer)?;
    let mut layer = tile.create_layer("cells");
    for patch in patches {
        layer = add_patch(layer, address, patch)?;
    }
    tile.add_layer(layer)?;
    Ok(tile.to_bytes()?)
}

/// One place of each square.
fn shown(address: TileAddress, index: &PlaceIndex) -> Vec<PlaceRef<'_>> {
    let squares = if address.z == TileAddress::FINEST { FINEST_SQUARES } else { SQUARES };
    let mut best: BTreeMap<(u32, u32), PlaceRef<'_>> = BTreeMap::new();
    for place in candidates(address, index) {
        let (x, y) = address.project(place.position);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the tile both are small and positive"
        )]
        let square = ((y / EXTENT * squares) as u32, (x / EXTENT * squares) as u32);
        match best.get(&square) {
            Some(other) if worth(*other) >= worth(place) => {}
            _ => drop(best.insert(square, place)),
        }
    }
    best.into_values().collect()
}

/// What a map shows first; of equals the lower number, so that a tile is drawn alike every time.
fn worth(place: PlaceRef<'_>) -> (bool, bool, bool, std::cmp::Reverse<u32>) {
    let category = place.kind.category();
    (!place.name().is_empty(), category.is_venue(), category.is_visited(), std::cmp::Reverse(place.number()))
}

/// The places of the tile or, where those would be a whole country's, the first of each r9 cell.
fn candidates(address: TileAddress, index: &PlaceIndex) -> Vec<PlaceRef<'_>> {
    if address.z >= ALL_PLACES_FROM {
        let Some(middle) = address.position(0.5, 0.5) else { return Vec::new() };
        let corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)];
        let corners = corners.into_iter().filter_map(|(right, down)| address.position(right, down));
        // a little more: what is measured on the sphere and what is drawn on the plane differ
        let radius = corners.map(|corner| distance_m(middle, corner)).fold(0.0, f64::max) * 1.01 + 1.0;
        let near = index.within(middle, radius).into_iter().map(|(place, _)| place);
        return near.filter(|place| address.holds(place.position)).collect();
    }
    let mut first = 0;
    let starts = index.cells(Resolution::R9).into_iter().map(|(_, count)| {
        let start = first;
        first += count as usize;
        start
    });
    let firsts = starts.filter_map(|start| index.get(start));
    firsts.filter(|place| address.holds(place.position)).collect()
}

fn add_place(layer: Layer, address: TileAddress, place: PlaceRef<'_>) -> Result<Layer, DrawError> {
    let (x, y) = address.project(place.position);
    let point = GeomEncoder::new(GeomType::Point).point(x.floor(), y.floor())?.encode()?;
    let mut feature = layer.into_feature(point);
    feature.add_tag_string("type", place.kind.category().name());
    feature.add_tag_string("kind", &place.kind.to_string());
    if !place.name().is_empty() {
        feature.add_tag_string("name", place.name());
    }
    Ok(feature.into_layer())
}

fn add_patch(layer: Layer, address: TileAddress, patch: &Patch) -> Result<Layer, DrawError> {
    let width = f64::from(1_u32 << address.z) * EXTENT;
    let (middle, _) = address.project(patch.cell.center());
    // a cell on the antimeridian stays in one piece, and is drawn on the side that is nearer
    let near = |x: f64, to: f64| x - ((x - to) / width).round() * width;
    let middle = near(middle, EXTENT / 2.0);
    let corners: Vec<(f64, f64)> = patch.cell.corners().into_iter().map(|corner| address.project(corner)).collect();
    let corners: Vec<(f64, f64)> = corners.into_iter().map(|(x, y)| (near(x, middle), y)).collect();
    let span = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let (west, east) = span(&mut corners.iter().map(|(x, _)| *x));
    let (north, south) = span(&mut corners.iter().map(|(_, y)| *y));
    if east < 0.0 || west > EXTENT || south < 0.0 || north > EXTENT {
        return Ok(layer);
    }
    let mut ring = GeomEncoder::new(GeomType::Polygon);
    // an outer ring runs clockwise as it is drawn, y growing downwards: corners of cells run the other way
    for (x, y) in corners.iter().rev() {
        ring = ring.point(x.round(), y.round())?;
    }
    let ring = ring.encode()?;
    if ring.is_empty() {
        return Ok(layer);
    }
    let mut feature = layer.into_feature(ring);
    feature.add_tag_string("kind", patch.kind);
    feature.add_tag_string("id", &patch.id);
    Ok(feature.into_layer())
}

#[cfg(test)]
mod tests;
