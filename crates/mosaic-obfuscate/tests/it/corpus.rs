//! The public corpus: orders that cannot hold a draft, replies of three services, files that are read as written.

use std::collections::BTreeMap;

use mosaic_obfuscate::{
    Vocabulary,
    corpus::{
        Corpus, CorpusDate, CorpusError, CorpusOrder, InvalidOrder, ModelName, RegionName, ReplyError, Service,
        clean_lines,
    },
};
use mosaic_types::TopicId;
use proptest::prelude::*;

fn order(topic: u16) -> CorpusOrder {
    CorpusOrder::new(RegionName::named("Portugal").unwrap(), TopicId(topic), 8).unwrap()
}

fn empty() -> Corpus {
    let model = Service::Gemini.model().usual_model();
    let date = CorpusDate::new("2026-11-26").unwrap();
    Corpus::new(RegionName::named("Portugal").unwrap(), Service::Gemini, model, date)
}

/// Two orders are equal only if region, topic and count are; all that a request holds beside them is the same for
/// everybody.
#[test]
fn a_request_is_a_function_of_public_words() {
    for service in Service::ALL {
        let model = service.model();
        let request = |topic| model.request(&order(topic), &model.usual_model());
        let (coffee, tea) = (request(2), request(3));
        assert_eq!(coffee, request(2));
        assert_eq!(coffee.path, tea.path);
        let body: serde_json::Value = serde_json::from_str(&coffee.body).unwrap();
        assert!(body.is_object() && coffee.body.contains("Portugal") && coffee.body.contains("coffee"));
        assert_eq!(coffee.body.replace("coffee", "tea"), tea.body);
        assert!(model.base_url().starts_with("https://") && model.key_variable().ends_with("_API_KEY"));
        assert_eq!(Service::named(model.name()), Some(service));
    }
}

#[test]
fn an_order_names_public_things_only() {
    let region = RegionName::named("Europe").unwrap();
    assert_eq!(CorpusOrder::new(region, TopicId(9_999), 1), Err(InvalidOrder::UnknownTopic(TopicId(9_999))));
    assert_eq!(CorpusOrder::new(region, TopicId(2), 0), Err(InvalidOrder::Count));
    assert_eq!(CorpusOrder::new(region, TopicId(2), 101), Err(InvalidOrder::Count));
    assert!(["", ".x", "a/b", "a?b", "a b", &"x".repeat(65)].iter().all(|name| ModelName::new(name).is_none()));
}

#[test]
fn whole_replies_are_read_and_cleaned() {
    let replies: BTreeMap<&str, (&str, &[&str])> = BTreeMap::from([
        (
            "anthropic",
            (
                include_str!("replies/anthropic.json"),
                &[
                    "Anyone for coffee near the river?",
                    "espresso and gossip at 5?",
                    "new in town, galão?",
                    "coffee, 20 min, I'm paying",
                    "Coffee before the rain starts",
                ][..],
            ),
        ),
        (
            "deepseek",
            (
                include_str!("replies/deepseek.json"),
                &[
                    "coffee w/ a stranger today?",
                    "bica at the corner, who's in",
                    "café e conversa, 17h",
                    "need caffeine + company",
                ],
            ),
        ),
        (
            "gemini",
            (
                include_str!("replies/gemini.json"),
                &["coffee break, anyone?", "i bring pastéis, you bring coffee", "quiet cafe to read together"],
            ),
        ),
    ]);
    for (name, (body, lines)) in replies {
        let model = Service::named(name).unwrap().model();
        assert_eq!(model.lines(200, body.as_bytes()).unwrap(), lines, "{name}");
        // cut anywhere, it is no reply
        for keep in (0..body.trim_end().len()).step_by(7) {
            assert_eq!(model.lines(200, &body.as_bytes()[..keep]), Err(ReplyError::Malformed), "{name} {keep}");
        }
        let large = vec![b' '; Service::MOST_REPLY + 1];
        assert_eq!(model.lines(200, &large), Err(ReplyError::TooLarge));
        for other in Service::ALL.into_iter().filter(|other| other.model().name() != name) {
            assert_eq!(other.model().lines(200, body.as_bytes()), Err(ReplyError::Malformed));
        }
    }
}

#[test]
fn half_a_line_is_left_out() {
    for (service, body, lines) in [
        (
            Service::Anthropic,
            include_str!("replies/anthropic-cut.json"),
            &["cafe rapido?", "anyone up for a flat white"][..],
        ),
        (Service::DeepSeek, include_str!("replies/deepseek-cut.json"), &["coffee and a walk"]),
        (Service::Gemini, include_str!("replies/gemini-cut.json"), &["coffee on the square"]),
    ] {
        assert_eq!(service.model().lines(200, body.as_bytes()).unwrap(), lines);
    }
}

/// A refusal is told by a word of the service's list; what else it says could be anything and is not repeated.
#[test]
fn refusals_are_told_by_their_word() {
    for (service, status, body, word) in [
        (Service::Anthropic, 401, include_str!("replies/anthropic-error.json"), "authentication_error"),
        (Service::DeepSeek, 402, include_str!("replies/deepseek-error.json"), "unknown_error"),
        (Service::Gemini, 400, include_str!("replies/gemini-error.json"), "INVALID_ARGUMENT"),
        (Service::Gemini, 502, "<html>\u{1b}[31mBad gateway</html>", "unknown"),
        (Service::Gemini, 429, "{\"error\":{\"status\":\"\\u001b[2J\"}}", "unknown"),
    ] {
        let refused = ReplyError::Refused { status, kind: word.to_owned() };
        assert_eq!(service.model().lines(status, body.as_bytes()), Err(refused));
    }
    let silent =
        br#"{"choices":[{"message":{"role":"assistant","content":"call 0123456789"},"finish_reason":"stop"}]}"#;
    assert_eq!(Service::DeepSeek.model().lines(200, silent), Err(ReplyError::Empty));
}

#[test]
fn a_corpus_grows_and_is_read_as_written() {
    let mut corpus = empty();
    let later = || CorpusDate::new("2026-12-01").unwrap();
    let lines = ["tea?", "Tea?", "late tea, anyone", "see www.x.pt"].map(str::to_owned);
    assert_eq!(corpus.grow(&order(3), &lines, later()), 2);
    assert_eq!(corpus.grow(&order(3), &lines, later()), 0, "known already");
    assert_eq!(corpus.grow(&order(2), &["coffee".to_owned()], later()), 1);
    let elsewhere = CorpusOrder::new(RegionName::named("Spain").unwrap(), TopicId(2), 1).unwrap();
    assert_eq!(corpus.grow(&elsewhere, &["horchata".to_owned()], later()), 0, "of another region");
    let file = corpus.write();
    assert_eq!(
        file,
        "# mosaic corpus 1\n# region\tPortugal\n# service\tgemini\n# model\tgemini-2.5-flash\n# date\t2026-12-01\n\
         2\tcoffee\n3\ttea?\n3\tlate tea, anyone\n"
    );
    assert_eq!(Corpus::parse(file.as_bytes()), Ok(corpus));
    assert_eq!(Corpus::parse(empty().write().as_bytes()), Ok(empty()));
}

#[test]
fn what_is_no_corpus_is_refused_with_its_line() {
    let head = empty().write();
    for (rows, error) in [
        ("2 coffee\n", CorpusError::Columns(6)),
        ("02\tcoffee\n", CorpusError::Columns(6)),
        ("9999\tcoffee\n", CorpusError::Columns(6)),
        ("2\tcoffee\n2\tCOFFEE\n", CorpusError::Order(7)),
        ("3\ttea\n2\tcoffee\n", CorpusError::Order(7)),
        ("2\tcoffee at www.x.pt\n", CorpusError::Unfit(6)),
        ("2\tcoffee\r\n", CorpusError::Unfit(6)),
        ("2\t\n", CorpusError::Unfit(6)),
        ("2\tcoffee", CorpusError::Cut(6)),
    ] {
        assert_eq!(Corpus::parse(format!("{head}{rows}").as_bytes()), Err(error), "{rows:?}");
    }
    let many: String = (0..=Corpus::MOST_OF_A_TOPIC).map(|at| format!("2\tcoffee {at}\n")).collect();
    assert_eq!(Corpus::parse((head.clone() + &many).as_bytes()), Err(CorpusError::Full(506)));
    for (from, to, line) in [
        ("corpus 1", "corpus 2", 1),
        ("Portugal", "portugal", 2),
        ("Portugal", "Rua 5", 2),
        ("gemini\n", "other\n", 3),
        ("gemini-2.5-flash", "", 4),
        ("2026-11-26", "2026-13-26", 5),
        ("2026-11-26", "26.11.2026", 5),
    ] {
        assert_eq!(Corpus::parse(head.replacen(from, to, 1).as_bytes()), Err(CorpusError::Header(line)), "{to}");
    }
    assert_eq!(Corpus::parse(&[0xff]), Err(CorpusError::NoText));
    assert_eq!(Corpus::parse(b""), Err(CorpusError::Header(1)));
}

proptest! {
    /// Whatever a model writes for whichever topics: the file that it gives is read as written.
    #[test]
    fn every_corpus_is_read_as_written(texts in prop::collection::vec((1_usize..850, "(?s).{0,200}"), 0..6)) {
        let mut corpus = empty();
        for (at, text) in texts {
            let topic = Vocabulary::builtin().topics()[at].id.0;
            corpus.grow(&order(topic), &clean_lines(&text), CorpusDate::new("2026-11-27").unwrap());
        }
        prop_assert_eq!(Corpus::parse(corpus.write().as_bytes()), Ok(corpus));
    }
}
