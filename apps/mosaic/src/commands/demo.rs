use crate::{commands::Context, exit::Outcome};
use clap::Args;
/// Demo.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {}
impl DemoArgs {
    /// x
    pub(crate) async fn run(self, _context: &Context) -> Outcome {
        Ok(())
    }
}
