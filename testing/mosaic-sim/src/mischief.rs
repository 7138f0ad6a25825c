//! Providers that no longer follow the protocol towards agents. They collude, and what they sign they sign
//! with their real keys, so an agent can check nothing against them but what it knows by itself.

use mosaic_types::{ProviderId, SegmentId, Timestamp};
use mosaic_wire::{
    Call, CallFailure, CellReply, CellRequest, EVENT, EventFields, Groups, LaneShape, Problem, ProblemCode, Receipt,
    Reply, SLOTS, SignedTable, event_hash,
};
use rand::{CryptoRng, RngExt};

use crate::host::Host;

/// What the providers of a world do to agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mischief {
    /// Tables with these row counts and class groups, under two valid signatures.
    Tables {
        /// Rows of the discovery lane.
        discovery: u32,
        /// Rows of the rendezvous lane.
        rendezvous: u32,
        /// Class groups a cell.
        groups: Groups,
    },
    /// Every receipt says that every row was full.
    AllFull,
    /// Every receipt says so of some rows.
    SomeFull,
    /// Deposits are refused, with every problem there is in turn.
    Refusals,
    /// Deposits end in every failure and in answers to other questions.
    Nonsense,
    /// Each answer is one of the above, by chance.
    Whims,
}

/// What somebody answers instead of what they should; `None` to leave it to the honest code.
pub(crate) type Answer = Option<Result<Reply, CallFailure>>;

/// The colluding providers' common mind.
pub(crate) struct Villain {
    pub(crate) mischief: Mischief,
    turn: usize,
}

/// Shapes between what no event fits into and what looks ordinary.
const ODD_TABLES: [Mischief; 5] = [
    Mischief::Tables { discovery: 1, rendezvous: 1, groups: Groups { r6: 1, r7: 1, r8: 1 } },
    Mischief::Tables { discovery: 11, rendezvous: 80, groups: Groups { r6: 7, r7: 13, r8: 16 } },
    Mischief::Tables { discovery: 64, rendezvous: 96, groups: Groups { r6: 1, r7: 16, r8: 3 } },
    Mischief::Tables { discovery: 257, rendezvous: 129, groups: Groups { r6: 5, r7: 5, r8: 5 } },
    Mischief::Tables { discovery: 1 << 22, rendezvous: 1 << 22, groups: Groups { r6: 16, r7: 16, r8: 16 } },
];

impl Villain {
    pub(crate) const fn new(mischief: Mischief) -> Self {
        Self { mischief, turn: 0 }
    }

    /// What the villain does this time.
    fn whim(&mut self, rng: &mut impl CryptoRng) -> Mischief {
        self.turn += 1;
        match self.mischief {
            Mischief::Whims => match rng.random_range(0..5) {
                0 => Mischief::AllFull,
                1 => Mischief::SomeFull,
                2 => Mischief::Refusals,
                3 => Mischief::Nonsense,
                _ => ODD_TABLES[rng.random_range(0..ODD_TABLES.len())],
            },
            other => other,
        }
    }

    /// The answer to a call that `host` got.
    pub(crate) fn answer(&mut self, now: Timestamp, host: &Host, call: &Call, rng: &mut impl CryptoRng) -> Answer {
        let Call::Cell(CellRequest::Deposit { event, .. }) = call else { return None };
        let all = (1 << SLOTS) - 1;
        match self.whim(rng) {
            Mischief::AllFull => receipt(now, host, event, all),
            Mischief::SomeFull => receipt(now, host, event, rng.random_range(0..=all)),
            // who serves tables of their own takes what is built for them
            Mischief::Tables { .. } => receipt(now, host, event, 0),
            Mischief::Refusals => {
                let code = ProblemCode::ALL[self.turn % ProblemCode::ALL.len()];
                Some(Ok(Reply::Cell(CellReply::Problem(Problem::after(code, 1)))))
            }
            Mischief::Nonsense | Mischief::Whims => Some(match self.turn % 5 {
                0 => Err(CallFailure::Unreachable),
                1 => Err(CallFailure::TimedOut),
                2 => Err(CallFailure::Garbled),
                3 => Err(CallFailure::Refused(ProblemCode::Overloaded.into())),
                _ => Ok(Reply::Federation(Vec::new())),
            }),
        }
    }

    /// The table to serve instead of an honest one, under the signatures of two of the `hosts`.
    pub(crate) fn table<'a>(
        &mut self,
        honest: &SignedTable,
        hosts: impl Iterator<Item = (ProviderId, &'a Host)>,
        rng: &mut impl CryptoRng,
    ) -> Option<SignedTable> {
        let Mischief::Tables { discovery, rendezvous, groups } = self.whim(rng) else { return None };
        let mut table = honest.dangerously_unverified().clone();
        table.discovery = LaneShape { rows: discovery, capacity: 1 };
        table.rendezvous = LaneShape { rows: rendezvous, capacity: 1 };
        table.groups = groups;
        let signatures: Vec<_> = hosts.filter_map(|(id, host)| Some((id, table.sign(&host.signing()?)))).collect();
        SignedTable::new(table, *signatures.first_chunk()?).ok()
    }
}

/// A receipt that verifies, whatever became of the event.
fn receipt(now: Timestamp, host: &Host, event: &[u8; EVENT], full: u16) -> Answer {
    let (fields, origin) = (EventFields::decode(event).ok()?, host.core.me());
    let unsigned = Receipt {
        segment: SegmentId { table: fields.table, origin, stream: fields.stream },
        generation: 0,
        replica: origin,
        accepted: ((1 << SLOTS) - 1) & !full,
        full,
        receipt_key: fields.receipt_key,
        event: event_hash(event),
        time: now,
        signature: [0; 64],
    };
    Some(Ok(Reply::Cell(CellReply::Receipt(unsigned.sign(&host.signing()?)))))
}
