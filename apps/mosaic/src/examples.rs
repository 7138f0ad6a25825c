//! Every example that help or README shows is understood as typed.

use clap::{Command, CommandFactory as _, Parser as _};

use crate::Cli;

/// The lines of an example as words of a shell: quotes, a backslash at the end of a line, and where the command ends.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.trim().chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, '#' | '<' | '>' | '|') if word.is_none() => break,
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// Lines that begin with the program, continued ones joined; what stands behind several blanks is an explanation.
fn examples(text: &str, program: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim).filter(|line| line.starts_with(&format!("{program} ")));
    lines.map(|line| line.split("   ").next().unwrap_or(line).to_owned()).collect()
}

fn all_examples(command: &Command, found: &mut Vec<String>) {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    // the words of a continued line stand behind many blanks
    let text = text.replace("\\\n        ", "");
    found.extend(examples(&text, "mosaic"));
    command.get_subcommands().for_each(|command| all_examples(command, found));
}

fn understood(line: &str) {
    let words = words(line);
    assert!(Cli::try_parse_from(&words).is_ok(), "{line}: {}", Cli::try_parse_from(&words).unwrap_err());
    for pair in words.windows(2) {
        let digits = |count: usize| pair[1].len() == count && pair[1].bytes().all(|byte| byte.is_ascii_hexdigit());
        match pair[0].as_str() {
            "--card" | "--delete" | "accept" | "decline" | "keep" | "forget" => assert!(digits(32), "{line}"),
            "--withdraw" => {
                assert!(pair[1].strip_prefix('b').is_some_and(|number| number.parse::<u64>().is_ok()), "{line}")
            }
            "--token" => assert!(pair[1].len() == 32 && pair[1].bytes().all(|byte| byte.is_ascii_alphanumeric())),
            _ => {}
        }
    }
}

#[test]
fn examples_in_help_are_understood() {
    let mut found = Vec::new();
    all_examples(&Cli::command(), &mut found);
    assert!(found.len() > 40, "{found:?}");
    found.iter().for_each(|line| understood(line));
}

#[test]
fn examples_in_readme_are_understood() {
    let found = examples(include_str!("../../../README.md"), "target/release/mosaic");
    assert!(found.len() >= 7, "{found:?}");
    found.iter().for_each(|line| understood(line));
}

#[test]
fn examples_are_read_as_a_shell_would() {
    assert_eq!(words("mosaic a \"b c\" 'd e' --f='' > g"), ["mosaic", "a", "b c", "d e", "--f="]);
    assert_eq!(words("mosaic man x | man -l -"), ["mosaic", "man", "x"]);
    assert_eq!(words("mosaic a # b"), ["mosaic", "a"]);
}
