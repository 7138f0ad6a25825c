//! The one VDAF that is used: Prio3Histogram over 65 answers with two aggregators (VDAF draft 18, section 7.4.4).

use std::sync::OnceLock;

use prio::vdaf::prio3::Prio3Histogram;

use crate::{ANSWERS, Counted};

/// Answers that are checked by one call of the gadget: about the square root of their number, where proofs are shortest.
const CHUNK: usize = 8;

/// `None` never: two aggregators, 65 answers and chunks of eight are a histogram.
pub(crate) fn histogram() -> Option<&'static Prio3Histogram> {
    static HISTOGRAM: OnceLock<Option<Prio3Histogram>> = OnceLock::new();
    HISTOGRAM.get_or_init(|| Prio3Histogram::new_histogram(2, ANSWERS, CHUNK).ok()).as_ref()
}

/// The application context that every share and proof is bound to: a report counts on its day, in its area, here.
pub(crate) fn context(counted: Counted) -> Vec<u8> {
    [b"mosaic/aggregate/1".as_slice(), &counted.context()].concat()
}
