//! Words that are in no public list and are put together unlike those that are, by a model of three letters.

use std::{collections::HashMap, ops::Range, sync::OnceLock};

use super::known::{everyday, known};
use crate::Vocabulary;

/// Shorter words are abbreviations more often than anything else.
const FEWEST: usize = 5;
/// Bits a letter costs in the model, on average over the word, from which it counts as unlike all others. Set with the
/// half of the test table that rules are made with.
const SURPRISE: f64 = 4.4;
/// Symbols of the model: 26 letters and the edge of a word.
const SYMBOLS: f64 = 27.0;
/// Weight of the even share in the model, in observations.
const SMOOTHING: f64 = 0.5;

pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    words(text).filter(|range| text.get(range.clone()).is_some_and(is_rare)).collect()
}

fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let start = text.as_ptr() as usize;
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(move |word| {
        let at = word.as_ptr() as usize - start;
        at..at + word.len()
    })
}

/// Only words of unaccented letters and digits are judged: of others the lists know too little.
fn is_rare(word: &str) -> bool {
    if word.len() < FEWEST || !word.is_ascii() || word.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let lower = word.to_ascii_lowercase();
    if lower.bytes().any(|byte| byte.is_ascii_digit()) {
        is_code(&lower)
    } else {
        !known(&lower) && bits(&lower) > SURPRISE
    }
}

/// Letters and digits that take turns: `8fj3kq`, not `18h30m`, `covid19` or `1200m`.
fn is_code(word: &str) -> bool {
    let digit = |byte: &u8| byte.is_ascii_digit();
    let turns = word.as_bytes().windows(2).filter(|pair| digit(&pair[0]) != digit(&pair[1])).count();
    let mut letters = word.split(|c: char| c.is_ascii_digit()).filter(|part| !part.is_empty());
    let unit = |part: &str| {
        ["h", "m", "min", "s", "k", "x", "v", "am", "pm", "st", "nd", "rd", "th"].contains(&part) || known(part)
    };
    turns >= 2 && !letters.all(unit)
}

/// Mean bits a letter, the edge at the end included.
fn bits(word: &str) -> f64 {
    let model = model();
    let letters = framed(word);
    let cost = |three: &[u8]| {
        let pair = model.get(&three[..2]).copied().unwrap_or_default();
        let all = model.get(three).copied().unwrap_or_default();
        -((all + SMOOTHING) / (pair + SMOOTHING * SYMBOLS)).log2()
    };
    let costs: Vec<f64> = letters.windows(3).map(cost).collect();
    #[expect(clippy::cast_precision_loss, reason = "letters of a word")]
    let count = costs.len().max(1) as f64;
    costs.iter().sum::<f64>() / count
}

/// Counts of two letters that one follows, and of three.
fn model() -> &'static HashMap<Vec<u8>, f64> {
    static MODEL: OnceLock<HashMap<Vec<u8>, f64>> = OnceLock::new();
    MODEL.get_or_init(|| {
        let mut counts = HashMap::new();
        let vocabulary = Vocabulary::builtin().phrases().flat_map(|phrase| phrase.split(|c: char| !c.is_alphabetic()));
        let mut listed: Vec<String> = vocabulary
            .chain(everyday().iter().copied())
            .map(str::to_ascii_lowercase)
            .filter(|word| word.len() > 1)
            .collect();
        listed.sort_unstable();
        listed.dedup();
        for word in listed.iter().filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())) {
            for three in framed(word).windows(3) {
                *counts.entry(three.to_vec()).or_insert(0.0) += 1.0;
                *counts.entry(three[..2].to_vec()).or_insert(0.0) += 1.0;
            }
        }
        counts
    })
}

fn framed(word: &str) -> Vec<u8> {
    [b"^^", word.as_bytes(), b"$"].concat()
}
