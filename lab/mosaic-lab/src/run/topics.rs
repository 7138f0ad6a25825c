//! Scoreboard 2 with the inner layer open as well: two colluding providers hold the key, topics are public words, so
//! they walk through those of each class and read topics and text (limits of CL-12). Do these tell the person's bundle
//! from the personas'?

use std::collections::HashMap;

use mosaic_attack::{BoostingPlan, Choice, Learner, judge_guesses, score_choices};
use mosaic_obfuscate::Vocabulary;
use mosaic_types::TopicId;

use super::Bench;
use crate::{
    opened::{Named, Opened},
    report::Row,
    runs::RESAMPLES,
};

pub(super) fn attack(bench: &mut Bench<'_>, opened: &[Opened]) {
    bench.progress.stage("topics and text of opened bundles", 0);
    let mut town: HashMap<TopicId, f64> = HashMap::new();
    let slots = || opened.iter().flat_map(|event| &event.slots);
    slots().filter_map(|slot| slot.named).for_each(|named| *town.entry(named.topic).or_default() += 1.0);
    let topics = |named: &Named| {
        let weight = Vocabulary::builtin().topic(named.topic).map_or(0.0, |topic| topic.weight);
        let often = town.get(&named.topic).copied().unwrap_or(0.0);
        vec![weight, (1.0 + often).ln(), named.topics.into()]
    };
    let text = |named: &Named| {
        let flag = |is: bool| f64::from(u8::from(is));
        [topics(named), vec![named.letters.into(), named.words.into(), flag(named.bare), flag(named.marks)]].concat()
    };
    let by_topics = judge(bench, opened, topics);
    let by_text = judge(bench, opened, text);
    let row = |id: &str, metric: &str, found| {
        Row::printed(format!("opened/p2/{id}"), "topics and text, every topic tried", "P2", metric, found)
    };
    let said = "generated people name the topics of their class by popularity, the first most";
    bench.rows.push(row("topics", "AUC by topics, one of ten", by_topics.auc).on("2").judged(0.0, 0.58).because(said));
    bench.rows.push(row("topics/top-1", "top-1 of 10 by topics", by_topics.top_one));
    // what generated people write says nothing of how people write, so no target is set beside it
    let written = "generated people write the bare name of their topic, personas a phrase around it: an artefact of the \
                   lab's people, which shows only that the attacker reads";
    bench.rows.push(row("text", "AUC by topics and text, one of ten", by_text.auc).because(written));
    let all = slots().filter(|slot| slot.named.is_some()).count() as f64;
    let walked = opened.iter().filter(|event| event.real().is_some()).map(|event| event.slots.len()).sum::<usize>();
    let share = crate::runs::exactly(all / walked.max(1) as f64);
    bench.rows.push(row("topics/opened", "share of inner layers opened", share));
}

fn judge(
    bench: &mut Bench<'_>,
    opened: &[Opened],
    describe: impl Fn(&Named) -> Vec<f64>,
) -> mosaic_attack::GuessReport {
    let choice = |event: &Opened| {
        let rows = event.slots.iter().map(|slot| Some(describe(slot.named.as_ref()?))).collect::<Option<_>>()?;
        Some(Choice { user: event.user, rows, truth: event.real()? })
    };
    let asked: Vec<Choice> = opened.iter().filter_map(choice).collect();
    let guesses = score_choices(&asked, Learner::Trees(BoostingPlan::default()), &mut bench.rng);
    judge_guesses(&guesses, RESAMPLES, &mut bench.rng)
}
