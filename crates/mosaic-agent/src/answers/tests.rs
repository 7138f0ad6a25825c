use mosaic_aggregate::{Batch, Policy, Statement, report};
use mosaic_types::TileId;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::fixtures::{federation, id, key};

const TODAY: u32 = 20_413;

fn providers() -> Providers {
    Providers::new(federation())
}

/// So far into today.
fn at(hours: u64) -> Timestamp {
    start_of(TODAY).after(Duration::from_hours(hours))
}

/// A device that has given answers since the day before yesterday.
fn willing(providers: &Providers) -> Answers {
    let mut answers = Answers::resume(KeptAnswers::fresh(), providers, at(0));
    answers.set(true, at(0).before(2 * DAY));
    answers
}

fn reports(answers: &mut Answers, now: Timestamp) -> Vec<ReportFields> {
    answers.departing(now).iter().map(|leaving| ReportFields::decode(&leaving.share).unwrap()).collect()
}

fn planned(answers: &Answers) -> Option<Timestamp> {
    answers.kept.planned.and_then(|planned| planned.at)
}

/// The answer about yesterday leaves once, between one and ten at night, as two shares of one report for the day's two
/// aggregators. Seeds 1 to 40.
#[test]
fn an_answer_a_day_leaves_at_a_drawn_time() {
    let providers = providers();
    let mut times = BTreeSet::new();
    for seed in 1..=40 {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut answers = willing(&providers);
        assert!(answers.plan(at(0), &mut rng) && !answers.plan(at(0), &mut rng));
        let leaves = planned(&answers).unwrap();
        assert!((at(1)..at(22)).contains(&leaves));
        assert_eq!(answers.next_wake(at(0)), Some(leaves));
        assert!(!answers.answer(leaves.before(Duration::from_millis(1)), &providers, &mut rng));
        assert!(answers.answer(leaves, &providers, &mut rng) && !answers.answer(leaves, &providers, &mut rng));
        let to: Vec<_> = answers.departing(leaves).iter().map(|leaving| leaving.to).collect();
        assert_eq!(to, [id(1), id(2)], "day 20,412 of three providers");
        let [leader, helper] = reports(&mut answers, leaves).try_into().unwrap();
        assert_eq!((leader.side, helper.side, leader.id), (Side::Leader, Side::Helper, helper.id));
        assert_eq!((leader.day, leader.tile), (TODAY - 1, TileId(1)));
        times.insert(leaves.as_secs() / 3_600);
    }
    assert!(times.len() > 12, "{times:?}");
}

/// Whatever is lost after the time was drawn, nothing leaves twice: a process that was not there at the time is too late.
#[test]
fn a_restart_repeats_nothing() {
    let (providers, mut rng) = (providers(), ChaCha20Rng::seed_from_u64(3));
    let mut answers = willing(&providers);
    answers.plan(at(0), &mut rng);
    let (kept, leaves) = (answers.kept(), planned(&answers).unwrap());
    let mut early = Answers::resume(kept.clone(), &providers, leaves.before(Duration::from_mins(1)));
    assert!(!early.plan(at(0), &mut rng) && planned(&early) == Some(leaves), "the same time as before");
    assert!(early.answer(leaves, &providers, &mut rng));
    for state in [kept, early.kept()] {
        let mut again = Answers::resume(state, &providers, leaves);
        let late = at(23);
        assert!(!again.plan(leaves, &mut rng) && !again.answer(late, &providers, &mut rng));
        assert_eq!((again.days_paid(late), again.departing(late).len()), (1, 0));
    }
}

#[test]
fn who_did_not_say_so_answers_nothing() {
    let (providers, mut rng) = (providers(), ChaCha20Rng::seed_from_u64(4));
    let mut answers = Answers::resume(KeptAnswers::fresh(), &providers, at(0));
    answers.wished(at(0), ClassId::new(3).unwrap(), 12, &mut rng);
    assert!(!answers.plan(at(0), &mut rng) && answers.kept.wished.is_empty());
    // from today on: about yesterday nothing is known
    answers.set(true, at(5));
    answers.wished(at(5), ClassId::new(3).unwrap(), 12, &mut rng);
    assert!(!answers.plan(at(6), &mut rng));
    assert!(answers.plan(at(24), &mut rng) && planned(&answers).is_some());
    answers.set(false, at(25));
    assert!(!answers.answer(at(47), &providers, &mut rng) && answers.kept.wished.is_empty());
    assert_eq!(answers.next_wake(at(25)), None);
}

/// Each of a day's wishes is as likely to be the one that is answered with: of three over 3,000 days, 1,000 each. Seed 5;
/// chi-square with two degrees of freedom, level 0.001 at 13.8.
#[test]
fn one_wish_of_a_day_is_drawn() {
    let (providers, mut rng) = (providers(), ChaCha20Rng::seed_from_u64(5));
    let mut counts = [0_u32; 3];
    for _ in 0..3_000 {
        let mut answers = willing(&providers);
        for class in 0..3 {
            answers.wished(at(1), ClassId::new(class).unwrap(), 6 * class, &mut rng);
        }
        let wished = answers.kept.wished[&TODAY];
        assert_eq!((wished.part, wished.wishes), (wished.class.get(), 3));
        counts[usize::from(wished.class.get())] += 1;
    }
    let statistic: f64 = counts.iter().map(|count| (f64::from(*count) - 1_000.0).powi(2) / 1_000.0).sum();
    assert!(statistic < 13.8, "{counts:?}");
}

/// Answers cost what the accountant says, and end where its budget does; thirty days later they count no more. Seed 6.
#[test]
fn answers_end_with_their_budget() {
    let (providers, mut rng) = (providers(), ChaCha20Rng::seed_from_u64(6));
    let mut answers = willing(&providers);
    let mut given = 0;
    while answers.refused().is_none() {
        answers.plan(at(24 * given), &mut rng);
        given += u64::from(answers.refused().is_none());
        assert!(given <= 30, "thirty answers are dearer than the budget");
    }
    let spending = answers.spending(at(24 * given));
    assert!(given == 10 && spending.used() <= spending.total && spending.plain > spending.used() - 1e-9);
    assert_eq!((planned(&answers), answers.days_paid(at(24 * given))), (None, u32::try_from(given).unwrap()));
    let mut day = given;
    while answers.refused().is_some() {
        day += 1;
        answers.plan(at(24 * day), &mut rng);
    }
    assert_eq!(day, 30, "with it the thirty days begin after the first");
}

/// What is not taken is sent again with the token that it had, unless that was no good; until it is too late.
#[test]
fn a_share_is_sent_until_it_is_taken() {
    let (providers, mut rng) = (providers(), ChaCha20Rng::seed_from_u64(7));
    let mut answers = willing(&providers);
    answers.plan(at(0), &mut rng);
    let now = planned(&answers).unwrap();
    answers.answer(now, &providers, &mut rng);
    let token = WireToken { kind: 1, nonce: [1; 32], challenge: [2; 32], key_id: [3; 32], authenticator: [4; 256] };
    let number = answers.departing(now)[0].number;
    answers.sent(now, number, Some(token.clone()));
    assert_eq!(answers.departing(now).len(), 1, "one is under way");
    answers.failed(now, number, true);
    let later = now.after(REST);
    assert_eq!((answers.departing(now).len(), answers.next_wake(now)), (1, Some(now)));
    let again = |answers: &mut Answers, now| {
        let departing = answers.departing(now).into_iter().find(|departing| departing.number == number);
        departing.map(|departing| departing.token)
    };
    assert_eq!(again(&mut answers, later), Some(Some(token)));
    answers.failed(later, number, false);
    assert_eq!(again(&mut answers, later.after(REST)), Some(None));
    answers.done(number);
    assert_eq!(answers.departing(later.after(REST)).len(), 1);
    assert_eq!(answers.departing(start_of(TODAY + 1).after(Duration::from_mins(10))).len(), 0, "the day is closed");
}

/// What two providers signed about a day, one of whose people wished for class 5 in the evening. Seed of the noise: 8.
fn statement(tile: TileId, day: u32, signers: [u8; 2]) -> Vec<u8> {
    let counted = Counted { tile, day };
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let truth = Sensitive::new(Answer::wish(ClassId::new(5).unwrap(), PartOfDay::Evening));
    let [leader, helper] = report(counted, NoisedAnswer::draw(&truth, &mut rng), &mut rng).unwrap();
    let [mut one, mut two] = [Side::Leader, Side::Helper].map(|side| Batch::open(counted, side, [9; 32]).unwrap());
    let (first, second) = (one.begin(&leader).unwrap(), two.begin(&helper).unwrap());
    let (mine, theirs) = (*first.verifier_share(), *second.verifier_share());
    one.finish(first, &theirs).unwrap();
    two.finish(second, &mine).unwrap();
    let policy = Policy { fewest: 1, ..Policy::STANDARD };
    let sums = [one.close(policy, &mut rng).unwrap(), two.close(policy, &mut rng).unwrap()];
    let said = Statement::of([&sums[0], &sums[1]], id(signers[0]), id(signers[1])).unwrap();
    let signatures = signers.map(|signer| said.sign(&key(signer)));
    said.signed(signatures).encode()
}

#[test]
fn only_what_a_days_aggregators_signed_is_believed() {
    let providers = providers();
    let mut answers = Answers::resume(KeptAnswers::fresh(), &providers, at(0));
    let good = statement(TileId(1), TODAY - 1, [1, 2]);
    let mut changed = good.clone();
    changed[30] ^= 1;
    let others =
        [changed, statement(TileId(1), TODAY - 1, [2, 3]), statement(TileId(2), TODAY - 1, [1, 2]), vec![1; 40]];
    for bad in others {
        assert_eq!(answers.take_statements(&bad, &providers), Told::Untrusted);
        assert_eq!(answers.statements().count(), 0);
    }
    assert_eq!(answers.take_statements(&[], &providers), Told::NoNews);
    let older = statement(TileId(1), TODAY - 4, [1, 2]);
    assert_eq!(answers.take_statements(&older, &providers), Told::News);
    assert_eq!(answers.take_statements(&[good.clone(), older].concat(), &providers), Told::News);
    assert_eq!(answers.take_statements(&good, &providers), Told::NoNews);
    let days: Vec<u32> = answers.statements().map(|published| published.counted().day).collect();
    assert_eq!(days, [TODAY - 1, TODAY - 4]);
    // the newest is there after a restart, and tastes are taken once
    let mut again = Answers::resume(answers.kept(), &providers, at(0));
    assert_eq!(again.statements().count(), 1);
    assert!(again.tastes_to_take().is_some() && again.tastes_to_take().is_none());
    let mut shown = Answers::resume(answers.kept(), &providers, at(0));
    shown.settle_tastes();
    assert!(shown.tastes_to_take().is_none());
}

/// Every device asks once when it starts and once a day, whether or not it gives answers, at a time that its seed says.
#[test]
fn statements_are_asked_for_once_a_day() {
    let providers = providers();
    let live = [1, 2, 3].map(id);
    let times = |mut answers: Answers, seed: u8| {
        let mut asked = Vec::new();
        let mut now = at(3);
        while now < at(24 * 4) {
            asked.extend(answers.claim_fetch(now, &[seed; 32], &live).map(|provider| (now, provider)));
            now = now.after(Duration::from_mins(1));
        }
        asked
    };
    let quiet = times(Answers::resume(KeptAnswers::fresh(), &providers, at(3)), 1);
    let days: Vec<u64> = quiet.iter().map(|(at, _)| at.as_secs() / 86_400 - u64::from(TODAY)).collect();
    assert_eq!(days, [0, 1, 2, 3]);
    assert_eq!(times(willing(&providers), 1), quiet);
    assert_ne!(times(willing(&providers), 2), quiet);
    let mut alone = willing(&providers);
    assert_eq!(alone.claim_fetch(at(3), &[1; 32], &[]), None);
    assert!(alone.claim_fetch(at(3).after(REST), &[1; 32], &live).is_some());
}
