//! `vectors/token-challenge.json` and `vectors/ceremony-context.json`, checked against this code.

use mosaic_crypto::{
    digest,
    kdf::{Label, derive},
};
use mosaic_types::{Period, ProviderId, Timestamp};
use mosaic_vectors::{Edit, settle};
use mosaic_wire::{TokenPurpose, TokensQuery, WireToken};
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};

use crate::{Admission as _, TEST_TOKEN_KIND, TestIssuer, ceremony_context, day, fixture::Town, hex};

const NOW: Timestamp = Timestamp::from_secs(20_411 * 86_400 + 86_399);
const KEY: [u8; 32] = [0x2A; 32];

fn issuer(provider: u8) -> TestIssuer {
    TestIssuer::new(ProviderId::new(provider).unwrap(), KEY, 100)
}

/// A token of provider 3 for `purpose`, which the formulas of the specification must yield again.
fn issued(purpose: TokenPurpose) -> WireToken {
    let query = TokensQuery { purpose, count: 1 };
    let token = issuer(3).issue(NOW, &query, &mut ChaCha20Rng::seed_from_u64(5)).unwrap().into_tokens().remove(0);
    let place = [3, purpose.number()];
    assert_eq!(token.challenge, digest(&[b"mosaic/test token challenge/1", &place, &20_411_u64.to_be_bytes()]));
    assert_eq!(token.key_id, derive(&KEY, Label::TestToken, &[b"key id"]));
    let parts: [&[u8]; 3] = [b"authenticator", &token.nonce, &token.challenge];
    assert_eq!(token.authenticator, derive(&KEY, Label::TestToken, &parts));
    token
}

fn token_json(purpose: TokenPurpose) -> Value {
    let token = issued(purpose);
    let bytes = token.encode();
    json!({
        "name": format!("{purpose:?}").to_lowercase(),
        "fields": {
            "provider": 3, "purpose": purpose.number(), "issued_at_s": NOW.as_secs(), "day": day(NOW),
            "issuer_secret": hex::print(&KEY), "type": format!("{TEST_TOKEN_KIND:04x}"),
            "nonce": hex::print(&token.nonce), "challenge": hex::print(&token.challenge),
            "key_id": hex::print(&token.key_id), "authenticator": hex::print(&token.authenticator),
            "spent_as": hex::print(&token.spend_id()),
        },
        "bytes": hex::print(&bytes),
    })
}

/// What provider `at` says about an edited deposit token, so many days later.
fn refused(name: &str, at: u8, purpose: TokenPurpose, days: u64, edit: &Edit) -> Value {
    let bytes = edit.apply(&issued(TokenPurpose::Deposit).encode());
    let token = WireToken::decode(&bytes).unwrap();
    let when = Timestamp::from_secs(NOW.as_secs() + days * 86_400);
    assert!(issuer(at).check(when, &token, purpose).is_err(), "{name}");
    json!({
        "name": name, "base": "deposit", "edit": edit.json(), "redeemed_at_provider": at, "purpose": purpose.number(),
        "at_s": when.as_secs(),
    })
}

#[test]
fn the_file_says_what_a_token_is_bound_to() {
    use TokenPurpose::{Deposit, Evaluate};
    let bytes = issued(Deposit).encode();
    let whole = Edit::Append(Vec::new());
    let tomorrow = Timestamp::from_secs(NOW.as_secs() + 86_400);
    assert!(issuer(3).check(tomorrow, &issued(Deposit), Deposit).is_ok(), "good for a second day");
    let content = json!({
        "object": "test token", "specification": "docs/spec/wire.md", "size": WireToken::SIZE,
        "valid": [token_json(Deposit), token_json(Evaluate)],
        "malformed": [
            refused("at another provider", 2, Deposit, 0, &whole),
            refused("for another purpose", 3, Evaluate, 0, &whole),
            refused("two days later", 3, Deposit, 2, &whole),
            refused("of another type", 3, Deposit, 0, &Edit::Replace(0, vec![0, 2])),
            refused("with another nonce", 3, Deposit, 0, &Edit::flip(&bytes, 2)),
            refused("with another challenge", 3, Deposit, 0, &Edit::flip(&bytes, 34)),
            refused("of another issuer", 3, Deposit, 0, &Edit::flip(&bytes, 66)),
            refused("with another authenticator", 3, Deposit, 0, &Edit::flip(&bytes, 353)),
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
