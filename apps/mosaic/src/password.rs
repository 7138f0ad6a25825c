//! Where a password comes from: a file, the environment, a practice installation, or the person.

use std::{
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

use clap::Args;
use rand::Rng as _;
use zeroize::Zeroizing;

use crate::{
    exit::{Exit, Failure, OrExit, Outcome},
    home::{Home, write_file},
};

/// How the password is given; never as an argument, which every process of the machine can read.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct PasswordArgs {
    /// File whose first line is the password (otherwise `MOSAIC_PASSWORD`, otherwise you are asked)
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Whether the password already exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    /// It opens something.
    Existing,
    /// It is being chosen: ask twice.
    New,
}

impl PasswordArgs {
    /// The password, or why there is none.
    pub(crate) fn obtain(&self, home: Option<&Home>, asking: Asking) -> Outcome<Zeroizing<String>> {
        if let Some(path) = &self.password_file {
            return first_line(path);
        }
        if let Ok(password) = std::env::var("MOSAIC_PASSWORD") {
            return Ok(Zeroizing::new(password));
        }
        if let Some(path) = home.map(Home::practice_password).filter(|path| path.exists()) {
            return first_line(&path);
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::usage("a password is needed: use --password-file or MOSAIC_PASSWORD"));
        }
        ask(asking)
    }
}

/// The generated password of a practice installation, made on first use. It lies beside the vault and protects
/// nothing; a practice federation has nothing to protect.
pub(crate) fn practice(home: &Home) -> Outcome<Zeroizing<String>> {
    let path = home.practice_password();
    if !path.exists() {
        let mut bytes = Zeroizing::new([0; 16]);
        mosaic_transport::os_rng().or_exit(Exit::Local, "the system gives no randomness")?.fill_bytes(&mut *bytes);
        write_file(&path, hex::encode(*bytes).as_bytes())?;
    }
    first_line(&path)
}

/// The first line of a password file.
pub(crate) fn first_line(path: &Path) -> Outcome<Zeroizing<String>> {
    let doing = format!("cannot read {}", path.display());
    let text = Zeroizing::new(std::fs::read_to_string(path).or_exit(Exit::Local, doing)?);
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

fn ask(asking: Asking) -> Outcome<Zeroizing<String>> {
    let prompt = |text: &str| rpassword::prompt_password(text).map(Zeroizing::new);
    let first = prompt("Password: ").or_exit(Exit::Local, "cannot ask for the password")?;
    if asking == Asking::New {
        let second = prompt("Again: ").or_exit(Exit::Local, "cannot ask for the password")?;
        if *first != *second {
            return Err(Failure::usage("the two passwords differ"));
        }
    }
    Ok(first)
}
