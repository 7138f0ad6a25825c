use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use mosaic_lab::{Progress, Stage, Told};
use mosaic_transport::SystemClock;
use mosaic_types::{Clock, Timestamp};

/// Shows how far something is while it runs, and gives how long its stages took.
pub(super) fn with_bar<T>(work: impl FnOnce(&Progress<'_>) -> T) -> (T, Vec<Stage>) {
    let bar = ProgressBar::new(0);
    bar.enable_steady_tick(Duration::from_millis(200));
    let watch = Mutex::new(Watch::default());
    let done = work(&Progress(&|told| {
        show(&bar, told);
        if let Told::Stage(what, _) = told {
            watch.lock().unwrap_or_else(PoisonError::into_inner).begin(Some(what));
        }
    }));
    bar.finish_and_clear();
    let mut watch = watch.into_inner().unwrap_or_else(PoisonError::into_inner);
    watch.begin(None);
    (done, watch.stages)
}

/// The stages so far, and the one that is under way.
#[derive(Default)]
struct Watch {
    stages: Vec<Stage>,
    open: Option<(String, Timestamp)>,
}

impl Watch {
    /// Ends the stage under way; the next one begins, if there is one.
    fn begin(&mut self, next: Option<&str>) {
        let now = SystemClock.now();
        if let Some((name, since)) = self.open.take() {
            self.stages.push(Stage { name, seconds: now.since(since).as_secs_f64() });
        }
        self.open = next.map(|name| (name.to_owned(), now));
    }
}

/// A bar where steps are counted, a spinner where they are not.
fn show(bar: &ProgressBar, told: Told<'_>) {
    match told {
        Told::Stage(what, steps) => {
            let template = if steps > 0 {
                "{spinner} {elapsed_precise} {bar:30} {pos}/{len} {msg} ({eta} left)"
            } else {
                "{spinner} {elapsed_precise} {msg}"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_length(steps);
            bar.set_position(0);
            bar.reset_eta();
            bar.set_message(what.to_owned());
        }
        Told::Step => bar.inc(1),
    }
}
