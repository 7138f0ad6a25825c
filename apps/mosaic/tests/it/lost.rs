//! What docs/book/operate.md tells operators to do on the days that are not like others: a disk is damaged or gone, all move to
//! another document, the program is a newer one, and one of them stops.

use std::{fs, path::Path};

use mosaic_federation::Federation;
use mosaic_provider::store::{LogStore, RedbStore, copy_store};
use mosaic_transport::{Patience, ProviderClient};
use mosaic_types::ProviderId;
use mosaic_wire::{Call, ProblemCode};

use crate::{
    crash::{World, address},
    federation::{four_providers, signed},
    support::Install,
};

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

/// Puts the store of provider 1 back into the form that versions before the log kept: one file, `store.redb`.
fn downgrade(folder: &Path) {
    {
        let log = LogStore::open(folder).unwrap();
        let mut old = RedbStore::open(folder).unwrap();
        copy_store(&log, &mut old, &mut || {}).unwrap();
    }
    fs::remove_dir_all(folder.join("store")).unwrap();
}

/// What the book calls an upgrade, from the oldest form on disk that there is: the provider is stopped, the program is another
/// one, and the first start takes over what the former wrote. Killed while it does, the next start goes on.
#[test]
fn a_provider_is_upgraded_from_the_form_before_the_log() {
    mosaic_transport::install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (mut world, federation) = World::new(0x0bd6);
    let key = federation.signing_key(ProviderId::new(1).unwrap()).unwrap();
    (1..=3).for_each(|number| world.start(number));
    let mut acked = runtime.block_on(world.deposit_some(40));

    assert_eq!(world.running.remove(&1).unwrap().terminate(), 0);
    let folder = world.home.file("p1");
    downgrade(&folder);
    assert!(folder.join("store.redb").exists() && !folder.join("store").exists());
    // the other two serve meanwhile
    runtime.block_on(async { assert!(world.call(2, Call::Time).await.is_some()) });
    world.start(1);
    assert!(!folder.join("store.redb").exists() && folder.join("store").exists());
    runtime.block_on(async {
        acked.extend(world.deposit_some(20).await);
        world.assert_all_there(&key, &acked).await;
    });

    // a disk on which an older program ran once more holds two stores, and neither is guessed to be the right one
    assert_eq!(world.running.remove(&1).unwrap().terminate(), 0);
    drop(RedbStore::open(&folder).unwrap());
    world.try_start(1).unwrap_err().failed(5, "store.redb");
    fs::remove_file(folder.join("store.redb")).unwrap();
    for lost in ["store", "share-keys"] {
        fs::remove_dir_all(folder.join(lost)).unwrap();
    }
    world.start(1);
    runtime.block_on(world.assert_all_there(&key, &acked));
    assert!(world.running.into_values().all(|provider| provider.terminate() == 0));
}

/// One of four operators stops. A document without it is signed by the other three, who go on with what they had; the one that
/// leaves serves its tables under the old document until they are over, cannot take the new one, and then goes.
#[test]
fn a_provider_leaves_the_federation() {
    mosaic_transport::install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let home = Install::new();
    let folders = four_providers(&home);
    let federation = document_of(&signed(&home, &folders));
    let mut world = World::of(home, &federation, 0xdec0);
    (1..=4).for_each(|number| world.start(number));
    let key = federation.signing_key(ProviderId::new(1).unwrap()).unwrap();
    let acked = runtime.block_on(world.deposit_some(20));
    runtime.block_on(world.assert_all_there(&key, &acked));

    for number in 1..=3 {
        assert_eq!(world.running.remove(&number).unwrap().terminate(), 0);
    }
    let leaving = world.running.remove(&4).unwrap();
    fs::rename(world.home.file("draft.json"), world.home.file("first-draft.json")).unwrap();
    fs::rename(world.home.file("whole.json"), world.home.file("first.json")).unwrap();
    let clock = world.clock.clone();
    let shorter = document_of(&signed(&world.home, &folders[..3]));
    let mut world = World::of(world.home, &shorter, 0xdec1);
    world.clock = clock;
    for number in 1..=3 {
        world.try_start_with(number, &["--replace"]).unwrap();
    }
    // whoever is not named cannot take the document, and loses nothing by trying
    assert_eq!(leaving.terminate(), 0);
    world.try_start_with(4, &["--replace"]).unwrap_err().failed(5, "");
    fs::rename(world.home.file("whole.json"), world.home.file("second.json")).unwrap();
    fs::copy(world.home.file("first.json"), world.home.file("whole.json")).unwrap();
    world.start(4);
    runtime.block_on(async {
        // what was acknowledged before is where its receipts say
        world.assert_all_there(&key, &acked).await;
        // and who has not joined again is answered by who leaves
        let before = ProviderClient::for_federation(federation.descriptor(), Patience::default()).unwrap();
        assert!(before.call(&address(4), &Call::Time).await.is_ok());
    });

    // the tables are over: what opens anything goes first, then the rest
    assert_eq!(world.running.remove(&4).unwrap().terminate(), 0);
    fs::remove_dir_all(folders[3].join("share-keys")).unwrap();
    fs::remove_dir_all(&folders[3]).unwrap();
    runtime.block_on(async {
        let more = world.deposit_some(20).await;
        world.assert_all_there(&key, &more).await;
        assert!(more.iter().all(|(_, receipt)| receipt.replica.get() != 4));
    });
    assert!(world.running.into_values().all(|provider| provider.terminate() == 0));
}

fn document_of(file: &Path) -> Federation {
    mosaic_federation::SignedDocument::parse(&fs::read(file).unwrap()).unwrap().verify().unwrap()
}
