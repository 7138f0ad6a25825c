//! Rust text without what is no code: comments and the inside of literals.

/// `text` with every comment replaced by a space, every string emptied, and all white space collapsed.
///
/// Not a whole lexer, but it knows what could hide code from a search or fake it: nested block comments, escapes,
/// raw strings, and quotes that are characters or lifetimes.
pub(crate) fn stripped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = comment(rest).or_else(|| literal(rest, &out));
        match skipped {
            Some((length, stands_for)) => {
                out.push_str(stands_for);
                rest = &rest[length..];
            }
            None => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands in the strings of `text`, unescaped, and where each begins.
pub(crate) fn strings(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let skipped = comment(rest).or_else(|| literal(rest, &text[..at]));
        let length = skipped.map_or(first.len_utf8(), |(length, _)| length);
        if let Some((_, "\"\"")) = skipped {
            let inner = rest[..length].trim_start_matches(['b', 'r', '#']).trim_end_matches('#');
            let inner = inner.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(inner);
            found.push((at, if first == '"' { unescaped(inner) } else { inner.to_owned() }));
        }
        at += length;
    }
    found
}

/// A string as the compiler reads it, as far as prose needs it: a backslash at the end of a line joins it to the next.
fn unescaped(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        rest = match after.chars().next() {
            Some('\n') => after.trim_start(),
            Some(escaped) => {
                out.push(if escaped == 'n' { '\n' } else { escaped });
                &after[escaped.len_utf8()..]
            }
            None => after,
        };
    }
    out + rest
}

/// The length of the comment that `rest` begins with, and what stands for it.
fn comment(rest: &str) -> Option<(usize, &'static str)> {
    if rest.starts_with("//") {
        return Some((rest.find('\n').unwrap_or(rest.len()), " "));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let (step, opened, closed) = match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (2, 1, 0),
            [b'*', b'/', ..] => (2, 0, 1),
            _ => (1, 0, 0),
        };
        (depth, at) = (depth + opened - closed, at + step);
        if depth == 0 {
            return Some((at, " "));
        }
    }
    Some((rest.len(), " "))
}

/// The length of the string or character that `rest` begins with; `before` is the code so far.
fn literal(rest: &str, before: &str) -> Option<(usize, &'static str)> {
    let fresh = !before.ends_with(|last: char| last.is_alphanumeric() || last == '_');
    if let Some(raw) = rest.strip_prefix('r').or_else(|| rest.strip_prefix("br")).filter(|_| fresh) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if let Some(body) = raw[hashes..].strip_prefix('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let length = body.find(&end).map_or(body.len(), |at| at + end.len());
            return Some((rest.len() - body.len() + length, "\"\""));
        }
    }
    match rest.as_bytes() {
        [b'"', ..] => Some((closing(rest, b'"').unwrap_or(rest.len()), "\"\"")),
        // A quote that no quote follows after one character or escape begins a lifetime.
        [b'\'', b'\\', ..] => closing(rest, b'\'').map(|length| (length, "' '")),
        [b'\'', ..] => {
            let character = rest[1..].chars().next()?.len_utf8();
            rest[1 + character..].starts_with('\'').then_some((character + 2, "' '"))
        }
        _ => None,
    }
}

/// Where the literal that opens `rest` ends: behind the first `quote` that no backslash escapes.
fn closing(rest: &str, quote: u8) -> Option<usize> {
    let mut escaped = false;
    let end = rest.bytes().skip(1).position(|byte| {
        let ends = byte == quote && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some(end + 2)
}

/// The functions of `code` (as [`stripped`] gives it) that the test runner runs: they bear `#[test]`, or an attribute
/// whose path ends in it, and no `#[ignore]`.
pub(crate) fn tests_of(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut is_test, mut ignored) = (false, false);
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        if let Some((attribute, after)) = attribute(rest) {
            let path = attribute.split(['(', '=']).next().unwrap_or_default().trim();
            is_test |= path == "test" || path.ends_with("::test");
            ignored |= attribute.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == "ignore");
            rest = after.trim_start();
            continue;
        }
        if is_test && !ignored {
            found.extend(function(rest));
        }
        (is_test, ignored) = (false, false);
        rest = &rest[first.len_utf8()..];
    }
    found
}

/// An attribute at the beginning of `rest`, without its brackets, and what follows it.
fn attribute(rest: &str) -> Option<(&str, &str)> {
    let inside = rest.strip_prefix("#[")?;
    let mut depth = 1_usize;
    let end = inside.bytes().position(|byte| {
        depth = match byte {
            b'[' => depth + 1,
            b']' => depth - 1,
            _ => depth,
        };
        depth == 0
    })?;
    Some((&inside[..end], &inside[end + 1..]))
}

/// The name of the function that `rest` begins with, whatever stands before its `fn`.
fn function(rest: &str) -> Option<&str> {
    let mut words = rest.splitn(6, ' ');
    let mut qualifiers = 0;
    while let Some(word) = words.next() {
        if word == "fn" {
            let end = |letter: char| !letter.is_alphanumeric() && letter != '_';
            return words.next()?.split(end).next().filter(|name| !name.is_empty());
        }
        qualifiers += 1;
        if qualifiers > 4 || !(word.starts_with("pub") || ["async", "const", "unsafe"].contains(&word)) {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_hide_nothing_and_fake_nothing() {
        assert_eq!(stripped("a /* x /* y */ z */ b // c\n d"), "a b d");
        assert_eq!(stripped("let s = \"// no \\\" comment\"; after()"), "let s = \"\"; after()");
        assert_eq!(stripped("r#\"a \" b\"# + r\"c\" + b\"d\""), "\"\" + \"\" + b\"\"");
        assert_eq!(
            stripped("fn f<'a>(q: char) { q == '\"' || q == '\\'' } // x"),
            "fn f<'a>(q: char) { q == ' ' || q == ' ' }"
        );
        assert_eq!(stripped("a\n    b\t c"), "a b c");
        assert_eq!(stripped("/* never closed"), "");
        assert_eq!(stripped("for\"x\"in"), "for\"\"in", "a name that ends in r opens no raw string");
    }

    #[test]
    fn strings_are_read_as_the_compiler_does() {
        let text = "f(\"a\\n\\\"b\\\" \\\n   c\"); // \"no\"\nlet x = (r#\"raw \\n\"#, b\"bytes\", '\"', \"\");";
        let found: Vec<_> = strings(text).into_iter().map(|(_, string)| string).collect();
        assert_eq!(found, ["a\n\"b\" c", "raw \\n", "bytes", ""]);
        assert_eq!(strings("x = \"é\" + \"y\"").into_iter().map(|(at, _)| at).collect::<Vec<_>>(), [4, 11]);
    }

    #[test]
    fn only_tests_that_run_are_tests() {
        let code = stripped(
            "#[test] fn plain() {} #[test] #[ignore = \"slow\"] fn later() {} fn helper() {}
             #[tokio::test(flavor = \"multi_thread\")] async fn asynchronous() {} #[cfg(test)] fn hidden() {}
             /* #[test] */ fn gone() {} // #[test]\n fn too() {}
             #[test] /// Documented.\n #[should_panic(expected = \"[\")] pub(crate) fn panics() {}
             #[cfg_attr(miri, ignore)] #[test] fn sometimes() {} #[test] struct S; fn after() {}",
        );
        assert_eq!(tests_of(&code), ["plain", "asynchronous", "panics"]);
    }
}
