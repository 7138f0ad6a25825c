//! What agent and provider both reason about: descriptors, segments, generations, receipts, ceremony of table keys, blame.
