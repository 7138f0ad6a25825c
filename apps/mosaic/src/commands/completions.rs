use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use crate::{commands::Context, exit::Outcome};

/// Print completions for a shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic completions bash > ~/.local/share/bash-completion/completions/mosaic
  mosaic completions fish > ~/.config/fish/completions/mosaic.fish")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

impl CompletionsArgs {
    /// Prints.
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let mut script = Vec::new();
        generate(self.shell, &mut crate::Cli::command(), "mosaic", &mut script);
        super::man::print("completions", script, context)
    }
}
