//! Place noise: discrete planar Laplace, once per anchor and week, snapped to a plausible cell.
//!
//! Two places `location_scale_m` apart give any output with probabilities that differ by at most a
//! factor of 4 (`ε = ln 4 / scale`, DESIGN section 4, PRIVACY 2.2). The noise of an anchor comes from a
//! PRF of the device key, so repeating a release repeats its output and averaging gains nothing.

mod anchor;
mod laplace;
mod snap;

use mosaic_crypto::kdf::{self, Label};
use mosaic_types::{LatLng, Mode, Week};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

pub use anchor::{Anchor, STAY_WITHIN_M};
pub use laplace::{Displacement, PlanarLaplace};
pub use snap::{SNAP_RINGS, SNAP_WITHIN_KM, snap, snap_zone};

/// The blurred point of `first`, the place where `anchor` was first used in `week`, under `mode`'s scale.
///
/// Different modes draw independently: two scaled copies of one draw would cancel out. The same
/// arguments always give the same point.
pub fn blurred(device_key: &[u8; 32], first: LatLng, anchor: Anchor, week: Week, mode: Mode) -> LatLng {
    moved(device_key, first, anchor, week, (mode as u8, mode))
}

/// The blurred point behind the one zone of a coarse anchor ([`Anchor::of_zone`]) in `week`: around the middle of
/// its square, so that it tells nothing of where in the square anybody was, and at the widest scale whatever the
/// mode, so that changing modes draws nothing new.
pub fn blurred_zone(device_key: &[u8; 32], anchor: Anchor, week: Week) -> LatLng {
    moved(device_key, anchor.zone_middle(device_key), anchor, week, (u8::MAX, Mode::Maximum))
}

fn moved(device_key: &[u8; 32], first: LatLng, anchor: Anchor, week: Week, (use_, mode): (u8, Mode)) -> LatLng {
    let context = [anchor.to_bytes().as_slice(), &week.0.to_be_bytes(), &[use_]].concat();
    let mut noise = ChaCha20Rng::from_seed(kdf::derive(device_key, Label::BlurNoise, &[&context]));
    let moved = PlanarLaplace::with_scale(mode.profile().location_scale_m).sample(&mut noise);
    mosaic_geo::offset_m(first, f64::from(moved.east_m), f64::from(moved.north_m))
}
