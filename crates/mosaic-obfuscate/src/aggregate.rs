//! Noise for statistics over many people: when something happened and of which kind (L3-60, L3-61, L3-64). The matching
//! path never uses it; there, time is a window and a class is either shown or not.
//!
//! Every call pays first: the [`Accountant`] is charged for the whole list before the first random bit is drawn, and
//! where the budget does not cover it nothing is drawn. What comes back carries what was spent.
//!
//! Neighbouring lists have the same length and differ in one event: its time by at most an hour, or its class in any
//! way. Who compares lists that differ in all their events adds up over the events; the accountant does that anyway,
//! because it counts every event.
//!
//! The samplers are those of `mosaic-noise`, which use integers only.

#[cfg(test)]
#[expect(clippy::print_stdout, reason = "tests: figures to read")]
mod tests;

use mosaic_noise::{choice, discrete_laplace};
use mosaic_types::{ClassId, Timestamp};
use rand::CryptoRng;
use thiserror::Error;

use crate::accounting::{Accountant, Epsilon, Mechanism, Overspent, Spending};

/// By how much the time of an event may differ between neighbours, in seconds (L3-60).
pub const TIME_SENSITIVITY_S: u32 = 3_600;

/// Something that happened, or its noisy image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, on whole seconds.
    pub at: Timestamp,
    /// Of which class.
    pub class: ClassId,
}

/// A noisy answer together with what was spent up to now.
#[derive(Clone, Debug, PartialEq)]
pub struct Noised<T> {
    /// The answer.
    pub value: T,
    /// All that the accountant was charged, this answer included.
    pub spending: Spending,
}

/// Why a choice was not drawn. Nothing was charged then.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum ChoiceError {
    /// There are fewer than two options, or the truth is none of them.
    #[error("a choice takes at least two options, and the truth is one of them")]
    NoSuchOption,
    /// The budget does not cover it.
    #[error(transparent)]
    Overspent(#[from] Overspent),
}

/// What noise on a time costs.
pub const fn time_mechanism(epsilon: Epsilon) -> Mechanism {
    Mechanism::DiscreteLaplace { epsilon, steps: TIME_SENSITIVITY_S }
}

/// What noise on a class costs.
pub fn class_mechanism(epsilon: Epsilon) -> Mechanism {
    Mechanism::Choice { epsilon, options: u32::from(ClassId::COUNT) }
}

/// A time with discrete Laplace noise of scale 3,600 s / ε on whole seconds (L3-60). Never before 1970, which is
/// post-processing.
///
/// # Errors
/// [`Overspent`]; nothing was drawn.
pub fn noised_time(
    at: Timestamp,
    epsilon: Epsilon,
    accountant: &mut Accountant,
    rng: &mut impl CryptoRng,
) -> Result<Noised<Timestamp>, Overspent> {
    let spending = accountant.charge(&[(time_mechanism(epsilon), 1)])?;
    Ok(Noised { value: draw_time(at, epsilon, rng), spending })
}

/// One of `options`, by the exponential mechanism with utility 1 for `truth` and 0 for the rest and weight `exp(ε u / 2)`
/// (L3-61): among ten and at ε = 1 the truth is kept with probability 15.5 %.
///
/// # Errors
/// [`ChoiceError`]; nothing was drawn.
pub fn noised_choice(
    truth: u32,
    options: u32,
    epsilon: Epsilon,
    accountant: &mut Accountant,
    rng: &mut impl CryptoRng,
) -> Result<Noised<u32>, ChoiceError> {
    if options < 2 || truth >= options {
        return Err(ChoiceError::NoSuchOption);
    }
    let spending = accountant.charge(&[(Mechanism::Choice { epsilon, options }, 1)])?;
    Ok(Noised { value: choice(truth, options, epsilon, rng), spending })
}

/// The same for a list of events: noise of `epsilon` on each time and of `epsilon` on each class (L3-64).
///
/// # Errors
/// [`Overspent`] when the whole list does not fit the budget; nothing was drawn.
pub fn noised_events(
    events: &[Event],
    epsilon: Epsilon,
    accountant: &mut Accountant,
    rng: &mut impl CryptoRng,
) -> Result<Noised<Vec<Event>>, Overspent> {
    let times = u32::try_from(events.len()).unwrap_or(u32::MAX);
    let spending = accountant.charge(&[(time_mechanism(epsilon), times), (class_mechanism(epsilon), times)])?;
    let value = events
        .iter()
        .map(|event| Event { at: draw_time(event.at, epsilon, rng), class: draw_class(event.class, epsilon, rng) });
    Ok(Noised { value: value.collect(), spending })
}

fn draw_time(at: Timestamp, epsilon: Epsilon, rng: &mut impl CryptoRng) -> Timestamp {
    let noise = discrete_laplace(epsilon, TIME_SENSITIVITY_S, rng);
    Timestamp::from_secs(at.as_secs().saturating_add_signed(noise))
}

fn draw_class(class: ClassId, epsilon: Epsilon, rng: &mut impl CryptoRng) -> ClassId {
    let drawn = choice(u32::from(class.get()), u32::from(ClassId::COUNT), epsilon, rng);
    u8::try_from(drawn).ok().and_then(|drawn| ClassId::new(drawn).ok()).unwrap_or(class)
}
