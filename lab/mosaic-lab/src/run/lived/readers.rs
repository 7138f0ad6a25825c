//! Scoreboard 9 and 13: what one provider keeps of requests. What goes over a relay comes from the relay's address;
//! what goes directly comes from the person's own, so that everything of one person lies together.

use std::collections::BTreeMap;

use mosaic_attack::{BoostingPlan, Distinction, Estimate, Learner, Observation, Uniqueness, distinguish, uniqueness};
use mosaic_types::{ProviderId, Timestamp};

use crate::{
    practice::{Asked, Practice, PracticePlan, Request, Said},
    report::Row,
    run::Bench,
    runs::{RESAMPLES, exactly},
};

/// The pace at which readers are looked at.
const HALF_HOUR_S: u64 = 1_800;
/// Kinds of requests that an address is seen with.
const KINDS: [Asked; 7] =
    [Asked::Public, Asked::Tokens, Asked::Deposit, Asked::Evaluate, Asked::Heads, Asked::Generations, Asked::Stack];

pub(super) fn attack(bench: &mut Bench<'_>, recorded: &Practice, one: ProviderId, plan: PracticePlan) {
    let here: Vec<&Request> = recorded.requests.iter().filter(|request| request.to == one).collect();
    readers(bench, recorded, &here, plan);
    addresses(bench, &here, plan.people);
}

/// Where is this reader, what does it want, and did it just begin to want something?
fn readers(bench: &mut Bench<'_>, recorded: &Practice, here: &[&Request], plan: PracticePlan) {
    let east = median(recorded.said.iter().map(|said| said.place.lng()));
    let late = median(recorded.said.iter().map(|said| f64::from(said.class.get())));
    type Question = (&'static str, &'static str, Box<dyn Fn(&Said, Timestamp) -> bool>);
    let questions: [Question; 3] = [
        ("reader/place", "AUC, east or west", Box::new(move |said, _| said.place.lng() > east)),
        ("reader/class", "AUC, one half of the classes", Box::new(move |said, _| f64::from(said.class.get()) > late)),
        (
            "reader/interest",
            "AUC, a new wish in this half hour",
            Box::new(|said, from| said.at >= from && said.at.as_secs() < from.as_secs() + HALF_HOUR_S),
        ),
    ];
    let limits = "linked by address, as downloads go directly; which generations are asked for is the same for everybody, \
                  but a device polls every minute while its person looks and every ten minutes otherwise; few people, so \
                  the interval is wide";
    for (id, metric, label) in questions {
        let seen = observe(recorded, here, plan, &label, |own, _| features(own));
        let plain = observe(recorded, here, plan, &label, |_, said| {
            vec![said.place.lat(), said.place.lng(), said.class.get().into(), said.at.as_secs() as f64]
        });
        let found = learn(&seen, bench);
        let naive = learn(&plain, bench);
        let row = Row::printed(id, "reader, from its requests", "P1", metric, found.auc).on("13");
        // a plain query says when it begins as well: that it is sent
        let naive = if id == "reader/interest" { 1.0 } else { naive.auc.value };
        bench.rows.push(row.beside(naive).judged(0.49, 0.51).because(limits));
    }
}

/// The better of two learners: with few people, trees find less than they would with many.
fn learn(seen: &[Observation], bench: &mut Bench<'_>) -> Distinction {
    let small = BoostingPlan { leaf: 5, ..BoostingPlan::default() };
    let trees = distinguish(seen, Learner::Trees(small), RESAMPLES, &mut bench.rng);
    let logistic = distinguish(seen, Learner::Logistic { penalty: 1.0 }, RESAMPLES, &mut bench.rng);
    if logistic.auc.value > trees.auc.value { logistic } else { trees }
}

/// One observation a person and half hour, for those who had said something by its end.
fn observe(
    recorded: &Practice,
    here: &[&Request],
    plan: PracticePlan,
    label: &dyn Fn(&Said, Timestamp) -> bool,
    describe: impl Fn(&[&Request], &Said) -> Vec<f64>,
) -> Vec<Observation> {
    let mut own: BTreeMap<(u32, u64), Vec<&Request>> = BTreeMap::new();
    for request in here.iter().filter(|request| !request.relayed) {
        own.entry((request.user, request.at.as_secs() / HALF_HOUR_S)).or_default().push(request);
    }
    let mut seen = Vec::new();
    for user in 0..plan.people {
        let said: Vec<&Said> = recorded.said.iter().filter(|said| said.user == user).collect();
        for half in plan.start.as_secs() / HALF_HOUR_S..plan.start.after(plan.length).as_secs() / HALF_HOUR_S {
            let (from, end) = (Timestamp::from_secs(half * HALF_HOUR_S), (half + 1) * HALF_HOUR_S);
            let Some(last) = said.iter().rfind(|said| said.at.as_secs() < end) else { continue };
            let requests = own.get(&(user, half)).map_or(&[][..], Vec::as_slice);
            seen.push(Observation { user, features: describe(requests, last), positive: label(last, from) });
        }
    }
    seen
}

/// How many requests of each kind, the bytes of their answers, and the gaps between them.
fn features(own: &[&Request]) -> Vec<f64> {
    let mut row = Vec::new();
    for kind in KINDS {
        let of: Vec<&&Request> = own.iter().filter(|request| request.asked == kind).collect();
        let gaps = || of.windows(2).map(|pair| pair[1].at.since(pair[0].at).as_secs_f64());
        let first = of.first().map_or(-1.0, |request| (request.at.as_millis() % (HALF_HOUR_S * 1_000)) as f64);
        row.extend([
            of.len() as f64,
            of.iter().map(|request| request.answer as f64).sum(),
            gaps().fold(0.0, f64::max),
            gaps().fold(f64::from(u16::MAX), f64::min),
            first,
        ]);
    }
    row
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Do four things that a provider keeps single one person out among its addresses?
fn addresses(bench: &mut Bench<'_>, here: &[&Request], people: u32) {
    let deposit = |request: &&&Request| request.asked == Asked::Deposit;
    let relayed = |request: &&&Request| !request.relayed;
    let direct: Vec<_> = here.iter().filter(deposit).filter(relayed).copied().collect();
    let linked: Vec<_> = here.iter().filter(deposit).copied().collect();
    let read = |request: &&&Request| matches!(request.asked, Asked::Heads | Asked::Generations | Asked::Stack);
    let reads: Vec<_> = here.iter().filter(relayed).filter(read).copied().collect();
    let mut single = |kept: &[&Request]| unique(kept, people, bench);
    let (behind, plain, reading) = (single(&direct), single(&linked), single(&reads));
    let row = |id: &str, metric: &str, found| {
        Row::printed(format!("uniqueness/provider{id}"), "uniqueness, 4 requests", "P1", metric, found)
    };
    let deposits = row("", "share unique, deposits by address", behind).on("9").judged(0.0, 0.0);
    bench.rows.push(deposits.because("deposits go over a relay, whose address is everybody's; the relay is honest"));
    bench.rows.push(row("/no-relay", "share unique, deposits without a relay", plain));
    let limits = "a point is a kind of request and its minute; downloads go directly, from the person's own address";
    let reads = row("/reads", "share unique, downloads by address", reading).on("9").judged(0.0, 0.0);
    bench.rows.push(reads.because(limits));
    let share = direct.len() as f64 / linked.len().max(1) as f64;
    bench.rows.push(row("/direct", "share of deposits that came directly", exactly(share)));
}

/// The share of all people whom four points of an address of their own single out; without such an address, nobody.
fn unique(kept: &[&Request], people: u32, bench: &mut Bench<'_>) -> Estimate {
    let mut points: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for request in kept {
        points.entry(request.user).or_default().push(request.at.as_secs() / 60 * 8 + request.asked as u64);
    }
    let own: Vec<Vec<u64>> = points.into_values().collect();
    let Uniqueness { unique, users, .. } = uniqueness(&own, 4, 20, RESAMPLES, &mut bench.rng);
    if users == 0 {
        return exactly(0.0);
    }
    let share = users as f64 / f64::from(people.max(1));
    Estimate { value: unique.value * share, low: unique.low * share, high: unique.high * share }
}
