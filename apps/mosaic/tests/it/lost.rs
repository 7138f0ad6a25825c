//! What docs/book/operate.md tells operators to do on the days that are not like others: a disk is damaged or gone, and all
//! move to another document.

use std::{fs, path::Path};

use mosaic_types::ProviderId;
use mosaic_wire::ProblemCode;

use crate::{crash::World, federation::signed};

/// Flips one bit in the middle of the oldest file of the store.
fn damage(store: &Path) -> String {
    let files = fs::read_dir(store).unwrap().map(|entry| entry.unwrap().path());
    let oldest = files.filter(|path| fs::metadata(path).unwrap().len() > 4_096).min().unwrap();
    let mut bytes = fs::read(&oldest).unwrap();
    let written = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[written / 2] ^= 1;
    fs::write(&oldest, bytes).unwrap();
    oldest.file_name().unwrap().to_string_lossy().into_owned()
}

/// The damage is found at the start and located. Started as after a lost disk, the provider gets back from its peers what
/// it had acknowledged, and signs nothing anew in a table in which it may have signed before.
#[test]
fn a_provider_comes_back_from_a_damaged_and_from_a_lost_disk() {
    mosaic_transport::install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (mut world, federation) = World::new(0x1057);
    let key = federation.signing_key(ProviderId::new(1).unwrap()).unwrap();
    (1..=3).for_each(|number| world.start(number));
    let acked = runtime.block_on(async {
        let acked = world.deposit_some(40).await;
        world.assert_all_there(&key, &acked).await;
        acked
    });

    assert_eq!(world.running.remove(&1).unwrap().terminate(), 0);
    let folder = world.home.file("p1");
    let file = damage(&folder.join("store"));
    world.try_start(1).unwrap_err().failed(5, &file);

    for lost in ["store", "share-keys"] {
        fs::remove_dir_all(folder.join(lost)).unwrap();
    }
    world.start(1);
    let refused = runtime.block_on(async {
        world.assert_all_there(&key, &acked).await;
        world.refusal().await
    });
    assert_eq!(refused.code, ProblemCode::NotReady);
    assert!(world.running.into_values().all(|provider| provider.terminate() == 0));
}

/// Another document with the same providers: each takes it with `--replace`, and without refuses. What was
/// acknowledged under the first is read under the second, and deposits go on.
#[test]
fn a_federation_moves_to_another_document() {
    mosaic_transport::install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (mut world, federation) = World::new(0xd0c5);
    let key = federation.signing_key(ProviderId::new(1).unwrap()).unwrap();
    (1..=3).for_each(|number| world.start(number));
    let mut acked = runtime.block_on(world.deposit_some(20));
    let pin = |world: &World| {
        let whole = world.home.file("whole.json").display().to_string();
        world.home.run(&["federation", "show", "--file", &whole]).done()["digest"].clone()
    };
    let first = pin(&world);
    for number in 1..=3 {
        assert_eq!(world.running.remove(&number).unwrap().terminate(), 0);
    }
    let folders: Vec<_> = (1..=3).map(|number| world.home.file(&format!("p{number}"))).collect();
    fs::rename(world.home.file("draft.json"), world.home.file("first-draft.json")).unwrap();
    fs::rename(world.home.file("whole.json"), world.home.file("first.json")).unwrap();
    signed(&world.home, &folders);
    assert_ne!(pin(&world), first);
    world.try_start(1).unwrap_err().failed(5, "--replace");
    for number in 1..=3 {
        world.try_start_with(number, &["--replace"]).unwrap();
    }
    runtime.block_on(async {
        acked.extend(world.deposit_some(20).await);
        world.assert_all_there(&key, &acked).await;
    });
    assert!(world.running.into_values().all(|provider| provider.terminate() == 0));
}
