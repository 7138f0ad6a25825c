//! Tokens over real sockets, as an agent buys them.

use mosaic_federation::{Federation, Issuers, Purchase, Span, hour};
use mosaic_transport::ProviderClient;
use mosaic_types::{ProviderId, Timestamp};
use mosaic_wire::{Address, Call, CallFailure, Reply};
use rand_chacha::ChaCha20Rng;

/// Buys `units` for the hour of `now` from the issuers in `from`.
pub(crate) async fn buy(
    client: &ProviderClient,
    federation: &Federation,
    (now, units): (Timestamp, u8),
    from: &[ProviderId],
    rng: &mut ChaCha20Rng,
) -> Result<Purchase, CallFailure> {
    let span = Span { first: hour(now), hours: 1, units };
    let mut purchase = Purchase::new(&Issuers::of(federation.descriptor()), span, rng);
    for issuer in from {
        let to = Address { provider: *issuer, via: None };
        let Reply::Terms(terms) = client.call(&to, &Call::Terms).await? else { panic!("no terms") };
        terms.verify(&federation.signing_key(*issuer).unwrap()).unwrap();
        let query = purchase.ask(*issuer, rng).unwrap().solved(&terms).unwrap();
        let Reply::Tokens(reply) = client.call(&to, &Call::Tokens(query)).await? else { panic!("no tokens") };
        purchase.take_reply(*issuer, &reply).unwrap();
    }
    Ok(purchase)
}
