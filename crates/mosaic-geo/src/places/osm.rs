use std::{
    collections::HashSet,
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use mosaic_types::{LatLng, Timestamp};
use osmpbf::{Blob, BlobDecode, BlobReader, Element, Way};
use thiserror::Error;

use super::{Place, PlaceIndex, PlaceKind, PlaceTag, Provenance};
use crate::sphere::centroid;

/// The most corners of ways whose position is looked up; beyond it an extract is too large for one index.
const MAX_CORNERS: usize = 32_000_000;
/// The most nodes whose position is kept, so that the extract need not be read a second time: about 190 MB.
const MOST_KEPT: usize = 8_000_000;
/// The longest name, value or opening hours that are kept, in bytes; OpenStreetMap itself allows 255 characters.
const MAX_TEXT: usize = 1_020;

/// Why some bytes are no usable OpenStreetMap extract.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OsmError {
    /// The file has no valid header block.
    #[error("this is no .osm.pbf file: it does not start with an OSMHeader block")]
    NotPbf,
    /// A block cannot be read.
    #[error("block {block} of the .osm.pbf file cannot be read; download the extract again")]
    Block {
        /// Which block, the header being 0.
        block: usize,
        /// What the decoder found.
        #[source]
        cause: osmpbf::Error,
    },
    /// The file wants something this reader does not know, such as deleted objects.
    #[error("the .osm.pbf file needs a feature this program does not know; use a plain extract, not a history file")]
    Feature,
    /// A node lies outside the globe.
    #[error("block {block} of the .osm.pbf file has a node outside the globe; download the extract again")]
    OutsideGlobe {
        /// Which block, the header being 0.
        block: usize,
    },
    /// More places than an index can hold.
    #[error("the extract has more than {} places; cut out a smaller region", PlaceIndex::MAX_PLACES)]
    TooManyPlaces,
    /// Outlines too long to be looked up.
    #[error("the places of the extract have more than {MAX_CORNERS} corners; cut out a smaller region")]
    TooManyCorners,
}

impl PlaceIndex {
    /// Reads the places of an OpenStreetMap extract (`.osm.pbf`): nodes, and ways at the centroid of their corners,
    /// that have one of the tags [`PlaceTag::FROM_MAP`]. Relations are left out, and so are ways none of whose corners
    /// is in the extract. Keeps the licence's attribution and dates the index by the extract's replication stamp, else
    /// by its newest tagged object. (The format has no end mark: a file that was cut exactly between two blocks reads
    /// as a smaller one.)
    ///
    /// # Errors
    /// [`OsmError`] says which block is wrong and what to do.
    pub fn from_osm_pbf(bytes: &[u8]) -> Result<Self, OsmError> {
        Self::from_osm_pbf_with(bytes, &mut |_, _| {})
    }

    /// The same, telling `progress` after each block how many bytes are done and how many there are. An extract of more
    /// than eight million nodes is read twice, because their positions are not kept.
    ///
    /// # Errors
    /// [`OsmError`] says which block is wrong and what to do.
    pub fn from_osm_pbf_with(bytes: &[u8], progress: &mut dyn FnMut(u64, u64)) -> Result<Self, OsmError> {
        let mut extract = Extract::default();
        let mut nodes = Nodes::default();
        let whole = bytes.len() as u64;
        let mut half = |done: u64| progress(done / 2, whole);
        let replicated = visit(bytes, &mut half, |block, element| {
            if let Some((id, lat, lng)) = node_of(&element) {
                nodes.keep(block, id, lat, lng)?;
            }
            extract.take(block, &element)
        })?;
        let mut corners = extract.corners();
        if !corners.ids.is_empty() {
            if let Some(kept) = nodes.kept {
                kept.iter().for_each(|&(id, at)| corners.locate(id, at));
            } else {
                let mut rest = |done: u64| progress(u64::midpoint(done, whole), whole);
                visit(bytes, &mut rest, |block, element| {
                    if let Some((id, lat, lng)) = node_of(&element) {
                        corners.locate(id, position(block, lat, lng)?);
                    }
                    Ok(())
                })?;
            }
        }
        progress(whole, whole);
        let stamp = replicated.or(extract.newest).and_then(|seconds| u64::try_from(seconds).ok());
        Ok(Self::from_places(extract.finish(&corners), Provenance::openstreetmap(stamp.map(Timestamp::from_secs))))
    }
}

/// Hands every element of every block to `look`, tells how many bytes were read, and returns the header's replication
/// stamp.
fn visit(
    bytes: &[u8],
    done: &mut dyn FnMut(u64),
    mut look: impl FnMut(usize, Element<'_>) -> Result<(), OsmError>,
) -> Result<Option<i64>, OsmError> {
    let read = AtomicU64::new(0);
    let mut blobs = BlobReader::new(Metered { left: bytes, read: &read }).enumerate();
    let (_, first) = blobs.next().ok_or(OsmError::NotPbf)?;
    let Ok(Ok(BlobDecode::OsmHeader(header))) = first.as_ref().map(Blob::decode) else { return Err(OsmError::NotPbf) };
    let known = |feature: &String| ["OsmSchema-V0.6", "DenseNodes"].contains(&feature.as_str());
    if !header.required_features().iter().all(known) {
        return Err(OsmError::Feature);
    }
    for (block, blob) in blobs {
        let failed = |cause| OsmError::Block { block, cause };
        let blob = blob.map_err(failed)?;
        if let BlobDecode::OsmData(data) = blob.decode().map_err(failed)? {
            data.elements().try_for_each(|element| look(block, element))?;
        }
        done(read.load(Ordering::Relaxed));
    }
    Ok(header.osmosis_replication_timestamp())
}

/// A reader that counts; atomically only because the decoder wants readers that threads could share.
struct Metered<'a> {
    left: &'a [u8],
    read: &'a AtomicU64,
}

impl Read for Metered<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.left.read(to)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The positions of all nodes of an extract, unless there are too many.
struct Nodes {
    kept: Option<Vec<(i64, LatLng)>>,
}

impl Default for Nodes {
    fn default() -> Self {
        Self { kept: Some(Vec::new()) }
    }
}

impl Nodes {
    fn keep(&mut self, block: usize, id: i64, lat: i64, lng: i64) -> Result<(), OsmError> {
        let Some(kept) = &mut self.kept else { return Ok(()) };
        if kept.len() == MOST_KEPT {
            self.kept = None;
            return Ok(());
        }
        kept.push((id, position(block, lat, lng)?));
        Ok(())
    }
}

/// What the first pass over an extract finds; ways still lack their position.
#[derive(Default)]
struct Extract {
    places: Vec<Place>,
    ways: Vec<(Vec<i64>, Description)>,
    corners: usize,
    values: HashSet<Arc<str>>,
    newest: Option<i64>,
}

/// A place without its position.
struct Description {
    kind: PlaceKind,
    name: String,
    hours: Option<String>,
}

impl Extract {
    fn take(&mut self, block: usize, element: &Element<'_>) -> Result<(), OsmError> {
        match element {
            Element::Node(node) => {
                if let Some(found) = self.describe(node.tags()) {
                    self.newest = self.newest.max(node.info().milli_timestamp().map(|millis| millis / 1_000));
                    self.places.push(found.at(position(block, node.nano_lat(), node.nano_lon())?));
                }
            }
            Element::DenseNode(node) => {
                if let Some(found) = self.describe(node.tags()) {
                    self.newest = self.newest.max(node.info().map(|info| info.milli_timestamp() / 1_000));
                    self.places.push(found.at(position(block, node.nano_lat(), node.nano_lon())?));
                }
            }
            Element::Way(way) => self.take_way(way),
            Element::Relation(_) => {}
        }
        if self.places.len() + self.ways.len() > PlaceIndex::MAX_PLACES {
            return Err(OsmError::TooManyPlaces);
        }
        if self.corners > MAX_CORNERS {
            return Err(OsmError::TooManyCorners);
        }
        Ok(())
    }

    fn take_way(&mut self, way: &Way<'_>) {
        if let Some(found) = self.describe(way.tags()) {
            self.newest = self.newest.max(way.info().milli_timestamp().map(|millis| millis / 1_000));
            let corners = node_ids(way);
            self.corners += corners.len();
            self.ways.push((corners, found));
        }
    }

    fn describe<'a>(&mut self, tags: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Description> {
        let (mut kind, mut name, mut hours) = (None, String::new(), None);
        for (key, value) in tags.filter(|(_, value)| value.len() <= MAX_TEXT) {
            match key {
                "name" => value.clone_into(&mut name),
                "opening_hours" => hours = Some(value.to_owned()),
                _ => {
                    let tag = PlaceTag::FROM_MAP.into_iter().find(|tag| tag.key() == key);
                    kind = tag.map(|tag| (tag, value)).into_iter().chain(kind).min_by_key(|&(tag, _)| tag);
                }
            }
        }
        let (tag, value) = kind?;
        Some(Description { kind: PlaceKind::new(tag, self.share(value)), name, hours })
    }

    /// One allocation for every different value.
    fn share(&mut self, value: &str) -> Arc<str> {
        if let Some(known) = self.values.get(value) {
            return Arc::clone(known);
        }
        let shared = Arc::<str>::from(value);
        self.values.insert(Arc::clone(&shared));
        shared
    }

    fn corners(&self) -> Corners {
        let mut ids: Vec<i64> = self.ways.iter().flat_map(|(corners, _)| corners).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        Corners { at: vec![None; ids.len()], ids, next: 0 }
    }

    fn finish(self, corners: &Corners) -> Vec<Place> {
        let ways = self.ways.into_iter().filter_map(|(ids, found)| {
            // A closed way names its first corner twice; it must not weigh twice.
            let open = if ids.len() > 1 && ids.first() == ids.last() { ids.get(1..)? } else { &ids[..] };
            Some(found.at(centroid(open.iter().filter_map(|id| corners.position(*id)))?))
        });
        self.places.into_iter().chain(ways).collect()
    }
}

/// Where the corners of ways lie. Nodes come in ascending order nearly everywhere, so the next one is looked for from
/// where the last one was.
struct Corners {
    ids: Vec<i64>,
    at: Vec<Option<LatLng>>,
    next: usize,
}

impl Corners {
    fn locate(&mut self, id: i64, at: LatLng) {
        if self.next.checked_sub(1).and_then(|before| self.ids.get(before)).is_some_and(|before| *before >= id) {
            self.next = self.ids.partition_point(|corner| *corner < id);
        }
        while self.ids.get(self.next).is_some_and(|corner| *corner < id) {
            self.next += 1;
        }
        if self.ids.get(self.next) == Some(&id)
            && let Some(corner) = self.at.get_mut(self.next)
        {
            *corner = Some(at);
        }
    }

    fn position(&self, id: i64) -> Option<LatLng> {
        self.ids.binary_search(&id).ok().and_then(|number| self.at.get(number).copied().flatten())
    }
}

impl Description {
    fn at(self, position: LatLng) -> Place {
        Place { position, kind: self.kind, name: self.name, hours: self.hours }
    }
}

/// The corners' node numbers, each stored as the difference from the one before.
fn node_ids(way: &Way<'_>) -> Vec<i64> {
    let mut id = 0_i64;
    let absolute = |step: &i64| {
        id = id.wrapping_add(*step);
        id
    };
    way.raw_refs().iter().map(absolute).collect()
}

/// Number, latitude and longitude (in nanodegrees) of what is a node.
fn node_of(element: &Element<'_>) -> Option<(i64, i64, i64)> {
    match element {
        Element::Node(node) => Some((node.id(), node.nano_lat(), node.nano_lon())),
        Element::DenseNode(node) => Some((node.id(), node.nano_lat(), node.nano_lon())),
        Element::Way(_) | Element::Relation(_) => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "nanodegrees of the globe stay below 2^38")]
fn position(block: usize, nano_lat: i64, nano_lng: i64) -> Result<LatLng, OsmError> {
    LatLng::new(nano_lat as f64 / 1e9, nano_lng as f64 / 1e9).map_err(|_| OsmError::OutsideGlobe { block })
}
