use std::collections::{BTreeMap, HashMap, HashSet};

use mosaic_types::{ClassId, TopicId};

use super::{Class, DEFAULT_CLASS, Topic, words};

/// What a person's words were read as.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The class.
    pub class: ClassId,
    /// One to eight topics, best first, all of the class; its general topic when no word named one.
    pub topics: Vec<TopicId>,
    /// The class's share of all evidence, 0 to 1; 0 when no word was known.
    pub confidence: f64,
}

/// Most topics in a reading: what a bundle carries.
const MOST_TOPICS: usize = 8;
/// A topic further than this below the best one is left out.
const TOPIC_CUT: f64 = 0.35;
/// Weight of a word of the topic's name, of its list of synonyms, and of its class's list.
const NAME: f64 = 1.0;
const SYNONYM: f64 = 0.75;
const CLASS_WORD: f64 = 0.6;

/// An inverted index from stems to topics and classes.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// For each stem: topics (by index) with the share of the topic's phrase it makes up.
    topics: HashMap<String, Vec<(usize, f64)>>,
    classes: HashMap<String, Vec<ClassId>>,
    /// Inverse document frequency over topics.
    rarity: HashMap<String, f64>,
    /// Two-word phrases, for which order matters.
    pairs: HashMap<(String, String), Vec<usize>>,
}

impl Lexicon {
    pub(super) fn new(classes: &[Class], topics: &[Topic]) -> Self {
        let mut lexicon =
            Self { topics: HashMap::new(), classes: HashMap::new(), rarity: HashMap::new(), pairs: HashMap::new() };
        for (index, topic) in topics.iter().enumerate() {
            lexicon.add_topic(index, topic);
        }
        for class in classes {
            for stem in class.words.iter().flat_map(|word| words::stems(word)) {
                lexicon.classes.entry(stem).or_default().push(class.id);
            }
        }
        let count = as_f64(topics.len());
        let rarity = |listed: &Vec<(usize, f64)>| (1.0 + count / as_f64(listed.len())).ln();
        lexicon.rarity = lexicon.topics.iter().map(|(stem, listed)| (stem.clone(), rarity(listed))).collect();
        lexicon
    }

    pub(super) fn knows(&self, stem: &str) -> bool {
        self.topics.contains_key(stem) || self.classes.contains_key(stem)
    }

    fn add_topic(&mut self, index: usize, topic: &Topic) {
        let mut best: BTreeMap<String, f64> = BTreeMap::new();
        let names = std::iter::once((topic.name.as_str(), NAME));
        for (phrase, weight) in names.chain(topic.words.iter().map(|word| (word.as_str(), SYNONYM))) {
            let stems = words::stems(phrase);
            // A word of a longer phrase says less about the topic than a word that is the phrase.
            let share = weight / as_f64(stems.len().max(1)).sqrt();
            for pair in stems.windows(2) {
                self.pairs.entry((pair[0].clone(), pair[1].clone())).or_default().push(index);
            }
            for stem in stems {
                let known = best.entry(stem).or_default();
                *known = known.max(share);
            }
        }
        for (stem, share) in best {
            self.topics.entry(stem).or_default().push((index, share));
        }
    }

    pub(super) fn read(&self, text: &str, topics: &[Topic]) -> Reading {
        let stems = words::stems(text);
        let scores = self.topic_scores(&stems, topics);
        let class_scores = self.class_scores(&stems, &scores, topics);
        let total: f64 = class_scores.iter().sum();
        let best = (0..ClassId::COUNT).max_by(|a, b| by_score(&class_scores, *a, *b)).filter(|_| total > 0.0);
        let class = ClassId::new(best.unwrap_or(DEFAULT_CLASS)).unwrap_or_else(|_| topics[0].class);
        let confidence = best.map_or(0.0, |best| class_scores[usize::from(best)] / total);
        Reading { class, topics: ranked(&scores, class, topics), confidence }
    }

    fn topic_scores(&self, stems: &[String], topics: &[Topic]) -> BTreeMap<usize, f64> {
        let mut scores: BTreeMap<usize, f64> = BTreeMap::new();
        let distinct: HashSet<&String> = stems.iter().collect();
        let mut distinct: Vec<&String> = distinct.into_iter().collect();
        distinct.sort_unstable();
        for stem in distinct {
            let rarity = self.rarity.get(stem).copied().unwrap_or_default();
            for (index, share) in self.topics.get(stem).into_iter().flatten() {
                *scores.entry(*index).or_default() += share * rarity * topics[*index].weight;
            }
        }
        for pair in stems.windows(2) {
            for index in self.pairs.get(&(pair[0].clone(), pair[1].clone())).into_iter().flatten() {
                *scores.entry(*index).or_default() += 2.0 * topics[*index].weight;
            }
        }
        scores
    }

    /// A class scores by its best topic, a little by its others, and by words of its own.
    fn class_scores(&self, stems: &[String], scores: &BTreeMap<usize, f64>, topics: &[Topic]) -> [f64; 16] {
        let mut best = [0.0_f64; 16];
        let mut rest = [0.0_f64; 16];
        for (index, score) in scores {
            let class = usize::from(topics[*index].class.get());
            let (top, lower) = if *score > best[class] { (*score, best[class]) } else { (best[class], *score) };
            best[class] = top;
            rest[class] += lower;
        }
        let mut total: [f64; 16] = std::array::from_fn(|class| best[class] + 0.5 * rest[class] / (1.0 + rest[class]));
        let rare = as_f64(topics.len()).ln();
        for class in stems.iter().flat_map(|stem| self.classes.get(stem).into_iter().flatten()) {
            total[usize::from(class.get())] += CLASS_WORD * rare;
        }
        total
    }
}

/// The topics of the class worth naming. Others are left out: personas name topics of their class only,
/// so a stray one would give a person away.
fn ranked(scores: &BTreeMap<usize, f64>, class: ClassId, topics: &[Topic]) -> Vec<TopicId> {
    let of_class = scores.iter().filter(|(index, _)| topics[**index].class == class);
    let mut order: Vec<(usize, f64)> = of_class.map(|(index, score)| (*index, *score)).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let cut = order.first().map_or(0.0, |best| best.1 * TOPIC_CUT);
    let named = order.into_iter().filter(|(_, score)| *score >= cut).take(MOST_TOPICS);
    let named: Vec<TopicId> = named.map(|(index, _)| topics[index].id).collect();
    if named.is_empty() { general(class, topics).into_iter().collect() } else { named }
}

/// The first topic of a class stands for all of it.
fn general(class: ClassId, topics: &[Topic]) -> Option<TopicId> {
    topics.iter().find(|topic| topic.class == class).map(|topic| topic.id)
}

fn by_score(scores: &[f64; 16], a: u8, b: u8) -> std::cmp::Ordering {
    // Ties go to the lower number.
    scores[usize::from(a)].total_cmp(&scores[usize::from(b)]).then(b.cmp(&a))
}

fn as_f64(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of words and topics, far below 2^53")]
    let number = count as f64;
    number
}
