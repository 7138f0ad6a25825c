//! A provider's store in a table of a real server: moved there, killed, and moved back.

use std::fs;

use mosaic_types::ProviderId;

use crate::{
    crash::World,
    server::Server,
    support::{Ran, SECRET, command, ended},
};

/// Deposits before and after each change of place, all of which are found at the end. The secret of the table is in no
/// file of the provider and in nothing that was said.
#[test]
fn a_provider_moves_into_a_table_and_back() {
    let Some(server) = Server::start() else { return };
    mosaic_transport::install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (mut world, federation) = World::new(0x7ab1e);
    let key = federation.signing_key(ProviderId::new(1).unwrap()).unwrap();
    let (folder, table) = (world.home.file("p1"), server.address("mosaic-one"));
    let migrate = |to: &str| ended(command(&folder).args(["provider", "migrate", "--to", to]).output().unwrap());
    let moved = |ran: Ran| {
        assert!(!ran.stderr.contains(SECRET));
        let said = ran.done();
        assert!(said["entries"].as_u64().unwrap() > 0 && !said.to_string().contains(SECRET), "{said}");
    };
    (1..=3).for_each(|number| world.start(number));
    let mut acked = runtime.block_on(world.deposit_some(20));
    migrate(&table).failed(5, "cannot move the store");

    world.running.remove(&1).unwrap().terminate();
    moved(migrate(&table));
    migrate(&table).failed(5, "in dynamodb://eu-west-1/mosaic-one");
    migrate("log").failed(5, "entries already");
    world.start(1);
    acked.extend(runtime.block_on(world.deposit_some(20)));
    world.running.get_mut(&1).unwrap().kill();
    world.start(1);
    acked.extend(runtime.block_on(world.deposit_some(20)));

    assert_eq!(world.running.remove(&1).unwrap().terminate(), 0);
    fs::remove_dir_all(folder.join("store")).unwrap();
    moved(migrate("log"));
    world.start(1);
    runtime.block_on(async {
        acked.extend(world.deposit_some(20).await);
        world.assert_all_there(&key, &acked).await;
    });
    for file in ["provider.toml", "federation.json", "public.json"] {
        assert!(!fs::read_to_string(folder.join(file)).unwrap().contains(SECRET), "{file}");
    }
    assert!(world.running.into_values().all(|provider| provider.terminate() == 0));
}
