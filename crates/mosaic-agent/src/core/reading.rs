//! Reading: equal heads from two providers, private reads, the rows that matter.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};

use mosaic_crypto::oprf::OprfOutput;
use mosaic_discovery::{AssociationEvent, AssociationId, Card, Insertion, Kind};
use mosaic_types::{Lane, Period, ProviderId, RowTag, TableId, Timestamp, TopicId};
use mosaic_wire::{Call, GenerationBlock, GenerationId, Head, OprfInput, RECORD, Record, Reply, records_of_row, rows};
use rand::CryptoRng;

use super::{AgentCore, AgentEvent, events::pick};
use crate::{
    alerts::Evidence,
    deposits::Deposits,
    interests::Interests,
    post::Errand,
    reader::{Around, Asked, Delivery, Wanted},
    tables::Tables,
    wallet::REST,
};

/// What the reader may ask while it makes its questions.
struct ReadingDesk<'a> {
    tables: &'a Tables,
    interests: &'a Interests,
    outputs: &'a HashMap<OprfInput, OprfOutput>,
    deposits: &'a Deposits,
    live: Vec<ProviderId>,
}

impl Around for ReadingDesk<'_> {
    fn rows(&self, table: TableId) -> Option<u32> {
        Some(self.tables.get(table.period())?.lane(table.lane()).rows)
    }

    /// Where a card lies if its row was not full, finest cells first; then our own records, whose receipts are checked; then where
    /// cards lie whose rows were full.
    fn wanted(&self, table: TableId, generations: &[GenerationId]) -> Wanted {
        let rows = self.rows(table).unwrap_or(0);
        let inputs = self.interests.planned().iter().filter(|input| input.period() == table.period());
        let mut inputs: Vec<_> = inputs
            .filter_map(|input| match input {
                OprfInput::Row { resolution, window, .. } => {
                    Some((Reverse((*window, *resolution)), self.outputs.get(input)?))
                }
                OprfInput::Topic { .. } => None,
            })
            .collect();
        inputs.sort_by_key(|(order, _)| *order);
        let chained = |chain: u8| inputs.iter().map(move |(_, output)| rows::discovery_row(output, chain, rows));
        let ours = generations.iter().flat_map(|id| self.deposits.rows_owed(*id));
        let rows = chained(0).chain(ours).chain((1..RowTag::CHAIN).flat_map(chained)).collect();
        Wanted { rows, essential: inputs.len() }
    }

    fn live(&self) -> &[ProviderId] {
        &self.live
    }
}

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
        for empty in self.reader.private.take_empty() {
            self.take_delivery(now, empty, rng);
        }
        let desk = ReadingDesk {
            tables: &self.tables,
            interests: &self.interests,
            outputs: &self.oprf.outputs,
            deposits: &self.deposits,
            live: self.paths.live(now),
        };
        for question in self.reader.private.ask(now, &desk, rng) {
            self.post.send_direct(question.to, question.call, Errand::Read(question.asked));
        }
    }

    /// Takes the answer to a private read; `false` when it is none. Reads are asked of the provider itself, over a
    /// connection that is pinned to it, so what its head does not cover is its own lie.
    #[must_use]
    pub(crate) fn take_read(
        &mut self,
        now: Timestamp,
        from: ProviderId,
        asked: &Asked,
        answer: Reply,
        rng: &mut impl CryptoRng,
    ) -> bool {
        let Some(answer) = self.reader.private.take(now, from, asked, answer, &self.pool) else { return false };
        for liar in answer.liars {
            self.accuse(Evidence::wrong_block(liar));
        }
        let found = self.book.len();
        for delivery in answer.read {
            self.take_delivery(now, delivery, rng);
        }
        self.note_found(found);
        true
    }

    fn take_delivery(&mut self, now: Timestamp, delivery: Delivery, rng: &mut impl CryptoRng) {
        match delivery {
            Delivery::Generation { id, head, block } => {
                self.check_receipts(id, &head, block.as_deref());
                let records = block.as_ref().map(|block| block.records()).unwrap_or_default();
                self.scan(now, id.segment.table, records, rng);
            }
            Delivery::Rows { table, records } => self.scan(now, table, &records, rng),
            Delivery::Stack(read) => {
                for (owed, head) in self.deposits.check_stack(&read) {
                    self.accuse(Evidence::dropped_record_unshown(&owed, &head));
                }
            }
        }
    }

    fn scan(&mut self, now: Timestamp, table: TableId, records: &[Record], rng: &mut impl CryptoRng) {
        match table.lane() {
            Lane::Discovery => self.scan_discovery(now, table.period(), records),
            Lane::Rendezvous => self.scan_rendezvous(now, table.period(), records, rng),
        }
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

    fn scan_discovery(&mut self, now: Timestamp, period: Period, records: &[Record]) {
        let keys = self.topic_keys(period);
        let Some(watched) = self.reader.watched.get(&period) else { return };
        let mut cards = Vec::new();
        for record in records {
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

    pub(crate) fn shelve(&mut self, now: Timestamp, cards: Vec<Card>) {
        for card in cards {
            // the book decides: new, finer, known, own, stale or full
            if matches!(self.book.insert(now, card), Insertion::New | Insertion::Refined) {
                self.revise();
            }
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

    /// What two who share a token or a code have to say to each other next leaves out of turn in emergency mode, as their
    /// first messages did. Answers to waves never do, or strangers could call events forth.
    fn hurry_replies(&mut self, now: Timestamp, events: &[AssociationEvent], rng: &mut impl CryptoRng) {
        let agreed = |id: &AssociationId| self.associations.get(*id).is_some_and(|view| view.kind != Kind::Wave);
        let goes_on = events.iter().any(|event| match event {
            AssociationEvent::Approached(id) | AssociationEvent::Answered(id) => agreed(id),
            AssociationEvent::ContactReceived(_) | AssociationEvent::Expired(_) | AssociationEvent::Failed(_) => false,
        });
        if goes_on {
            self.schedule.hurry(now, Lane::Rendezvous, rng);
        }
    }

    fn scan_rendezvous(&mut self, now: Timestamp, period: Period, records: &[Record], rng: &mut impl CryptoRng) {
        let Some(table) = self.tables.get(period) else { return };
        let rows = table.lane(Lane::Rendezvous).rows;
        self.scan_groups(now, rows, records);
        let wanted = self.associations.wanted(now, rows);
        let ours: Vec<_> = records.iter().filter(|record| wanted.contains(record.row)).copied().collect();
        for record in ours {
            let events = self.associations.receive(now, record.row, &record.bytes, rng);
            self.stirred |= !events.is_empty();
            self.hurry_replies(now, &events, rng);
            self.note_associations(events);
        }
    }

    fn scan_groups(&mut self, now: Timestamp, rows: u32, records: &[Record]) {
        let wanted = self.groups.wanted(now, rows);
        let ours: Vec<_> = records.iter().filter(|record| wanted.contains(record.row)).copied().collect();
        for record in ours {
            let events = self.groups.receive(record.row, &record.bytes);
            self.note_groups(events);
        }
    }

    /// Reads the rendezvous blocks of the last hour once more: a token or a group was joined, or the device woke.
    pub(crate) fn rescan_rendezvous(&mut self, now: Timestamp, rng: &mut impl CryptoRng) {
        for block in self.reader.private.kept_mail() {
            self.scan_rendezvous(now, block.segment().table.period(), block.records(), rng);
        }
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
        let kept = self.reader.private.kept(Lane::Discovery).filter(|(table, _)| table.period() == period);
        let mut cards = Vec::new();
        for (_, records) in kept {
            for row in rows {
                let inputs = watched.get(row).map(Vec::as_slice).unwrap_or_default();
                let open = |bytes| inputs.iter().find_map(|input| self.open(now, input, &keys, bytes));
                cards.extend(records_of_row(records, *row).iter().filter_map(|record| open(&record.bytes)));
            }
        }
        self.shelve(now, cards);
    }
}
