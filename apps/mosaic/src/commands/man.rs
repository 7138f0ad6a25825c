use clap::{Args, CommandFactory as _};
use clap_mangen::Man;
use serde_json::json;

use crate::{
    commands::Context,
    exit::{Exit, Failure, OrExit, Outcome},
};

/// Print the manual page of `mosaic` or of one subcommand.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic man > mosaic.1
  mosaic man broadcast | man -l -")]
pub(crate) struct ManArgs {
    /// A subcommand
    command: Option<String>,
}

impl ManArgs {
    /// Prints.
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let mut root = crate::Cli::command();
        root.build();
        let man = match &self.command {
            None => Man::new(root),
            Some(name) => {
                let found = root.find_subcommand(name).cloned();
                let found = found.ok_or_else(|| Failure::usage(format!("there is no subcommand {name}")))?;
                Man::new(found).title(format!("mosaic-{name}"))
            }
        };
        let mut page = Vec::new();
        man.render(&mut page).or_exit(Exit::Local, "cannot write the page")?;
        print("man", page, context)
    }
}

/// Text for a file; in JSON, as one field.
pub(crate) fn print(name: &str, text: Vec<u8>, context: &Context) -> Outcome {
    if context.out.is_json() {
        context.out.object(&json!({ name: String::from_utf8_lossy(&text) }));
    } else {
        context.out.bytes(&text);
    }
    Ok(())
}
