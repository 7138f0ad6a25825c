//! The reproducible step that makes `data/vocabulary.tsv` from two open taxonomies and the hand-written
//! tables beside it. Topics keep their numbers by name: a rebuild only ever appends.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

/// Most synonyms kept for one topic.
const MOST_WORDS: usize = 48;

/// The taxonomies, as text.
#[derive(Clone, Copy, Debug)]
pub struct Taxonomies<'a> {
    /// `osm_presets.csv`: preset, tags, English name and terms, then names in other languages.
    pub presets: &'a str,
    /// `foursquare_categories_en_fr_it.csv`: id, English, French and Italian name; no header.
    pub categories: &'a str,
}

/// The tables written by hand, as text, and the vocabulary as it was.
#[derive(Clone, Copy, Debug)]
pub struct Tables<'a> {
    /// `activities.tsv`: class, topic, words.
    pub activities: &'a str,
    /// `mapping.tsv`: pattern, class or `-`, weight.
    pub mapping: &'a str,
    /// The committed `vocabulary.tsv`, for the numbers in use.
    pub previous: &'a str,
}

/// The tables committed with this crate.
pub const COMMITTED: Tables<'static> = Tables {
    activities: include_str!("../../data/activities.tsv"),
    mapping: include_str!("../../data/mapping.tsv"),
    previous: include_str!("../../data/vocabulary.tsv"),
};

/// Why no vocabulary was built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A line of a hand-written table or taxonomy does not have the columns it should.
    #[error("{table}, line {line}: not the columns expected")]
    Columns {
        /// Which file.
        table: &'static str,
        /// Its line, from 1.
        line: usize,
    },
    /// More topics than numbers.
    #[error("more topics than numbers")]
    TooMany,
}

/// Builds the table: header, then `number, class, name, weight, words` by number.
///
/// # Errors
/// [`BuildError`] naming the first line that cannot be read.
pub fn build(taxonomies: Taxonomies<'_>, tables: Tables<'_>) -> Result<String, BuildError> {
    let rules = rules(tables.mapping)?;
    let mut entries = Entries::default();
    entries.add_activities(tables.activities)?;
    entries.add_presets(taxonomies.presets, &rules)?;
    entries.add_categories(taxonomies.categories, &rules)?;
    entries.write(tables.previous)
}

struct Rule<'a> {
    pattern: &'a str,
    class: Option<&'a str>,
    weight: &'a str,
}

struct Entry {
    class: String,
    name: String,
    weight: String,
    words: Vec<String>,
}

#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    by_name: BTreeMap<String, usize>,
}

impl Entries {
    fn add(&mut self, class: &str, name: &str, weight: &str, words: impl IntoIterator<Item = String>) {
        let name = clean(name);
        let at = *self.by_name.entry(name.clone()).or_insert_with(|| {
            self.list.push(Entry { class: class.to_owned(), name, weight: weight.to_owned(), words: Vec::new() });
            self.list.len() - 1
        });
        let entry = &mut self.list[at];
        for word in words.into_iter().map(|word| clean(&word)) {
            if !word.is_empty() && word != entry.name && !entry.words.contains(&word) && entry.words.len() < MOST_WORDS
            {
                entry.words.push(word);
            }
        }
    }

    fn add_activities(&mut self, table: &str) -> Result<(), BuildError> {
        for (line, text) in content(table) {
            let fields: Vec<&str> = text.split('\t').collect();
            let [class, name, words] = fields.as_slice() else {
                return Err(BuildError::Columns { table: "activities", line });
            };
            self.add(class, name, "1", words.split(';').map(str::to_owned));
        }
        Ok(())
    }

    fn add_presets(&mut self, csv: &str, rules: &[Rule<'_>]) -> Result<(), BuildError> {
        for (line, text) in csv.lines().enumerate().skip(1) {
            let fields = fields(text);
            let [preset, _, name, terms, de, fr, pt, fi, es, ..] = fields.as_slice() else {
                return Err(BuildError::Columns { table: "presets", line: line + 1 });
            };
            let Some((class, weight)) = classed(rules, "osm:", preset) else { continue };
            let translated = [de, fr, pt, fi, es].into_iter().filter(|word| is_one_word(word)).cloned();
            self.add(class, first_name(name), weight, terms.split(',').map(str::to_owned).chain(translated));
        }
        Ok(())
    }

    fn add_categories(&mut self, csv: &str, rules: &[Rule<'_>]) -> Result<(), BuildError> {
        for (line, text) in csv.lines().enumerate() {
            let fields = fields(text);
            let [_, name, fr, it, ..] = fields.as_slice() else {
                return Err(BuildError::Columns { table: "categories", line: line + 1 });
            };
            let Some((class, weight)) = classed(rules, "fsq:", name) else { continue };
            let translated = [fr, it].into_iter().filter(|word| is_one_word(word)).cloned();
            self.add(class, first_name(name), weight, translated);
        }
        Ok(())
    }

    fn write(self, previous: &str) -> Result<String, BuildError> {
        let mut numbers: BTreeMap<String, u16> = BTreeMap::new();
        for (_, line) in content(previous) {
            let mut fields = line.split('\t');
            if let (Some(Ok(number)), Some(name)) = (fields.next().map(str::parse), fields.nth(1)) {
                numbers.insert(name.to_owned(), number);
            }
        }
        let mut next = numbers.values().max().copied().unwrap_or(0);
        let mut rows: BTreeMap<u16, String> = BTreeMap::new();
        for Entry { class, name, weight, words } in self.list {
            let number = if let Some(number) = numbers.get(&name) {
                *number
            } else {
                next = next.checked_add(1).ok_or(BuildError::TooMany)?;
                next
            };
            rows.insert(number, format!("{number}\t{class}\t{name}\t{weight}\t{}\n", words.join(";")));
        }
        Ok(rows.into_values().fold(HEADER.to_owned(), |table, row| table + &row))
    }
}

const HEADER: &str =
    "# number\tclass\ttopic\tweight\twords; made by build-vocabulary, sources and licences in ATTRIBUTION.md\n";

fn content(table: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = table.lines().enumerate().map(|(at, line)| (at + 1, line));
    numbered.filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty())
}

fn rules(mapping: &str) -> Result<Vec<Rule<'_>>, BuildError> {
    let rule = |(line, text): (usize, &'_ str)| match text.split('\t').collect::<Vec<_>>().as_slice() {
        [_, _, _] => Ok(line),
        _ => Err(BuildError::Columns { table: "mapping", line }),
    };
    for numbered in content(mapping) {
        rule(numbered)?;
    }
    let parsed = content(mapping).filter_map(|(_, text)| {
        let mut fields = text.split('\t');
        let (pattern, class, weight) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Rule { pattern, class: (class != "-").then_some(class), weight })
    });
    Ok(parsed.collect())
}

/// Class and weight by the first rule that matches.
fn classed<'a>(rules: &'a [Rule<'a>], source: &str, name: &str) -> Option<(&'a str, &'a str)> {
    let matches = |rule: &&Rule<'_>| {
        let Some(pattern) = rule.pattern.strip_prefix(source) else { return false };
        pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
    };
    let rule = rules.iter().find(matches)?;
    rule.class.map(|class| (class, rule.weight))
}

/// The first of several names, without a remark in brackets.
fn first_name(name: &str) -> &str {
    let end = [" / ", " ("].iter().filter_map(|mark| name.find(mark)).min().unwrap_or(name.len());
    &name[..end]
}

fn is_one_word(text: &str) -> bool {
    text.chars().count() >= 3 && text.chars().all(|c| c.is_alphabetic() || c == '-')
}

/// Lower case, without the characters that separate columns and words.
fn clean(text: &str) -> String {
    text.replace(['\t', ';', '\n', '\r', '"'], " ").split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The fields of one line of CSV (RFC 4180, no line breaks inside quotes).
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, quoted) {
            ('"', true) if letters.peek() == Some(&'"') => {
                letters.next();
                fields.iter_mut().last().into_iter().for_each(|field| field.push('"'));
            }
            ('"', _) => quoted = !quoted,
            (',', false) => fields.push(String::new()),
            _ => fields.iter_mut().last().into_iter().for_each(|field| field.push(letter)),
        }
    }
    fields
}

/// The distinct classes and the number of topics of a built table: what the step reports.
pub fn summary(table: &str) -> (usize, usize) {
    let rows: Vec<&str> = content(table).map(|(_, line)| line).collect();
    let classes: BTreeSet<&str> = rows.iter().filter_map(|row| row.split('\t').nth(1)).collect();
    (classes.len(), rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_keep_their_commas() {
        assert_eq!(fields("a,\"b,c\",\"d\"\"e\","), ["a", "b,c", "d\"e", ""]);
    }

    #[test]
    fn numbers_stay_and_new_topics_are_appended() {
        let taxonomies =
            Taxonomies { presets: "head\nshop/tea,x,Tea,\"brew,leaf\",Tee,Thé,,,", categories: "1,Lake,Lac,Lago" };
        let tables = Tables {
            activities: "0\tcoffee\tespresso\n3\tlake\t\n",
            mapping: "osm:shop/*\t0\t0.5\nfsq:Lake\t3\t0.4\n",
            previous: "7\t0\tcoffee\t1\t\n",
        };
        let built = build(taxonomies, tables).unwrap();
        let rows: Vec<&str> = built.lines().skip(1).collect();
        assert_eq!(rows, ["7\t0\tcoffee\t1\tespresso", "8\t3\tlake\t1\tlac;lago", "9\t0\ttea\t0.5\tbrew;leaf;tee;thé"]);
        let again = build(taxonomies, Tables { previous: &built, ..tables }).unwrap();
        assert_eq!(again, built);
    }

    #[test]
    fn a_short_line_is_named() {
        let taxonomies = Taxonomies { presets: "head\na,b", categories: "" };
        let tables = Tables { activities: "", mapping: "", previous: "" };
        assert_eq!(build(taxonomies, tables), Err(BuildError::Columns { table: "presets", line: 2 }));
    }
}
