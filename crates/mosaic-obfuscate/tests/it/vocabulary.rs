use std::{collections::BTreeSet, io::Read as _, path::Path};

use mosaic_obfuscate::{
    Vocabulary,
    build::{self, Taxonomies},
};
use mosaic_types::{ClassId, ContextText};

fn class_of(words: &str) -> (String, f64) {
    let vocabulary = Vocabulary::builtin();
    let reading = vocabulary.classify(&ContextText::new(words).unwrap());
    (vocabulary.class_name(reading.class).to_owned(), reading.confidence)
}

#[test]
fn the_vocabulary_is_complete() {
    let vocabulary = Vocabulary::builtin();
    let lines = include_str!("../../data/vocabulary.tsv").lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(vocabulary.topics().len(), lines, "every line parses");
    assert!(lines >= 500);
    assert_eq!(vocabulary.classes().len(), 16);
    let sum: f64 = vocabulary.classes().iter().map(|class| class.prior).sum();
    assert!((sum - 1.0).abs() < 1e-9, "priors sum to {sum}");
    let ids: BTreeSet<u16> = vocabulary.topics().iter().map(|topic| topic.id.0).collect();
    assert!(ids.len() == lines && !ids.contains(&0));
    for class in (0..16).map(|number| ClassId::new(number).unwrap()) {
        assert!(vocabulary.topics_of(class).len() >= 10, "{}", vocabulary.class_name(class));
        let general = vocabulary.topics_of(class).next().unwrap();
        assert_eq!(general.name, format!("{} (general)", vocabulary.class_name(class)));
        assert!(vocabulary.class_prior(class) > 0.0);
    }
    assert!(vocabulary.topics().iter().all(|topic| topic.weight > 0.0 && topic.name.len() <= 60));
}

#[test]
fn the_committed_file_is_what_the_step_makes() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/venue-taxonomy"));
    let Ok(file) = std::fs::File::open(folder.join("osm_presets.csv.gz")) else {
        assert!(std::env::var("CI").is_err(), "the taxonomies are missing at {}", folder.display());
        eprintln!("skipped: no taxonomies at {}", folder.display());
        return;
    };
    let mut presets = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut presets).unwrap();
    let categories = std::fs::read_to_string(folder.join("foursquare_categories_en_fr_it.csv")).unwrap();
    let built = build::build(Taxonomies { presets: &presets, categories: &categories }, build::COMMITTED).unwrap();
    assert!(built == build::COMMITTED.previous, "run build-vocabulary and commit its output");
}

#[test]
fn everyday_wishes_are_understood() {
    for (words, class) in [
        ("coffee meetup", "food & drink"),
        ("chess in the park", "games"),
        ("need help moving a sofa", "help & errands"),
        ("looking for jazz musicians", "music"),
    ] {
        let (found, confidence) = class_of(words);
        assert_eq!(found, class, "{words}");
        assert!(confidence > 0.3, "{words}: {confidence}");
    }
    let vocabulary = Vocabulary::builtin();
    let coffee = vocabulary.classify(&ContextText::new("coffee meetup").unwrap());
    assert_eq!(vocabulary.topic_name(coffee.topics[0]), Some("coffee"));
    assert!(coffee.topics.iter().all(|topic| vocabulary.topic(*topic).unwrap().class == coffee.class));
}

#[test]
fn unknown_words_fall_into_the_default_and_say_so() {
    let reading = Vocabulary::builtin().classify(&ContextText::new("xqzt grmblfx 🙂").unwrap());
    assert_eq!((reading.class.get(), reading.confidence, reading.topics.len()), (0, 0.0, 1));
}

#[test]
fn long_and_odd_texts_are_read_without_harm() {
    for words in ["é".repeat(500), "coffee ".repeat(70), "日本語の勉強会".to_owned(), "'’\"\n-".to_owned()] {
        let reading = Vocabulary::builtin().classify(&ContextText::new(&words).unwrap());
        assert!((1..=8).contains(&reading.topics.len()));
    }
}
