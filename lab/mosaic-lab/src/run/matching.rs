//! What a similarity is worth (L5-04, L5-05): people who want the same say it in words of their own; does the number tell
//! them from others? Beside it, whether two near people find each other, and whether what begins an association ends it.

mod handshake;
mod pairs;
mod topics;

use anyhow::Result;
use mosaic_attack::{Estimate, auc, bootstrap_by_user, roc};
use mosaic_discovery::similarity;
use mosaic_obfuscate::{Reading, Vocabulary, sample_words};
use mosaic_types::{ClassId, ContextText, MatchThreshold, Similarity, TopicId};
use mosaic_wire::PartsNeeded;
use rand_chacha::ChaCha20Rng;

use super::{Bench, plots};
use crate::{
    device::popular_topic_of,
    report::Row,
    runs::{RESAMPLES, exactly},
};

/// Topics of a broadcast at most.
const MOST_TOPICS: usize = 4;
/// Points of the curve: there are no more values of a similarity than this.
const POINTS: usize = 32;

/// Somebody with an intent, and what a device made of the words for it.
struct Speaker {
    intent: TopicId,
    class: ClassId,
    topics: Vec<TopicId>,
}

type Part = fn(&mut Bench<'_>) -> Result<()>;

/// Each with randomness of its own.
const PARTS: [(&str, Part); 4] = [
    ("matching", curve),
    ("pairs", pairs::measure),
    ("handshakes", handshake::measure),
    ("topic keys", topics::measure),
];

pub(super) fn measure(bench: &mut Bench<'_>) -> Result<()> {
    PARTS.into_iter().try_for_each(|(name, part)| {
        bench.draw_for(name);
        part(bench)
    })
}

/// Every ordered pair of people, judged by whether both had the same topic in mind when they chose their words.
fn curve(bench: &mut Bench<'_>) -> Result<()> {
    bench.progress.stage("who wants the same, by similarity", 0);
    let count = bench.plan.size.people;
    let speakers: Result<Vec<Speaker>> = (0..count).map(|_| Speaker::draw(&mut bench.rng)).collect();
    let speakers = speakers?;
    let judged = |see: fn(&Speaker, &Speaker) -> Similarity| -> Vec<Vec<(f64, bool)>> {
        let others = |me: usize| speakers.iter().enumerate().filter(move |(other, _)| *other != me);
        let pair = |me: &Speaker, them: &Speaker| (see(me, them).get(), me.intent == them.intent);
        (speakers.iter().enumerate()).map(|(at, me)| others(at).map(|(_, them)| pair(me, them)).collect()).collect()
    };
    let (seen, whole) = (judged(Speaker::sees), judged(Speaker::whole));
    let row = |id: &str, metric: &str, found| {
        Row::printed(format!("matching/roc{id}"), "who wants the same", "-", metric, found)
    };
    let metric = format!("AUC of the similarity a reader sees, {count} people");
    let found = over(&seen, bench, auc);
    let limits =
        "generated people, each with a topic in mind and words of a grammar about it; readings of words are in it";
    bench.rows.push(row("", &metric, found).because(limits));
    let found = over(&whole, bench, auc);
    bench.rows.push(row("/whole", "the same, if every topic could be read", found));
    let least = MatchThreshold::default().get();
    let hits = over(&seen, bench, |pairs| share_of(pairs, true, least));
    let alarms = over(&seen, bench, |pairs| share_of(pairs, false, least));
    bench.rows.push(row("/hits", "pairs of one intent at 0.30 or above", hits));
    bench.rows.push(row("/alarms", "other pairs at 0.30 or above", alarms));
    let same_class = |me: &Speaker, them: &Speaker| Similarity::of(u8::from(me.class == them.class), 1);
    let found = over(&judged(same_class), bench, |pairs| share_of(pairs, true, 1.0));
    bench.rows.push(row("/class", "pairs of one intent whose words are read as one class", found));
    for (name, judged) in [("as a reader sees", &seen), ("every topic readable", &whole)] {
        let all: Vec<(f64, bool)> = judged.iter().flatten().copied().collect();
        bench.plot("matching", plots::line(name, roc(&all, POINTS)));
    }
    let positives = seen.iter().flatten().filter(|pair| pair.1).count();
    bench.rows.push(row("/pairs", "ordered pairs of one intent", exactly(positives as f64)));
    Ok(())
}

fn over(judged: &[Vec<(f64, bool)>], bench: &mut Bench<'_>, of: impl Fn(&[(f64, bool)]) -> f64) -> Estimate {
    bootstrap_by_user(judged, RESAMPLES / 4, &mut bench.rng, |drawn| {
        of(&drawn.iter().flat_map(|own| own.iter().copied()).collect::<Vec<_>>())
    })
}

/// Share of the pairs of one kind that reach `least`.
fn share_of(pairs: &[(f64, bool)], same: bool, least: f64) -> f64 {
    let of_kind = || pairs.iter().filter(|pair| pair.1 == same);
    of_kind().filter(|pair| pair.0 >= least).count() as f64 / of_kind().count().max(1) as f64
}

impl Speaker {
    fn draw(rng: &mut ChaCha20Rng) -> Result<Self> {
        let vocabulary = Vocabulary::builtin();
        let classes = vocabulary.classes();
        let class = classes[rand::RngExt::random_range(rng, 0..classes.len())].id;
        let Some(topic) = popular_topic_of(class, rng) else { anyhow::bail!("a class without topics") };
        let Reading { class, mut topics, .. } =
            vocabulary.classify(&ContextText::new(&sample_words(topic, PartsNeeded::One, rng))?);
        topics.truncate(MOST_TOPICS);
        Ok(Self { intent: topic.id, class, topics })
    }

    /// What this person's device can say of the other's card: whose first topic it cannot name, it cannot read.
    fn sees(&self, them: &Self) -> Similarity {
        let opens = them.topics.first().is_some_and(|first| self.topics.contains(first));
        if opens { self.whole(them) } else { Similarity::NONE }
    }

    fn whole(&self, them: &Self) -> Similarity {
        similarity((self.class, &self.topics), (them.class, &them.topics))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mosaic_geo::city::synthetic_city;
    use rand::SeedableRng as _;

    use super::*;
    use crate::{Progress, RunPlan, RunSize};

    /// The rows of `mosaic lab run --quick --seed 1` alone, printed.
    #[test]
    #[ignore = "prints figures and takes minutes"]
    #[expect(clippy::print_stdout, reason = "figures to read")]
    fn the_rows_of_a_quick_run() {
        let places = Arc::new(synthetic_city(1));
        let plan = RunPlan { size: RunSize::quick(), seed: 1, places: String::new(), traces: None };
        let rng = ChaCha20Rng::seed_from_u64(plan.seed);
        let (rows, series, progress) = (Vec::new(), Vec::new(), &Progress::SILENT);
        let mut bench = Bench { places: &places, plan: &plan, progress, rng, rows, series };
        for (name, part) in PARTS {
            bench.draw_for(name);
            part(&mut bench).unwrap();
            for row in bench.rows.drain(..) {
                println!("{} | {} | {:?} | {:?} | {:?}", row.id, row.metric, row.value, row.ci, row.status);
            }
        }
        println!("{:?}", bench.series);
    }

    /// Seed 5: who says the same words is seen as the same; who means something of another class never is, and of pairs
    /// with one intent more are alike than of others.
    #[test]
    fn a_similarity_follows_the_words() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let speakers: Vec<_> = (0..60).map(|_| Speaker::draw(&mut rng).unwrap()).collect();
        let mut judged = Vec::new();
        for me in &speakers {
            assert_eq!(me.sees(me).get(), 1.0);
            for them in &speakers {
                let seen = me.sees(them);
                assert!(seen.get() <= me.whole(them).get() && (me.class == them.class || seen == Similarity::NONE));
                judged.push((seen.get(), me.intent == them.intent));
            }
        }
        assert!(auc(&judged) > 0.6);
    }
}
