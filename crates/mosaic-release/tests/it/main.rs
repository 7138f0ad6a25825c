//! Integration tests of the release barrier.
