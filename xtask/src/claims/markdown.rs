//! Markdown as passages (a paragraph, a list item, a heading or one cell of a table) and their sentences.

/// A piece of text that is read as one, and the line it begins on, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Passage {
    pub(super) line: usize,
    pub(super) text: String,
}

/// The passages of `text`; fenced code and the ruler of a table are none.
pub(super) fn passages(text: &str) -> Vec<Passage> {
    let mut found: Vec<Passage> = Vec::new();
    let (mut fenced, mut open) = (false, false);
    for (number, line) in text.lines().enumerate() {
        let (line, number) = (line.trim(), number + 1);
        let fence = line.starts_with("```");
        fenced ^= fence;
        if fenced || fence || line.is_empty() {
            open = false;
        } else if line.starts_with('|') {
            let cells = cells(line).into_iter().filter(|cell| cell.chars().any(char::is_alphabetic));
            found.extend(cells.map(|text| Passage { line: number, text }));
            open = false;
        } else if let (true, false, Some(last)) = (open, begins(line), found.last_mut()) {
            last.text.push(' ');
            last.text.push_str(line);
        } else {
            found.push(Passage { line: number, text: line.to_owned() });
            open = !line.starts_with('#');
        }
    }
    found
}

/// Whether a line begins a passage though none ended before it: an item of a list, or a heading.
fn begins(line: &str) -> bool {
    let numbered = line.split_once(". ").is_some_and(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
    numbered || line.starts_with(['#']) || ["- ", "* ", "> "].iter().any(|mark| line.starts_with(mark))
}

/// The cells of a row. A bar behind a backslash or within code separates nothing.
fn cells(row: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let (mut code, mut escaped) = (false, false);
    for letter in row.trim_matches('|').chars() {
        code ^= letter == '`' && !escaped;
        match cells.last_mut() {
            Some(cell) if letter != '|' || code || escaped => cell.push(letter),
            _ => cells.push(String::new()),
        }
        escaped = letter == '\\';
    }
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}

/// The sentences of a passage, without what stands in code.
pub(super) fn sentences(passage: &str) -> Vec<String> {
    let prose = passage.split('`').step_by(2).collect::<Vec<_>>().join("``");
    let mut found = vec![String::new()];
    let mut ended = false;
    for word in prose.split_whitespace() {
        if ended {
            found.push(String::new());
        }
        if let Some(sentence) = found.last_mut() {
            sentence.push_str(if sentence.is_empty() { "" } else { " " });
            sentence.push_str(word);
        }
        ended = word.trim_end_matches(['*', '_', ')', '"']).ends_with(['.', '?', '!', ';', ':']);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_items_and_cells_are_passages() {
        let text = "# Head\nOne\ntwo.\n\n- item\n  goes on\n- next\n1. first\n```\ncode\n```\nafter\n\n\
                    | a | `b|c` | |\n|---|:-:|---|\n| d \\| e | f [CL-01] |\n";
        let found = passages(text);
        let texts: Vec<_> = found.iter().map(|passage| passage.text.as_str()).collect();
        let expected = [
            "# Head",
            "One two.",
            "- item goes on",
            "- next",
            "1. first",
            "after",
            "a",
            "`b|c`",
            "d \\| e",
            "f [CL-01]",
        ];
        assert_eq!(texts, expected);
        assert_eq!((found[1].line, found[5].line), (2, 12));
    }

    #[test]
    fn sentences_end_where_they_end_and_code_is_none() {
        let found = sentences("Nobody reads `this. that`. **Sure.** Version 1.2 is (so). Why; since");
        assert_eq!(found, ["Nobody reads ``.", "**Sure.**", "Version 1.2 is (so).", "Why;", "since"]);
    }
}
