use std::collections::BTreeMap;

use mosaic_wire::ProblemCode;

/// What a provider counts. Never a row, an address, a token or a table: only how much of what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Events acknowledged.
    pub deposits_acknowledged: u64,
    /// Records taken.
    pub records_accepted: u64,
    /// Records that met a full row.
    pub records_full: u64,
    /// Evaluation batches answered.
    pub evaluations: u64,
    /// Points evaluated for tokens.
    pub tokens_issued: u64,
    /// Tokens spent here, or kept as spent for an origin whose replica this is.
    pub tokens_spent: u64,
    /// Requests for heads answered.
    pub head_reads: u64,
    /// Blocks handed out.
    pub blocks_read: u64,
    /// Blind reads answered.
    pub blind_reads: u64,
    /// Generations sealed here.
    pub generations_sealed: u64,
    /// Generations of other origins stored here.
    pub generations_replicated: u64,
    /// Tables retired.
    pub tables_retired: u64,
    /// Evidence found.
    pub evidence: u64,
    /// Refusals by kind.
    pub refused: BTreeMap<ProblemCode, u64>,
}

impl Counters {
    pub(crate) fn refuse(&mut self, code: ProblemCode) {
        *self.refused.entry(code).or_default() += 1;
    }
}

/// What stands at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Peers whose last answer came.
    pub peers_up: usize,
    /// Tables served.
    pub tables: usize,
    /// Deposits waiting for a flush or a replica.
    pub waiting: usize,
    /// Bytes of the store.
    pub disk_bytes: u64,
    /// Whether the present period's table is served.
    pub ready: bool,
    /// Statements of two aggregators that are handed out.
    pub statements: usize,
    /// Reports of the newest of them, rounded down to whole hundreds as it says itself.
    pub statement_reports: u64,
    /// Attempts that a unit of tokens over a day costs.
    pub token_work: u64,
    /// The provider's clock, in Unix seconds.
    pub clock_seconds: u64,
}
