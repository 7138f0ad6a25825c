use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use mosaic_agent::{Agent, BlockPool, Recording, RunConfig, VaultCost};
use mosaic_federation::{Federation, Independence};
use mosaic_geo::{PlaceIndex, synthetic_city};
use mosaic_transport::{Patience, SystemClock, os_rng};
use mosaic_types::Mode;
use mosaic_vault::Vault;
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    clock::clock_for,
    commands::{Context, places::stale},
    exit::{Exit, Failure, OrExit, Outcome},
    home::{Home, create_private_dir},
    mapped::Mapped,
    password::{Asking, PasswordArgs, first_line},
    processes::ChildArgs,
};

/// The seed of the built-in city: everybody's practice happens in the same one.
pub(crate) const CITY_SEED: u64 = 1;

/// Run the agent of this installation until Ctrl-C. It holds every secret, sends on schedule and serves the local API
/// on this machine only.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic join 'mosaic:join?at=...'
  mosaic places build --osm porto.osm.pbf
  mosaic agent
  mosaic agent --password-file old --new-password-file new     change the password, then run")]
pub(crate) struct AgentArgs {
    /// Port of the local API; 0 lets the system choose
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Mode a new installation starts in
    #[arg(long, default_value_t = Mode::Balanced)]
    mode: Mode,
    /// Place index (default: the one `mosaic places` made)
    #[arg(long)]
    places: Option<PathBuf>,
    #[command(flatten)]
    password: PasswordArgs,
    /// Change the vault's password before running: file whose first line is the new one
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
    #[command(flatten)]
    child: ChildArgs,
}

impl AgentArgs {
    /// Runs.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let home = context.home()?;
        let federation = home.federation()?;
        let asking = if home.vault().exists() { Asking::Existing } else { Asking::New };
        let mut password = self.password.obtain(Some(&home), asking)?;
        if let Some(file) = &self.new_password_file {
            password = change_password(&home, &password, file)?;
        }
        let clock = clock_for(self.child.practice_clock, &federation)?;
        let places = self.places.or_else(|| Some(home.places()).filter(|path| path.exists()));
        let folder = home.agent();
        create_private_dir(&folder).or_exit(Exit::Local, format!("cannot make {}", folder.display()))?;
        home.forget_stale_address()?;
        let places = places_for(places, &federation)?;
        if let Some(stale) = stale(places.provenance(), clock.now()) {
            context.out.note(format!("{stale}; `mosaic places list` says how to renew them"));
        }
        let config = RunConfig {
            dir: folder,
            password,
            listen: SocketAddr::from(([127, 0, 0, 1], self.port)),
            places,
            vault: vault_cost(&home, &federation),
            federation: Arc::new(federation),
            clock,
            mode: self.mode,
            patience: Patience::default(),
            pool: Arc::new(BlockPool::default()),
            wall: Arc::new(SystemClock),
            app: mosaic_web::FILES,
            recording: Recording {
                truth: self.child.practice_recording.clone(),
                from: self.child.practice_address,
                seed: self.child.practice_seed,
            },
        };
        serve(config, &home, &self.child, context).await
    }
}

/// Seals the vault under the new password and gives it back. Until that is on the disk, the old one opens it.
fn change_password(home: &Home, old: &str, file: &Path) -> Outcome<Zeroizing<String>> {
    if home.practice_password().exists() {
        return Err(Failure::usage("the password of a practice vault lies beside it and protects nothing; keep it"));
    }
    let new = first_line(file)?;
    let doing = "cannot change the password";
    let mut vault = Vault::open(&home.vault(), old).or_exit(Exit::Local, doing)?;
    let mut rng = os_rng().or_exit(Exit::Local, "the system gives no randomness")?;
    vault.change_password(&new, &mut rng).or_exit(Exit::Local, doing)?;
    Ok(new)
}

async fn serve(config: RunConfig, home: &Home, child: &ChildArgs, context: &Context) -> Outcome {
    let banner = config.federation.descriptor().banner();
    let agent = Agent::start(config).or_exit(Exit::Local, "cannot start the agent")?;
    let url = format!("http://{}", agent.address());
    context.out.result(&json!({ "agent": url, "dir": home.path(), "banner": banner }), |page| {
        if let Some(banner) = banner {
            page.warn(format!("PRACTICE: {banner}"));
        }
        page.line(format!("The agent of {} runs at {url}. Ctrl-C stops it.", home.path().display()));
    });
    let child = child.clone();
    agent.run(async move { child.stopped().await }).await.or_exit(Exit::Local, "the agent stopped")
}

/// A vault whose password lies beside it need not be expensive to open.
fn vault_cost(home: &Home, federation: &Federation) -> VaultCost {
    let practice = federation.descriptor().independence == Independence::Practice;
    if practice && home.practice_password().exists() { VaultCost::DangerouslyCheap } else { VaultCost::Standard }
}

/// Public places around the people; a practice federation has a built-in city.
fn places_for(path: Option<PathBuf>, federation: &Federation) -> Outcome<Arc<PlaceIndex>> {
    match path {
        Some(path) => {
            let doing = format!("cannot use {}", path.display());
            PlaceIndex::open(Mapped::open(&path)?).map(Arc::new).or_exit(Exit::Local, doing)
        }
        None if federation.descriptor().independence == Independence::Practice => {
            Ok(Arc::new(synthetic_city(CITY_SEED)))
        }
        None => Err(Failure::new(
            Exit::Local,
            "no places are known here, so nothing could be released plausibly; run `mosaic places add REGION --osm FILE`",
        )),
    }
}
