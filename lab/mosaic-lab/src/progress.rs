use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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

/// The steps of something that runs beside the stages that are shown, until it becomes the stage itself.
pub(crate) struct Aside<'a> {
    told: &'a Progress<'a>,
    steps: AtomicU64,
    shown: AtomicBool,
}

impl<'a> Aside<'a> {
    pub(crate) const fn new(told: &'a Progress<'a>) -> Self {
        Self { told, steps: AtomicU64::new(0), shown: AtomicBool::new(false) }
    }

    /// Does some work and counts its steps.
    pub(crate) fn listen<T>(&self, work: impl FnOnce(&Progress<'_>) -> T) -> T {
        work(&Progress(&|told| {
            if told == Told::Step {
                self.steps.fetch_add(1, Ordering::SeqCst);
                if self.shown.load(Ordering::SeqCst) {
                    self.told.step();
                }
            }
        }))
    }

    /// From here on it is the stage. A step that is done at this very moment may be told twice.
    pub(crate) fn show(&self, what: &str, steps: u64) {
        self.told.stage(what, steps);
        self.shown.store(true, Ordering::SeqCst);
        (0..self.steps.load(Ordering::SeqCst)).for_each(|_| self.told.step());
    }
}
