//! What personas write: a grammar of wishes (L3-14), from public words only and without a network.
//!
//! A line is a core about the topic, perhaps with an opening, a time, a place, a number of people and an aside,
//! written in the persona's own [`Hand`]. What does not fit is clipped as a person's words are, by the same
//! function: texts that end in the middle of a word are then no sign of either. Where the person's words need several
//! coded parts, everybody says several such lines.

mod cores;
mod grammar;
mod hand;

use mosaic_types::ClassId;
use mosaic_wire::{CardText, PartsNeeded, ShortText};
use rand::RngExt;
use rand_chacha::ChaCha20Rng;

use crate::{Topic, Vocabulary};
pub(super) use hand::Hand;

/// Most words of a line (L3-14: at most ten tokens per element).
const MOST_WORDS: usize = 10;
/// How often a core made for the class is taken rather than one that fits every class.
const OF_THE_CLASS: f64 = 0.75;
/// How often a related word of the vocabulary stands for the topic's public name.
const RELATED: f64 = 0.35;
/// Longest related word that is taken, in bytes.
const LONGEST_RELATED: usize = 18;
/// From this weight on a topic is something people ask for; below it is a kind of place.
const WISHED_FOR: f64 = 1.0;
/// What may stand between two lines of a longer text.
const BETWEEN: [&str; 5] = [". ", ". ", ", ", " - ", "\n"];
/// Most lines of a longer text, and how often one is begun anew because it came out too long.
const MOST_LINES: usize = 16;
const BEGUN_ANEW: usize = 16;

/// Words about the topic that need so many parts.
pub(super) fn words(topic: &Topic, hand: &Hand, parts: PartsNeeded, rng: &mut ChaCha20Rng) -> String {
    match parts {
        PartsNeeded::One => sentence(topic, hand, rng),
        // a person's words of two parts always end where they end
        PartsNeeded::Two => {
            let mut drafts = (0..BEGUN_ANEW).map(|_| lines(topic, hand, parts, rng));
            let fitting = drafts.find(|text| text.len() <= parts.most_bytes());
            fitting.unwrap_or_else(|| whole_words(&lines(topic, hand, parts, rng), parts))
        }
        PartsNeeded::Three => {
            let text = lines(topic, hand, parts, rng);
            CardText::clipped_to(&text, parts).as_str().trim_end().to_owned()
        }
    }
}

/// Line after line until so many parts are needed.
fn lines(topic: &Topic, hand: &Hand, parts: PartsNeeded, rng: &mut ChaCha20Rng) -> String {
    let (mut text, between) = (line(topic, hand, rng), one_of(&BETWEEN, rng));
    for _ in 0..MOST_LINES {
        if PartsNeeded::of_length(text.len()) >= parts {
            break;
        }
        let ended = text.ends_with(|last: char| last.is_ascii_punctuation()) && between.starts_with(['.', ',']);
        text += if ended { " " } else { between };
        text += &line(topic, hand, rng);
    }
    text
}

/// As many whole words as fit, and no fewer bytes than need so many parts.
fn whole_words(text: &str, parts: PartsNeeded) -> String {
    let fits = CardText::clipped_to(text, parts);
    let end = if fits.as_str().len() < text.len() { fits.as_str().rfind(' ') } else { None };
    let whole = fits.as_str().get(..end.unwrap_or(fits.as_str().len())).unwrap_or_default().trim_end();
    // a last word so long that hardly anything stands before it is cut instead
    if PartsNeeded::of_length(whole.len()) == parts { whole.to_owned() } else { fits.as_str().trim_end().to_owned() }
}

/// A short line about the topic, as people write them: at most 41 bytes and ten words, never empty.
pub(super) fn sentence(topic: &Topic, hand: &Hand, rng: &mut ChaCha20Rng) -> String {
    ShortText::clipped(&line(topic, hand, rng)).as_str().trim_end().to_owned()
}

/// One line of at most ten words.
fn line(topic: &Topic, hand: &Hand, rng: &mut ChaCha20Rng) -> String {
    let core = core(topic, rng).replace('*', &said(topic, rng));
    let asides = grammar::asides(topic.class);
    let mut parts = vec![core];
    // how wordy somebody is decides how much stands around the core
    for (slot, how_often) in [(grammar::TIMES, 0.45), (grammar::PLACES, 0.25), (grammar::GROUPS, 0.2), (asides, 0.35)] {
        let taken = rng.random_bool((how_often * hand.wordiness).min(1.0));
        let words = one_of(slot, rng);
        if taken {
            parts.push(words.to_owned());
        }
    }
    if rng.random_bool(0.15) {
        parts.insert(0, one_of(grammar::OPENINGS, rng).to_owned());
    }
    let line = hand.write(&parts, rng);
    let words: Vec<&str> = line.split_whitespace().take(MOST_WORDS).collect();
    words.join(" ")
}

fn core(topic: &Topic, rng: &mut ChaCha20Rng) -> &'static str {
    let of_class = rng.random_bool(OF_THE_CLASS);
    match () {
        () if topic.weight < WISHED_FOR => one_of(grammar::OF_PLACES, rng),
        () if of_class => one_of(cores::of_class(topic.class), rng),
        () => one_of(grammar::OF_ANYTHING, rng),
    }
}

/// How somebody calls the topic: one of the things its name lists, or a related word.
fn said(topic: &Topic, rng: &mut ChaCha20Rng) -> String {
    let vocabulary = Vocabulary::builtin();
    let class = vocabulary.classes().get(usize::from(topic.class.get()));
    let (related, name) = (rng.random_bool(RELATED), topic.name.as_str());
    let general = name.ends_with("(general)");
    let words: Vec<&str> = match (general, related && topic.weight >= WISHED_FOR) {
        (true, _) => class.into_iter().flat_map(|class| &class.words).map(String::as_str).collect(),
        (false, true) => topic.words.iter().map(String::as_str).collect(),
        (false, false) => name.split(" & ").collect(),
    };
    let short: Vec<&str> = words.into_iter().filter(|word| word.len() <= LONGEST_RELATED && word.is_ascii()).collect();
    let word = if short.is_empty() { name } else { one_of(&short, rng) };
    word.to_owned()
}

fn one_of<'a>(list: &[&'a str], rng: &mut ChaCha20Rng) -> &'a str {
    let at = rng.random_range(0..list.len().max(1));
    list.get(at).copied().unwrap_or_default()
}

/// Lines about topics of a class, each in a hand of its own: for tests and for the lab, which attack them.
pub fn sample_lines(class: ClassId, many: usize, rng: &mut ChaCha20Rng) -> Vec<String> {
    let topics: Vec<&Topic> = Vocabulary::builtin().topics_of(class).collect();
    let total: f64 = topics.iter().map(|topic| topic.weight).sum();
    let line = |_| {
        let mut draw = rng.random::<f64>() * total;
        let chosen = topics.iter().find(|topic| {
            draw -= topic.weight;
            draw < 0.0
        });
        let hand = Hand::new(rng);
        chosen.or(topics.first()).map(|topic| sentence(topic, &hand, rng))
    };
    (0..many).filter_map(line).collect()
}

/// Words about one topic that need so many parts, in a hand of their own: likewise.
pub fn sample_words(topic: &Topic, parts: PartsNeeded, rng: &mut ChaCha20Rng) -> String {
    words(topic, &Hand::new(rng), parts, rng)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// Whatever the topic and the hand, words need as many parts as they are to (CL-38). Seed 9, every topic of the
    /// vocabulary, five hands each.
    #[test]
    fn words_need_as_many_parts_as_they_are_to() {
        let mut rng = ChaCha20Rng::seed_from_u64(9);
        let vocabulary = Vocabulary::builtin();
        for topic in vocabulary.classes().iter().flat_map(|class| vocabulary.topics_of(class.id)) {
            for parts in (0..5).flat_map(|_| PartsNeeded::ALL) {
                let hand = Hand::new(&mut rng);
                let text = words(topic, &hand, parts, &mut rng);
                assert_eq!(PartsNeeded::of_length(text.len()), parts, "{text:?}");
                assert!(!text.is_empty() && text.trim() == text && CardText::clipped(&text).as_str() == text);
            }
        }
    }

    #[test]
    fn a_last_word_that_is_too_long_is_cut() {
        let long = format!("up for {}", "x".repeat(99));
        assert_eq!(whole_words(&long, PartsNeeded::Two).len(), 72);
        let fits = format!("{} and {}", "x".repeat(60), "y".repeat(30));
        assert_eq!(whole_words(&fits, PartsNeeded::Two), format!("{} and", "x".repeat(60)));
    }
}
