//! Cells, covers, distances, places and recorded movement. No I/O: an index reads bytes that a driver loaded.
//!
//! Everything works on the whole globe: distances and covers are computed on unit vectors, so neither the poles nor
//! the antimeridian is a special case. Formats are described in `docs/book/traces.md` and
//! `docs/book/places.md`.

mod cell;
pub mod city;
mod cover;
pub mod datasets;
mod distance;
mod found;
pub mod hours;
mod local_time;
pub mod movement;
mod open_index;
pub mod places;
pub mod plausibility;
pub mod residents;
mod seeded;
mod sphere;
pub mod tile;

pub use cell::{Cell, InvalidCell, InvalidResolution, Resolution};
pub use city::{city_center, synthetic_city, synthetic_city_for};
pub use cover::cover;
pub use distance::{EARTH_RADIUS_M, displacement_m, distance_m, offset_m};
pub use local_time::LocalTime;
pub use movement::{Fix, Traces};
pub use open_index::{EmptyWindow, Entry, InvalidSide, Near, OpenIndex};
pub use places::{Bounds, Category, Place, PlaceIndex, PlaceKind, PlaceRef, PlaceTag, Places, Provenance};
pub use residents::{Friends, Resident, Residents, Society};
