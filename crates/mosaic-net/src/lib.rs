//! When something leaves and over which path: cadence, delays, relay choice, padding. Sans-I/O.
