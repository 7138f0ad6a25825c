//! What the program says to people: help texts, which clap takes from doc comments, and strings.

use super::markdown::{Passage, passages};
use crate::code;

/// Derives whose doc comments are help texts.
const HELP: [&str; 4] = ["Args", "Parser", "Subcommand", "ValueEnum"];

/// The passages of a Rust file of the program, its unit tests left out.
pub(super) fn of(source: &str) -> Vec<Passage> {
    let source = without_tests(source);
    let mut found = Vec::new();
    for (line, help) in help(source) {
        found.extend(shifted(passages(&help), line));
    }
    for (at, text) in code::strings(source) {
        found.extend(shifted(passages(&text), source[..at].matches('\n').count() + 1));
    }
    found
}

/// `source` up to the unit tests that stand in it.
fn without_tests(source: &str) -> &str {
    const TESTS: &str = "\n#[cfg(test)]\nmod ";
    let within =
        |(at, _): &(usize, &str)| source[at + TESTS.len()..].lines().next().is_some_and(|line| line.ends_with('{'));
    let end = source.match_indices(TESTS).find(within).map_or(source.len(), |(at, _)| at);
    &source[..end]
}

fn shifted(passages: Vec<Passage>, line: usize) -> impl Iterator<Item = Passage> {
    passages.into_iter().map(move |passage| Passage { line: passage.line + line - 1, ..passage })
}

/// The doc comments that clap prints, and the line each begins on: before a derive of its own, and inside such a type.
/// Reads by lines, as `rustfmt` leaves them.
fn help(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut docs: Option<(usize, String)> = None;
    let (mut derived, mut inside) = (false, false);
    for (number, line) in source.lines().enumerate() {
        if let Some(doc) = line.trim_start().strip_prefix("///") {
            let (_, text) = docs.get_or_insert_with(|| (number + 1, String::new()));
            text.push_str(doc.trim_start());
            text.push('\n');
            continue;
        }
        let docs = docs.take();
        if line.starts_with("#[derive(") && HELP.iter().any(|name| line.contains(name)) {
            derived = true;
            found.extend(docs);
        } else if inside {
            found.extend(docs);
            inside = line != "}";
        } else if derived && (line.contains("struct ") || line.contains("enum ")) && line.ends_with('{') {
            (derived, inside) = (false, true);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "//! Module.\n#[cfg(test)]\nmod a;\n/// Watch\n/// nobody.\n#[derive(Debug, Args)]\n#[command(after_help = \"\\\nExamples:\n  \
                          one \\\"two\\\" \\\n  three\")]\npub(crate) struct A {\n    /// A field\n    \
                          #[arg(long)]\n    b: u8,\n}\n\n/// Not for people.\nfn f() {\n    // \"no string\"\n    \
                          say(\"Hello\");\n}\n\n#[cfg(test)]\nmod tests {\n    const X: &str = \"test\";\n}\n";

    #[test]
    fn help_and_strings_are_found_and_the_rest_is_not() {
        let found: Vec<_> = of(SOURCE).into_iter().map(|passage| (passage.line, passage.text)).collect();
        let expected = [(4, "Watch nobody."), (12, "A field"), (7, "Examples: one \"two\" three"), (20, "Hello")];
        assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
    }
}
