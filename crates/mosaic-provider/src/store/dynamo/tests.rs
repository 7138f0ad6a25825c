use super::{
    super::{Nonconforming, StoreAddress, check_conformance},
    server::Server,
    *,
};

const OWNER: [u8; 32] = [7; 32];
/// Nobody is watched and nobody shows itself: tests say themselves who is alive.
const AT_ONCE: TableOptions = TableOptions { watch: Duration::ZERO, beat: None, expire: true, attempts: 1 };

fn address(server: &Server, table: &str) -> TableAddress {
    match server.address(table).parse().unwrap() {
        StoreAddress::Dynamo(table) => table,
        other => panic!("{other}"),
    }
}

#[test]
fn the_table_conforms() {
    let Some(server) = Server::start() else { return };
    let (folder, address) = (tempfile::tempdir().unwrap(), address(&server, "mosaic"));
    let open = || TableStore::open_over(wire(&address), KeyFiles::open(folder.path())?, &address, &OWNER, AT_ONCE);
    assert_eq!(check_conformance(open), Ok::<(), Nonconforming>(()));
}

/// Signed with credentials that the server does not check.
fn wire(address: &TableAddress) -> Box<dyn Wire> {
    Box::new(SignedHttp::with(address, aws_credential_types::Credentials::new("id", "secret", None, None, "test")).unwrap())
}
