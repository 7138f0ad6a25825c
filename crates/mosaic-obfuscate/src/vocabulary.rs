//! The public vocabulary: 16 classes and some hundreds of topics that everybody shares, and the offline
//! reading of a person's words as one class and up to eight topics.

pub mod build;
mod classify;
mod spelling;
mod words;

use std::{collections::HashMap, sync::OnceLock};

use mosaic_types::{ClassId, ContextText, Enrichment, TopicId};

use classify::Lexicon;
pub use classify::Reading;

/// One of the 16 classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// Its number.
    pub id: ClassId,
    /// Its public name.
    pub name: String,
    /// How common it is among people's wishes, as a share; all 16 sum to 1. Personas follow it.
    pub prior: f64,
    /// Words that speak for the class and for no single topic.
    pub(crate) words: Vec<String>,
}

/// One topic. Its number never changes once published.
#[derive(Clone, Debug, PartialEq)]
pub struct Topic {
    /// Its number, from 1.
    pub id: TopicId,
    /// The class it belongs to.
    pub class: ClassId,
    /// Its public name, lower case.
    pub name: String,
    /// How readily it is chosen: 1 for what people ask for, less for what merely exists.
    pub weight: f64,
    /// Synonyms and related words.
    pub(crate) words: Vec<String>,
}

/// Classes and topics with an index for reading words. One copy serves the process.
#[derive(Debug)]
pub struct Vocabulary {
    classes: Vec<Class>,
    topics: Vec<Topic>,
    by_id: HashMap<TopicId, usize>,
    by_class: Vec<Vec<usize>>,
    lexicon: Lexicon,
}

/// The class that words nobody knows fall into: wishes are most often about company over food or drink.
const DEFAULT_CLASS: u8 = 0;

impl Vocabulary {
    /// The vocabulary every federation uses, as committed in `data/`.
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Vocabulary> = OnceLock::new();
        BUILTIN.get_or_init(|| Self::parse(include_str!("../data/classes.tsv"), include_str!("../data/vocabulary.tsv")))
    }

    /// Reads the two tables; a line that does not parse is left out (a test finds none).
    fn parse(classes: &str, topics: &str) -> Self {
        let classes: Vec<Class> = rows(classes).filter_map(class).collect();
        let topics: Vec<Topic> = rows(topics).filter_map(topic).collect();
        let by_id = topics.iter().enumerate().map(|(index, topic)| (topic.id, index)).collect();
        let mut by_class = vec![Vec::new(); usize::from(ClassId::COUNT)];
        for (index, topic) in topics.iter().enumerate() {
            by_class[usize::from(topic.class.get())].push(index);
        }
        let lexicon = Lexicon::new(&classes, &topics);
        Self { classes, topics, by_id, by_class, lexicon }
    }

    /// Reads a person's words, without a network: one class, up to eight topics best first, and how sure
    /// the reading is. Words that are in no list give the default class with confidence 0.
    pub fn classify(&self, words: &ContextText) -> Reading {
        words.expose(|text| self.lexicon.read(text, &self.topics))
    }

    /// All classes, in order of their numbers.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// All topics, in order of their numbers.
    pub fn topics(&self) -> &[Topic] {
        &self.topics
    }

    /// The topics of one class, in order of their numbers.
    pub fn topics_of(&self, class: ClassId) -> impl ExactSizeIterator<Item = &Topic> {
        self.by_class[usize::from(class.get())].iter().map(|index| &self.topics[*index])
    }

    /// `topics` of a class, and behind them so many more of it as a level fills of the room up to `most` (L5-09). What is
    /// added is the same for everybody: the topics of the class that people ask for most. A higher level adds what a lower
    /// one adds, and perhaps more.
    pub fn enriched(&self, class: ClassId, mut topics: Vec<TopicId>, level: Enrichment, most: u8) -> Vec<TopicId> {
        let room = most.saturating_sub(u8::try_from(topics.len()).unwrap_or(u8::MAX));
        let mut others: Vec<_> = self.topics_of(class).filter(|topic| !topics.contains(&topic.id)).collect();
        others.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.id.cmp(&b.id)));
        topics.extend(others.into_iter().take(level.share_of(room).into()).map(|topic| topic.id));
        topics
    }

    /// The topic with that number.
    pub fn topic(&self, id: TopicId) -> Option<&Topic> {
        self.by_id.get(&id).map(|index| &self.topics[*index])
    }

    /// The class's public name.
    pub fn class_name(&self, class: ClassId) -> &str {
        self.classes.get(usize::from(class.get())).map_or("", |class| &class.name)
    }

    /// The topic's public name.
    pub fn topic_name(&self, id: TopicId) -> Option<&str> {
        self.topic(id).map(|topic| topic.name.as_str())
    }

    /// Whether some class or topic lists the word, in whatever form.
    pub(crate) fn knows(&self, word: &str) -> bool {
        words::stems(word).iter().all(|stem| self.lexicon.knows(stem))
    }

    /// Every name and word of the tables.
    pub(crate) fn phrases(&self) -> impl Iterator<Item = &str> {
        let topics = self.topics.iter().flat_map(|topic| std::iter::once(&topic.name).chain(&topic.words));
        topics.chain(self.classes.iter().flat_map(|class| &class.words)).map(String::as_str)
    }

    /// How common a class is among people's wishes; all sum to 1.
    pub fn class_prior(&self, class: ClassId) -> f64 {
        self.classes.get(usize::from(class.get())).map_or(0.0, |class| class.prior)
    }

    /// Looks a class up by its name.
    pub fn class_named(&self, name: &str) -> Option<ClassId> {
        self.classes.iter().find(|class| class.name.eq_ignore_ascii_case(name.trim())).map(|class| class.id)
    }
}

fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| line.split('\t').collect())
}

fn list(field: &str) -> Vec<String> {
    field.split(';').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn class(fields: Vec<&str>) -> Option<Class> {
    let [id, name, prior, words] = fields.as_slice() else { return None };
    let id = ClassId::new(id.parse().ok()?).ok()?;
    Some(Class { id, name: (*name).to_owned(), prior: prior.parse().ok()?, words: list(words) })
}

fn topic(fields: Vec<&str>) -> Option<Topic> {
    let [id, class, name, weight, words] = fields.as_slice() else { return None };
    let class = ClassId::new(class.parse().ok()?).ok()?;
    let (id, weight) = (TopicId(id.parse().ok()?), weight.parse().ok()?);
    Some(Topic { id, class, name: (*name).to_owned(), weight, words: list(words) })
}
