use super::{
    ImportError, ImportProblem,
    lines::{read, text},
    quoted::columns,
};

/// Words people use for something they want or a place they go to: what a dictionary attack tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// The words.
    pub text: String,
    /// What they belong to: a topic, a category id, a pair of tags.
    pub kind: String,
}

/// Where phrases are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhraseFormat {
    /// `title,topic,start,end,city,country,online,locales` with header.
    EventTitles,
    /// `id,en,fr,it` or `id,en,schema.org type`, without header.
    FoursquareCategories,
    /// `preset,tags,name_en,…` with header.
    OsmPresets,
    /// `category,brand,countries` with header.
    Brands,
}

impl PhraseFormat {
    /// Header, least number of columns, column of the words, column of the kind.
    const fn shape(self) -> (Option<&'static str>, usize, usize, usize) {
        match self {
            Self::EventTitles => (Some("title,topic,start,end,city,country,online,locales"), 8, 0, 1),
            Self::FoursquareCategories => (None, 3, 1, 0),
            Self::OsmPresets => {
                (Some("preset,tags,name_en,terms_en,name_de,name_fr,name_pt,name_fi,name_es,name_ja"), 10, 2, 1)
            }
            Self::Brands => (Some("category,brand,countries"), 3, 1, 0),
        }
    }
}

/// Reads the phrases of a file, in its own order; lines without words are left out.
///
/// # Errors
/// [`ImportError`] names the first line that is wrong.
pub fn phrases(bytes: &[u8], format: PhraseFormat) -> Result<Vec<Phrase>, ImportError> {
    let (header, least, words, kind) = format.shape();
    read(bytes, |number, line| {
        let line = text(line)?;
        let line = if number == 1 { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line };
        match header {
            Some(header) if number == 1 && line == header => return Ok(None),
            Some(header) if number == 1 => return Err(ImportProblem::Header(header)),
            _ if line.trim().is_empty() => return Ok(None),
            _ => {}
        }
        let columns = columns(line)?;
        let (Some(text), Some(kind), true) = (columns.get(words), columns.get(kind), columns.len() >= least) else {
            return Err(ImportProblem::Columns(header.unwrap_or("id,en,fr,it")));
        };
        let phrase = Phrase { text: text.trim().to_owned(), kind: kind.trim().to_owned() };
        Ok((!phrase.text.is_empty()).then_some(phrase))
    })
}
