//! Who may speak for two aggregators, and what is written of it.

use mosaic_aggregate::{PartOfDay, Policy, Published, SignedStatement, Untrusted, lines};
use mosaic_noise::accounting::Epsilon;
use mosaic_types::ProviderId;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::world::{Aggregators, key, provider, reported, statement, wish};

fn signed(reports: u32) -> SignedStatement {
    let mut rng = ChaCha20Rng::seed_from_u64(92);
    let mut aggregators = Aggregators::new();
    for _ in 0..reports {
        aggregators
            .take(&reported(&wish(0, PartOfDay::Evening), &mut rng))
            .iter()
            .for_each(|taken| assert!(taken.is_ok()));
    }
    let sums = aggregators.close(Policy { fewest: 1, epsilon: Epsilon::ONE }, &mut rng).unwrap();
    let said = statement(&sums);
    let signatures = [said.sign(&key(1)), said.sign(&key(3))];
    said.signed(signatures)
}

/// What is published of so many people who wish for the same.
pub(crate) fn of_an_evening(reports: u32) -> Published {
    verify(&signed(reports).encode()).unwrap()
}

fn verify(bytes: &[u8]) -> Result<Published, Untrusted> {
    SignedStatement::decode(bytes)?.verify(|provider| Some(key(provider.get()).verifying_key()))
}

#[test]
fn a_statement_needs_two_signatures() {
    let bytes = signed(1).encode();
    assert_eq!(bytes.len(), SignedStatement::SIZE);
    assert!(verify(&bytes).is_ok());
    let spoiled = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        verify(&bytes).unwrap_err()
    };
    let bad = |number| Untrusted::BadSignature { provider: provider(number) };
    let last = bytes.len() - 1;
    assert_eq!(spoiled(last, bytes[last] ^ 1), bad(3));
    assert_eq!(spoiled(last - 64, bytes[last - 64] ^ 1), bad(1));
    assert_eq!(spoiled(30, bytes[30] ^ 1), bad(1), "a changed count");
    assert_eq!(spoiled(22, 1), Untrusted::OneSigner);
    assert_eq!(spoiled(0, 2), Untrusted::Unreadable);
    assert_eq!(spoiled(21, 0), Untrusted::Unreadable, "provider 0");
    let turn = |providers: &[u8]| {
        let ids: Vec<ProviderId> = providers.iter().map(|number| provider(*number)).collect();
        let statement = SignedStatement::decode_all(&bytes).remove(0);
        statement.verify_turn(&ids, |provider| Some(key(provider.get()).verifying_key())).map(drop)
    };
    // day 20,412 of three is the first one's and the second one's
    assert_eq!((turn(&[1, 3, 2]), turn(&[1, 2, 3])), (Ok(()), Err(Untrusted::OutOfTurn)));
    assert_eq!(SignedStatement::decode_all(&[&bytes[..], &bytes[..20]].concat()).len(), 1);
    let stranger = SignedStatement::decode(&bytes).unwrap();
    let known = |id: ProviderId| (id.get() != 3).then(|| key(id.get()).verifying_key());
    assert_eq!(stranger.verify(known).unwrap_err(), bad(3));
}

/// Only what is said is written: one class in one part of the day, of 400 people who wish for it.
#[test]
fn lines_say_what_is_published() {
    let published = of_an_evening(400);
    let lines = lines(&published, |class| if class.get() == 0 { "food & drink, all" } else { "other" });
    let food: Vec<&str> = lines
        .lines()
        .filter(|line| {
            line.starts_with(
                "mosaic_wishes,class=food\\ &\\ drink\\,\\ all,part=evening,tile=7 epsilon=1,reports=400i,wishes=",
            )
        })
        .collect();
    assert_eq!(food.len(), 1, "{lines}");
    assert!(food[0].ends_with(" 1763596800000000000"), "{lines}");
    for line in lines.lines() {
        let wishes = line.split("wishes=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
        assert!(wishes.parse::<f64>().unwrap() >= Published::FEWEST, "{line}");
    }
}

proptest! {
    #[test]
    fn random_bytes_are_no_statement(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        if let Ok(read) = SignedStatement::decode(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }

    #[test]
    fn changed_statements_are_refused(at in 0..SignedStatement::SIZE, flip in 1_u8..) {
        static BYTES: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| signed(1).encode());
        let mut bytes = BYTES.clone();
        bytes[at] ^= flip;
        prop_assert!(verify(&bytes).is_err());
    }
}
