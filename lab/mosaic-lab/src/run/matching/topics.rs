//! Does the key of one topic open what another sealed? All pairs of topics, in several tables.

use anyhow::Result;
use mosaic_attack::share_interval;
use mosaic_crypto::record::{self, RecordNonce};
use mosaic_obfuscate::Vocabulary;
use mosaic_release::OprfOutputs as _;
use mosaic_types::Period;
use mosaic_wire::{OprfInput, rows};
use rand::Rng as _;

use crate::{report::Row, run::Bench, runs::evening, tables::Tables};

/// Tables; in each so many topics that all of their pairs are enough trials.
const TABLES: u32 = 6;

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<()> {
    bench.progress.stage("keys of topics", 0);
    let most = usize::try_from((bench.plan.size.trials / u64::from(TABLES)).isqrt() + 1)?;
    let mut tables = Tables::new(100, bench.plan.seed)?;
    let first = evening().period().0;
    let (mut opened, mut tried, mut own) = (0_u64, 0_u64, 0_u64);
    for period in (first..first + TABLES).map(Period) {
        let topics = Vocabulary::builtin().topics().iter().take(most);
        let inputs: Vec<_> =
            topics.map(|topic| OprfInput::Topic { period, class: topic.class, topic: topic.id }).collect();
        tables.evaluate(&inputs)?;
        let keys: Vec<[u8; 32]> = inputs.iter().filter_map(|input| Some(rows::topic_key(tables.get(input)?))).collect();
        for (sealer, key) in keys.iter().enumerate() {
            let mut plain = [0; record::INNER_PLAIN];
            bench.rng.fill_bytes(&mut plain);
            let mut nonce = [0; 24];
            bench.rng.fill_bytes(&mut nonce);
            let (sealed, _) = record::seal_inner(key, RecordNonce::fixed_for_vectors(nonce), &plain);
            for (reader, key) in keys.iter().enumerate() {
                let opens = u64::from(record::open_inner(key, &nonce, &sealed).is_some());
                if reader == sealer {
                    own += opens;
                } else {
                    (opened, tried) = (opened + opens, tried + 1);
                }
            }
        }
    }
    let row = |id: &str, metric: &str, found| {
        Row::printed(format!("matching/topic-keys{id}"), "topic key on another topic", "Y", metric, found)
    };
    let metric = format!("share opened of {tried}");
    bench.rows.push(row("", &metric, share_interval(opened, tried)).judged(0.0, 1e-6));
    let all = u64::from(TABLES) * Vocabulary::builtin().topics().len().min(most) as u64;
    bench.rows.push(row("/own", "share of own layers opened: the attack itself works", share_interval(own, all)));
    Ok(())
}
