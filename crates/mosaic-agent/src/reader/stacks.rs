//! Blind reads: so many bins of a stack of generations, always, from two providers of whom neither learns which
//! (`docs/spec/bins.md`, ADR 14).

use std::collections::{BTreeMap, BTreeSet};

use mosaic_crypto::{dpf, pir};
use mosaic_types::{ProviderId, TableId, Timestamp};
use mosaic_wire::{Bin, Call, Cut, Head, Record, Stack, StackId, StackQuery, StackReply, TreeHead};
use rand::{CryptoRng, RngExt, seq::IndexedRandom as _};

use super::{
    audit::Suspicion,
    private::{Around, Asked, BlindReads, Delivery, Question, Wanted},
};

/// Looks at each stack, of [`StackQuery::KEYS`] keys each, whatever is wanted of it. One search in balanced mode wants about 80
/// rows, and 240 more where rows may have been full.
pub(super) const LOOKS: usize = 4;

/// Failures after which a stack is downloaded: whoever keeps looks from being answered must not keep a device from reading.
const PATIENCE: u32 = 4 * LOOKS as u32;

/// Whether looking at the generations of `heads` in a lane with `rows` rows is reckoned to cost fewer bytes than downloading
/// them. Follows from what everybody knows.
pub(super) fn pays(heads: &[Head], rows: u32) -> bool {
    let count: usize = heads.iter().map(|head| usize::try_from(head.count).unwrap_or(usize::MAX)).sum();
    let stacks = count.div_ceil(Stack::MOST_RECORDS).max(heads.len().div_ceil(Stack::MOST)).max(1);
    let of_each = count / stacks;
    let width = |cut: Cut| Bin::longest(fullest(of_each / cut.bins() as usize + 1), of_each);
    let Some((cut, domain)) = Cut::finest(rows, of_each, width).zip(Cut::domain(rows)) else { return false };
    let look = StackQuery::KEYS * width(cut) + StackQuery::size(domain);
    2 * LOOKS * stacks * look < count * Record::SIZE
}

/// How many records the fullest bin is reckoned to have, to which all are padded, where the mean bin has `mean`: three deviations more
/// than that, if rows are met so unevenly that the variance is eight times the mean (as tables are sized).
const fn fullest(mean: usize) -> usize {
    mean + (9 * 8 * mean).isqrt()
}

/// All that was read of a stack.
pub(crate) struct ReadStack {
    /// Heads of its generations.
    pub(crate) heads: Vec<Head>,
    /// The rows that were read; of no other row anything is known.
    pub(crate) rows: BTreeSet<u32>,
    /// All records in them, rising.
    pub(crate) records: BTreeSet<Record>,
}

/// One query on its way: to whom, and what came back so far.
struct Look {
    stack: u64,
    part: usize,
    pair: [ProviderId; 2],
    queries: [StackQuery; 2],
    halves: [Option<StackReply>; 2],
}

/// A stack that is looked at.
struct Read {
    id: StackId,
    rows: u32,
    /// For each look that is still due the row of each key, the wanted ones in front.
    due: BTreeMap<usize, (Vec<u32>, usize)>,
    /// Pairs of which one did not answer: they are asked last.
    failed: BTreeSet<[ProviderId; 2]>,
    failures: u32,
    read: ReadStack,
}

/// What becomes of a look.
pub(super) enum Looked {
    /// The other half is missing, or nobody asked.
    Not,
    /// All bins prove themselves.
    Read(Vec<Delivery>),
    /// Its stack has no table: its generations are to be downloaded.
    TooUneven(Vec<Head>),
    /// The answers do not fit together, so one of the two lies, or both. Its stack is to be downloaded, and with it comes the
    /// proof of who did.
    Unfit(Box<Suspicion>),
}

/// Stacks that are looked at, and looks on their way.
#[derive(Default)]
pub(super) struct Stacks {
    reads: BTreeMap<u64, Read>,
    looks: BTreeMap<u64, Look>,
    last: u64,
    rest_until: Option<Timestamp>,
    passed_over: usize,
}

impl Stacks {
    /// Begins to look at all generations of one table; gives back those that are in no stack.
    pub(super) fn begin(
        &mut self,
        heads: Vec<Head>,
        rows: u32,
        around: &dyn Around,
        rng: &mut dyn CryptoRng,
    ) -> Vec<Head> {
        self.passed_over = 0;
        let mut left = Vec::new();
        for heads in split(heads) {
            let Ok(id) = StackId::of(&heads) else {
                left.extend(heads);
                continue;
            };
            let Wanted { rows: mut wanted, essential } = around.wanted(id.table(), id.wanted());
            let essential: BTreeSet<u32> = wanted.iter().take(essential).copied().collect();
            self.passed_over += essential.len().saturating_sub(BlindReads::ROWS);
            let mut seen = BTreeSet::new();
            wanted.retain(|row| *row < rows && seen.insert(*row));
            let due = (0..LOOKS).map(|part| {
                let ours = wanted.iter().skip(part * StackQuery::KEYS).take(StackQuery::KEYS);
                let mut keys: Vec<u32> = ours.copied().collect();
                let many = keys.len();
                keys.resize_with(StackQuery::KEYS, || rng.random_range(0..rows));
                (part, (keys, many))
            });
            let due = due.collect();
            let read = ReadStack { heads, rows: BTreeSet::new(), records: BTreeSet::new() };
            self.last += 1;
            self.reads.insert(self.last, Read { id, rows, due, failed: BTreeSet::new(), failures: 0, read });
        }
        left
    }

    /// All looks that are due and not on their way, each with fresh keys.
    pub(super) fn ask(&mut self, now: Timestamp, live: &[ProviderId], rng: &mut dyn CryptoRng) -> Vec<Question> {
        if self.rest_until.is_some_and(|until| until > now) {
            return Vec::new();
        }
        let mut questions = Vec::new();
        let under_way: BTreeSet<_> = self.looks.values().map(|look| (look.stack, look.part)).collect();
        for (number, read) in &self.reads {
            for (part, (rows, _)) in &read.due {
                if under_way.contains(&(*number, *part)) {
                    continue;
                }
                let Some(pair) = draw_pair(live, &read.failed, rng) else { continue };
                let Some(queries) = queries(&read.id, rows, read.rows, rng) else { continue };
                self.last += 1;
                for (party, (to, query)) in pair.iter().zip(&queries).enumerate() {
                    let asked = Asked::Half { look: self.last, party };
                    questions.push(Question { to: *to, call: Call::Stack(Box::new(query.clone())), asked });
                }
                let look = Look { stack: *number, part: *part, pair, queries, halves: [None, None] };
                self.looks.insert(self.last, look);
            }
        }
        questions
    }

    /// Takes one half; with the other, the bins.
    pub(super) fn take(&mut self, look: u64, party: usize, reply: StackReply) -> Looked {
        let Some(under_way) = self.looks.get_mut(&look) else { return Looked::Not };
        if let Some(half) = under_way.halves.get_mut(party) {
            *half = Some(reply);
        }
        let [Some(_), Some(_)] = under_way.halves else { return Looked::Not };
        let Some(Look { stack, part, pair, queries, halves: [Some(one), Some(other)] }) = self.looks.remove(&look)
        else {
            return Looked::Not;
        };
        let Some(read) = self.reads.get_mut(&stack) else { return Looked::Not };
        let Some((rows, wanted)) = read.due.get(&part) else { return Looked::Not };
        if one.width() == 0 && other.width() == 0 {
            return Looked::TooUneven(self.give_up(stack));
        }
        let Some(bins) = bins(&one, &other, rows, read.rows) else {
            let rows = read.rows;
            let heads = self.give_up(stack);
            return Looked::Unfit(Box::new(Suspicion::new(heads, rows, pair, queries, [one, other])));
        };
        let ours: BTreeSet<u32> = rows.iter().take(*wanted).copied().collect();
        // two of our rows may share a bin
        let records: BTreeSet<Record> = bins.into_iter().filter(|record| ours.contains(&record.row)).collect();
        read.due.remove(&part);
        read.read.records.extend(&records);
        read.read.rows.extend(ours);
        let records = records.into_iter().collect();
        let mut deliveries = vec![Delivery::Rows { table: read.id.table(), records }];
        if read.due.is_empty() {
            deliveries.extend(self.reads.remove(&stack).map(|done| Delivery::Stack(done.read)));
        }
        Looked::Read(deliveries)
    }

    /// Everything of a stack is read whole.
    fn give_up(&mut self, stack: u64) -> Vec<Head> {
        self.looks.retain(|_, look| look.stack != stack);
        self.reads.remove(&stack).map(|read| read.read.heads).unwrap_or_default()
    }

    /// One half did not come: the look begins anew, with other keys, with another pair if there is one. Gives back what is to be
    /// downloaded because this happened too often.
    pub(super) fn failed(&mut self, look: u64, until: Timestamp) -> Vec<Head> {
        let Some(look) = self.looks.remove(&look) else { return Vec::new() };
        self.rest_until = Some(until);
        let Some(read) = self.reads.get_mut(&look.stack) else { return Vec::new() };
        read.failed.insert(in_order(look.pair));
        read.failures += 1;
        if read.failures < PATIENCE { Vec::new() } else { self.give_up(look.stack) }
    }

    pub(super) fn expire(&mut self, oldest: TableId) {
        self.reads.retain(|_, read| read.id.table() >= oldest);
        let reads = &self.reads;
        self.looks.retain(|_, look| reads.contains_key(&look.stack));
    }

    pub(super) fn is_done(&self) -> bool {
        self.reads.is_empty()
    }

    pub(super) fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        self.rest_until.filter(|until| *until > now && !self.reads.is_empty())
    }

    pub(super) const fn passed_over(&self) -> usize {
        self.passed_over
    }
}

/// As few stacks as hold all of it, in the order of the generations.
fn split(heads: Vec<Head>) -> Vec<Vec<Head>> {
    let mut stacks: Vec<Vec<Head>> = Vec::new();
    let mut records = 0;
    for head in heads {
        let count = usize::try_from(head.count).unwrap_or(usize::MAX);
        match stacks.last_mut() {
            Some(stack) if stack.len() < Stack::MOST && records + count <= Stack::MOST_RECORDS => {
                records += count;
                stack.push(head);
            }
            _ => {
                records = count;
                stacks.push(vec![head]);
            }
        }
    }
    stacks
}

/// Two queries for the bins of these rows, one for each provider.
fn queries(id: &StackId, rows: &[u32], of: u32, rng: &mut dyn CryptoRng) -> Option<[StackQuery; 2]> {
    let domain = Cut::domain(of)?;
    let (mut ones, mut others) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for row in rows {
        let [one, other] = dpf::share(*row, domain, rng).ok()?;
        ones.push(one);
        others.push(other);
    }
    Some([StackQuery::new(id.clone(), ones).ok()?, StackQuery::new(id.clone(), others).ok()?])
}

/// The records of every bin that was asked for, wanted or not; `None` unless all of them prove themselves: whether an answer is
/// taken must not depend on which bins mattered.
fn bins(one: &StackReply, other: &StackReply, rows: &[u32], of: u32) -> Option<Vec<Record>> {
    let head: TreeHead = one.head().filter(|head| other.head() == Some(*head))?;
    let cut = Cut::of(of, one.halvings()).filter(|_| one.halvings() == other.halvings())?;
    let mut records = Vec::new();
    for (row, (one, other)) in rows.iter().zip(one.sums().zip(other.sums())) {
        let bin = Bin::decode(&pir::combine(one, other).ok()?).ok()?;
        records.extend(bin.confirmed(&cut.rows_of(cut.bin(*row)), &head).ok()?);
    }
    Some(records)
}

fn in_order(mut pair: [ProviderId; 2]) -> [ProviderId; 2] {
    pair.sort_unstable();
    pair
}

fn pairs(live: &[ProviderId]) -> impl Iterator<Item = [ProviderId; 2]> {
    let later = |at: usize| live.iter().skip(at + 1);
    live.iter().enumerate().flat_map(move |(at, one)| later(at).map(|other| in_order([*one, *other])))
}

/// Two live providers, of which none failed before if there are such, in either order: who is first learns nothing by it.
fn draw_pair(
    live: &[ProviderId],
    failed: &BTreeSet<[ProviderId; 2]>,
    rng: &mut dyn CryptoRng,
) -> Option<[ProviderId; 2]> {
    let (failed, fresh): (Vec<_>, Vec<_>) = pairs(live).partition(|pair| failed.contains(pair));
    let [one, other] = fresh.choose(rng).or_else(|| failed.choose(rng)).copied()?;
    Some(if rng.random() { [one, other] } else { [other, one] })
}

#[cfg(test)]
mod tests;
