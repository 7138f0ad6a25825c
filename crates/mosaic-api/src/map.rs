use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The media type of a tile.
pub const TILE_MEDIA_TYPE: &str = "application/vnd.mapbox-vector-tile";

/// Body of `POST /v1/map/tile`: a tile of the web's usual grid (Web Mercator, `y` from the north). In a body, because a tile's
/// numbers say where a person looks, and what stands in a URL is kept by histories and logs.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TileBody {
    /// Zoom.
    #[schema(minimum = 0, maximum = 16, example = 14)]
    pub z: u32,
    /// Column from the west, below 2^z.
    #[schema(minimum = 0, maximum = 65535, example = 8192)]
    pub x: u32,
    /// Row from the north, below 2^z.
    #[schema(minimum = 0, maximum = 65535, example = 10489)]
    pub y: u32,
}
