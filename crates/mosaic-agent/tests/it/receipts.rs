use std::{sync::Arc, time::Duration};

use mosaic_agent::{AgentConfig, AgentCore, AgentState, BlindReads, CallId, Outgoing, TruthLog};
use mosaic_crypto::signing::SigningKey;
use mosaic_federation::{Federation, Independence, Issuer, Issuers};
use mosaic_types::{Period, ProviderId, SegmentId, TileId, Timestamp};
use mosaic_wire::{
    Call, CellReply, CellRequest, EVENT, EventFields, Groups, LaneShape, PublicShare, Receipt, Reply, SignedTable,
    SignedTerms, TableDescriptor, TokensQuery, TokensReply, event_hash,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

use crate::support::{NOW, config, dir, operators};

/// One agent core and three providers that give tables and tokens, and receipts when a test says so.
struct Play {
    core: AgentCore,
    rng: ChaCha20Rng,
    now: Timestamp,
    keys: Vec<(ProviderId, SigningKey)>,
    federation: Arc<Federation>,
}

/// An event on its way to a provider.
struct Sent {
    call: CallId,
    to: ProviderId,
    event: Box<[u8; EVENT]>,
}

impl Play {
    fn new() -> Self {
        let (federation, keys) = operators(Independence::Practice, None);
        let places = config(dir().path()).places;
        let config = AgentConfig {
            federation: Arc::clone(&federation),
            places,
            truth: TruthLog::Forget,
            pool: Default::default(),
            blind_reads: BlindReads::BySize,
        };
        let mut rng = ChaCha20Rng::seed_from_u64(17);
        let core = AgentCore::new(config, AgentState::fresh(&mut rng), NOW);
        Self { core, rng, now: NOW, keys, federation }
    }

    fn key(&self, of: ProviderId) -> &SigningKey {
        &self.keys.iter().find(|(id, _)| *id == of).unwrap().1
    }

    fn other(&self, than: ProviderId) -> ProviderId {
        self.keys.iter().map(|(id, _)| *id).find(|id| *id != than).unwrap()
    }

    /// Goes on until an event is on its way that `wanted` names. Evaluations are never answered: nothing but
    /// the rendezvous lane, which needs none, sends anything.
    fn next_sent(&mut self, wanted: impl Fn(&[u8; EVENT]) -> bool) -> Sent {
        for _ in 0..6 * 60 {
            while let Some(Outgoing { id, to, call, .. }) = self.core.poll(self.now, &mut self.rng) {
                let reply = match call {
                    Call::Table(period) => Reply::Table(self.table(period)),
                    Call::Terms => Reply::Terms(self.terms(to.provider)),
                    Call::Tokens(query) => Reply::Tokens(self.issue(to.provider, &query)),
                    Call::Cell(CellRequest::Deposit { event, .. }) if wanted(&event) => {
                        return Sent { call: id, to: to.provider, event: Box::new(event) };
                    }
                    _ => continue,
                };
                self.core.on_reply(self.now, &mut self.rng, id, Ok(reply));
            }
            self.now = self.now.after(Duration::from_mins(1));
        }
        panic!("no such event left within six hours");
    }

    fn table(&self, period: Period) -> SignedTable {
        let share = |(id, _): &(ProviderId, SigningKey)| PublicShare { provider: *id, element: [id.get(); 32] };
        let table = TableDescriptor {
            tile: TileId(1),
            period,
            valid_from: period.start(),
            threshold: 2,
            public_key: [0; 32],
            shares: self.keys.iter().map(share).collect(),
            transcript: [0; 32],
            discovery: LaneShape { rows: 1 << 14, capacity: 64 },
            rendezvous: LaneShape { rows: 1 << 17, capacity: 10 },
            generation_s: [5, 60, 600],
            groups: Groups::DEFAULT,
        };
        let signatures = [0, 1].map(|at| (self.keys[at].0, table.sign(&self.keys[at].1)));
        SignedTable::new(table, signatures).unwrap()
    }

    fn terms(&self, provider: ProviderId) -> SignedTerms {
        let seed = [0; 32];
        let terms =
            SignedTerms { provider, memory_kib: 8, passes: 1, stamp_bits: 0, work: 1, seed, signature: [0; 64] };
        terms.sign(self.key(provider))
    }

    /// Nobody solves the puzzle here, and nobody checks it: see the provider's own tests.
    fn issue(&mut self, provider: ProviderId, query: &TokensQuery) -> TokensReply {
        let issuers = Issuers::of(self.federation.descriptor());
        let issuer = Issuer::new(&[provider.get(); 32], provider, issuers).unwrap();
        issuer.issue(query, &mut self.rng).unwrap()
    }

    fn answers(&mut self, call: CallId, receipt: Receipt) {
        self.core.on_reply(self.now, &mut self.rng, call, Ok(Reply::Cell(CellReply::Receipt(receipt))));
    }

    /// Deposits acknowledged and deposits waiting.
    fn standing(&self) -> (u64, u32) {
        let status = self.core.status(self.now);
        (status.deposits_acked, status.deposits_waiting)
    }
}

/// What an honest provider says of an event, not signed yet.
fn receipt(event: &[u8; EVENT], origin: ProviderId, replica: ProviderId) -> Receipt {
    let fields = EventFields::decode(event).unwrap();
    Receipt {
        segment: SegmentId { table: fields.table, origin, stream: fields.stream },
        generation: 7,
        replica,
        accepted: 0x3ff,
        full: 0,
        receipt_key: fields.receipt_key,
        event: event_hash(event),
        time: NOW,
        signature: [0; 64],
    }
}

/// A receipt that was replayed, or is somebody else's, or was altered acknowledges nothing: the event stays
/// and is sent again until a provider signs for this very event.
#[test]
fn a_receipt_answers_only_the_event_it_was_signed_for() {
    let mut play = Play::new();
    let first = play.next_sent(|_| true);
    let honest = receipt(&first.event, first.to, play.other(first.to)).sign(play.key(first.to));
    play.answers(first.call, honest);
    assert_eq!(play.standing().0, 1);

    let mut second = play.next_sent(|event| *event != *first.event);
    let (sent_first, sent_second) = (first.event.clone(), second.event.clone());
    let waiting = play.standing().1;
    type Forgery<'a> = &'a dyn Fn(&Play, Receipt, ProviderId) -> Receipt;
    let forgeries: [(&str, Forgery); 7] = [
        ("replayed", &|play, good, to| receipt(&sent_first, to, good.replica).sign(play.key(to))),
        ("of another event", &|play, good, to| Receipt { event: event_hash(&sent_first), ..good }.sign(play.key(to))),
        ("under another key hash", &|play, good, to| Receipt { receipt_key: [9; 32], ..good }.sign(play.key(to))),
        ("for another's segment", &|play, good, to| {
            receipt(&sent_second, play.other(to), good.replica).sign(play.key(to))
        }),
        ("signed by another", &|play, good, to| good.sign(play.key(play.other(to)))),
        ("altered", &|play, good, to| Receipt { accepted: 0x1ff, ..good.sign(play.key(to)) }),
        ("not signed", &|_, good, _| good),
    ];
    for (what, forge) in forgeries {
        let good = receipt(&sent_second, second.to, play.other(second.to));
        let forged = forge(&play, good, second.to);
        play.answers(second.call, forged);
        assert_eq!(play.standing().0, 1, "{what}");
        assert!(play.standing().1 >= waiting, "{what}: the event is kept");
        second = play.next_sent(|event| *event == *sent_second);
    }
    let honest = receipt(&sent_second, second.to, play.other(second.to)).sign(play.key(second.to));
    play.answers(second.call, honest);
    assert_eq!(play.standing().0, 2);
    play.answers(second.call, honest);
    assert_eq!(play.standing().0, 2, "an answer counts once");
}
