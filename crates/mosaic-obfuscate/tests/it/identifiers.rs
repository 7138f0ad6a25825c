use std::collections::BTreeMap;

use mosaic_obfuscate::Vocabulary;
use mosaic_obfuscate::identifiers::{Finding, IdentifierKind, Reaches, Weight, find, released_form, without};
use proptest::prelude::*;

use crate::shared::shared;

/// `half<TAB>kind<TAB>text`, by hand. Rules were made with half d; half h was kept apart; x are spellings thought up once
/// the rules stood, in order to get past them.
const LABELLED: &str = include_str!("identifiers.tsv");

/// Of one half: what was found of what is there, and the texts with nothing to find where something was.
#[derive(Default)]
struct Score {
    found: BTreeMap<IdentifierKind, (usize, usize)>,
    positives: (usize, usize),
    false_alarms: (usize, usize),
    refused: usize,
}

impl Score {
    fn of(half: &str) -> Self {
        let mut score = Self::default();
        for line in LABELLED.lines().filter(|line| !line.starts_with('#')) {
            let [of, label, text] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            if of == half {
                score.add(label, text, half == "d");
            }
        }
        score
    }

    /// Misses are told of the half that rules are made with alone.
    fn add(&mut self, label: &str, text: &str, tell: bool) {
        let findings = find(text);
        let kind = IdentifierKind::ALL.into_iter().find(|kind| word(*kind) == label);
        let hit = kind.map_or(!findings.is_empty(), |kind| findings.iter().any(|finding| finding.kind == kind));
        let counts = match kind {
            Some(kind) => vec![self.found.entry(kind).or_default(), &mut self.positives],
            None => vec![&mut self.false_alarms],
        };
        for (hits, all) in counts {
            *hits += usize::from(hit);
            *all += 1;
        }
        let certain = findings.iter().any(|finding| finding.kind.weight() == Weight::Certain);
        self.refused += usize::from(kind.is_none() && certain);
        if tell && hit != kind.is_some() {
            println!("  {label}: {text} -> {findings:?}");
        }
    }

    fn print(&self, half: &str) {
        println!("half {half}: recall {}", share(self.positives));
        if self.false_alarms.1 > 0 {
            println!("half {half}: false alarms {}, of them refusals {}", share(self.false_alarms), self.refused);
        }
        for (kind, counts) in &self.found {
            println!("  {:12} {}", word(*kind), share(*counts));
        }
    }
}

const fn word(kind: IdentifierKind) -> &'static str {
    match kind {
        IdentifierKind::Email => "email",
        IdentifierKind::Account => "account",
        IdentifierKind::Handle => "handle",
        IdentifierKind::Link => "link",
        IdentifierKind::Coordinates => "coordinates",
        IdentifierKind::Address => "address",
        IdentifierKind::Phone => "phone",
        IdentifierKind::Plate => "plate",
        IdentifierKind::Hashtag => "hashtag",
        IdentifierKind::Name => "name",
        IdentifierKind::RareWord => "rare",
    }
}

/// A share with its 95 % interval (Wilson 1927).
fn wilson((hits, all): (usize, usize)) -> [f64; 3] {
    #[expect(clippy::cast_precision_loss, reason = "some hundred texts")]
    let (share, n) = (hits as f64 / all as f64, all as f64);
    let z = 1.959_964_f64;
    let (middle, scale) = (share + z * z / (2.0 * n), 1.0 + z * z / n);
    let width = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    [share, (middle - width) / scale, (middle + width) / scale]
}

fn share(counts: (usize, usize)) -> String {
    let [share, low, high] = wilson(counts);
    format!("{:.3} [{low:.3}, {high:.3}] ({} of {})", share, counts.0, counts.1)
}

/// On texts by the author of the rules, so no measure of other people's; half h was written with d and not looked at
/// while rules were made. 77 and 78 texts with something to find, 76 and 76 without. The bounds lie below what was
/// measured, so that a change for the worse fails. Of the spellings meant to get past the rules most do.
#[test]
fn labelled_texts_are_told_apart() {
    let halves = ["d", "h"].map(|half| {
        let score = Score::of(half);
        score.print(half);
        score
    });
    Score::of("x").print("x");
    let [made_with, apart] = &halves;
    assert!(made_with.positives.1 + apart.positives.1 >= 150 && made_with.false_alarms.1 + apart.false_alarms.1 >= 150);
    assert!(wilson(made_with.positives)[0] >= 0.95 && wilson(made_with.false_alarms)[0] <= 0.03);
    assert!(wilson(apart.positives)[0] >= 0.85 && wilson(apart.false_alarms)[0] <= 0.05);
    assert_eq!(made_with.refused + apart.refused, 0, "nothing harmless is held up");
}

/// The sentences that the vocabulary is tested with were written before this detector and for another purpose: none holds
/// anything that points at a person. Their words were seen when the threshold of rare words was set.
#[test]
fn sentences_of_the_vocabulary_raise_no_alarm() {
    let sentences: Vec<_> = include_str!("sentences.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split('\t').nth(1))
        .collect();
    let alarms: Vec<_> = sentences.iter().filter(|text| !find(text).is_empty()).collect();
    println!("sentences of the vocabulary: false alarms {} {alarms:?}", share((alarms.len(), sentences.len())));
    assert!(sentences.len() >= 100 && alarms.len() * 50 <= sentences.len());
}

/// Personas write the names of topics, and so do people: none of them is held up, nor is it called rare.
#[test]
fn no_topic_of_the_vocabulary_points_at_a_person() {
    let alarms = Vocabulary::builtin().topics().iter().filter(|topic| {
        find(&topic.name)
            .iter()
            .any(|found| found.kind.weight() == Weight::Certain || found.kind == IdentifierKind::RareWord)
    });
    assert_eq!(alarms.map(|topic| topic.name.as_str()).collect::<Vec<_>>(), [""; 0]);
}

/// Names of conferences, by others and for another purpose. They hold nobody's address or number, so what would be held
/// up is a false alarm (some are web addresses, and count as such); names and rare words are many among brands.
#[test]
fn titles_of_events_are_hardly_ever_held_up() {
    let Some(bytes) = shared("event-titles/conferences.csv.gz") else { return };
    let phrases = mosaic_geo::datasets::phrases(&bytes, mosaic_geo::datasets::PhraseFormat::EventTitles).unwrap();
    let mut kinds: BTreeMap<IdentifierKind, usize> = BTreeMap::new();
    let mut held = 0;
    for phrase in &phrases {
        let findings = find(&phrase.text);
        let certain = findings.iter().any(|finding| finding.kind.weight() == Weight::Certain);
        held += usize::from(certain);
        findings.iter().for_each(|finding| *kinds.entry(finding.kind).or_default() += 1);
    }
    println!("titles of events: held up {}, findings {kinds:?}", share((held, phrases.len())));
    assert!(phrases.len() > 5_000 && held * 100 <= phrases.len());
}

#[test]
fn a_suggestion_lacks_what_was_found_and_keeps_the_rest() {
    for (text, kind, left) in [
        ("coffee tomorrow? write to anna.kowalski@example.com", IdentifierKind::Email, "coffee tomorrow?"),
        ("coffee? call 600 123 456", IdentifierKind::Phone, "coffee?"),
        ("garden party at 12 Baker Street", IdentifierKind::Address, "garden party"),
        ("run with us #MidnightMilers", IdentifierKind::Hashtag, "run with us"),
        ("I'm Anna Kowalski, up for coffee", IdentifierKind::Name, "up for coffee"),
        ("@anna_k92", IdentifierKind::Handle, ""),
    ] {
        assert_eq!(without(text, kind), left, "{text}");
    }
}

/// 108 bytes leave: a number that begins before and ends behind counts as leaving.
#[test]
fn what_leaves_is_told_from_what_stays() {
    let reaches = |text: &str| find(text).first().map(|finding| finding.reaches(text));
    assert_eq!(reaches("call 600 123 456"), Some(Reaches::Readers));
    let long = "a long walk in the park and along the river, then coffee and cake together somewhere nice";
    assert_eq!(reaches(&format!("{long}, call 600 123 456")), Some(Reaches::Readers));
    assert_eq!(reaches(&format!("{long} in the old town, call 600 123 456")), Some(Reaches::Nobody));
    assert_eq!(reaches("a walk in the park and then coffee"), None);
    // a control character would be left out, and what stood beside it would meet
    assert_eq!(find(&released_form("anna\u{1}@example\u{2}.com")).len(), 1);
}

#[test]
fn findings_hold_no_words() {
    let text = "coffee? call 600 123 456";
    assert!(find(text).iter().all(|finding: &Finding| !format!("{finding:?}").contains('6')));
}

fn sound(text: &str) -> Result<(), TestCaseError> {
    let findings = find(text);
    for finding in &findings {
        prop_assert!(text.get(finding.range.clone()).is_some_and(|found| !found.is_empty()));
    }
    prop_assert!(findings.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start));
    for kind in IdentifierKind::ALL {
        let left = without(text, kind);
        prop_assert!(left.len() <= text.len());
        prop_assert!(find(&left).iter().all(|finding| finding.kind != kind), "{:?}", kind);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Any text at all.
    #[test]
    fn any_text_is_judged(text in any::<String>()) {
        sound(&text)?;
    }

    /// Texts of the characters that shapes are made of.
    #[test]
    fn texts_full_of_shapes_are_judged(text in "([0-9@#.+() -]|[A-Z]{2}|[a-z]{3}|°|ß|＠|call |street |at |dot | i'm )*") {
        sound(&text)?;
    }
}
