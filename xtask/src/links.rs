//! Relative links in Markdown: what they point at exists.

use std::path::Path;

use anyhow::Result;

use crate::tree;

/// Checks every relative link of every Markdown file.
pub(crate) fn check() -> Result<()> {
    let mut found = Vec::new();
    for path in tree::files("md")? {
        let folder = path.parent().unwrap_or(Path::new(""));
        let text = tree::read(&path)?;
        let broken = targets(&text).into_iter().filter(|target| !tree::root().join(folder).join(target).exists());
        found.extend(broken.map(|target| format!("{}: {target}", path.display())));
    }
    tree::verdict("links lead nowhere", &found)
}

/// The files and folders that `text` links to: `[text](target)`, images, and definitions `[text]: target`. What has a
/// scheme, what stays on the page and what stands in code is left out.
fn targets(text: &str) -> Vec<String> {
    let prose = prose(text);
    let inline = prose.split("](").skip(1).map(destination);
    let defined =
        prose.lines().filter_map(|line| line.trim_start().strip_prefix('[')?.split_once("]: ").map(|(_, to)| to));
    let files = inline.chain(defined.map(destination)).map(|target| target.split('#').next().unwrap_or_default());
    files.filter(|file| !file.is_empty() && !has_scheme(file)).map(|file| file.replace("%20", " ")).collect()
}

/// The target without its title and its brackets.
fn destination(rest: &str) -> &str {
    let rest = rest.trim_start();
    if let Some(bracketed) = rest.strip_prefix('<') {
        return bracketed.split('>').next().unwrap_or_default();
    }
    let mut depth = 0_i32;
    let ends = |letter: char| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        depth < 0 || letter.is_whitespace()
    };
    &rest[..rest.find(ends).unwrap_or(rest.len())]
}

/// `https:`, `mailto:` and their like.
fn has_scheme(target: &str) -> bool {
    let letters = |scheme: &str| !scheme.is_empty() && scheme.chars().all(|letter| letter.is_ascii_alphanumeric());
    target.split_once(':').is_some_and(|(scheme, _)| letters(scheme))
}

/// `text` without fenced blocks and code spans.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    let lines = lines.collect::<Vec<_>>().join("\n");
    lines.split('`').step_by(2).collect::<Vec<_>>().join("``")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_leads_somewhere() {
        check().unwrap();
    }

    #[test]
    fn relative_targets_are_found_and_others_left_out() {
        let text = "[a](b.md#part) ![i](i%20j.png \"title\") [w](<with space.md>) [p](a_(b).md)\n[x]: y.md\n\
                    [s](https://x.org) [m](mailto:a@b) [h](#here) `[c](code.md)`\n```\n[f](fence.md)\n```\n[two\nlines](z/)";
        assert_eq!(targets(text), ["b.md", "i j.png", "with space.md", "a_(b).md", "z/", "y.md"]);
    }
}
