//! Arguments that were not understood, told without repeating them: a mistyped place is still a place.

use clap::error::{ContextKind, ContextValue, Error};

/// What stands where the person's own text stood.
const HIDDEN: &str = "…";

/// Takes out of an error whatever the person typed and is no name of an option or a command.
pub(crate) fn without_values(mut error: Error) -> Error {
    let hidden = || ContextValue::String(HIDDEN.to_owned());
    if error.get(ContextKind::InvalidValue).is_some() {
        error.insert(ContextKind::InvalidValue, hidden());
    }
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidSubcommand] {
        // an option's own name may carry what it was given: `--at <LAT,LON>` is ours, `--at=41.1` is not
        if let Some(ContextValue::String(text)) = error.get(kind)
            && !is_name(text)
        {
            error.insert(kind, hidden());
        }
    }
    // tips quote what was typed
    for kind in [ContextKind::Suggested, ContextKind::TrailingArg] {
        error.remove(kind);
    }
    error
}

/// `--time-window <SPAN>`, `broadcast`, `[FILE]...`: letters, dashes and the marks of a placeholder.
fn is_name(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_alphabetic() || "-_<>[],|. ".contains(letter))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::Cli;

    #[test]
    fn no_value_is_repeated() {
        let lines: [&[&str]; 8] = [
            &["broadcast", "--context", "tea", "--at", "41.1496;-8.6110"],
            &["broadcast", "--context", "tea", "--at=41.1496,-98.6110,7"],
            &["broadcast", "--context", "tea", "--at", "41.1496", "-8.6110"],
            &["broadcast", "--context", "tea", "41.1496,-8.6110"],
            &["broadcast", "--place=41.1496,-8.6110", "--context", "tea"],
            &["query", "--radius", "41.1496", "-8.6110"],
            &["config", "set", "a", "b", "41.1496"],
            &["41.1496,-8.6110"],
        ];
        for line in lines {
            let error = Cli::try_parse_from([&["mosaic"], line].concat()).unwrap_err();
            let told = without_values(error).render().to_string();
            assert!(!told.contains("41.1") && !told.contains("8.6110") && told.starts_with("error: "), "{told}");
        }
    }

    #[test]
    fn names_are_still_told() {
        let told = |line: &[&str]| {
            let error = Cli::try_parse_from([&["mosaic"], line].concat()).unwrap_err();
            without_values(error).render().to_string()
        };
        assert!(told(&["query", "--at", "north"]).contains("--at <LAT,LON>"));
        assert!(told(&["query", "--distance", "7"]).contains("--distance"));
        assert!(told(&["enquire"]).contains("enquire"));
    }
}
