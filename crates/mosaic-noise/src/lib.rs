//! Noise on statistics over many people, drawn exactly, and what it costs ([`accounting`], L3-58 to L3-64).
//!
//! The samplers use integers only. They branch on the random bits that they draw, so how long a draw takes tells of the
//! noise, as in every rejection sampler; they never branch on a true value, which enters by one addition or comparison at
//! the end. The matching path uses none of this.

pub mod accounting;
mod bernoulli;
mod choice;
mod laplace;

pub use bernoulli::{below, decays};
pub use choice::choice;
pub use laplace::discrete_laplace;
