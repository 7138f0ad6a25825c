//! Three providers, each on a disk and a runtime of its own, so that its threads can be told from the others'.

use std::{net::TcpListener, sync::Arc};

use mosaic_federation::{Federation, FederationDescriptor, Independence, SignedDocument, Tile};
use mosaic_provider::{Policy, Price, Provider, ProviderConfig, ProviderFolder, store::StoreAddress};
use mosaic_transport::SystemClock;
use mosaic_types::{Clock as _, TileId};
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use tokio::runtime::{Builder, Runtime};

use crate::cluster::id;

/// Providers that serve for as long as this lives.
pub(crate) struct Providers {
    pub(crate) federation: Arc<Federation>,
    _runtimes: Vec<Runtime>,
}

impl Providers {
    pub(crate) fn start(places: &[tempfile::TempDir]) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let make = |(place, number): (&tempfile::TempDir, u8)| {
            // the system names a free port; it is ours again a moment later
            let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let url = format!("https://{listen}");
            let (operator, jurisdiction) = ("me".into(), "FR".into());
            let (number, store) = (id(number), StoreAddress::Log);
            let (metrics_listen, spent) = (None, None);
            let config = ProviderConfig { number, listen, url, operator, jurisdiction, metrics_listen, store, spent };
            ProviderFolder::create(place.path(), config, &mut rng).unwrap()
        };
        let folders: Vec<ProviderFolder> = places.iter().zip(1..).map(make).collect();
        let tile = Tile { id: TileId(7), name: "Test".into(), lat: 41.0, lng: -8.0, radius_m: 10_000 };
        let entries = folders.iter().map(ProviderFolder::entry).collect();
        let now = SystemClock.now();
        let descriptor = FederationDescriptor::new("bench", Independence::Practice, now, 100, tile, entries);
        let mut document = SignedDocument::draft(&descriptor).unwrap();
        folders.iter().for_each(|folder| folder.sign(&mut document));
        let federation = document.verify().unwrap();
        folders.iter().for_each(|folder| folder.install(&federation).unwrap());
        let serve = |(folder, number): (ProviderFolder, u8)| {
            let name = format!("sockets {number}");
            let runtime = Builder::new_multi_thread().worker_threads(2).thread_name(name).enable_all().build().unwrap();
            let policy = Policy { price: Price::practice(10_000), ..Policy::for_agents(10_000) };
            let entered = runtime.enter();
            let provider = Provider::start_with(folder, Arc::new(SystemClock), policy).unwrap();
            drop(entered);
            runtime.spawn(provider.serve(std::future::pending()));
            runtime
        };
        let runtimes = folders.into_iter().zip(1..).map(serve).collect();
        Self { federation: Arc::new(federation), _runtimes: runtimes }
    }
}
