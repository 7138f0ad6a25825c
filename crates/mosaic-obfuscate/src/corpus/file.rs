use std::collections::BTreeMap;

use mosaic_types::TopicId;
use thiserror::Error;

use super::{CorpusOrder, ModelName, RegionName, Service, clean::is_clean};
use crate::Vocabulary;

/// The first line of a file.
const TITLE: &str = "# mosaic corpus 1";

/// Lines by topic for one region, from one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corpus {
    region: RegionName,
    service: Service,
    model: ModelName,
    date: CorpusDate,
    /// By topic in the order of numbers, lines in the order they came.
    lines: BTreeMap<TopicId, Vec<String>>,
}

/// A day as `2026-11-26`; made by the caller, for nothing here reads a clock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CorpusDate(String);

/// Why a text is no corpus, with the line, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CorpusError {
    /// Beyond [`Corpus::MOST_BYTES`], or not UTF-8.
    #[error("the file is larger than {} bytes or no text", Corpus::MOST_BYTES)]
    NoText,
    /// One of the five lines of the header is missing or says something else.
    #[error("line {0}: the header should be a title, region, service, model and date")]
    Header(usize),
    /// Not a topic of the vocabulary, a tab, and a line.
    #[error("line {0}: expected the number of a topic, a tab and a line")]
    Columns(usize),
    /// A line that personas could not say.
    #[error("line {0}: more than 41 bytes or ten words, or a link, an address or a number to call")]
    Unfit(usize),
    /// Topics go up, and no line of a topic is there twice.
    #[error("line {0}: out of order, or there already")]
    Order(usize),
    /// More lines of one topic than [`Corpus::MOST_OF_A_TOPIC`].
    #[error("line {0}: more than {most} lines of one topic", most = Corpus::MOST_OF_A_TOPIC)]
    Full(usize),
    /// The last line does not end.
    #[error("line {0}: the file was cut off")]
    Cut(usize),
}

impl CorpusDate {
    /// Reads `YYYY-MM-DD`; `None` for anything else. Months have up to 31 days here.
    pub fn new(day: &str) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| {
            let digits = day.get(range)?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u16>().ok())?
        };
        let (_, month, of_month) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let dashes = day.len() == 10 && day.get(4..5) == Some("-") && day.get(7..8) == Some("-");
        let fits = dashes && (1..=12).contains(&month) && (1..=31).contains(&of_month);
        fits.then(|| Self(day.to_owned()))
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Corpus {
    /// Largest file, in bytes.
    pub const MOST_BYTES: usize = 4 * 1024 * 1024;
    /// Most lines of one topic.
    pub const MOST_OF_A_TOPIC: usize = 500;

    /// One without lines.
    pub const fn new(region: RegionName, service: Service, model: ModelName, date: CorpusDate) -> Self {
        Self { region, service, model, date, lines: BTreeMap::new() }
    }

    /// Adds what a model wrote for an order, on that day; returns how many lines were new. Those that are unfit,
    /// there already or beyond [`Self::MOST_OF_A_TOPIC`] stay out, and all of an order for another region.
    pub fn grow(&mut self, order: &CorpusOrder, lines: &[String], date: CorpusDate) -> usize {
        if order.region != self.region {
            return 0;
        }
        self.date = date;
        let known = self.lines.entry(order.topic).or_default();
        let before = known.len();
        for line in lines.iter().filter(|line| is_clean(line)) {
            if known.len() < Self::MOST_OF_A_TOPIC && !has(known, line) {
                known.push(line.clone());
            }
        }
        let added = known.len() - before;
        self.lines.retain(|_, lines| !lines.is_empty());
        added
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`CorpusError`] for whatever [`Self::write`] would not write so.
    pub fn parse(bytes: &[u8]) -> Result<Self, CorpusError> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= Self::MOST_BYTES);
        let text = text.ok_or(CorpusError::NoText)?;
        let mut rows = (1..).zip(text.split_inclusive('\n'));
        let mut next = |label: &str, at: usize| {
            let row = rows.next().and_then(|(_, row)| row.strip_suffix('\n'));
            row.and_then(|row| row.strip_prefix(label)).ok_or(CorpusError::Header(at))
        };
        if !next(TITLE, 1)?.is_empty() {
            return Err(CorpusError::Header(1));
        }
        let region = next("# region\t", 2)?;
        let region = RegionName::named(region).ok().filter(|known| known.as_str() == region);
        let service = Service::named(next("# service\t", 3)?).ok_or(CorpusError::Header(3))?;
        let model = ModelName::new(next("# model\t", 4)?).ok_or(CorpusError::Header(4))?;
        let date = CorpusDate::new(next("# date\t", 5)?).ok_or(CorpusError::Header(5))?;
        let mut corpus = Self::new(region.ok_or(CorpusError::Header(2))?, service, model, date);
        for (at, row) in rows {
            let row = row.strip_suffix('\n').ok_or(CorpusError::Cut(at))?;
            corpus.read_row(at, row)?;
        }
        Ok(corpus)
    }

    fn read_row(&mut self, at: usize, row: &str) -> Result<(), CorpusError> {
        let (number, line) = row.split_once('\t').ok_or(CorpusError::Columns(at))?;
        let topic = number.parse().ok().map(TopicId).filter(|topic| topic.0.to_string() == number);
        let topic =
            topic.filter(|topic| Vocabulary::builtin().topic(*topic).is_some()).ok_or(CorpusError::Columns(at))?;
        if !is_clean(line) {
            return Err(CorpusError::Unfit(at));
        }
        let last = self.lines.keys().next_back().copied();
        let known = self.lines.entry(topic).or_default();
        if last.is_some_and(|last| topic < last) || has(known, line) {
            return Err(CorpusError::Order(at));
        }
        if known.len() >= Self::MOST_OF_A_TOPIC {
            return Err(CorpusError::Full(at));
        }
        known.push(line.to_owned());
        Ok(())
    }

    /// The file: what [`Self::parse`] reads.
    pub fn write(&self) -> String {
        let Self { region, service, model, date, lines } = self;
        let head = format!(
            "{TITLE}\n# region\t{region}\n# service\t{}\n# model\t{}\n# date\t{}\n",
            service.model().name(),
            model.as_str(),
            date.as_str()
        );
        let rows = lines.iter().flat_map(|(topic, lines)| lines.iter().map(move |line| (topic.0, line)));
        rows.fold(head, |file, (topic, line)| file + &format!("{topic}\t{line}\n"))
    }

    /// Whose lines these are.
    pub const fn region(&self) -> RegionName {
        self.region
    }

    /// The service that wrote them.
    pub const fn service(&self) -> Service {
        self.service
    }

    /// The model that wrote them.
    pub const fn model(&self) -> &ModelName {
        &self.model
    }

    /// When the last were added.
    pub const fn date(&self) -> &CorpusDate {
        &self.date
    }

    /// Topics in the order of their numbers, with their lines.
    pub fn lines(&self) -> impl Iterator<Item = (TopicId, &[String])> {
        self.lines.iter().map(|(topic, lines)| (*topic, lines.as_slice()))
    }
}

fn has(known: &[String], line: &str) -> bool {
    let lower = line.to_lowercase();
    known.iter().any(|known| known.to_lowercase() == lower)
}
