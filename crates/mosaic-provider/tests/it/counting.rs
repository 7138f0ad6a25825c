//! Reports about a day at two aggregators, until a statement is everywhere.

use std::{collections::BTreeSet, time::Duration};

use mosaic_aggregate::{
    Answer, Batch, Counted, NoisedAnswer, NoisedSum, PartOfDay, Published, ReportFields, Side, SignedStatement,
    Statement, aggregators, report,
};
use mosaic_crypto::signing::SigningKey;
use mosaic_federation::peer::{PeerReply, PeerRequest};
use mosaic_provider::{
    Policy,
    store::{Bucket, MemoryStore, Store},
};
use mosaic_types::{ClassId, ProviderId, Sensitive, TileId, Timestamp};
use mosaic_wire::{Call, CellReply, CellRequest, ProblemCode, Reply, TokenPurpose, WireToken};
use rand_chacha::ChaCha20Rng;

use crate::{
    cluster::{Cluster, id, policy},
    faults::{Failing, fault_after, restart, stores},
    limits::reopen,
};

/// The day before the cluster begins, led by provider 1 with the help of provider 2.
const COUNTED: Counted = Counted { tile: TileId(7), day: 20_412 };
const LEADER: u8 = 1;
const HELPER: u8 = 2;

fn memory() -> Cluster<MemoryStore> {
    Cluster::ready(vec![MemoryStore::default(); 3])
}

/// The layout of `docs/spec/wire.md`, written out: encoding goes through the release barrier only.
fn bytes_of(share: &ReportFields) -> [u8; ReportFields::SIZE] {
    let mut bytes = vec![ReportFields::VERSION, share.side as u8];
    bytes.extend(share.tile.0.to_be_bytes());
    bytes.extend(share.day.to_be_bytes());
    bytes.extend(share.id);
    bytes.extend(share.public_share);
    bytes.extend(share.input_share);
    bytes.try_into().unwrap()
}

fn shares<S: Store>(cluster: &mut Cluster<S>, counted: Counted) -> [ReportFields; 2] {
    let wish = Answer::wish(ClassId::new(3).unwrap(), PartOfDay::Evening);
    let answer = NoisedAnswer::draw(&Sensitive::new(wish), &mut cluster.rng);
    report(counted, answer, &mut cluster.rng).unwrap()
}

fn give<S: Store>(cluster: &mut Cluster<S>, to: u8, share: &ReportFields) -> Result<(), ProblemCode> {
    let token = cluster.token(to, TokenPurpose::Deposit);
    give_with(cluster, to, token, &bytes_of(share))
}

fn give_with<S: Store>(
    cluster: &mut Cluster<S>,
    to: u8,
    token: WireToken,
    share: &[u8; ReportFields::SIZE],
) -> Result<(), ProblemCode> {
    match cluster.call(to, Call::Cell(CellRequest::Report { token, share: *share })) {
        Ok(Reply::Cell(CellReply::Taken)) => Ok(()),
        Ok(Reply::Cell(CellReply::Problem(problem))) => Err(problem.code),
        other => panic!("{other:?}"),
    }
}

/// So many people report, both shares each.
fn report_all<S: Store>(cluster: &mut Cluster<S>, people: usize) {
    for _ in 0..people {
        let [leader, helper] = shares(cluster, COUNTED);
        give(cluster, LEADER, &leader).unwrap();
        give(cluster, HELPER, &helper).unwrap();
    }
}

/// The moment at which the day is closed, and a few minutes more.
fn close<S: Store>(cluster: &mut Cluster<S>) {
    cluster.now = cluster.now.max(COUNTED.closes_at());
    cluster.pass(Duration::from_mins(4), Duration::from_mins(1));
}

fn statements<S: Store>(cluster: &mut Cluster<S>, number: u8) -> Vec<u8> {
    let Ok(Reply::Statements(bytes)) = cluster.call(number, Call::Statements) else { panic!("no statements") };
    bytes
}

fn published<S: Store>(cluster: &mut Cluster<S>, number: u8) -> Published {
    let bytes = statements(cluster, number);
    assert_eq!(bytes.len(), SignedStatement::SIZE);
    let ids: Vec<ProviderId> = cluster.federation.descriptor().ids().collect();
    let statement = SignedStatement::decode_all(&bytes).remove(0);
    statement.verify_turn(&ids, |id| cluster.federation.signing_key(id)).unwrap()
}

/// What two providers sign of a day about which one report was given.
pub(crate) fn signed(counted: Counted, signers: [(ProviderId, &SigningKey); 2], rng: &mut ChaCha20Rng) -> Vec<u8> {
    let [leader, helper] = report(counted, NoisedAnswer::draw(&Sensitive::new(Answer::NOTHING), rng), rng).unwrap();
    let [mut one, mut two] = [Side::Leader, Side::Helper].map(|side| Batch::open(counted, side, [9; 32]).unwrap());
    let (first, second) = (one.begin(&leader).unwrap(), two.begin(&helper).unwrap());
    let (mine, theirs) = (*first.verifier_share(), *second.verifier_share());
    one.finish(first, &theirs).unwrap();
    two.finish(second, &mine).unwrap();
    let policy = mosaic_aggregate::Policy { fewest: 1, ..mosaic_aggregate::Policy::STANDARD };
    let sums = [one.close(policy, rng).unwrap(), two.close(policy, rng).unwrap()];
    let said = Statement::of([&sums[0], &sums[1]], signers[0].0, signers[1].0).unwrap();
    let signatures = signers.map(|(_, key)| said.sign(key));
    said.signed(signatures).encode()
}

/// Keys that a provider keeps of days, without statements and what says that a day is over.
fn kept(store: &impl Store) -> usize {
    store.scan(Bucket::Counts, b"").unwrap().iter().filter(|(key, _)| key[4] < 3).count()
}

/// 130 reports of one wish, of which ten reach one aggregator only: 120 are counted, and all three providers hand out one
/// statement. The estimate lies within five deviations: √(120 · 0.25 + 16) / 0.454 = 15. Seed 2.
#[test]
fn a_day_becomes_one_statement_at_all_providers() {
    let ids: Vec<ProviderId> = (1..=3).map(id).collect();
    assert_eq!(aggregators(&ids, COUNTED.day), Some([id(LEADER), id(HELPER)]));
    let mut cluster = memory();
    report_all(&mut cluster, 60);
    cluster.pass(Duration::from_mins(1), Duration::from_mins(1));
    report_all(&mut cluster, 60);
    for half in 0..10 {
        let halves = shares(&mut cluster, COUNTED);
        give(&mut cluster, [LEADER, HELPER][half % 2], &halves[half % 2]).unwrap();
    }
    assert_eq!(statements(&mut cluster, 3), b"", "nothing is said before the day is over");
    close(&mut cluster);
    let all = [1, 2, 3].map(|number| statements(&mut cluster, number));
    assert!(all[0] == all[1] && all[1] == all[2]);
    let published = published(&mut cluster, 3);
    assert_eq!((published.counted(), published.reports(), published.epsilon()), (COUNTED, 100, 1.0));
    let found = published.wishes(ClassId::new(3).unwrap(), PartOfDay::Evening).unwrap();
    assert!((found - 120.0).abs() < 75.0, "{found}");
    let gauges = cluster.core(3).gauges(Timestamp::from_millis(0));
    assert_eq!((gauges.statements, gauges.statement_reports), (1, 100));
    for number in [LEADER, HELPER] {
        let store = cluster.core(number).store();
        assert_eq!(kept(store), 1, "of the day only the noised sum is left");
    }
}

#[test]
fn what_is_no_report_of_the_day_is_refused_and_costs_nothing() {
    let mut cluster = memory();
    let [leader, helper] = shares(&mut cluster, COUNTED);
    let token = cluster.token(LEADER, TokenPurpose::Deposit);
    let mut refused =
        |share: &ReportFields| give_with(&mut cluster, LEADER, token.clone(), &bytes_of(share)).unwrap_err();
    let elsewhere = ReportFields { tile: TileId(8), ..leader.clone() };
    let today = ReportFields { day: COUNTED.day + 1, ..leader.clone() };
    let before = ReportFields { day: COUNTED.day - 1, ..leader.clone() };
    let never = ReportFields { day: u32::MAX, ..leader.clone() };
    let found = [&elsewhere, &today, &before, &never, &helper].map(&mut refused);
    let closed = ProblemCode::DayClosed;
    assert_eq!(found, [ProblemCode::UnknownTable, closed, closed, closed, closed]);
    assert_eq!(give_with(&mut cluster, LEADER, token.clone(), &[7; ReportFields::SIZE]), Err(ProblemCode::Malformed));
    let other = cluster.token(LEADER, TokenPurpose::Evaluate);
    assert_eq!(give_with(&mut cluster, LEADER, other, &bytes_of(&leader)), Err(ProblemCode::TokenInvalid));
    // the token was not spent on any of them, and then pays for one report, as often as it is sent
    for _ in 0..2 {
        assert_eq!(give_with(&mut cluster, LEADER, token.clone(), &bytes_of(&leader)), Ok(()));
    }
    let [second, _] = shares(&mut cluster, COUNTED);
    assert_eq!(give_with(&mut cluster, LEADER, token, &bytes_of(&second)), Err(ProblemCode::TokenSpent));
    // the third provider counts nothing of this day
    assert_eq!(give(&mut cluster, 3, &leader), Err(closed));
    cluster.now = COUNTED.closes_at();
    assert_eq!(give(&mut cluster, LEADER, &second), Err(closed), "too late");
}

/// 24 honest people; garbage, ten votes at once, one report under another's name: 24 are counted. Seed 2.
#[test]
fn liars_are_not_counted() {
    let mut cluster = memory();
    report_all(&mut cluster, 24);
    for kind in 0..9 {
        let [mut leader, mut helper] = shares(&mut cluster, COUNTED);
        match kind % 3 {
            0 => leader.input_share.fill(kind),
            // the first summand, little-endian
            1 => leader.input_share[0] = leader.input_share[0].wrapping_add(10),
            _ => helper.id = [kind; 16],
        }
        give(&mut cluster, LEADER, &leader).unwrap();
        give(&mut cluster, HELPER, &helper).unwrap();
    }
    cluster.heard = Some(Vec::new());
    close(&mut cluster);
    assert_eq!(published(&mut cluster, 3).reports(), 0, "in whole hundreds");
    let counts: BTreeSet<u32> =
        shown(&cluster).iter().map(|sum| u32::from_be_bytes(sum[14..18].try_into().unwrap())).collect();
    assert_eq!(counts, [24].into());
}

/// Every noised sum that one provider showed another.
fn shown<S>(cluster: &Cluster<S>) -> BTreeSet<Vec<u8>> {
    let mut sums = BTreeSet::new();
    for message in cluster.heard.iter().flatten() {
        let body = &message[44..message.len() - 64];
        if message[1] == 0 {
            if let Ok(PeerRequest::Sum(_, sum)) = postcard::from_bytes(body) {
                sums.insert(sum);
            }
        } else if let Ok(PeerReply::Sum(sum, _)) = postcard::from_bytes(body) {
            sums.insert(sum);
        }
    }
    sums.iter().for_each(|sum| assert!(NoisedSum::decode(sum).is_some()));
    sums
}

/// An aggregator dies at its n-th change, for every n from the first report to the statement, and comes back: whatever was
/// seen of its noise is one sum, and there is one statement, with all reports that were acknowledged.
#[test]
fn a_crash_at_every_change_draws_noise_once() {
    for victim in [LEADER, HELPER] {
        let mut crashes = 0;
        for fault in 0..32 {
            let mut cluster = Cluster::ready(stores());
            cluster.heard = Some(Vec::new());
            fault_after(cluster.core(victim).store(), fault);
            let mut crashed = false;
            let mut look = |cluster: &mut Cluster<Failing>| {
                if cluster.core(victim).store().has_failed() {
                    crashed = true;
                    restart(cluster, id(victim));
                }
            };
            for _ in 0..6 {
                for (number, share) in [LEADER, HELPER].into_iter().zip(shares(&mut cluster, COUNTED)) {
                    if give(&mut cluster, number, &share).is_err() {
                        look(&mut cluster);
                        give(&mut cluster, number, &share).unwrap();
                    }
                }
            }
            for minute in 0..6 {
                cluster.now = COUNTED.closes_at().after(Duration::from_mins(minute));
                cluster.settle();
                look(&mut cluster);
            }
            crashes += u32::from(crashed);
            let sums = shown(&cluster);
            assert_eq!(sums.len(), 2, "victim {victim}, fault {fault}: one noised sum each");
            let all = [1, 2, 3].map(|number| statements(&mut cluster, number));
            assert!(all[0].len() == SignedStatement::SIZE && all[0] == all[1] && all[1] == all[2]);
            assert!(sums.iter().all(|sum| sum[14..18] == [0, 0, 0, 6]), "victim {victim}, fault {fault}");
        }
        assert!(crashes > 12, "{crashes}");
    }
}

/// Killed after its noise was stored and before anybody was told, or after it was told and before it heard: it shows what
/// is stored.
#[test]
fn a_restart_shows_the_sum_that_was_stored() {
    let mut cluster = memory();
    report_all(&mut cluster, 21);
    cluster.pass(Duration::from_mins(2), Duration::from_mins(1));
    cluster.now = COUNTED.closes_at();
    let noised = |cluster: &mut Cluster<MemoryStore>, number: u8| {
        cluster.core(number).store().get(Bucket::Counts, &[&COUNTED.day.to_be_bytes()[..], &[2]].concat()).unwrap()
    };
    // the ticks store the noise, and nothing is exchanged
    for _ in 0..2 {
        cluster.now = cluster.now.after(Duration::from_mins(1));
        cluster.tick(id(LEADER));
    }
    let stored = noised(&mut cluster, LEADER).expect("drawn");
    reopen(&mut cluster, LEADER, policy(), |_| ());
    cluster.down = vec![id(HELPER)];
    cluster.pass(Duration::from_hours(1), Duration::from_mins(10));
    assert_eq!((noised(&mut cluster, LEADER), statements(&mut cluster, LEADER)), (Some(stored.clone()), Vec::new()));
    cluster.down.clear();
    cluster.heard = Some(Vec::new());
    cluster.pass(Duration::from_mins(2), Duration::from_mins(1));
    let helpers = noised(&mut cluster, HELPER).expect("drawn");
    assert_eq!(shown(&cluster), [stored, helpers[..NoisedSum::SIZE].to_vec()].into());
    assert_eq!(published(&mut cluster, 3).counted(), COUNTED);
}

/// The helper is away while people report to the leader, and the leader while the day is closed.
#[test]
fn an_aggregator_that_is_away_for_hours_is_waited_for() {
    let mut cluster = memory();
    let all: Vec<_> = (0..25).map(|_| shares(&mut cluster, COUNTED)).collect();
    cluster.down = vec![id(HELPER)];
    all.iter().for_each(|shares| give(&mut cluster, LEADER, &shares[0]).unwrap());
    cluster.pass(Duration::from_hours(3), Duration::from_mins(10));
    cluster.down.clear();
    all.iter().for_each(|shares| give(&mut cluster, HELPER, &shares[1]).unwrap());
    cluster.down = vec![id(LEADER)];
    cluster.now = COUNTED.closes_at();
    cluster.pass(Duration::from_hours(1), Duration::from_mins(10));
    cluster.down.clear();
    cluster.pass(Duration::from_mins(5), Duration::from_mins(1));
    assert_eq!(published(&mut cluster, 3).counted(), COUNTED);
}

#[test]
fn of_too_few_reports_nothing_is_said_and_nothing_stays() {
    let mut cluster = memory();
    report_all(&mut cluster, 4);
    close(&mut cluster);
    cluster.now = cluster.now.after(Duration::from_hours(49));
    cluster.settle();
    for number in [1, 2, 3] {
        assert_eq!(statements(&mut cluster, number), b"");
        assert_eq!(kept(cluster.core(number).store()), 0, "at {number}");
    }
}

#[test]
fn reports_are_rationed_by_the_day() {
    let mut cluster = memory();
    reopen(&mut cluster, LEADER, Policy { reports_a_day: 3, ..policy() }, |_| ());
    for number in 0..4 {
        let [leader, _] = shares(&mut cluster, COUNTED);
        let given = give(&mut cluster, LEADER, &leader);
        assert_eq!(given, if number < 3 { Ok(()) } else { Err(ProblemCode::Quota) });
    }
}

/// Who was away gets statements from the others, for as long as they are kept; after that nobody has them.
#[test]
fn statements_reach_who_was_away_and_end_after_a_month() {
    let mut cluster = memory();
    report_all(&mut cluster, 21);
    cluster.down = vec![id(3)];
    close(&mut cluster);
    assert_eq!(statements(&mut cluster, 3), b"");
    cluster.down.clear();
    cluster.pass(Duration::from_hours(2), Duration::from_mins(30));
    assert_eq!(published(&mut cluster, 3).counted(), COUNTED);
    for number in [1, 2, 3] {
        reopen(&mut cluster, number, policy(), |_| ());
        assert_eq!(published(&mut cluster, number).counted(), COUNTED, "a restart keeps it");
    }
    cluster.now = COUNTED.reports_from().after(Duration::from_hours(24 * 31));
    cluster.settle();
    for number in [1, 2, 3] {
        assert_eq!(statements(&mut cluster, number), b"");
        let left = cluster.core(number).store().scan(Bucket::Counts, b"").unwrap();
        assert_eq!(left, [], "at {number}");
    }
}

/// Two of three who sign a day that was another pair's turn are not believed, nor is a changed statement.
#[test]
fn only_who_counts_a_day_speaks_of_it() {
    let mut cluster = memory();
    report_all(&mut cluster, 21);
    cluster.down = vec![id(3)];
    close(&mut cluster);
    let bytes = statements(&mut cluster, LEADER);
    let mut later = bytes.clone();
    // the day, in its lowest byte
    later[8] = later[8].wrapping_add(1);
    let mut changed = bytes.clone();
    changed[30] ^= 1;
    cluster.down.clear();
    for forged in [later, changed] {
        crate::limits::ask_peer(&mut cluster, &PeerRequest::Statements(vec![forged, vec![0; 9]]));
        assert_eq!(statements(&mut cluster, LEADER), bytes);
    }
}
