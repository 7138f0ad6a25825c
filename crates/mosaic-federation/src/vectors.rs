//! `vectors/token-challenge.json` and `vectors/ceremony-context.json`, checked against this code.

use mosaic_crypto::digest;
use mosaic_types::{Period, ProviderId, Timestamp};
use mosaic_vectors::{Edit, settle};
use mosaic_wire::{TokenPurpose, WireToken};
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};

use crate::{Issuer, Issuers, Purchase, Span, TOKEN_KIND, ceremony_context, fixture::Town, hex, hour};

const NOW: Timestamp = Timestamp::from_secs(20_411 * 86_400 + 12 * 3_600);

fn provider(number: u8) -> ProviderId {
    ProviderId::new(number).unwrap()
}

fn issuers() -> Issuers {
    Issuers::of(Town::new().federation.descriptor())
}

fn issuer(number: u8) -> Issuer {
    Issuer::new(&Town::token_seed(number), provider(number), issuers()).unwrap()
}

/// A token of provider 3 for `purpose`, which the formulas of the specification must yield again.
fn issued(purpose: TokenPurpose) -> WireToken {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let mut purchase = Purchase::new(&issuers(), Span { first: hour(NOW), hours: 1, units: 1 }, &mut rng);
    for number in [2, 3] {
        let query = purchase.ask(provider(number), &mut rng).unwrap();
        let reply = issuer(number).issue(&query, &mut rng).unwrap();
        purchase.take_reply(provider(number), &reply).unwrap();
    }
    let token = purchase.take(provider(3), purpose, hour(NOW)).unwrap();
    let place = [3, purpose.number()];
    assert_eq!(token.challenge, digest(&[b"mosaic/token challenge/2", &place, &489_876_u32.to_be_bytes()]));
    let keys: Vec<u8> = (1..=3).flat_map(|number| [vec![number], key(number).to_vec()].concat()).collect();
    assert_eq!(token.key_id, digest(&[b"mosaic/token keys/1", &keys]));
    token
}

fn key(number: u8) -> [u8; 32] {
    *Issuer::key(&Town::token_seed(number)).unwrap().public()
}

fn token_json(purpose: TokenPurpose) -> Value {
    let token = issued(purpose);
    let bytes = token.encode();
    let authenticators = (0..3).map(|place| hex::print(token.authenticator_of(place).unwrap()));
    json!({
        "name": format!("{purpose:?}").to_lowercase(),
        "fields": {
            "provider": 3, "purpose": purpose.number(), "hour": hour(NOW), "type": format!("{TOKEN_KIND:04x}"),
            "nonce": hex::print(&token.nonce), "challenge": hex::print(&token.challenge),
            "key_id": hex::print(&token.key_id), "authenticators": authenticators.collect::<Vec<_>>(),
            "spent_as": hex::print(&token.spend_id()),
        },
        "bytes": hex::print(&bytes),
    })
}

/// What provider `at` says about an edited deposit token for provider 3, so many minutes later.
fn refused(name: &str, at: u8, purpose: TokenPurpose, minutes: u64, edit: &Edit) -> Value {
    let bytes = edit.apply(&issued(TokenPurpose::Deposit).encode());
    let token = WireToken::decode(&bytes).unwrap();
    let when = Timestamp::from_secs(NOW.as_secs() + minutes * 60);
    assert!(issuer(at).check(when, &token, purpose, provider(3)).is_err(), "{name}");
    json!({
        "name": name, "base": "deposit", "edit": edit.json(), "checked_by_provider": at, "purpose": purpose.number(),
        "at_s": when.as_secs(),
    })
}

#[test]
fn the_file_says_what_a_token_is_bound_to() {
    use TokenPurpose::{Deposit, Evaluate};
    let bytes = issued(Deposit).encode();
    let whole = Edit::Append(Vec::new());
    let late = Timestamp::from_secs(NOW.as_secs() + 69 * 60);
    assert!(issuer(3).check(late, &issued(Deposit), Deposit, provider(3)).is_ok(), "ten minutes of grace");
    assert!(issuer(2).check(NOW, &issued(Deposit), Deposit, provider(3)).is_ok(), "the replica's own part");
    let issuers: Vec<_> = (1..=3_u8)
        .map(|number| json!({
            "provider": number, "seed": hex::print(&Town::token_seed(number)), "public_key": hex::print(&key(number)),
        }))
        .collect();
    let content = json!({
        "object": "token", "specification": "docs/spec/tokens.md", "size": WireToken::SIZE, "issuers": issuers,
        "valid": [token_json(Deposit), token_json(Evaluate)],
        "malformed": [
            refused("for another purpose", 3, Evaluate, 0, &whole),
            refused("ten minutes after its hour", 3, Deposit, 70, &whole),
            refused("by a provider that did not issue it", 1, Deposit, 0, &whole),
            refused("of another type", 3, Deposit, 0, &Edit::Replace(0, vec![0, 2])),
            refused("with another nonce", 3, Deposit, 0, &Edit::flip(&bytes, 2)),
            refused("with another challenge", 3, Deposit, 0, &Edit::flip(&bytes, 34)),
            refused("of other issuers", 3, Deposit, 0, &Edit::flip(&bytes, 66)),
            refused("with another authenticator", 3, Deposit, 0, &Edit::flip(&bytes, 98 + 2 * 32)),
        ],
    });
    settle("token-challenge.json", &content);
}

#[test]
fn the_file_says_what_a_key_is_dealt_for() {
    let federation = Town::new().federation;
    let contexts = [122_478_u32, 122_479].map(|period| {
        let context = ceremony_context(&federation, Period(period));
        let parts: [&[u8]; 4] =
            [b"mosaic/table key/1", &federation.digest(), &1_u32.to_be_bytes(), &period.to_be_bytes()];
        assert_eq!(context, digest(&parts));
        json!({
            "federation": hex::print(&federation.digest()), "tile": 1, "period": period, "context": hex::print(&context),
        })
    });
    let content =
        json!({ "object": "ceremony context", "specification": "docs/spec/ceremony.md", "contexts": contexts });
    settle("ceremony-context.json", &content);
}
