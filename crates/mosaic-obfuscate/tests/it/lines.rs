//! What personas write, attacked: does a classifier tell their lines from sentences that somebody wrote by hand?
//!
//! The lines lie in the second layer of a bundle, behind the topic: only who names the topic reads them. What the
//! attack finds is therefore no target of the project but is printed as it is.

use std::collections::{BTreeMap, BTreeSet};

use mosaic_attack::{BoostedTrees, BoostingPlan, Estimate, auc, bootstrap_by_user};
use mosaic_obfuscate::{Vocabulary, sample_lines};
use mosaic_types::ClassId;
use mosaic_wire::ShortText;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use crate::sentences::{DEVELOPMENT, HELD_OUT, class_of, labelled};

/// Lines of each class that the attacker makes for himself: he knows the program.
const OWN: usize = 400;
const RESAMPLES: usize = 500;

#[test]
fn lines_are_short_and_varied_and_the_same_for_the_same_seed() {
    let lines = lines(100, 1);
    assert_eq!(lines, self::lines(100, 1));
    assert_ne!(lines, self::lines(100, 2));
    for line in &lines {
        assert!((1..=41).contains(&line.len()) && line.split_whitespace().count() <= 10, "{line:?}");
        assert!(ShortText::new(line).unwrap().as_str() == line && line.trim() == line, "{line:?}");
    }
    let distinct: BTreeSet<&String> = lines.iter().collect();
    println!("{} of {} lines are distinct", distinct.len(), lines.len());
    assert!(distinct.len() * 100 > lines.len() * 95);
    (0..lines.len()).step_by(67).for_each(|at| println!("  {:?}", lines[at]));
}

/// Whoever reads a line should read its class. Seed 3, 3,200 lines, 200 a class.
#[test]
fn most_lines_are_read_as_their_class() {
    let lines = lines(200, 3);
    let mut right = [0_usize; 16];
    for (at, line) in lines.iter().enumerate() {
        right[at / 200] += usize::from(class_of(line) == at / 200);
    }
    let share = right.iter().sum::<usize>() as f64 / lines.len() as f64;
    println!("read as their class: {share:.3}; by class {:.2?}", right.map(|right| right as f64 / 200.0));
    assert!(share >= 0.75 && right.iter().all(|right| *right >= 100));
}

/// What personas said before there was a grammar, for comparison; `*` is the topic.
const PHRASES: [&str; 12] = [
    "*",
    "* anyone?",
    "anyone for *?",
    "up for *",
    "* tonight?",
    "looking for *",
    "* partner wanted",
    "new here, into *",
    "* near here?",
    "small group for *",
    "* at the weekend?",
    "*, all welcome",
];

/// Seed 4. The attacker trains on every second sentence of a class and on lines he made himself, 400 a class, and
/// judges the other sentences and as many new lines. Two attackers: boosted trees on the shape of a line, Naive
/// Bayes on its words and letters. Intervals: bootstrap over lines, 95 %.
#[test]
fn a_trained_reader_tries_to_tell_lines_from_sentences() {
    let sentences = [DEVELOPMENT, HELD_OUT].into_iter().flat_map(labelled);
    let clipped = sentences.map(|(_, words)| ShortText::clipped(words).as_str().to_owned());
    let (train, judge): (Vec<_>, Vec<_>) = clipped.enumerate().partition(|(at, _)| at % 2 == 0);
    let [train, judge] = [train, judge].map(|half| half.into_iter().map(|(_, words)| words).collect::<Vec<_>>());
    let (made, shown) = (lines(OWN, 4), lines(judge.len().div_ceil(16), 5));
    println!("{} sentences to learn from, {} to judge, {} lines", train.len(), judge.len(), shown.len());

    let [by_shape, by_words] = attacked("grammar", [&train, &judge], [&made, &shown]);
    let (made, shown) = (phrases(OWN * 16, 0), phrases(judge.len(), 7));
    let [plain_shape, plain_words] = attacked("phrases around a name", [&train, &judge], [&made, &shown]);
    let [nothing, still_nothing] = attacked("sentences themselves", [&train, &judge], [&train, &judge]);
    assert!(nothing.lies_within(0.4, 0.6) && still_nothing.lies_within(0.4, 0.6), "there was nothing to learn");
    assert!(by_shape.high < plain_shape.low && by_words.high < plain_words.low, "the grammar is harder to tell");
}

/// Both attackers' areas: halves of the sentences and of the lines, to learn from and to judge.
fn attacked(name: &str, sentences: [&[String]; 2], lines: [&[String]; 2]) -> [Estimate; 2] {
    let shape = Shape::learn(sentences[0], lines[0]);
    let words = Words::learn(sentences[0], lines[0]);
    let found = [
        told_apart(sentences[1], lines[1], &|line| shape.score(line)),
        told_apart(sentences[1], lines[1], &|line| words.score(line)),
    ];
    for (attacker, Estimate { value, low, high }) in ["shape", "words and letters"].iter().zip(found) {
        println!("{name}: AUC by {attacker} {value:.3} [{low:.3}, {high:.3}]");
    }
    found
}

/// `each` lines of every class, class by class.
fn lines(each: usize, seed: u64) -> Vec<String> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (0..16).flat_map(|class| sample_lines(ClassId::new(class).unwrap(), each, &mut rng)).collect()
}

/// Every phrase around every topic's name in turn.
fn phrases(many: usize, from: usize) -> Vec<String> {
    let topics = Vocabulary::builtin().topics();
    let phrase = |at: usize| PHRASES[at % PHRASES.len()].replace('*', &topics[at * 31 % topics.len()].name);
    (from..from + many).map(|at| ShortText::clipped(&phrase(at)).as_str().to_owned()).collect()
}

fn told_apart(sentences: &[String], lines: &[String], score: &dyn Fn(&str) -> f64) -> Estimate {
    let real = sentences.iter().map(|words| (score(words), true));
    let pairs: Vec<(f64, bool)> = real.chain(lines.iter().map(|line| (score(line), false))).collect();
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    bootstrap_by_user(&pairs, RESAMPLES, &mut rng, |drawn| auc(&drawn.iter().map(|pair| **pair).collect::<Vec<_>>()))
}

/// Boosted trees on counts of a line.
struct Shape(BoostedTrees);

impl Shape {
    fn learn(sentences: &[String], lines: &[String]) -> Self {
        let rows: Vec<Vec<f64>> = sentences.iter().chain(lines).map(|line| Self::row(line)).collect();
        let labels: Vec<bool> = (0..rows.len()).map(|at| at < sentences.len()).collect();
        Self(BoostedTrees::fit(&rows, &labels, BoostingPlan::default()))
    }

    fn score(&self, line: &str) -> f64 {
        self.0.score(&Self::row(line))
    }

    fn row(line: &str) -> Vec<f64> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let letters = |of: fn(&char) -> bool| line.chars().filter(of).count() as f64;
        let marks = ['?', ',', '.', '!', '\'', '-', '(', '/', '*', '+'].map(|mark| line.matches(mark).count() as f64);
        let small = words.iter().filter(|word| word.len() <= 3).count() as f64;
        let longest = words.iter().map(|word| word.len()).max().unwrap_or_default() as f64;
        let shape = [
            line.len() as f64,
            words.len() as f64,
            small,
            longest,
            letters(|c| c.is_uppercase()),
            letters(|c| c.is_ascii_digit()),
            letters(|c| !c.is_ascii()),
            f64::from(u8::from(line.starts_with(|c: char| c.is_uppercase()))),
        ];
        shape.into_iter().chain(marks).collect()
    }
}

/// Naive Bayes on words, pairs of words and runs of three letters.
struct Words {
    weights: BTreeMap<String, f64>,
}

impl Words {
    fn learn(sentences: &[String], lines: &[String]) -> Self {
        let mut counts: BTreeMap<String, [f64; 2]> = BTreeMap::new();
        for (side, texts) in [sentences, lines].into_iter().enumerate() {
            for feature in texts.iter().flat_map(|text| Self::features(text)) {
                counts.entry(feature).or_default()[side] += 1.0 / texts.len() as f64;
            }
        }
        // half an occurrence in the smaller half
        let floor = 0.5 / sentences.len() as f64;
        let weight = |[real, made]: [f64; 2]| ((real + floor) / (made + floor)).ln();
        Self { weights: counts.into_iter().map(|(feature, counts)| (feature, weight(counts))).collect() }
    }

    fn score(&self, line: &str) -> f64 {
        Self::features(line).iter().filter_map(|feature| self.weights.get(feature)).sum()
    }

    fn features(line: &str) -> BTreeSet<String> {
        let lower = line.to_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let letters: Vec<char> = lower.chars().collect();
        let runs = letters.windows(3).map(|run| format!("~{}", run.iter().collect::<String>()));
        let pairs = words.windows(2).map(|pair| pair.join(" "));
        words.iter().map(|word| (*word).to_owned()).chain(pairs).chain(runs).collect()
    }
}
