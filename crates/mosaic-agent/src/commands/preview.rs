//! What a broadcast of some words would say of itself. It takes no agent, so it can keep nothing and charge nothing.

use mosaic_api::{PreviewReply, PreviewRequest, WarningKind};
use mosaic_release::reading_of;

use super::{
    class_name, topic_names,
    warnings::{self, Review},
};

/// Reads words as a broadcast would.
pub(crate) fn preview(request: &PreviewRequest) -> PreviewReply {
    let reading = reading_of(&request.words, request.enrichment);
    let review = Review::of(&request.words);
    let mut warnings = review.warnings();
    warnings.extend(warnings::long_words(&request.words).map(|text| warnings::plain(WarningKind::LongWords, text)));
    PreviewReply {
        class: class_name(reading.class),
        topics: topic_names(&reading.topics),
        warnings,
        to_confirm: !review.to_confirm().is_empty(),
    }
}
