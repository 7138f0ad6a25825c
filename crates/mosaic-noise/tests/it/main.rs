//! Integration tests: the accountant against closed forms.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests: helpers too, and figures to read")]

mod accounting;
