use clap::Args;
use jiff::Timestamp;
use mosaic_api::{Operation, ReceiptStatus, ReceiptView, ReceiptsReply};

use crate::{commands::Context, exit::Outcome};

/// List the events of the last 48 hours: when each left, what it carried, whether a provider signed for it, and what an
/// attacker would state of it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic receipts
  mosaic receipts --own
  mosaic receipts --json")]
pub(crate) struct ReceiptsArgs {
    /// Only those that carried something of yours
    #[arg(long)]
    own: bool,
}

impl ReceiptsArgs {
    /// Lists.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let mut reply: ReceiptsReply = context.agent()?.get(Operation::Receipts).await?;
        reply.receipts.retain(|receipt| !self.own || receipt.real_slots > 0);
        context.out.result(&reply, |page| {
            page.head(format!("{} events", reply.receipts.len()));
            reply.receipts.iter().for_each(|receipt| page.line(line(receipt)));
            page.line(&reply.statement);
        });
        Ok(())
    }
}

fn line(receipt: &ReceiptView) -> String {
    let state = match receipt.receipt {
        ReceiptStatus::Waiting => "waiting",
        ReceiptStatus::Acknowledged => "acknowledged",
        ReceiptStatus::Lost => "lost",
    };
    let opened = receipt.opened.map_or_else(String::new, |opened| format!(", {:.0} % when opened", opened * 100.0));
    format!(
        "  {}  {:<10}  {:<12}  {} of 10 yours: {:.0} % to one provider{opened}",
        left_at(receipt.released_at),
        receipt.lane,
        state,
        receipt.real_slots,
        receipt.one_provider * 100.0
    )
}

fn left_at(seconds: u64) -> String {
    let second = i64::try_from(seconds).unwrap_or(i64::MAX);
    Timestamp::from_second(second).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}
