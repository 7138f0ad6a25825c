use std::collections::{BTreeMap, BTreeSet, HashMap};

use mosaic_types::{ClassId, TopicId};

use super::{Class, DEFAULT_CLASS, Topic, spelling::Spelling, words};

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
/// What the best topic of a class adds to it beside the words themselves.
const BEST_TOPIC: f64 = 0.3;

const CLASSES: usize = ClassId::COUNT as usize;

/// An inverted index from stems to topics and classes.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    /// For each stem: topics (by index) with the share of the topic's phrase it makes up.
    topics: HashMap<String, Vec<(usize, f64)>>,
    classes: HashMap<String, Vec<ClassId>>,
    /// Inverse document frequency over topics.
    rarity: HashMap<String, f64>,
    /// How much of a stem's evidence each class has, from 0 to 1.
    focus: HashMap<String, [f64; CLASSES]>,
    /// Two-word phrases, for which order matters.
    pairs: HashMap<(String, String), Vec<usize>>,
    spelling: Spelling,
}

impl Lexicon {
    pub(super) fn new(classes: &[Class], topics: &[Topic]) -> Self {
        let mut lexicon = Self::default();
        for (index, topic) in topics.iter().enumerate() {
            lexicon.add_topic(index, topic);
        }
        for class in classes {
            for word in &class.words {
                lexicon.spelling.add(word);
                for stem in words::stems(word) {
                    lexicon.classes.entry(stem).or_default().push(class.id);
                }
            }
        }
        let count = as_f64(topics.len());
        let rarity = |listed: &Vec<(usize, f64)>| (1.0 + count / as_f64(listed.len())).ln();
        lexicon.rarity = lexicon.topics.iter().map(|(stem, listed)| (stem.clone(), rarity(listed))).collect();
        let known: BTreeSet<&String> = lexicon.topics.keys().chain(lexicon.classes.keys()).collect();
        lexicon.focus = known.into_iter().map(|stem| (stem.clone(), lexicon.focused(stem, topics))).collect();
        lexicon
    }

    pub(super) fn knows(&self, stem: &str) -> bool {
        self.topics.contains_key(stem) || self.classes.contains_key(stem)
    }

    fn add_topic(&mut self, index: usize, topic: &Topic) {
        let mut best: BTreeMap<String, f64> = BTreeMap::new();
        let names = std::iter::once((topic.name.as_str(), NAME));
        for (phrase, weight) in names.chain(topic.words.iter().map(|word| (word.as_str(), SYNONYM))) {
            self.spelling.add(phrase);
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

    /// Classes compete for a stem with the best use each makes of it: what a word says of a class is less where other
    /// classes use it as much (Naive Bayes with the vocabulary's own phrases as its documents).
    fn focused(&self, stem: &str, topics: &[Topic]) -> [f64; CLASSES] {
        let mut most = [0.0_f64; CLASSES];
        for (index, share) in self.topics.get(stem).into_iter().flatten() {
            let class = usize::from(topics[*index].class.get());
            most[class] = most[class].max(share * topics[*index].weight);
        }
        for class in self.classes.get(stem).into_iter().flatten() {
            let class = usize::from(class.get());
            most[class] = most[class].max(CLASS_WORD);
        }
        let total: f64 = most.iter().sum();
        most.map(|most| most / total)
    }

    pub(super) fn read(&self, text: &str, topics: &[Topic]) -> Reading {
        let words = self.weighed(text);
        let scores = self.topic_scores(&words, topics);
        let class_scores = self.class_scores(&words, &scores, topics);
        let total: f64 = class_scores.iter().sum();
        let best = (0..ClassId::COUNT).max_by(|a, b| by_score(&class_scores, *a, *b)).filter(|_| total > 0.0);
        let class = ClassId::new(best.unwrap_or(DEFAULT_CLASS)).unwrap_or_else(|_| topics[0].class);
        let confidence = best.map_or(0.0, |best| class_scores[usize::from(best)] / total);
        Reading { class, topics: ranked(&scores, class, topics), confidence }
    }

    /// The stems of a text in order, each once or more, with 1 or the smaller weight of a guess.
    fn weighed(&self, text: &str) -> Vec<(String, f64)> {
        let stems = |word: String| {
            let stem = words::stem(&word);
            if self.focus.contains_key(&stem) { vec![(stem, 1.0)] } else { self.spelling.meant(&word) }
        };
        words::split(text).into_iter().flat_map(stems).collect()
    }

    fn topic_scores(&self, words: &[(String, f64)], topics: &[Topic]) -> BTreeMap<usize, f64> {
        let mut scores: BTreeMap<usize, f64> = BTreeMap::new();
        let mut distinct: BTreeMap<&String, f64> = BTreeMap::new();
        for (stem, weight) in words {
            let known = distinct.entry(stem).or_default();
            *known = known.max(*weight);
        }
        for (stem, weight) in distinct {
            let rarity = self.rarity.get(stem).copied().unwrap_or_default();
            let Some(focus) = self.focus.get(stem) else { continue };
            for (index, share) in self.topics.get(stem).into_iter().flatten() {
                let topic = &topics[*index];
                let focus = focus[usize::from(topic.class.get())];
                *scores.entry(*index).or_default() += weight * share * rarity * topic.weight * focus;
            }
        }
        for pair in words.windows(2) {
            for index in self.pairs.get(&(pair[0].0.clone(), pair[1].0.clone())).into_iter().flatten() {
                *scores.entry(*index).or_default() += 2.0 * topics[*index].weight;
            }
        }
        scores
    }

    /// A class scores by its best topic, by what each word says of any of its topics, and by words of its own.
    fn class_scores(&self, words: &[(String, f64)], scores: &BTreeMap<usize, f64>, topics: &[Topic]) -> [f64; CLASSES] {
        let mut total = [0.0_f64; CLASSES];
        for (index, score) in scores {
            let class = usize::from(topics[*index].class.get());
            total[class] = total[class].max(score * BEST_TOPIC);
        }
        let rare = as_f64(topics.len()).ln();
        for (stem, weight) in words {
            let Some(focus) = self.focus.get(stem) else { continue };
            let rarity = self.rarity.get(stem).copied().unwrap_or_default();
            let mut most = [0.0_f64; CLASSES];
            for (index, share) in self.topics.get(stem).into_iter().flatten() {
                let class = usize::from(topics[*index].class.get());
                most[class] = most[class].max(share * rarity * topics[*index].weight);
            }
            for class in self.classes.get(stem).into_iter().flatten().map(|class| usize::from(class.get())) {
                most[class] = most[class].max(CLASS_WORD * rare);
            }
            for (class, most) in most.into_iter().enumerate() {
                total[class] += weight * most * focus[class];
            }
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

fn by_score(scores: &[f64; CLASSES], a: u8, b: u8) -> std::cmp::Ordering {
    // Ties go to the lower number.
    scores[usize::from(a)].total_cmp(&scores[usize::from(b)]).then(b.cmp(&a))
}

fn as_f64(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of words and topics, far below 2^53")]
    let number = count as f64;
    number
}
