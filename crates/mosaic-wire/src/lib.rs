//! Fixed-size messages, their codec, and the release barrier.
