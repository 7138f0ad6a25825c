//! How well topics are found: real titles of technology conferences, each with a label, in `event-titles`.
//!
//! A title has a right topic when one that fits its label is among the first three of its reading. Many titles name
//! nothing ("Heapcon", "J on the Beach"), so no method reads all of them. The words for technology
//! were taken from the names of the labels, and `conf` from the titles, so the figures are of development.

use std::{collections::BTreeSet, io::Read as _, path::Path};

use mosaic_geo::datasets::{PhraseFormat, phrases};
use mosaic_obfuscate::Vocabulary;
use mosaic_types::ContextText;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// Topics that fit a label. Every language, framework and platform is the one topic *programming*: the vocabulary
/// is for people who meet, not for a library. `general` and `tech-comm` have no topic of their own and count for
/// the class only.
const FITTING: &[(&str, &[&str])] = &[
    ("data", &["data & machine learning"]),
    ("ux", &["design"]),
    ("accessibility", &["design"]),
    ("security", &["security & privacy"]),
    ("identity", &["security & privacy"]),
    ("iot", &["hardware & electronics"]),
    ("product", &["product & project management"]),
    ("leadership", &["product & project management", "mentoring"]),
    ("opensource", &["open source"]),
    ("devops", &["programming", "information technology office"]),
    ("sre", &["programming", "information technology office"]),
    ("networking", &["programming", "information technology office"]),
    ("general", &[]),
    ("tech-comm", &[]),
];
const PROGRAMMING: &[&str] = &["programming"];
const CLASS: &str = "work & tech";
const FIRST: usize = 3;

/// Seed 2, 1,000 bootstrap samples over distinct titles, 95 %.
#[test]
fn titles_of_conferences_name_their_topic() {
    let Some(titles) = titles() else { return };
    let vocabulary = Vocabulary::builtin();
    let fits = FITTING.iter().flat_map(|(_, topics)| *topics).chain(PROGRAMMING);
    fits.for_each(|name| assert!(vocabulary.topics().iter().any(|topic| topic.name == *name), "{name}"));

    let (mut class, mut topic, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for (title, label) in &titles {
        let Ok(words) = ContextText::new(title) else { continue };
        let reading = vocabulary.classify(&words);
        class.push(vocabulary.class_name(reading.class) == CLASS);
        let fitting = FITTING.iter().find(|(name, _)| name == label).map_or(PROGRAMMING, |(_, topics)| *topics);
        if !fitting.is_empty() {
            let mut first = reading.topics.iter().take(FIRST).filter_map(|id| vocabulary.topic_name(*id));
            let right = first.any(|name| fitting.contains(&name));
            topic.push(right);
            if reading.confidence > 0.0 {
                known.push(right);
            }
        }
    }
    let [class, topic, known] = [class, topic, known].map(|right| Share::of(&right));
    println!(
        "titles: right topic among the first three {topic}; of titles with a known word {known}; right class {class}"
    );
    assert!(topic.share >= 0.24 && class.share >= 0.40);
}

/// Distinct pairs of title and label.
fn titles() -> Option<BTreeSet<(String, String)>> {
    let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/event-titles/conferences.csv.gz"));
    let Ok(file) = std::fs::File::open(file) else {
        assert!(std::env::var("CI").is_err(), "the titles are missing at {}", file.display());
        eprintln!("skipped: no titles at {}", file.display());
        return None;
    };
    let mut table = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut table).unwrap();
    let titles = phrases(&table, PhraseFormat::EventTitles).unwrap();
    Some(titles.into_iter().map(|title| (title.text, title.kind)).collect())
}

struct Share {
    share: f64,
    interval: [f64; 2],
    of: usize,
}

impl Share {
    fn of(right: &[bool]) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let share = |hits: usize| hits as f64 / right.len() as f64;
        let sample = |_| share((0..right.len()).filter(|_| right[rng.random_range(0..right.len())]).count());
        let mut samples: Vec<f64> = (0..1_000).map(sample).collect();
        samples.sort_by(f64::total_cmp);
        let hits = right.iter().filter(|right| **right).count();
        Self { share: share(hits), interval: [samples[25], samples[974]], of: right.len() }
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [low, high] = self.interval;
        write!(f, "{:.3} [{low:.3}, {high:.3}] of {}", self.share, self.of)
    }
}
