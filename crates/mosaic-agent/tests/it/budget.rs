use std::sync::Arc;

use mosaic_agent::{AgentConfig, AgentCore, AgentState, BlindReads, TruthLog};
use mosaic_api::{BroadcastBody, Granularity, Position, ZoneCount, ZoneReason};
use mosaic_federation::Independence;
use mosaic_geo::{city_center, offset_m, synthetic_city};
use mosaic_types::Mode;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

use crate::support::{NOW, federation};

/// Three places at one instant: the third is the second change in an epoch. The reply says why it is a zone; the status
/// says what was paid, what became a zone and when the budget is whole again.
#[test]
fn the_status_says_what_was_spent_and_why_a_place_is_a_zone() {
    let mut rng = ChaCha20Rng::seed_from_u64(95);
    let config = AgentConfig {
        federation: federation(Independence::Practice),
        places: Arc::new(synthetic_city(1)),
        truth: TruthLog::Forget,
        pool: Arc::default(),
        blind_reads: BlindReads::BySize,
    };
    let state = AgentState::fresh(&mut rng);
    let mut core = AgentCore::new(config, state, NOW);
    let untouched = core.status(NOW).ledger;
    assert!(untouched.paid.is_empty() && untouched.zones.is_empty() && untouched.renews_at > NOW.as_secs());
    let mut say = |core: &mut AgentCore, east: f64| {
        let place = offset_m(city_center(), east, 0.0);
        let location = Position { lat: place.lat(), lon: place.lng() };
        let body = BroadcastBody {
            location,
            context: "coffee".to_owned(),
            noise_ratio: None,
            ttl_hours: None,
            enrichment: None,
            risk: None,
            confirm_identifiers: false,
        };
        core.broadcast(NOW, &mut rng, body.check().unwrap()).unwrap()
    };
    let replies = [0.0, 1_500.0, -1_500.0].map(|east| say(&mut core, east));
    assert_eq!((replies[0].zone_reason, replies[0].granularity), (None, Granularity::Fine));
    // the second is a new place, and paid for whether or not the filter lets its cell out
    assert!((replies[1].ledger_left - (10.0 - 2.0 * 4.0_f64.ln())).abs() < 1e-6);
    let ledger = core.status(NOW).ledger;
    assert_eq!(ledger.paid.iter().map(|paid| (paid.mode, paid.places)).collect::<Vec<_>>(), [(Mode::Balanced, 2)]);
    assert!((ledger.paid[0].each - 4.0_f64.ln()).abs() < 1e-6);
    assert_eq!(ledger.renews_at, NOW.week().end().as_secs());
    assert_eq!((replies[1].zone_reason, replies[1].granularity), (None, Granularity::Fine));
    assert_eq!((replies[2].zone_reason, replies[2].granularity), (Some(ZoneReason::ChangedJustNow), Granularity::Zone));
    assert_eq!(ledger.zones, [ZoneCount { reason: ZoneReason::ChangedJustNow, releases: 1 }]);
}
