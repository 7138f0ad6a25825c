//! The one place that writes to the terminal.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

use qrcode::{QrCode, render::unicode::Dense1x2};
use serde::Serialize;

use crate::exit::{Failure, Outcome};

/// How this program was called, for lines that are to be typed again.
pub(crate) fn program() -> String {
    let called = std::env::args().next().filter(|name| !name.is_empty()).unwrap_or_else(|| "mosaic".to_owned());
    quoted(&called)
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:=@,".contains(letter);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Where and how a command talks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out {
    format: Format,
    colour: Colour,
}

/// Sentences for people or one object for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    People,
    Json,
}

/// Colour only where somebody sees it and has not refused it (`NO_COLOR`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colour {
    Plain,
    Ansi,
}

impl Out {
    /// Sentences, coloured on a terminal.
    pub(crate) fn people() -> Self {
        let wanted = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { format: Format::People, colour: if wanted { Colour::Ansi } else { Colour::Plain } }
    }

    /// One JSON object.
    pub(crate) const fn json() -> Self {
        Self { format: Format::Json, colour: Colour::Plain }
    }

    /// Whether a program reads this.
    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// One result in both forms: `lines` for people, `object` for programs.
    pub(crate) fn result(self, object: &impl Serialize, lines: impl FnOnce(&mut Page)) {
        match self.format {
            Format::Json => self.object(object),
            Format::People => {
                let mut page = Page { colour: self.colour, text: String::new() };
                lines(&mut page);
                put(&mut io::stdout().lock(), page.text.trim_end_matches('\n'));
            }
        }
    }

    /// A result that is a failure as well: people read both, a program gets one object.
    pub(crate) fn failed(self, failure: Failure, object: &impl Serialize, lines: impl FnOnce(&mut Page)) -> Outcome {
        if self.format == Format::People {
            self.result(object, lines);
        }
        Err(failure.with_result(object))
    }

    /// One JSON line, whatever the format: what a parent process or a program reads.
    pub(crate) fn object(self, object: &impl Serialize) {
        put(&mut io::stdout().lock(), &serde_json::to_string(object).unwrap_or_default());
    }

    /// Whether a person sees what is printed as it comes.
    pub(crate) fn is_live(self) -> bool {
        self.format == Format::People && io::stdout().is_terminal()
    }

    /// The same result in place of everything on the terminal.
    pub(crate) fn redraw(self, lines: impl FnOnce(&mut Page)) {
        let mut page = Page { colour: self.colour, text: "\u{1b}[H\u{1b}[2J".to_owned() };
        lines(&mut page);
        put(&mut io::stdout().lock(), page.text.trim_end_matches('\n'));
    }

    /// A sentence on the side, never part of the result.
    pub(crate) fn note(self, line: impl Display) {
        if self.format == Format::People {
            put(&mut io::stderr().lock(), &line.to_string());
        }
    }

    /// Raw bytes: completions and man pages.
    pub(crate) fn bytes(self, bytes: &[u8]) {
        let mut out = io::stdout().lock();
        if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
            tracing::debug!("nobody reads the output any more");
        }
    }

    /// Why the command failed.
    pub(crate) fn failure(self, failure: &Failure) {
        match self.format {
            Format::Json => self.object(&failure.to_json()),
            Format::People => put(&mut io::stderr().lock(), &format!("mosaic: {}", failure.message())),
        }
    }
}

/// What a result says to a person.
#[derive(Debug)]
pub(crate) struct Page {
    colour: Colour,
    text: String,
}

impl Page {
    /// A line.
    pub(crate) fn line(&mut self, line: impl Display) {
        self.text.push_str(&line.to_string());
        self.text.push('\n');
    }

    /// A line that must not be overlooked.
    pub(crate) fn warn(&mut self, line: impl Display) {
        let line = self.paint("33;1", line);
        self.line(line);
    }

    /// A headline.
    pub(crate) fn head(&mut self, line: impl Display) {
        let line = self.paint("1", line);
        self.line(line);
    }

    /// A name and its value, aligned.
    pub(crate) fn pair(&mut self, name: &str, value: impl Display) {
        self.line(format!("  {name:<26} {value}"));
    }

    /// A QR code, for a camera that looks at the terminal. What fits in none stands above it anyway.
    pub(crate) fn qr(&mut self, text: &str) {
        if let Ok(code) = QrCode::new(text) {
            self.line(code.render::<Dense1x2>().build());
        }
    }

    fn paint(&self, code: &str, line: impl Display) -> String {
        match self.colour {
            Colour::Plain => line.to_string(),
            Colour::Ansi => format!("\u{1b}[{code}m{line}\u{1b}[0m"),
        }
    }
}

/// A reader that went away (`| head`) is no error of ours.
fn put(to: &mut impl Write, text: &str) {
    if writeln!(to, "{text}").and_then(|()| to.flush()).is_err() {
        tracing::debug!("nobody reads the output any more");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("target/release/mosaic"), "target/release/mosaic");
        assert_eq!(quoted("/home/ana b/mosaic"), "'/home/ana b/mosaic'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
