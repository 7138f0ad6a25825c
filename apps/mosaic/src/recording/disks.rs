//! What lies on the providers' disks when the run is over.

use std::{collections::BTreeSet, fs};

use mosaic_provider::store::{Bucket, LogStore, Store as _};
use serde_json::{Value, json};

use super::{Lines, Watch, providers};
use crate::{
    demo::Stage,
    exit::{Exit, OrExit, Outcome},
    home::read_file,
};

/// Writes every provider's store; says how many different events the providers took.
pub(super) fn dump(stage: &Stage, watch: &Watch) -> Outcome<usize> {
    let mut events = BTreeSet::new();
    for number in providers() {
        let folder = stage.provider(number);
        let lines = Lines::create(&watch.view(&format!("provider-{number}.store")))?;
        let put = |bucket: &str, key: &[u8], value: &[u8]| {
            lines.put(&json!({ "bucket": bucket, "key": hex::encode(key), "value": hex::encode(value) }))
        };
        let doing = format!("cannot read the store of provider {number}");
        let store = LogStore::open(&folder).or_exit(Exit::Local, &doing)?;
        for bucket in Bucket::ALL {
            for (key, value) in store.scan(bucket, &[]).or_exit(Exit::Local, &doing)? {
                put(bucket.name(), &key, &value)?;
            }
        }
        for entry in fs::read_dir(folder.join("share-keys")).or_exit(Exit::Local, &doing)? {
            let path = entry.or_exit(Exit::Local, &doing)?.path();
            let name = path.file_name().map(|name| name.as_encoded_bytes().to_vec()).unwrap_or_default();
            put("share-keys", &name, &read_file(&path)?)?;
        }
        events.extend(taken(&read_file(&watch.view(&format!("provider-{number}.requests")))?));
    }
    Ok(events.len())
}

/// Ids of the events that a provider gave a receipt for.
fn taken(requests: &[u8]) -> impl Iterator<Item = String> {
    let lines = requests.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    lines.filter_map(|line| {
        let event = line["request"]["event"].as_str().filter(|_| line["reply"]["kind"] == "receipt")?;
        Some(event.to_owned())
    })
}
