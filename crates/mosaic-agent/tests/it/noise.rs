use std::{sync::Arc, time::Duration};

use mosaic_agent::{AgentConfig, AgentCore, AgentState, Beginning, BlindReads, TruthLog};
use mosaic_api::SettingsChange;
use mosaic_crypto::signing::SigningKey;
use mosaic_federation::Independence;
use mosaic_geo::synthetic_city;
use mosaic_types::{ContactText, Lane, NoiseRatio, Period, ProviderId, TileId, Token};
use mosaic_wire::{Call, Groups, LaneShape, PublicShare, Reply, SignedTable, TableDescriptor};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

use crate::support::{NOW, federation};

/// The table of a period under two signatures of the federation: its keys come from the same seed.
fn table(period: Period) -> SignedTable {
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let keys: Vec<_> = (1..=3).map(|id| (ProviderId::new(id).unwrap(), SigningKey::generate(&mut rng))).collect();
    let table = TableDescriptor {
        tile: TileId(1),
        period,
        valid_from: period.start(),
        threshold: 2,
        public_key: [0; 32],
        shares: keys.iter().map(|(id, _)| PublicShare { provider: *id, element: [0; 32] }).collect(),
        transcript: [0; 32],
        discovery: LaneShape { rows: 1 << 14, capacity: 64 },
        rendezvous: LaneShape { rows: 1 << 17, capacity: 10 },
        generation_s: [5, 60, 600],
        groups: Groups::DEFAULT,
    };
    let signature = |at: usize| (keys[at].0, table.sign(&keys[at].1));
    let signatures = [signature(0), signature(1)];
    SignedTable::new(table, signatures).unwrap()
}

/// What the status says of the rendezvous lane, and the most real slots of its events over an hour in which five
/// frames wait.
fn stated_and_kept(set: Option<f64>) -> (f64, usize) {
    let mut rng = ChaCha20Rng::seed_from_u64(91);
    let config = AgentConfig {
        federation: federation(Independence::Practice),
        places: Arc::new(synthetic_city(1)),
        truth: TruthLog::Record,
        pool: Arc::default(),
        blind_reads: BlindReads::BySize,
    };
    let state = AgentState::fresh(&mut rng);
    let mut core = AgentCore::new(config, state, NOW);
    let noise = set.map(|ratio| NoiseRatio::new(ratio).unwrap());
    core.change_settings(NOW, &SettingsChange { noise, ..SettingsChange::default() });
    for number in 0..5 {
        let token = Token::parse(&format!("{number}").repeat(32)).unwrap();
        let contact = ContactText::new("ana@example.org").unwrap();
        core.associate(NOW, &mut rng, Beginning::Token(token), contact).unwrap();
    }
    let mut most = 0;
    for minute in 0..60 {
        let now = NOW.after(Duration::from_mins(minute));
        while let Some(call) = core.poll(now, &mut rng) {
            if let Call::Table(period) = call.call {
                core.on_reply(now, &mut rng, call.id, Ok(Reply::Table(table(period))));
            }
        }
        for truth in core.take_truth() {
            let truth = truth.into_exposed();
            let real = truth.slots.iter().filter(|slot| slot.is_real()).count();
            if truth.lane == Lane::Rendezvous {
                most = most.max(real);
            }
        }
    }
    (core.status(NOW).noise.effective.rendezvous, most)
}

/// What a person sets as their noise holds for every event, with nothing broadcast too, and the status says what the
/// events keep.
#[test]
fn the_status_says_what_events_keep() {
    for (set, stated, most) in [(None, 0.5, 5), (Some(0.3), 0.5, 5), (Some(0.7), 0.7, 3), (Some(0.8), 0.8, 2)] {
        let (says, keeps) = stated_and_kept(set);
        assert!((says - stated).abs() < 1e-9, "{set:?}: {says}");
        assert_eq!(keeps, most, "{set:?}");
    }
}
