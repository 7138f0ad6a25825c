//! Keys of the store: big-endian parts, so that what belongs together lies together.

use mosaic_types::{Lane, Period, ProviderId, SegmentId, Stream, TableId};
use mosaic_wire::Record;

pub(crate) fn period(period: Period) -> Vec<u8> {
    period.0.to_be_bytes().to_vec()
}

pub(crate) fn tables(period: Period) -> [TableId; 2] {
    [Lane::Discovery, Lane::Rendezvous].map(|lane| TableId::new(period, lane))
}

pub(crate) fn table(table: TableId) -> Vec<u8> {
    table.0.to_be_bytes().to_vec()
}

pub(crate) fn verdict(id: TableId, event: &[u8; 32]) -> Vec<u8> {
    [&table(id)[..], event].concat()
}

/// Prefix of one open generation of our own.
pub(crate) fn open(id: TableId, stream: Stream, generation: u32) -> Vec<u8> {
    [&table(id)[..], &[stream.number()], &generation.to_be_bytes()].concat()
}

pub(crate) fn segment(id: SegmentId) -> Vec<u8> {
    [&table(id.table)[..], &[id.origin.get(), id.stream.number()]].concat()
}

pub(crate) fn generation(id: SegmentId, index: u32) -> Vec<u8> {
    [&segment(id)[..], &index.to_be_bytes()].concat()
}

pub(crate) fn within(mut prefix: Vec<u8>, event: &[u8; 32]) -> Vec<u8> {
    prefix.extend_from_slice(event);
    prefix
}

pub(crate) fn spent(day: u64, id: &[u8; 32]) -> Vec<u8> {
    [&day.to_be_bytes()[..], id].concat()
}

/// Reports about a day, as [`Counts`] divides them.
pub(crate) fn counts(day: u32, kind: Counts) -> Vec<u8> {
    [&day.to_be_bytes()[..], &[kind as u8]].concat()
}

/// One report about a day.
pub(crate) fn report(day: u32, id: &[u8; 16]) -> Vec<u8> {
    [&counts(day, Counts::Report)[..], id].concat()
}

/// What is stored of a day on its way to a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counts {
    /// What became of a report ‖ its share, as long as it may be asked for again.
    Report,
    /// The sum so far, without noise: uniform by itself.
    Sum,
    /// This aggregator's noised sum, and behind it the leader's, where the helper has seen it. From here on nothing is drawn.
    Noised,
    /// The statement.
    Statement,
    /// It is over: too few reports, or no agreement. Nothing of the day is counted any more.
    Over,
}

/// Records as they are stored and replicated: each behind its row in three bytes.
pub(crate) fn pack(records: &[Record]) -> Vec<u8> {
    records.iter().flat_map(Record::leaf).collect()
}

/// Reads [`pack`]; `None` for a length that is no number of records.
pub(crate) fn unpack(bytes: &[u8]) -> Option<Vec<Record>> {
    let (chunks, []) = bytes.as_chunks::<{ Record::SIZE }>() else { return None };
    let read = |chunk: &[u8; Record::SIZE]| {
        let (row, bytes) = chunk.split_at(3);
        let row = u32::from_be_bytes([0, row[0], row[1], row[2]]);
        Some(Record { row, bytes: bytes.try_into().ok()? })
    };
    chunks.iter().map(read).collect()
}

/// The event hash at the end of a key.
pub(crate) fn event_of(key: &[u8]) -> Option<[u8; 32]> {
    key.last_chunk().copied()
}

/// Every segment of `table`.
pub(crate) fn segments(table: TableId, origins: impl Iterator<Item = ProviderId>) -> Vec<SegmentId> {
    let of = |origin| Stream::ALL.map(|stream| SegmentId { table, origin, stream });
    origins.flat_map(of).collect()
}
