use std::path::PathBuf;

use clap::Args;
use mosaic_geo::{PlaceIndex, synthetic_city};
use mosaic_transport::SystemClock;
use mosaic_types::Clock as _;
use serde_json::{Value, json};

use crate::{
    commands::{
        Context,
        agent::CITY_SEED,
        open::{self, BrowserArgs},
        places,
    },
    exit::{Failure, Outcome},
    home::Home,
    out::{program, quoted},
    password,
    practice::{self, PROVIDERS},
    processes::{ChildArgs, Launch, Running, stop_all},
};

/// Start a practice federation: three providers on this machine, each with its own keys, store and port, and an agent.
/// Everything stays in one folder; Ctrl-C stops all of it, and the next `mosaic up` goes on from there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic up
  mosaic --dir /tmp/try up
  mosaic up --no-browser
  mosaic up --places porto.osm.pbf")]
pub(crate) struct UpArgs {
    /// Practise in a real city: an OpenStreetMap extract (.osm.pbf); only when the folder is new
    #[arg(long)]
    places: Option<PathBuf>,
    #[command(flatten)]
    browser: BrowserArgs,
    #[command(flatten)]
    child: ChildArgs,
}

impl UpArgs {
    /// Runs until stopped.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let home = context.home()?;
        self.settle(&home)?;
        let Started { mut running, agent, metrics } = start(&home, &self.child).await?;
        let app = open::address(&context.agent()?).await?;
        let opened = self.browser.start(context, &app);
        context.out.result(&told(&home, &running, &agent, &metrics, &app), |page| {
            page.warn(format!("PRACTICE FEDERATION: {}", mosaic_federation::PRACTICE_BANNER));
            page.line(format!("Three providers and an agent run in {}.", home.path().display()));
            let mosaic = format!("{}{}", program(), dir_option(context));
            page.line(format!("The app: {app}"));
            page.line(match opened {
                true => "A browser opens it.",
                false => "Open it within a minute: the code in it works once.",
            });
            page.line("Now type, in another terminal:");
            page.line(format!("  {mosaic} open"));
            page.line(format!("  {mosaic} broadcast --context \"coffee meetup\" --noise 0.7"));
            page.line(format!("  {mosaic} query --radius 500m --time-window 2h"));
            page.line(format!("  {mosaic} status --verbose"));
            page.line(format!("What an operator sees: {}", metrics.join(" ")));
            page.line("Ctrl-C stops everything.");
        });
        let ended = tokio::select! {
            () = self.child.stopped() => None,
            name = any_ended(&mut running) => Some(name),
        };
        stop_all(running).await;
        match ended {
            None => Ok(()),
            Some(name) => Err(Failure::new(crate::exit::Exit::Local, name)),
        }
    }

    /// Makes on first use what is reused ever after.
    fn settle(&self, home: &Home) -> Outcome {
        if home.federation_file().exists() {
            let banner = home.federation()?.descriptor().banner();
            return match (banner, &self.places) {
                (Some(_), None) => Ok(()),
                (Some(_), Some(_)) => {
                    Err(Failure::usage("the practice city of this folder is chosen; use another --dir"))
                }
                (None, _) => Err(Failure::usage("this folder joined a real federation; use another --dir to practise")),
            };
        }
        home.create()?;
        let (index, name) = match &self.places {
            Some(path) => (places::read(path)?, "the extract"),
            None => (synthetic_city(CITY_SEED), "the built-in city"),
        };
        keep_places(home, &index)?;
        password::practice(home)?;
        practice::lay_out(home, practice::tile_around(&index, name), 50, SystemClock.now())?;
        Ok(())
    }
}

fn keep_places(home: &Home, index: &PlaceIndex) -> Outcome {
    places::keep(home, index)
}

/// Everything that runs, and what it said when it was ready.
struct Started {
    running: Vec<Running>,
    agent: Value,
    /// Addresses of the providers' metrics.
    metrics: Vec<String>,
}

async fn start(home: &Home, child: &ChildArgs) -> Outcome<Started> {
    let (mut running, mut metrics) = (Vec::new(), Vec::new());
    for number in 1..=PROVIDERS {
        let (provider, ready) = practice::start_provider(home.provider(number), number, child.practice_clock).await?;
        running.push(provider);
        metrics.extend(ready["metrics"].as_str().map(str::to_owned));
    }
    let launch = Launch {
        name: "the agent".to_owned(),
        args: vec!["agent".to_owned()],
        dir: home.path().to_owned(),
        clock: child.practice_clock,
    };
    let (agent, ready) = Running::start::<Value>(launch).await?;
    running.push(agent);
    Ok(Started { running, agent: ready, metrics })
}

fn told(home: &Home, running: &[Running], agent: &Value, metrics: &[String], app: &str) -> Value {
    json!({
        "app": app,
        "metrics": metrics,
        "dir": home.path(),
        "agent": agent["agent"],
        "banner": mosaic_federation::PRACTICE_BANNER,
        "pids": running.iter().filter_map(Running::pid).collect::<Vec<_>>(),
    })
}

fn dir_option(context: &Context) -> String {
    context.dir.as_ref().map(|dir| format!(" --dir {}", quoted(&dir.display().to_string()))).unwrap_or_default()
}

/// Completes when any child ends by itself.
async fn any_ended(running: &mut [Running]) -> String {
    let (told, mut heard) = tokio::sync::mpsc::channel(1);
    let waits = running.iter_mut().map(|child| {
        let told = told.clone();
        async move {
            let name = child.ended().await;
            if told.send(name).await.is_err() {
                tracing::debug!("another one ended first");
            }
        }
    });
    let all = join_all(waits.collect());
    tokio::select! {
        name = heard.recv() => name.unwrap_or_default(),
        () = all => "everything ended".to_owned(),
    }
}

/// Drives futures that borrow, together.
async fn join_all<F: Future<Output = ()>>(futures: Vec<F>) {
    let mut pending: Vec<_> = futures.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        pending.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if pending.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
