//! The device thief, who may come back: images of the sealed vaults over time.

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use mosaic_types::Clock;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Lines;

/// How often, in the run's time.
const EVERY: Duration = Duration::from_mins(10);
/// Of how many devices the image itself is kept.
const IMAGES: usize = 2;

/// Looks at every vault again and again, until the run is over.
pub(super) async fn steal(vaults: Vec<(IpAddr, PathBuf)>, clock: Arc<dyn Clock>, log: Lines) {
    loop {
        let next = clock.now().after(EVERY);
        for (number, (client, path)) in vaults.iter().enumerate() {
            // a vault is replaced as a whole, so that what is read is one state of it
            let Ok(image) = tokio::fs::read(path).await else { continue };
            let mut line = json!({
                "at_ms": clock.now().as_millis(), "client": client, "bytes": image.len(),
                "sha256": hex::encode(Sha256::digest(&image)),
            });
            if number < IMAGES {
                line["image"] = hex::encode(&image).into();
            }
            if log.put(&line).and_then(|()| log.flush()).is_err() {
                return;
            }
        }
        tokio::time::sleep(clock.until(next)).await;
    }
}
