//! Tiles of the map, drawn from the places that are installed and the cells that were released.

use std::sync::Arc;

use axum::{
    http::header,
    response::{IntoResponse as _, Response},
};
use mosaic_api::{Problem, ProblemKind, TILE_MEDIA_TYPE, TileBody};
use mosaic_geo::tile::{TileAddress, draw};

use super::Shared;
use crate::driver::Durability::Memory;

/// Draws one tile.
pub(super) async fn tile(shared: &Shared, asked: TileBody) -> Result<Response, Problem> {
    let address = TileAddress::new(asked.z, asked.x, asked.y).map_err(|_| ProblemKind::InvalidTile)?;
    if shared.places.is_empty() {
        return Err(ProblemKind::NoPlaces.into());
    }
    let patches = shared.engine.ask(Memory, |core, now, _| core.patches(now)).await?;
    let places = Arc::clone(&shared.places);
    // a country's cells take a while to look through: not where others wait
    let drawn = tokio::task::spawn_blocking(move || draw(address, &places, &patches)).await;
    let tile = drawn.map_err(|_| ProblemKind::Internal)?.map_err(|_| ProblemKind::Internal)?;
    Ok(([(header::CONTENT_TYPE, TILE_MEDIA_TYPE)], tile).into_response())
}
