use mosaic_types::{Lane, Period, SegmentId, Stream, TableId, TileId};
use mosaic_wire::{Groups, LaneShape, PublicShare, Record};

use super::*;
use crate::{
    chain::{ChainError, HeadChain, Linked},
    fixture::{Town, id, now},
    segment::Verdict,
};

fn segment() -> SegmentId {
    SegmentId { table: TableId::new(Period(100), Lane::Rendezvous), origin: id(2), stream: Stream::Fast }
}

fn block(index: u32, rows: &[u32]) -> GenerationBlock {
    let records = rows.iter().map(|row| Record { row: *row, bytes: [*row as u8; 192] }).collect();
    GenerationBlock::new(segment(), index, records).unwrap()
}

fn head(town: &Town, block: &GenerationBlock, previous: [u8; 32]) -> Head {
    Head::seal(block, previous, now(), &town.signing[1])
}

/// `docs/spec/wire.md`, written out: encoding goes through the release barrier only.
fn event(rows: std::ops::Range<u32>) -> [u8; EVENT] {
    let mut bytes = vec![1, 0];
    bytes.extend(1_u32.to_be_bytes());
    bytes.extend(segment().table.0.to_be_bytes());
    rows.clone().for_each(|row| bytes.extend(&row.to_be_bytes()[1..]));
    bytes.extend([0; 88]);
    rows.for_each(|row| bytes.extend([row as u8; 192]));
    bytes.try_into().unwrap()
}

#[test]
fn two_contents_of_one_generation_convict_their_origin() {
    let town = Town::new();
    let (first, second) = (head(&town, &block(0, &[1]), [0; 32]), head(&town, &block(0, &[2]), [0; 32]));
    let evidence = Evidence::TwoHistories { first, second };
    assert_eq!(Evidence::decode(&evidence.encode()), Ok(evidence.clone()));
    assert_eq!(evidence.verify(&town.federation), Ok(id(2)));
    assert_eq!(Evidence::TwoHistories { first, second: first }.verify(&town.federation), Err(NoProof::Innocent));
    let mut forged = second;
    forged.signature[0] ^= 1;
    assert_eq!(Evidence::TwoHistories { first, second: forged }.verify(&town.federation), Err(NoProof::Signature));
    let framed = second.sign(&town.signing[0]);
    assert_eq!(Evidence::TwoHistories { first, second: framed }.verify(&town.federation), Err(NoProof::Signature));
}

#[test]
fn a_head_that_does_not_follow_convicts_too() {
    let town = Town::new();
    let first = head(&town, &block(0, &[1]), [0; 32]);
    let good = head(&town, &block(1, &[2]), first.hash());
    let torn = head(&town, &block(1, &[2]), [9; 32]);
    let judge = |second| Evidence::TwoHistories { first, second }.verify(&town.federation);
    assert_eq!((judge(good), judge(torn)), (Err(NoProof::Innocent), Ok(id(2))));
    let far = head(&town, &block(5, &[2]), [9; 32]);
    assert_eq!(judge(far), Err(NoProof::Unrelated));
}

#[test]
fn a_chain_takes_what_fits_and_convicts_what_forks() {
    let town = Town::new();
    let key = town.federation.signing_key(id(2)).unwrap();
    let mut chain = HeadChain::new(segment());
    let first = head(&town, &block(0, &[1]), [0; 32]);
    let second = head(&town, &block(1, &[2]), first.hash());
    assert_eq!(chain.offer(&second, &key), Err(ChainError::Gap { expected: 0, found: 1 }));
    assert_eq!(chain.offer(&first, &key), Ok(Linked::Appended));
    assert_eq!(chain.offer(&first, &key), Ok(Linked::Known));
    assert_eq!(chain.offer(&second, &key), Ok(Linked::Appended));
    let stranger = town.federation.signing_key(id(1)).unwrap();
    let third = head(&town, &block(2, &[3]), second.hash());
    assert_eq!(chain.offer(&third, &stranger), Err(ChainError::Signature));
    let fork = head(&town, &block(1, &[7]), first.hash());
    let Err(ChainError::Forked(evidence)) = chain.offer(&fork, &key) else { panic!("a fork was taken") };
    assert_eq!(evidence.verify(&town.federation), Ok(id(2)));
    assert_eq!(chain.count(), 2);
}

fn dropped(town: &Town, accepted: u16, sealed: &[u32]) -> Dropped {
    let event = event(1..11);
    let verdict = Verdict {
        stream: Stream::Fast,
        generation: 0,
        accepted,
        full: 0x3ff & !accepted,
        time: now(),
        receipt_key: [0; 32],
    };
    let hash = event_hash(&event);
    let receipt = verdict.receipt(segment().table, id(2), id(1), hash, &town.signing[1]);
    let block = block(0, sealed);
    Dropped { receipt, event, head: head(town, &block, [0; 32]), block }
}

#[test]
fn a_dropped_record_convicts_and_a_kept_one_does_not() {
    let town = Town::new();
    let all: Vec<u32> = (1..11).collect();
    let judge = |dropped: Dropped| {
        let evidence = Evidence::Dropped(Box::new(dropped));
        assert_eq!(Evidence::decode(&evidence.encode()), Ok(evidence.clone()));
        evidence.verify(&town.federation)
    };
    assert_eq!(judge(dropped(&town, 0x3ff, &all)), Err(NoProof::Innocent));
    assert_eq!(judge(dropped(&town, 0x3ff, &all[1..])), Ok(id(2)));
    assert_eq!(judge(dropped(&town, 0x3fe, &all[1..])), Err(NoProof::Innocent), "the first was never accepted");
    let mut other = dropped(&town, 0x3ff, &all[1..]);
    other.event[1_000] ^= 1;
    assert_eq!(judge(other), Err(NoProof::Unrelated), "not the acknowledged event");
    let mut other = dropped(&town, 0x3ff, &all[1..]);
    other.block = block(0, &all);
    assert_eq!(judge(other), Err(NoProof::Unrelated), "not the signed generation");
    let mut forged = dropped(&town, 0x3fe, &all[1..]);
    (forged.receipt.accepted, forged.receipt.full) = (0x3ff, 0);
    assert_eq!(judge(forged), Err(NoProof::Signature));
}

fn table(rows: u32) -> TableDescriptor {
    let lane = LaneShape { rows, capacity: 64 };
    TableDescriptor {
        tile: TileId(1),
        period: Period(122_478),
        valid_from: now(),
        threshold: 2,
        public_key: [7; 32],
        shares: (1..=3).map(|number| PublicShare { provider: id(number), element: [number; 32] }).collect(),
        transcript: [8; 32],
        discovery: lane,
        rendezvous: lane,
        generation_s: [5, 60, 600],
        groups: Groups::DEFAULT,
    }
}

fn signed(town: &Town, table: &TableDescriptor, signers: [u8; 2]) -> SignedTable {
    let signatures = signers.map(|number| (id(number), table.sign(&town.signing[usize::from(number) - 1])));
    SignedTable::new(table.clone(), signatures).unwrap()
}

#[test]
fn two_tables_of_one_period_convict_who_signed_both() {
    let town = Town::new();
    let (one, other) = (signed(&town, &table(64), [1, 2]), signed(&town, &table(128), [3, 2]));
    let proofs = TwoTables::in_both(&one, &other);
    assert_eq!(proofs.iter().map(|proof| proof.signer).collect::<Vec<_>>(), [id(2)]);
    let evidence = Evidence::TwoTables(Box::new(proofs[0].clone()));
    assert_eq!(Evidence::decode(&evidence.encode()), Ok(evidence.clone()));
    assert_eq!(evidence.verify(&town.federation), Ok(id(2)));
    let both = TwoTables::in_both(&one, &signed(&town, &table(128), [2, 1]));
    assert_eq!(both.iter().map(|proof| proof.verify(&town.federation)).collect::<Vec<_>>(), [Ok(id(1)), Ok(id(2))]);
    let judge = |change: &dyn Fn(&mut TwoTables)| {
        let mut proof = proofs[0].clone();
        change(&mut proof);
        Evidence::TwoTables(Box::new(proof)).verify(&town.federation)
    };
    assert_eq!(judge(&|proof| proof.second = proof.first.clone()), Err(NoProof::Innocent), "one table shown twice");
    assert_eq!(judge(&|proof| proof.signer = id(1)), Err(NoProof::Signature), "another is not framed");
    assert_eq!(judge(&|proof| proof.signer = id(9)), Err(NoProof::Stranger));
    assert_eq!(judge(&|proof| proof.second.1[0] ^= 1), Err(NoProof::Signature));
    let next = TableDescriptor { period: Period(122_479), ..table(128) };
    let of_next = (next.clone(), next.sign(&town.signing[1]));
    assert_eq!(judge(&|proof| proof.second = of_next.clone()), Err(NoProof::Unrelated), "each period has its table");
}

#[test]
fn bytes_that_are_no_evidence_are_refused() {
    for bytes in [&[][..], &[0], &[9; 50], &[1; 4_000]] {
        assert_eq!(Evidence::decode(bytes), Err(NoProof::Malformed));
    }
}
