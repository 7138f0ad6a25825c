//! What noise on times and classes costs, and that it is paid first.

use mosaic_obfuscate::{
    accounting::{Accountant, Epsilon},
    aggregate::{ChoiceError, Event, noised_choice, noised_events},
};
use mosaic_types::{ClassId, Timestamp};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

const NOON: Timestamp = Timestamp::from_secs(1_763_726_400);

/// A source of randomness that nobody may touch.
struct Untouchable;

impl rand::rand_core::TryRng for Untouchable {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        panic!("something was drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        panic!("something was drawn")
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        panic!("something was drawn")
    }
}

impl rand::rand_core::TryCryptoRng for Untouchable {}

/// L3-62, L3-64: a list is paid for before anything is drawn, all of it or nothing.
#[test]
fn a_list_is_paid_for_before_anything_is_drawn() {
    let class = ClassId::new(4).unwrap();
    let list =
        |length: u64| (0..length).map(|n| Event { at: Timestamp::from_secs(NOON.as_secs() + n), class }).collect();
    let (five, fifty): (Vec<Event>, Vec<Event>) = (list(5), list(50));
    let mut rng = ChaCha20Rng::seed_from_u64(65);
    let mut accountant = Accountant::default();
    let noised = noised_events(&five, Epsilon::default(), &mut accountant, &mut rng).unwrap();
    assert_eq!(noised.value.len(), 5);
    assert!((noised.spending.plain - 10.0).abs() < 1e-12 && noised.spending.used() < 10.0);
    assert!(noised.value.iter().zip(&five).any(|(noisy, event)| noisy.at != event.at));
    let before = accountant.clone();
    let refused = noised_events(&fifty, Epsilon::default(), &mut accountant, &mut Untouchable).unwrap_err();
    assert!(refused.would_use > 10.0 && refused.left < 10.0 && accountant == before);
    let tenth = Epsilon::from_thousandths(20).unwrap();
    assert!(noised_events(&fifty, tenth, &mut Accountant::default(), &mut rng).is_ok(), "a smaller ε fits");
    let none = noised_choice(10, 10, Epsilon::default(), &mut accountant, &mut Untouchable);
    assert_eq!(none.unwrap_err(), ChoiceError::NoSuchOption);
}
