use std::collections::BTreeMap;

use mosaic_crypto::oprf::KeyShare;
use mosaic_federation::{HeadChain, OpenTable, Proposal, TableCeremony, sizing::TableShape};
use mosaic_types::{Lane, Period, ProviderId, SegmentId, TableId, Timestamp};
use mosaic_wire::{Problem, ProblemCode, SignedTable};

use super::{ProviderCore, past::Past};
use crate::{layout, store::Store};

/// Everything this provider knows of one period's two tables.
pub(super) struct PeriodState {
    pub(super) ceremony: TableCeremony,
    pub(super) progress: Progress,
    pub(super) past: Past,
    served: Option<Served>,
}

/// How far our own part in the ceremony is; forgotten by a restart, which only asks again.
#[derive(Default)]
pub(super) struct Progress {
    /// The attempt in which we began.
    pub(super) begun: Option<u32>,
    /// The attempt in which we last asked our peers.
    pub(super) asked: Option<u32>,
    /// The attempt in which we last proposed, and what.
    pub(super) proposed: Option<(u32, Proposal)>,
}

/// A finished table with everything that hangs on it.
struct Served {
    table: SignedTable,
    hash: [u8; 32],
    share: Option<KeyShare>,
    open: [OpenTable; 2],
    chains: BTreeMap<SegmentId, HeadChain>,
}

impl PeriodState {
    pub(super) fn new(ceremony: TableCeremony) -> Self {
        Self { ceremony, progress: Progress::default(), past: Past::Settled, served: None }
    }

    /// Begins to serve the finished table.
    pub(super) fn serve(
        &mut self,
        (me, origins): (ProviderId, impl Iterator<Item = ProviderId>),
        table: SignedTable,
        share: Option<KeyShare>,
    ) {
        let descriptor = table.dangerously_unverified();
        let ids = layout::tables(descriptor.period);
        let open = ids.map(|id| {
            let lane = descriptor.lane(id.lane());
            OpenTable::new(id, me, TableShape { rows: lane.rows, capacity: lane.capacity })
        });
        let origins: Vec<ProviderId> = origins.collect();
        let segments = ids.iter().flat_map(|id| layout::segments(*id, origins.iter().copied()));
        let chains = segments.map(|id| (id, HeadChain::new(id))).collect();
        self.served = Some(Served { hash: descriptor.hash(), table, share, open, chains });
    }

    pub(super) fn table(&self) -> Option<&SignedTable> {
        self.served.as_ref().map(|served| &served.table)
    }

    /// Hash of the descriptor that events must name.
    pub(super) fn hash(&self) -> Option<[u8; 32]> {
        self.served.as_ref().map(|served| served.hash)
    }

    pub(super) fn share(&self) -> Option<&KeyShare> {
        self.served.as_ref()?.share.as_ref()
    }

    pub(super) fn open_tables(&self) -> impl Iterator<Item = (TableId, &OpenTable)> {
        let period = self.ceremony.period();
        self.served.iter().flat_map(move |served| layout::tables(period).into_iter().zip(&served.open))
    }

    pub(super) fn open_table(&self, lane: Lane) -> Option<&OpenTable> {
        self.served.as_ref().map(|served| &served.open[lane as usize])
    }

    pub(super) fn open_table_mut(&mut self, lane: Lane) -> Option<&mut OpenTable> {
        self.served.as_mut().map(|served| &mut served.open[lane as usize])
    }

    pub(super) fn chain(&self, segment: SegmentId) -> Option<&HeadChain> {
        self.served.as_ref()?.chains.get(&segment)
    }

    pub(super) fn chain_mut(&mut self, segment: SegmentId) -> Option<&mut HeadChain> {
        self.served.as_mut()?.chains.get_mut(&segment)
    }

    pub(super) fn chains(&self) -> impl Iterator<Item = (SegmentId, &HeadChain)> {
        self.served.iter().flat_map(|served| served.chains.iter().map(|(id, chain)| (*id, chain)))
    }
}

impl<S: Store> ProviderCore<S> {
    pub(super) fn table(&self, now: Timestamp, period: Period) -> Result<SignedTable, Problem> {
        // a table that is still being made is not ready; one that nobody makes is unknown
        self.live(now, period)?.table().cloned().ok_or_else(|| ProblemCode::NotReady.into())
    }

    pub(super) fn chain(&self, segment: SegmentId) -> Option<&HeadChain> {
        self.periods.get(&segment.table.period())?.chain(segment)
    }

    pub(super) fn chain_mut(&mut self, segment: SegmentId) -> Option<&mut HeadChain> {
        self.periods.get_mut(&segment.table.period())?.chain_mut(segment)
    }
}
