//! Reading: equal heads from two providers, private reads, the rows that matter.

use std::collections::BTreeSet;

use mosaic_discovery::Card;
use mosaic_types::{Lane, Period, ProviderId, RowTag, Timestamp, TopicId};
use mosaic_wire::{Call, GenerationBlock, GenerationId, Head, OprfInput, RECORD, Reply, rows};
use rand::CryptoRng;

use super::{AgentCore, AgentEvent, events::pick};
use crate::{alerts::Evidence, post::Errand, reader::Delivery, wallet::REST};

impl AgentCore {
    pub(crate) fn keep_reading(&mut self, now: Timestamp, rng: &mut impl CryptoRng) {
        if self.reader.poll_is_due(now) {
            self.start_round(now, rng);
        }
        self.download(now, rng);
    }

    fn start_round(&mut self, now: Timestamp, rng: &mut impl CryptoRng) {
        let attention = self.attention(now);
        self.reader.plan_poll(now, attention);
        let Some(pair) = self.paths.pair(now, rng) else {
            return self.reader.poll_again_at(now.after(REST));
        };
        let periods = self.reader.periods(now);
        for chunk in 0..self.reader.start_round(now, &periods, &self.providers) {
            for provider in pair {
                self.ask_heads(chunk, provider);
            }
        }
    }

    fn ask_heads(&mut self, chunk: usize, provider: ProviderId) {
        if let Some(query) = self.reader.round_query(chunk, provider) {
            self.post.send_direct(provider, Call::Heads(query), Errand::Heads(chunk));
        }
    }

    /// A provider did not answer: ask another, or give the round up and try again soon.
    pub(crate) fn heads_failed(
        &mut self,
        now: Timestamp,
        chunk: usize,
        provider: ProviderId,
        rng: &mut impl CryptoRng,
    ) {
        let members = self.reader.round_members(chunk);
        self.reader.round_failed(chunk, provider);
        let others: Vec<_> = self.paths.live(now).into_iter().filter(|id| !members.contains(id)).collect();
        match pick(&others, rng) {
            Some(other) => self.ask_heads(chunk, other),
            None => {
                self.reader.abandon_round();
                self.reader.poll_again_at(now.after(REST));
            }
        }
    }

    fn download(&mut self, now: Timestamp, rng: &mut impl CryptoRng) {
        for Delivery { id, head, .. } in self.reader.private.take_empty() {
            self.check_receipts(id, &head, None);
        }
        loop {
            let Some(provider) = pick(&self.paths.live(now), rng) else { return };
            let tables = &self.tables;
            let question = self.reader.private.ask(now, &|period| tables.get(period).is_some());
            let Some(question) = question else { return };
            self.post.send_direct(provider, question.call, Errand::Read(question.asked));
        }
    }

    /// Takes the answer to a private read; `false` when it is none. Reads are asked of the provider itself, over a
    /// connection that is pinned to it, so what its head does not cover is its own lie.
    #[must_use]
    pub(crate) fn take_read(
        &mut self,
        now: Timestamp,
        from: ProviderId,
        asked: &[GenerationId],
        answer: Reply,
        rng: &mut impl CryptoRng,
    ) -> bool {
        let Some(answer) = self.reader.private.take(now, asked, answer, &self.pool) else { return false };
        if answer.wrong {
            self.accuse(Evidence::wrong_block(from));
        }
        let found = self.book.len();
        for Delivery { id, head, block } in answer.read {
            self.check_receipts(id, &head, block.as_deref());
            let Some(block) = block else { continue };
            match id.segment.table.lane() {
                Lane::Discovery => self.scan_discovery(now, &block),
                Lane::Rendezvous => self.scan_rendezvous(now, &block, rng),
            }
        }
        self.note_found(found);
        true
    }

    fn note_found(&mut self, before: usize) {
        let new = self.book.len().saturating_sub(before);
        if new > 0 {
            self.note(AgentEvent::CardsFound(new));
        }
    }

    fn check_receipts(&mut self, id: GenerationId, head: &Head, block: Option<&GenerationBlock>) {
        for owed in self.deposits.check(id, block) {
            self.accuse(Evidence::dropped_record(&owed, head, block));
        }
    }

    fn scan_discovery(&mut self, now: Timestamp, block: &GenerationBlock) {
        let period = block.segment().table.period();
        let keys = self.topic_keys(period);
        let Some(watched) = self.reader.watched.get(&period) else { return };
        let mut cards = Vec::new();
        for record in block.records() {
            let inputs = watched.get(&record.row).map(Vec::as_slice).unwrap_or_default();
            cards.extend(inputs.iter().find_map(|input| self.open(now, input, &keys, &record.bytes)));
        }
        self.shelve(now, cards);
    }

    fn open(
        &self,
        now: Timestamp,
        input: &OprfInput,
        keys: &[(TopicId, [u8; 32])],
        bytes: &[u8; RECORD],
    ) -> Option<Card> {
        Card::open(now, input, self.oprf.outputs.get(input)?, keys, bytes)
    }

    fn shelve(&mut self, now: Timestamp, cards: Vec<Card>) {
        for card in cards {
            // the book decides: new, finer, known, own, stale or full
            let _insertion = self.book.insert(now, card);
        }
    }

    /// Keys of the topics this device can name in a period.
    fn topic_keys(&self, period: Period) -> Vec<(TopicId, [u8; 32])> {
        let planned = self.interests.planned().iter().filter(|input| input.period() == period);
        let topics = planned.filter_map(|input| match input {
            OprfInput::Topic { topic, .. } => Some((*topic, rows::topic_key(self.oprf.outputs.get(input)?))),
            OprfInput::Row { .. } => None,
        });
        topics.collect()
    }

    fn scan_rendezvous(&mut self, now: Timestamp, block: &GenerationBlock, rng: &mut impl CryptoRng) {
        let Some(table) = self.tables.get(block.segment().table.period()) else { return };
        let wanted = self.associations.wanted(now, table.lane(Lane::Rendezvous).rows);
        let ours: Vec<_> = block.records().iter().filter(|record| wanted.contains(record.row)).copied().collect();
        for record in ours {
            let events = self.associations.receive(now, record.row, &record.bytes, rng);
            self.stirred |= !events.is_empty();
            self.note_associations(events);
        }
    }

    /// Reads the rendezvous blocks of the last hour once more: a token was joined, or the device woke.
    pub(crate) fn rescan_rendezvous(&mut self, now: Timestamp, rng: &mut impl CryptoRng) {
        self.reader.private.kept(Lane::Rendezvous).iter().for_each(|block| self.scan_rendezvous(now, block, rng));
    }

    /// Starts watching rows whose outputs are here.
    pub(crate) fn watch(&mut self, inputs: &[OprfInput]) -> BTreeSet<(Period, u32)> {
        let mut added = BTreeSet::new();
        for input in inputs.iter().filter(|input| self.interests.planned().contains(*input)) {
            let OprfInput::Row { period, .. } = input else { continue };
            let (Some(table), Some(output)) = (self.tables.get(*period), self.oprf.outputs.get(input)) else {
                continue;
            };
            let table_rows = table.lane(Lane::Discovery).rows;
            let watched = self.reader.watched.entry(*period).or_default();
            for chain in 0..RowTag::CHAIN {
                let row = rows::discovery_row(output, chain, table_rows);
                let inputs = watched.entry(row).or_default();
                if !inputs.contains(input) {
                    inputs.push(*input);
                    added.insert((*period, row));
                }
            }
        }
        added
    }

    /// New outputs are here: watch their rows, and look them up in what was downloaded before.
    pub(crate) fn outputs_arrived(&mut self, now: Timestamp, inputs: &[OprfInput]) {
        let mut rows = self.watch(inputs);
        for input in inputs {
            if let OprfInput::Topic { period, .. } = input {
                let all = self.reader.watched.get(period).into_iter().flat_map(|watched| watched.keys());
                rows.extend(all.map(|row| (*period, *row)));
            }
        }
        let before = self.book.len();
        let periods: BTreeSet<_> = rows.iter().map(|(period, _)| *period).collect();
        for period in periods {
            let rows: Vec<_> = rows.iter().filter(|(of, _)| *of == period).map(|(_, row)| *row).collect();
            self.rescan(now, period, &rows);
        }
        self.note_found(before);
    }

    fn rescan(&mut self, now: Timestamp, period: Period, rows: &[u32]) {
        let keys = self.topic_keys(period);
        let Some(watched) = self.reader.watched.get(&period) else { return };
        let mut blocks = self.reader.private.kept(Lane::Discovery);
        blocks.retain(|block| block.segment().table.period() == period);
        let mut cards = Vec::new();
        for block in blocks {
            for row in rows {
                let inputs = watched.get(row).map(Vec::as_slice).unwrap_or_default();
                let open = |bytes| inputs.iter().find_map(|input| self.open(now, input, &keys, bytes));
                cards.extend(block.row(*row).iter().filter_map(|record| open(&record.bytes)));
            }
        }
        self.shelve(now, cards);
    }
}
