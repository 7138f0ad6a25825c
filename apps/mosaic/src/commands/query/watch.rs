//! `mosaic query --watch`: news of the agent's socket, as it comes.

use std::{collections::VecDeque, time::Duration};

use mosaic_api::{AgentFrame, Operation, ProximityBody, ProximityReply};
use tokio::time::interval;

use crate::{
    commands::{Context, query},
    exit::Outcome,
    local::Local,
    out::{Page, program},
};

/// How often the agent is told that somebody still looks.
const STILL_HERE: Duration = Duration::from_mins(5);
/// What it is told: until a bit after the next time.
const ATTENTION_S: u32 = 600;
/// Lines that stay below the list on a terminal.
const MOST_LINES: usize = 8;

/// Tells what comes until Ctrl-C.
pub(super) async fn run(agent: &Local, search: ProximityBody, context: &Context) -> Outcome {
    let mut watch = agent.watch(search.clone()).await?;
    let mut lines = VecDeque::new();
    let mut still_here = interval(STILL_HERE);
    context.out.note("Watching; Ctrl-C ends it.");
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(()),
            _ = still_here.tick() => watch.attend(ATTENTION_S).await?,
            news = watch.next() => {
                let news = news?;
                if context.out.is_live() {
                    lines.extend(sentence(&news));
                    let surplus = lines.len().saturating_sub(MOST_LINES);
                    lines.drain(..surplus);
                    redraw(agent, &search, &lines, context).await?;
                } else {
                    context.out.result(&news, |page| tell(&news, page));
                }
            }
        }
    }
}

/// The list as it is now, and the last lines below it.
async fn redraw(agent: &Local, search: &ProximityBody, lines: &VecDeque<String>, context: &Context) -> Outcome {
    let reply: ProximityReply = agent.send(Operation::Proximity, search).await?;
    context.out.redraw(|page| {
        query::found(&reply, page);
        page.line("");
        lines.iter().for_each(|line| page.warn(line));
    });
    Ok(())
}

fn tell(news: &AgentFrame, page: &mut Page) {
    match news {
        AgentFrame::ProximityUpdate { cards } => cards.iter().for_each(|card| query::line(card, page)),
        other => sentence(other).into_iter().for_each(|line| page.warn(line)),
    }
}

/// What is no card, in a line.
fn sentence(news: &AgentFrame) -> Option<String> {
    match news {
        AgentFrame::AssociationRequest { request } => Some(format!(
            "! somebody waits for your answer: {} people accept {} --contact \"...\"",
            program(),
            request.id
        )),
        AgentFrame::PrivacyAlert { alert } => Some(format!("! {}", alert.text)),
        AgentFrame::Missed { count, .. } => {
            Some(format!("! {count} more came too fast for this; `mosaic query` lists all"))
        }
        _ => None,
    }
}
