use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use mosaic_crypto::oprf::{self, Evaluation, OprfOutput};
use mosaic_release::Evaluating;
use mosaic_types::{Period, ProviderId, Timestamp};
use mosaic_wire::{OPRF_BATCH, OprfInput, Releasable as _, TableDescriptor};

/// The most batches on their way at a time.
const MOST_BATCHES: usize = 8;

/// OPRF outputs, and the queries for those that are missing. An output serves until its table ends.
#[derive(Default)]
pub(crate) struct OprfDesk {
    pub(crate) outputs: HashMap<OprfInput, OprfOutput>,
    /// For the next event: first.
    urgent: BTreeSet<OprfInput>,
    wanted: BTreeSet<OprfInput>,
    batches: BTreeMap<u64, Batch>,
    last: u64,
    rest_until: Option<Timestamp>,
}

/// One batch of sixteen points, asked of as many providers as the table's threshold.
pub(crate) struct Batch {
    pub(crate) evaluating: Evaluating,
    pub(crate) query: [u8; mosaic_wire::EvaluateFields::SIZE],
    table: Arc<TableDescriptor>,
    parts: BTreeMap<ProviderId, [[u8; 32]; OPRF_BATCH]>,
    pub(crate) asked: BTreeSet<ProviderId>,
    waiting: BTreeSet<ProviderId>,
}

/// What an evaluation did to its batch.
pub(crate) enum Progress {
    /// Parts are still missing.
    Waiting,
    /// The proof does not fit the provider's public share.
    Cheated,
    /// These outputs are here.
    Finished(Vec<OprfInput>),
    /// No such batch (any more).
    Stale,
}

impl OprfDesk {
    pub(crate) fn want(&mut self, inputs: impl IntoIterator<Item = OprfInput>) {
        let outputs = &self.outputs;
        self.wanted.extend(inputs.into_iter().filter(|input| !outputs.contains_key(input)));
    }

    pub(crate) fn want_urgently(&mut self, inputs: impl IntoIterator<Item = OprfInput>) {
        let outputs = &self.outputs;
        self.urgent.extend(inputs.into_iter().filter(|input| !outputs.contains_key(input)));
    }

    /// Drops wishes that no plan holds any more.
    pub(crate) fn forget_wishes(&mut self, planned: &BTreeSet<OprfInput>) {
        self.wanted.retain(|input| planned.contains(input));
    }

    pub(crate) fn is_ready(&self, now: Timestamp) -> bool {
        self.rest_until.is_none_or(|until| until <= now) && self.batches.len() < MOST_BATCHES
    }

    /// Up to sixteen inputs of one table that `known` has, urgent ones first. They leave the queue.
    pub(crate) fn next_inputs(
        &mut self,
        known: impl Fn(Period) -> Option<Arc<TableDescriptor>>,
    ) -> Option<(Arc<TableDescriptor>, Vec<OprfInput>)> {
        let under_way: BTreeSet<_> =
            self.batches.values().flat_map(|batch| batch.evaluating.inputs.iter().copied()).collect();
        self.urgent.retain(|input| !under_way.contains(input));
        self.wanted.retain(|input| !under_way.contains(input) && !self.urgent.contains(input));
        let table = self.urgent.iter().chain(&self.wanted).find_map(|input| known(input.period()))?;
        let fits = |input: &&OprfInput| input.period() == table.period;
        let inputs: Vec<_> = self.urgent.iter().chain(&self.wanted).filter(fits).take(OPRF_BATCH).copied().collect();
        inputs.iter().for_each(|input| {
            self.urgent.remove(input);
            self.wanted.remove(input);
        });
        Some((table, inputs))
    }

    pub(crate) fn put_back(&mut self, inputs: Vec<OprfInput>, retry_at: Timestamp) {
        self.urgent.extend(inputs);
        self.rest_until = Some(retry_at);
    }

    /// There are tokens again.
    pub(crate) const fn end_rest(&mut self) {
        self.rest_until = None;
    }

    pub(crate) fn open(
        &mut self,
        table: Arc<TableDescriptor>,
        evaluating: Evaluating,
        query: [u8; mosaic_wire::EvaluateFields::SIZE],
    ) -> u64 {
        self.last += 1;
        let (parts, asked, waiting) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        self.batches.insert(self.last, Batch { evaluating, query, table, parts, asked, waiting });
        self.last
    }

    pub(crate) fn batch(&self, id: u64) -> Option<&Batch> {
        self.batches.get(&id)
    }

    pub(crate) fn note_asked(&mut self, id: u64, provider: ProviderId) {
        if let Some(batch) = self.batches.get_mut(&id) {
            batch.asked.insert(provider);
            batch.waiting.insert(provider);
        }
    }

    /// A provider will not answer. How many parts are now nowhere on their way.
    pub(crate) fn missing_parts(&mut self, id: u64, failed: ProviderId) -> usize {
        let Some(batch) = self.batches.get_mut(&id) else { return 0 };
        batch.waiting.remove(&failed);
        usize::from(batch.table.threshold).saturating_sub(batch.parts.len() + batch.waiting.len())
    }

    /// Gives a batch up; its inputs go back to the queue.
    pub(crate) fn abandon(&mut self, id: u64, retry_at: Timestamp) {
        if let Some(batch) = self.batches.remove(&id) {
            self.put_back(batch.evaluating.inputs, retry_at);
        }
    }

    /// Takes one provider's part: checked against its public share, combined when all are here.
    pub(crate) fn take(
        &mut self,
        id: u64,
        provider: ProviderId,
        points: [[u8; 32]; OPRF_BATCH],
        proof: [u8; 64],
    ) -> Progress {
        let Some(batch) = self.batches.get_mut(&id) else { return Progress::Stale };
        let blinded = &batch.evaluating.query.object().points;
        let evaluation = Evaluation { points: points.to_vec(), proof };
        let share = batch.table.share(provider).copied().unwrap_or_default();
        if oprf::verify_evaluation(&share, blinded, &evaluation).is_err() {
            return Progress::Cheated;
        }
        batch.waiting.remove(&provider);
        batch.parts.insert(provider, points);
        if batch.parts.len() < usize::from(batch.table.threshold) {
            return Progress::Waiting;
        }
        let Some(batch) = self.batches.remove(&id) else { return Progress::Stale };
        Progress::Finished(self.finish(batch))
    }

    fn finish(&mut self, batch: Batch) -> Vec<OprfInput> {
        let parts: Vec<_> = batch.parts.iter().map(|(id, points)| (*id, points.as_slice())).collect();
        let outputs = oprf::combine(&parts).and_then(|points| oprf::finalize_all(&batch.evaluating.blinds, &points));
        let Ok(outputs) = outputs else {
            self.urgent.extend(batch.evaluating.inputs);
            return Vec::new();
        };
        let inputs = batch.evaluating.inputs;
        self.outputs.extend(inputs.iter().copied().zip(outputs));
        inputs
    }

    /// Forgets outputs of tables that are not read any more.
    pub(crate) fn expire(&mut self, oldest: Period) {
        self.outputs.retain(|input, _| input.period() >= oldest);
        self.urgent.retain(|input| input.period() >= oldest);
        self.wanted.retain(|input| input.period() >= oldest);
    }

    pub(crate) fn next_retry(&self, now: Timestamp) -> Option<Timestamp> {
        let waits = !self.urgent.is_empty() || !self.wanted.is_empty();
        self.rest_until.filter(|until| waits && *until > now)
    }
}
