//! Everybody lives through the evening at the same time; then it is looked at.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use mosaic_transport::SystemClock;
use mosaic_types::Clock;
use tokio::sync::watch;

use crate::{
    demo::{
        Plan, Stage,
        cast::{Player, TokenPart},
        measure::{Findings, measure},
        records::Record,
        scan::{Found, Scan, empty_store},
        summary::Summary,
    },
    exit::{Exit, Failure, OrExit, Outcome},
    home::read_file,
    practice::PROVIDERS,
};

/// Plays a plan on a stage that stands, and looks at what came of it. `on_time` is told the share of the evening gone.
pub(crate) async fn play(plan: Plan, mut stage: Stage, on_time: impl Fn(f64) + Send + 'static) -> Outcome<Summary> {
    let began = SystemClock.now();
    let records = live(&plan, &stage, on_time).await;
    stage.close().await;
    let records = records?;
    let findings: Findings = measure(&plan, &records);
    let document = read_file(&stage.provider(1).join("federation.json"))?;
    let scan = Scan::of(&plan, &records, &[document, empty_store(&stage.beside("empty"))?].concat());
    let control = scan.control(&stage.beside("control"))?;
    let mut disks = Found::default();
    for number in 1..=PROVIDERS {
        let found = scan.folder(&stage.provider(number))?;
        disks.readable += found.readable;
        disks.scanned += found.scanned;
        disks.at.extend(found.at);
    }
    let wall = SystemClock.now().since(stage.clock().real_start).as_secs_f64();
    tracing::debug!(played_s = SystemClock.now().since(began).as_secs_f64(), "the evening is over");
    Ok(Summary::new(&plan, &records, findings, disks, control, wall))
}

/// Everybody lives through the evening on a stage that stands; what they know afterwards.
pub(crate) async fn live(plan: &Plan, stage: &Stage, on_time: impl Fn(f64) + Send + 'static) -> Outcome<Vec<Record>> {
    let clock: Arc<dyn Clock> = Arc::new(stage.clock().clock());
    let mut tokens = token_parts(plan);
    let mut lives = Vec::new();
    for (number, (person, agent)) in plan.people.iter().zip(&stage.agents).enumerate() {
        let player = Player {
            person: person.clone(),
            agent: agent.clone(),
            clock: Arc::clone(&clock),
            end: plan.end,
            waved: BTreeSet::new(),
            token: tokens[number].take(),
        };
        lives.push(tokio::spawn(player.live()));
    }
    let (start, end) = (plan.start, plan.end);
    let teller = tokio::spawn(async move {
        loop {
            let now = clock.now();
            on_time(now.since(start).as_secs_f64() / end.since(start).as_secs_f64());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let mut records = Vec::new();
    for life in lives {
        records.push(life.await.or_exit(Exit::Local, "somebody's evening broke off")?);
    }
    teller.abort();
    if records.is_empty() { Err(Failure::usage("nobody took part")) } else { Ok(records) }
}

fn token_parts(plan: &Plan) -> Vec<Option<TokenPart>> {
    let mut parts: Vec<Option<TokenPart>> = plan.people.iter().map(|_| None).collect();
    for (number, person) in plan.people.iter().enumerate() {
        if let Some(partner) = person.partner.filter(|partner| *partner > number) {
            let (says, hears) = watch::channel(None);
            parts[number] = Some(TokenPart::Makes(says));
            parts[partner] = Some(TokenPart::Hears(hears));
        }
    }
    parts
}
