use rand::{
    SeedableRng,
    rngs::{StdRng, SysError, SysRng},
};

/// A generator seeded from the operating system: the randomness that drivers hand to the cores.
///
/// # Errors
/// [`SysError`] when the operating system gives none; nothing secret may be made without it.
pub fn os_rng() -> Result<StdRng, SysError> {
    StdRng::try_from_rng(&mut SysRng)
}
