/// Who hears how far a run is. Recordings run on several cores, so it is told from any of them.
pub struct Progress<'a>(
    /// Called with every message.
    pub &'a (dyn Fn(Told<'_>) + Sync),
);

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// A stage begins, of so many steps; 0 where they cannot be counted.
    Stage(&'a str, u64),
    /// One step is done.
    Step,
}

impl Progress<'_> {
    /// Nobody listens.
    pub const SILENT: Progress<'static> = Progress(&|_| ());

    pub(crate) fn stage(&self, what: &str, steps: u64) {
        (self.0)(Told::Stage(what, steps));
    }

    pub(crate) fn step(&self) {
        (self.0)(Told::Step);
    }
}
