//! One of three providers lies: ten thousand times in each way that an agent can tell, and as often not. Counted are the lies
//! that are seen, who is blamed, what is read in spite of them, and accusations of the honest.
//!
//! `cargo nextest run -p mosaic-agent lies --success-output final` prints the counts. Every lie is drawn: who tells it, about
//! which generation, and what is changed.

#![expect(clippy::print_stdout, reason = "the counts of a statistical test")]

use std::{sync::Arc, time::Duration};

use mosaic_crypto::oprf::{Evaluation, KeyShare};
use mosaic_federation::{NoProof, records_of};
use mosaic_geo::synthetic_city;
use mosaic_release::{Releaser, ReleaserState};
use mosaic_types::{Lane, Mode, ProviderId, SegmentId, Stream, TableId, Timestamp, Window};
use mosaic_wire::{
    Call, EVENT, EventFields, GenerationBlock, GenerationId, GenerationsReply, Head, OPRF_BATCH, OprfInput,
    PublicShare, Receipt, Record, Releasable as _, Reply, SignedTable, StackReply, TableDescriptor, event_hash,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::{
    alerts::Evidence,
    blocks::BlockPool,
    deposits::{Deposits, Owed},
    fixtures::{self, Desk, PERIOD, chain, compare, federation, id, key, table},
    oprf::{OprfDesk, Progress},
    providers::Providers,
    reader::{Asked, BlindReads, Delivery, Question, Reader},
    tables::{Acceptance, Tables},
};

/// Lies of each kind, and honest answers beside them.
const TIMES: usize = 10_000;

fn now() -> Timestamp {
    PERIOD.start().after(Duration::from_mins(10))
}

/// What was counted of one kind.
#[derive(Debug, Default, PartialEq)]
struct Count {
    lies: usize,
    seen: usize,
    blamed_rightly: usize,
    recovered: usize,
    wronged: usize,
}

impl Count {
    fn check(&self, what: &str, recovered: usize) {
        println!("{what}: {self:?}");
        let all = TIMES;
        assert_eq!(*self, Self { lies: all, seen: all, blamed_rightly: all, recovered, wronged: 0 }, "{what}");
    }
}

fn segment(origin: ProviderId, rng: &mut ChaCha20Rng) -> SegmentId {
    let lane = if rng.random() { Lane::Discovery } else { Lane::Rendezvous };
    let stream = Stream::ALL[rng.random_range(0..Stream::ALL.len())];
    SegmentId { table: TableId::new(PERIOD, lane), origin, stream }
}

fn block(segment: SegmentId, index: u32, rng: &mut ChaCha20Rng) -> GenerationBlock {
    let record = |_| Record { row: rng.random_range(0..1 << 14), bytes: [rng.random(); 192] };
    let records = (0..4).map(record).collect();
    GenerationBlock::new(segment, index, records).unwrap()
}

/// The same generation with something else in it.
fn changed(block: &GenerationBlock, rng: &mut ChaCha20Rng) -> GenerationBlock {
    let mut records = block.records().to_vec();
    let at = rng.random_range(0..records.len());
    match rng.random_range(0..4_u8) {
        0 => drop(records.remove(at)),
        1 => records[at].bytes[rng.random_range(0..192_usize)] ^= rng.random_range(1..=u8::MAX),
        2 => records[at].row = (records[at].row + rng.random_range(1..1_000)) % (1 << 14),
        _ => records.push(Record { row: rng.random_range(0..1 << 14), bytes: [rng.random(); 192] }),
    }
    GenerationBlock::new(block.segment(), block.index(), records).unwrap()
}

/// A device's reader after some generations of `segment` that everybody agreed on.
fn reader(heads: &[Head], providers: &Providers) -> Reader {
    let mut reader = fixtures::reader(now(), BlindReads::BySize);
    assert!(compare(&mut reader, providers, now(), [1, 2], [heads, heads]).is_empty());
    reader
}

/// The two that do not lie, in any order.
fn others(liar: u8, rng: &mut ChaCha20Rng) -> [u8; 2] {
    let [a, b] = [1, 2, 3].into_iter().filter(|id| *id != liar).collect::<Vec<_>>().try_into().unwrap();
    if rng.random() { [a, b] } else { [b, a] }
}

/// PRIVACY A 14, two contents for one generation: the proof convicts the origin before anybody, and the generation is read
/// on what the two others show. Seed 61.
#[test]
fn two_heads() {
    let (mut rng, providers) = (ChaCha20Rng::seed_from_u64(61), Providers::new(federation()));
    let mut count = Count::default();
    for _ in 0..TIMES {
        let liar = rng.random_range(1..=3_u8);
        let (segment, before) = (segment(id(liar), &mut rng), rng.random_range(0..2_u32));
        let blocks: Vec<_> = (0..=before).map(|index| block(segment, index, &mut rng)).collect();
        let honest = chain(&key(liar), now(), &blocks);
        let last = honest.len() - 1;
        let other = changed(&blocks[last], &mut rng);
        let forked = Head::seal(&other, honest[last].previous, now(), &key(liar));
        let mut lie = honest.clone();
        lie[last] = forked;
        let mut reader =
            if last == 0 { fixtures::reader(now(), BlindReads::BySize) } else { reader(&honest[..last], &providers) };
        let [a, b] = others(liar, &mut rng);
        let (pair, shown) =
            if rng.random() { ([liar, a], [&lie[..], &honest[..]]) } else { ([a, liar], [&honest[..], &lie[..]]) };
        let evidence = compare(&mut reader, &providers, now(), pair, shown);
        count.lies += 1;
        count.seen += usize::from(!evidence.is_empty());
        let convicted = |one: &Evidence| one.proof().and_then(|proof| proof.verify(providers.federation()).ok());
        count.blamed_rightly += usize::from(evidence.iter().any(|one| convicted(one) == Some(id(liar))));
        count.wronged += evidence.iter().filter(|one| one.provider != Some(id(liar))).count();
        count.wronged += compare(&mut reader, &providers, now(), [a, b], [&honest, &honest]).len();
        let asked = reader.private.ask(now(), &Desk::new(), &mut rng).into_iter().map(|one| one.asked);
        let read =
            |asked: Asked| matches!(asked, Asked::Whole(ids) if ids.contains(&GenerationId { segment, index: before }));
        count.recovered += usize::from(asked.into_iter().any(read));
    }
    count.check("two heads", TIMES);
}

/// Records other than those that were signed: who handed them out is blamed, whoever signed them, and the next
/// provider's answer is read. Seed 62.
#[test]
fn wrong_blocks() {
    let (mut rng, providers) = (ChaCha20Rng::seed_from_u64(62), Providers::new(federation()));
    let mut count = Count::default();
    for _ in 0..TIMES {
        let segment = segment(id(rng.random_range(1..=3)), &mut rng);
        let honest = block(segment, 0, &mut rng);
        let head = Head::seal(&honest, [0; 32], now(), &key(segment.origin.get()));
        let (mut reader, pool) = (reader(&[head], &providers), BlockPool::default());
        let question = reader.private.ask(now(), &Desk::new(), &mut rng).remove(0);
        let wrong = Reply::Generations(GenerationsReply::new([changed(&honest, &mut rng)]));
        count.lies += 1;
        let answer = reader.private.take(now(), question.to, &question.asked, wrong, &pool).unwrap();
        count.seen += usize::from(!answer.liars.is_empty());
        count.blamed_rightly += usize::from(answer.liars == [question.to] && answer.read.is_empty());
        let later = now().after(Duration::from_mins(1));
        let again = reader.private.ask(later, &Desk::new(), &mut rng).remove(0);
        let honest = Reply::Generations(GenerationsReply::new([honest]));
        let answer = reader.private.take(later, again.to, &again.asked, honest, &pool).unwrap();
        count.recovered += usize::from(answer.read.len() == 1);
        count.wronged += answer.liars.len();
    }
    count.check("wrong blocks", TIMES);
}

/// A provider that answers a blind read otherwise than its blocks say, in one bin or all, once or every time: noticed whatever was
/// asked for, blamed by who makes both answers anew and nobody else with it, and everything is read all the same. As often both
/// are honest. Seed 65.
#[test]
fn blind_answers() {
    const ROWS: u32 = 64;
    let (mut rng, providers) = (ChaCha20Rng::seed_from_u64(65), Providers::new(federation()));
    let mut count = Count::default();
    for _ in 0..TIMES {
        let segment = SegmentId { table: TableId::new(PERIOD, Lane::Discovery), ..segment(id(1), &mut rng) };
        let few = |row: u32| Record { row: row % ROWS, bytes: [row as u8; 192] };
        let records = (0..8).map(|_| few(rng.random())).collect();
        let block = GenerationBlock::new(segment, 0, records).unwrap();
        let head = Head::seal(&block, [0; 32], now(), &key(1));
        let desk = Desk { rows: Some(ROWS), wanted: vec![block.records()[0].row], ..Desk::new() };
        for lies in [true, false] {
            let (mut reader, pool) = (fixtures::reader(now(), BlindReads::Always), BlockPool::default());
            assert!(compare(&mut reader, &providers, now(), [1, 2], [&[head], &[head]]).is_empty());
            let liar = id(rng.random_range(1..=3));
            let (mut lied, mut blamed, mut read) = (false, Vec::new(), false);
            let mut questions = reader.private.ask(now(), &desk, &mut rng);
            while let Some(Question { to, call, asked }) = questions.pop() {
                let reply = match call {
                    Call::Stack(query) => {
                        let honest = fixtures::sums(&query, std::slice::from_ref(&block), ROWS);
                        let lie = lies && to == liar && (!lied || rng.random());
                        lied |= lie;
                        Reply::Stack(if lie { other_sums(&honest, &mut rng) } else { honest })
                    }
                    Call::Generations(_) => Reply::Generations(GenerationsReply::new([block.clone()])),
                    _ => panic!("nothing else is asked"),
                };
                let answer = reader.private.take(now(), to, &asked, reply, &pool).unwrap();
                blamed.extend(answer.liars);
                read |= answer
                    .read
                    .iter()
                    .any(|read| matches!(read, Delivery::Rows { records, .. } if !records.is_empty()));
                read |= answer.read.iter().any(|read| matches!(read, Delivery::Generation { .. }));
                questions.extend(reader.private.ask(now(), &desk, &mut rng));
            }
            assert!(reader.private.is_done());
            count.lies += usize::from(lies);
            // where it was not asked, it could not lie
            count.seen += usize::from(lies && (!lied || !blamed.is_empty()));
            count.blamed_rightly += usize::from(lies && (!lied || blamed.iter().all(|who| *who == liar)));
            count.wronged += blamed.iter().filter(|who| **who != liar || !lied).count();
            count.recovered += usize::from(lies && read);
        }
    }
    count.check("blind answers", TIMES);
}

/// Something else than what the blocks say.
fn other_sums(honest: &StackReply, rng: &mut ChaCha20Rng) -> StackReply {
    let (head, width) = (honest.head().unwrap(), honest.width());
    let mut sums: Vec<Vec<u8>> = honest.sums().map(<[u8]>::to_vec).collect();
    let (mut other_head, at) = (head, rng.random_range(0..sums.len()));
    match rng.random_range(0..6_u8) {
        0 => sums[at][rng.random_range(0..width)] ^= rng.random_range(1..=u8::MAX),
        1 => sums[at].iter_mut().for_each(|byte| *byte = !*byte),
        2 => sums.iter_mut().flatten().for_each(|byte| *byte ^= 1),
        3 => other_head.root[rng.random_range(0..32_usize)] ^= 1,
        4 => other_head.count += 1,
        _ => return StackReply::read_whole(),
    }
    StackReply::new(other_head, honest.halvings(), width, &sums).unwrap()
}

/// Two keys for one table, each under two signatures: of three providers one at least signed both, and whoever did is convicted
/// before anybody; the first table stays. As often the same table comes under other signatures, and nobody is. Seed 66.
#[test]
fn two_tables() {
    let (mut rng, providers) = (ChaCha20Rng::seed_from_u64(66), Providers::new(federation()));
    let mut count = Count::default();
    for _ in 0..TIMES {
        let liar = rng.random_range(1..=3_u8);
        let [a, b] = others(liar, &mut rng);
        let honest = TableDescriptor { public_key: rng.random(), shares: shares(&mut rng), ..table() };
        let other = TableDescriptor { public_key: rng.random(), ..honest.clone() };
        let signed = |table: &TableDescriptor, signers: [u8; 2]| {
            let signatures = signers.map(|number| (id(number), table.sign(&key(number))));
            SignedTable::new(table.clone(), signatures).unwrap()
        };
        let mut tables = Tables::default();
        assert!(matches!(tables.accept(PERIOD, &signed(&honest, [liar, a]), &providers), Acceptance::New));
        count.lies += 1;
        if let Acceptance::Conflict(evidence) = tables.accept(PERIOD, &signed(&other, [liar, b]), &providers) {
            count.seen += 1;
            let convicted = |one: &Evidence| one.proof().and_then(|proof| proof.verify(providers.federation()).ok());
            count.blamed_rightly += usize::from(evidence.iter().any(|one| convicted(one) == Some(id(liar))));
            count.wronged += evidence.iter().filter(|one| one.provider != Some(id(liar))).count();
        }
        let again = tables.accept(PERIOD, &signed(&honest, [a, b]), &providers);
        count.wronged += usize::from(!matches!(again, Acceptance::Known));
        count.recovered += usize::from(tables.get(PERIOD).is_some_and(|kept| kept.public_key == honest.public_key));
    }
    count.check("two tables", TIMES);
}

fn shares(rng: &mut ChaCha20Rng) -> Vec<PublicShare> {
    (1..=3).map(|number| PublicShare { provider: id(number), element: rng.random() }).collect()
}

/// A record acknowledged and left out: receipt, event, head and block convict the origin before anybody. An honest
/// generation shows nothing, not even to who looks for it. Seed 63. What was dropped is not recovered.
#[test]
fn dropped_records() {
    let (mut rng, federation) = (ChaCha20Rng::seed_from_u64(63), federation());
    let (bytes, fields) = event();
    let mut count = Count::default();
    for _ in 0..TIMES {
        let origin = rng.random_range(1..=3_u8);
        let segment = SegmentId { table: fields.table, origin: id(origin), stream: fields.stream };
        let accepted = rng.random_range(1..1_u16 << 10);
        let receipt = Receipt {
            segment,
            generation: 3,
            replica: id(others(origin, &mut rng)[0]),
            accepted,
            full: !accepted & 0x3FF,
            receipt_key: fields.receipt_key,
            event: event_hash(&bytes),
            time: now(),
            signature: [0; 64],
        };
        let receipt = receipt.sign(&key(origin));
        let promised = records_of(&fields, accepted);
        let mut check = |records: Vec<Record>| {
            let mut all = block(segment, 3, &mut rng).records().to_vec();
            all.extend(records);
            let block = GenerationBlock::new(segment, 3, all).unwrap();
            let head = Head::seal(&block, [7; 32], now(), &key(origin));
            let mut deposits = Deposits::default();
            deposits.owe(Owed { receipt, event: Box::new(bytes), records: promised.clone() });
            let broken = deposits.check(GenerationId { segment, index: 3 }, Some(&block));
            let forced = Owed { receipt, event: Box::new(bytes), records: Vec::new() };
            (broken, Evidence::dropped_record(&forced, &head, Some(&block)).proof().unwrap().verify(&federation))
        };
        let (broken, verdict) = check(promised.clone());
        count.wronged += broken.len() + usize::from(verdict != Err(NoProof::Innocent));
        let kept = promised[1..].to_vec();
        let (broken, verdict) = check(kept);
        count.lies += 1;
        count.seen += broken.len();
        count.blamed_rightly += usize::from(verdict == Ok(id(origin)));
    }
    count.check("dropped records", 0);
}

/// Another share than its own, points in another order, a proof of something else: not taken, and the batch is
/// finished by the two others. Seed 64, a hundred batches with a hundred lies each.
#[test]
fn wrong_shares() {
    let mut rng = ChaCha20Rng::seed_from_u64(64);
    let mut count = Count::default();
    // f(x) = 5 + 3 x at 1, 2 and 3; the fourth share is of no provider
    let share = |value: u8| {
        let mut scalar = [0; 32];
        scalar[0] = value;
        KeyShare::from_bytes(&scalar).unwrap()
    };
    let shares = [share(8), share(11), share(14)];
    let public =
        |number: u8| PublicShare { provider: id(number), element: *shares[usize::from(number) - 1].public_share() };
    let table = Arc::new(TableDescriptor { shares: (1..=3).map(public).collect(), ..table() });
    for batch in 0..100_u32 {
        let input = |topic: u16| OprfInput::Row {
            period: PERIOD,
            resolution: 8,
            cell: u64::from(batch) << 16 | u64::from(topic),
            window: Window(PERIOD.start().window().0),
            groups: 1,
            group: 0,
        };
        let inputs: Vec<_> = (0..OPRF_BATCH as u16).map(input).collect();
        let evaluating = Releaser::evaluate(&table, &inputs, &mut rng).unwrap();
        let query = mosaic_wire::encode(&evaluating.query).try_into().unwrap();
        let points = evaluating.query.object().points;
        let honest = shares.each_ref().map(|share| share.evaluate(&points, &mut rng).unwrap());
        let foreign = share(99).evaluate(&points, &mut rng).unwrap();
        let mut desk = OprfDesk::default();
        let number = desk.open(Arc::clone(&table), evaluating, query);
        let liar = rng.random_range(1..=3_u8);
        for _ in 0..TIMES / 100 {
            let mut lie = honest[usize::from(liar) - 1].clone();
            match rng.random_range(0..4_u8) {
                0 => lie = honest[usize::from(liar) % 3].clone(),
                1 => lie.points.rotate_left(rng.random_range(1..OPRF_BATCH)),
                2 => lie.points[rng.random_range(0..OPRF_BATCH)] = foreign.points[0],
                _ => lie = Evaluation { points: foreign.points.clone(), proof: foreign.proof },
            }
            count.lies += 1;
            let cheated = matches!(take(&mut desk, number, liar, &lie), Progress::Cheated);
            count.seen += usize::from(cheated);
            count.blamed_rightly += usize::from(cheated);
        }
        let [a, b] = others(liar, &mut rng);
        let first = take(&mut desk, number, a, &honest[usize::from(a) - 1]);
        let second = take(&mut desk, number, b, &honest[usize::from(b) - 1]);
        count.wronged += usize::from(!matches!(first, Progress::Waiting));
        if matches!(&second, Progress::Finished(inputs) if inputs.len() == OPRF_BATCH) {
            count.recovered += TIMES / 100;
        }
    }
    count.check("wrong shares", TIMES);
}

fn take(desk: &mut OprfDesk, batch: u64, from: u8, answer: &Evaluation) -> Progress {
    desk.take(batch, id(from), answer.points.clone().try_into().unwrap(), answer.proof)
}

/// An event as it leaves.
fn event() -> ([u8; EVENT], EventFields) {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let mut releaser = Releaser::new([1; 32], Arc::new(synthetic_city(1)), ReleaserState::default());
    let event =
        releaser.rendezvous_event(now(), &table(), Stream::Steady, Mode::Balanced, Vec::new(), &mut rng).unwrap();
    let bytes: [u8; EVENT] = mosaic_wire::encode(&event).try_into().unwrap();
    let fields = EventFields::decode(&bytes).unwrap();
    (bytes, fields)
}
