//! A practice federation: three providers of one person, each with its own folder, keys and port.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use mosaic_api::Position;
use mosaic_federation::{Federation, FederationDescriptor, Independence, SignedDocument, Tile};
use mosaic_geo::{PlaceIndex, city_center, distance_m};
use mosaic_provider::{ProviderFolder, store::StoreAddress};
use mosaic_types::{LatLng, TileId, Timestamp};

use crate::{
    clock::PracticeClock,
    commands::{
        Context,
        provider::{Named, settle},
    },
    exit::{Exit, Failure, OrExit, Outcome},
    home::{Home, write_file},
    processes::{Launch, Running},
    units::At,
};

/// How many providers a practice federation has.
pub(crate) const PROVIDERS: u8 = 3;

/// The place given or, in a practice federation, its centre: there nobody's place is at stake.
pub(crate) fn place_or_center(at: Option<At>, context: &Context) -> Outcome<Position> {
    if let Some(At(position)) = at {
        return Ok(position);
    }
    let federation = context.home()?.federation()?;
    let descriptor = federation.descriptor();
    if descriptor.independence != Independence::Practice {
        return Err(Failure::usage("say where you are: --at LAT,LON (at most a blurred cell leaves [CL-06])"));
    }
    Ok(Position { lat: descriptor.tile.lat, lon: descriptor.tile.lng })
}

/// The area around a place index.
pub(crate) fn tile_around(places: &PlaceIndex, name: &str) -> Tile {
    let center = places.center().unwrap_or_else(city_center);
    let corners = places.bounds().into_iter().flat_map(|box_| {
        let corner = |lat, lng| LatLng::new(lat, lng).ok();
        [corner(box_.south, box_.west), corner(box_.north, box_.east)].into_iter().flatten()
    });
    let farthest = corners.map(|corner| distance_m(center, corner)).fold(1_000.0, f64::max);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the tile's bounds")]
    let radius_m = farthest.ceil().clamp(1_000.0, 200_000.0) as u32;
    Tile { id: TileId(1), name: name.to_owned(), lat: center.lat(), lng: center.lng(), radius_m }
}

/// Makes folders, keys and ports for the providers, and the federation that all of them sign. What an interrupted run
/// left half made is made again; providers that were here before for another reason are never touched.
pub(crate) fn lay_out(home: &Home, tile: Tile, declared_agents: u32, now: Timestamp) -> Outcome<Federation> {
    lay_out_behind(home, tile, declared_agents, now, &[])
}

/// As [`lay_out`], with providers that are reached at `urls`, where something stands in front of them.
pub(crate) fn lay_out_behind(
    home: &Home,
    tile: Tile,
    declared_agents: u32,
    now: Timestamp,
    urls: &[String],
) -> Outcome<Federation> {
    home.create()?;
    start_over(home)?;
    let mut folders = Vec::new();
    for number in 1..=PROVIDERS {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let metrics = Some(listen);
        let url = urls.get(usize::from(number - 1)).cloned();
        let named = Named {
            url,
            operator: &format!("practice {number}"),
            jurisdiction: "XX",
            metrics,
            store: StoreAddress::Log,
            spent: None,
        };
        folders.push(settle(&home.provider(number), number, listen, named)?);
    }
    let entries = folders.iter().map(ProviderFolder::entry).collect();
    let name = format!("practice in {}", tile.name);
    let descriptor = FederationDescriptor::new(name, Independence::Practice, now, declared_agents, tile, entries);
    let mut document = SignedDocument::draft(&descriptor).or_exit(Exit::Local, "cannot make a federation")?;
    folders.iter().for_each(|folder| folder.sign(&mut document));
    let federation = document.verify().or_exit(Exit::Local, "cannot make a federation")?;
    for folder in &folders {
        folder.install(&federation).or_exit(Exit::Local, "cannot keep the federation")?;
    }
    home.keep_federation(&federation)?;
    std::fs::remove_file(home.unfinished()).or_exit(Exit::Local, "cannot finish the practice federation")?;
    Ok(federation)
}

fn start_over(home: &Home) -> Outcome {
    if home.unfinished().exists() {
        for folder in (1..=PROVIDERS).map(|number| home.provider(number)).filter(|folder| folder.exists()) {
            let doing = format!("cannot remove {}, which an interrupted start left behind", folder.display());
            std::fs::remove_dir_all(&folder).or_exit(Exit::Local, doing)?;
        }
    } else if let Some(folder) = (1..=PROVIDERS).map(|number| home.provider(number)).find(|folder| folder.exists()) {
        return Err(Failure::new(Exit::Local, format!("{} exists already; use another folder", folder.display())));
    }
    write_file(&home.unfinished(), b"")
}

/// Starts a provider of a practice federation; what it says about itself comes with it.
pub(crate) async fn start_provider(
    dir: PathBuf,
    number: u8,
    clock: Option<PracticeClock>,
) -> Outcome<(Running, serde_json::Value)> {
    start_provider_with(dir, number, clock, Vec::new()).await
}

/// As [`start_provider`], with more arguments.
pub(crate) async fn start_provider_with(
    dir: PathBuf,
    number: u8,
    clock: Option<PracticeClock>,
    more: Vec<String>,
) -> Outcome<(Running, serde_json::Value)> {
    let args = [vec!["provider".to_owned(), "run".to_owned()], more].concat();
    let launch = Launch { name: format!("provider {number}"), args, dir, clock };
    Running::start(launch).await
}
