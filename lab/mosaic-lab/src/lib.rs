//! Plays every adversary against the real code on real or synthetic movement, with intervals.
