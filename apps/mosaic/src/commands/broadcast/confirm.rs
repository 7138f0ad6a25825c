//! Words that point at the person: shown before anything is sent, and sent only when the person wants it.

use std::io::{self, BufRead, IsTerminal, Write as _};

use mosaic_obfuscate::identifiers::{self, Finding, Reaches};
use serde_json::{Value, json};

use crate::{
    commands::Context,
    exit::{Exit, Failure, OrExit, Outcome},
};

/// Looks at the words, says what was found, and asks where something is to be confirmed. Whether it was confirmed;
/// nothing to confirm is not.
///
/// # Errors
/// Exit code 6 when it was not: nobody is at a terminal, or they said no. Nothing was sent then.
pub(super) fn words(words: &str, anyway: bool, context: &Context) -> Outcome<bool> {
    let text = identifiers::released_form(words);
    let kinds = identifiers::first_of_each_kind(&text);
    for finding in &kinds {
        tell(finding, &text, context);
    }
    let certain = kinds.iter().filter(|finding| finding.is_to_confirm(&text));
    let certain: Vec<_> = certain.map(|finding| finding.kind).collect();
    if certain.is_empty() || anyway {
        return Ok(!certain.is_empty());
    }
    if !context.out.is_json() && io::stdin().is_terminal() && agreed()? {
        return Ok(true);
    }
    let list: Vec<_> = certain.iter().map(|kind| kind.words()).collect();
    let why = format!("not sent: the words hold {} (change them, or add --anyway)", list.join(" and "));
    Err(Failure::new(Exit::Unconfirmed, why).with_result(&json!({ "findings": findings(&kinds, &text) })))
}

fn tell(finding: &Finding, text: &str, context: &Context) {
    let what = finding.kind.words();
    let consequence = match finding.reaches(text) {
        Reaches::Readers => "who knows it from elsewhere can tell that this card is yours",
        Reaches::Nobody => "it stands behind the 108 bytes that leave this device",
    };
    context.out.note(format!("! the words hold {what}: {consequence}"));
    if let Some(suggestion) = identifiers::suggestion(text, finding.kind) {
        context.out.note(format!("  without it: {suggestion}"));
    }
}

fn findings(kinds: &[Finding], text: &str) -> Vec<Value> {
    let view = |finding: &Finding| {
        let leaves = finding.reaches(text) == Reaches::Readers;
        let suggestion = identifiers::suggestion(text, finding.kind);
        json!({ "found": finding.kind.words(), "leaves": leaves, "suggestion": suggestion })
    };
    kinds.iter().map(view).collect()
}

fn agreed() -> Outcome<bool> {
    let doing = "cannot ask";
    let mut error = io::stderr().lock();
    error.write_all(b"Send it all the same? [y/N] ").and_then(|()| error.flush()).or_exit(Exit::Local, doing)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).or_exit(Exit::Local, doing)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
