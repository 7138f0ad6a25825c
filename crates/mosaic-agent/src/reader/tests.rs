use std::sync::Arc;

use mosaic_crypto::signing::SigningKey;
use mosaic_federation::Evidence as Proof;
use mosaic_wire::{EVENT, GenerationBlock, GenerationId, GenerationsReply, Head, Receipt, Record, Reply};

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::{
    private::{Answer, Question},
    *,
};
use crate::{
    alerts::EvidenceKind,
    blocks::BlockPool,
    deposits::{Deposits, Owed},
    fixtures::{self, Desk, compare, federation, id, key},
};

const NOW: Timestamp = Timestamp::from_secs(1_763_683_261);

/// Three operators and the key of the first.
fn providers() -> (Providers, SigningKey) {
    (Providers::new(federation()), key(1))
}

fn segment() -> SegmentId {
    SegmentId { table: TableId::new(NOW.period(), Lane::Discovery), origin: id(1), stream: Stream::Steady }
}

fn block(index: u32, rows: &[u32]) -> GenerationBlock {
    let records = rows.iter().map(|row| Record { row: *row, bytes: [*row as u8; 192] }).collect();
    GenerationBlock::new(segment(), index, records).unwrap()
}

fn chain(key: &SigningKey, blocks: &[GenerationBlock]) -> Vec<Head> {
    fixtures::chain(key, NOW, blocks)
}

/// One round in which the second and third provider show these heads.
fn round(reader: &mut Reader, providers: &Providers, shown: [&[Head]; 2]) -> Vec<Evidence> {
    compare(reader, providers, NOW, [2, 3], shown)
}

/// What would be asked for now, of any table or of none.
fn asked(reader: &mut Reader, known: bool) -> Vec<u32> {
    let desk = Desk { rows: Some(1 << 14).filter(|_| known), ..Desk::new() };
    let questions = reader.private.ask(NOW, &desk, &mut ChaCha20Rng::seed_from_u64(1));
    let whole = |question: Question| match question.asked {
        Asked::Whole(ids) => ids,
        Asked::Half { .. } => panic!("a download"),
    };
    questions.into_iter().flat_map(whole).map(|id| id.index).collect()
}

fn reader() -> Reader {
    fixtures::reader(NOW, BlindReads::BySize)
}

/// What a provider answered to the download of the first generation.
fn answer(reader: &mut Reader, reply: Reply) -> Option<Answer> {
    let ids = vec![GenerationId { segment: segment(), index: 0 }];
    reader.private.take(NOW, id(3), &Asked::Whole(ids), reply, &BlockPool::default())
}

#[test]
fn only_what_two_providers_show_alike_is_downloaded() {
    let ((providers, key), mut reader) = (providers(), reader());
    let heads = chain(&key, &[block(0, &[1, 2]), block(1, &[]), block(2, &[3])]);
    assert!(round(&mut reader, &providers, [&heads, &heads[..2]]).is_empty());
    assert_eq!(reader.private.take_empty().len(), 1, "an empty generation needs no download");
    assert_eq!(asked(&mut reader, false), [0; 0], "nor does one whose table is unknown");
    assert_eq!(asked(&mut reader, true), [0]);
    assert!(reader.caught_up().is_none());
    let read = answer(&mut reader, Reply::Generations(GenerationsReply::new([block(0, &[1, 2])]))).unwrap();
    assert!(read.liars.is_empty());
    assert!(matches!(&read.read[..], [Delivery::Generation { id, .. }] if id.index == 0));
    assert_eq!(reader.caught_up(), Some(NOW));
    assert_eq!(reader.private.kept(Lane::Discovery).count(), 1);
    assert!(round(&mut reader, &providers, [&heads, &heads]).is_empty());
    assert_eq!(asked(&mut reader, true), [2], "each generation once");
}

#[test]
fn a_wrong_answer_is_not_delivered_and_asked_for_again() {
    let ((providers, key), mut reader) = (providers(), reader());
    let heads = chain(&key, &[block(0, &[1, 2])]);
    round(&mut reader, &providers, [&heads, &heads]);
    assert_eq!(asked(&mut reader, true), [0]);
    assert!(answer(&mut reader, Reply::Federation(Vec::new())).is_none(), "no answer at all");
    let other = answer(&mut reader, Reply::Generations(GenerationsReply::new([block(0, &[1, 3])]))).unwrap();
    assert!(other.read.is_empty() && other.liars == [id(3)], "its head states something else");
    assert!(answer(&mut reader, Reply::Generations(GenerationsReply::new([]))).unwrap().liars.is_empty());
    assert_eq!(asked(&mut reader, true), [0; 0], "nobody is pressed");
    let later = reader.private.next_wake(NOW).unwrap();
    let again = reader.private.ask(later, &Desk::new(), &mut ChaCha20Rng::seed_from_u64(2)).remove(0);
    assert_eq!(again.asked, Asked::Whole(vec![GenerationId { segment: segment(), index: 0 }]));
    reader.private.failed(&again.asked, later.after(Duration::from_secs(9)));
    assert_eq!(reader.private.next_wake(later), Some(later.after(Duration::from_secs(9))));
}

#[test]
fn two_heads_of_one_generation_are_evidence_and_their_origin_is_no_witness_any_more() {
    let ((providers, key), mut reader) = (providers(), reader());
    let (honest, other) = (chain(&key, &[block(0, &[1])]), chain(&key, &[block(0, &[2])]));
    let evidence = round(&mut reader, &providers, [&honest, &other]);
    assert_eq!(evidence.len(), 1);
    assert_eq!((evidence[0].kind, evidence[0].provider), (EvidenceKind::TwoHeads, Some(id(1))));
    let proof = evidence[0].proof().unwrap();
    assert_eq!(proof.verify(providers.federation()), Ok(id(1)), "anybody with the federation's document is convinced");
    assert_eq!(asked(&mut reader, true), [0; 0], "nothing that two providers do not show alike");
    assert!(compare(&mut reader, &providers, NOW, [1, 3], [&other, &other]).is_empty());
    assert_eq!(asked(&mut reader, true), [0; 0], "nothing on the word of the liar and one other");
    assert!(round(&mut reader, &providers, [&honest, &honest]).is_empty());
    assert_eq!(asked(&mut reader, true), [0], "what the two others show alike is other people's");
}

/// A full reply means that there is more, and it is asked for at once; not so while nothing of it is agreed on, or a
/// liar would have itself asked without end.
#[test]
fn a_fork_is_not_asked_about_without_end() {
    let ((providers, key), mut reader) = (providers(), reader());
    let blocks = |row| (0..HeadsReply::MOST as u32).map(|index| block(index, &[row])).collect::<Vec<_>>();
    let [honest, other] = [1, 2].map(|row| chain(&key, &blocks(row)));
    reader.plan_poll(NOW, Attention::Background);
    assert_eq!(round(&mut reader, &providers, [&honest, &other]).len(), 1);
    assert!(!reader.poll_is_due(NOW));
    assert!(round(&mut reader, &providers, [&honest, &honest]).is_empty());
    assert!(reader.poll_is_due(NOW), "there may be more of what is agreed on");
}

#[test]
fn a_head_that_its_origin_did_not_sign_accuses_nobody() {
    let ((providers, key), mut reader) = (providers(), reader());
    let forger = SigningKey::from_bytes(&[9; 32]);
    let (honest, forged) = (chain(&key, &[block(0, &[1])]), chain(&forger, &[block(0, &[2])]));
    assert!(round(&mut reader, &providers, [&honest, &forged]).is_empty());
    assert!(round(&mut reader, &providers, [&forged, &honest]).is_empty());
    assert_eq!(asked(&mut reader, true), [0; 0]);
    assert!(round(&mut reader, &providers, [&honest, &honest]).is_empty());
    assert_eq!(asked(&mut reader, true), [0]);
}

#[test]
fn a_broken_chain_is_not_followed() {
    let ((providers, key), mut reader) = (providers(), reader());
    let mut heads = chain(&key, &[block(0, &[1]), block(1, &[2])]);
    heads[1] = Head::seal(&block(1, &[2]), [7; 32], NOW, &key);
    round(&mut reader, &providers, [&heads, &heads]);
    assert_eq!(asked(&mut reader, true), [0], "the first generation, not the second");
}

#[test]
fn after_an_absence_all_missed_periods_are_read_but_none_that_is_gone() {
    let mut reader = reader();
    assert!(reader.periods(NOW).len() <= 2);
    let later = NOW.after(Duration::from_hours(9));
    let missed = reader.periods(later);
    assert!(missed.contains(&NOW.period()) && missed.contains(&later.period()));
    assert!(reader.periods(NOW.after(Duration::from_hours(1_000))).len() <= 13);
    let (providers, key) = providers();
    let heads = chain(&key, &[]);
    round(&mut reader, &providers, [&heads, &heads]);
    reader.note_progress();
    assert!(reader.periods(NOW.after(Duration::from_hours(1))).len() <= 2);
}

#[test]
fn a_pool_checks_a_block_before_it_shares_it() {
    let (_, key) = providers();
    let (pool, block) = (BlockPool::default(), block(0, &[1, 2]));
    let head = chain(&key, std::slice::from_ref(&block))[0];
    let mut other = head;
    other.root[0] ^= 1;
    assert!(pool.verified(&other, block.clone()).is_none());
    let first = pool.verified(&head, block.clone()).unwrap();
    assert!(Arc::ptr_eq(&first, &pool.verified(&head, block).unwrap()));
    assert!(pool.verified(&head, super::tests::block(0, &[1, 3])).is_none());
}

/// DESIGN section 6: a dropped record is publishable evidence naming the liar.
#[test]
fn a_record_that_was_acknowledged_and_left_out_is_noticed() {
    let (_, key) = providers();
    let receipt = Receipt {
        segment: segment(),
        generation: 0,
        replica: id(2),
        accepted: 0b11,
        full: 0x3FC,
        receipt_key: [1; 32],
        event: [2; 32],
        time: NOW,
        signature: [0; 64],
    }
    .sign(&key);
    let owed = |rows: &[u32]| {
        let mut deposits = Deposits::default();
        deposits.owe(Owed { receipt, event: Box::new([0; EVENT]), records: block(0, rows).records().to_vec() });
        deposits
    };
    let generation = GenerationId { segment: segment(), index: 0 };
    assert!(owed(&[1, 2]).check(generation, Some(&block(0, &[1, 2, 3]))).is_empty());
    let broken = |rows: &[u32], block: Option<&GenerationBlock>| owed(rows).check(generation, block);
    assert_eq!(broken(&[1], None).len(), 1, "an empty generation holds nothing");
    let (short, broken) = (block(0, &[1, 2, 3]), broken(&[1, 4], Some(&block(0, &[1, 2, 3]))));
    assert_eq!((broken.len(), broken[0].receipt), (1, receipt));
    let head = chain(&key, std::slice::from_ref(&short))[0];
    let evidence = Evidence::dropped_record(&broken[0], &head, Some(&short));
    assert_eq!((evidence.kind, evidence.provider), (EvidenceKind::DroppedRecord, Some(id(1))));
    assert!(
        matches!(evidence.proof(), Some(Proof::Dropped(dropped)) if dropped.block == short && dropped.head == head)
    );
}
