use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use mosaic_aggregate::{SignedStatement, lines};
use mosaic_federation::{Federation, FederationDescriptor, SignedDocument};
use mosaic_obfuscate::Vocabulary;
use mosaic_provider::{
    FolderError, Front, FrontPlace, Policy, Price, Provider, ProviderConfig, ProviderFolder, Recording, RunError,
    spent::SpentAddress, store::StoreAddress,
};
use mosaic_transport::{Patience, ProviderClient, bind, os_rng};
use mosaic_types::ProviderId;
use mosaic_wire::{Address, Call, Reply};
use serde_json::json;

use crate::{
    clock::clock_for,
    commands::Context,
    exit::{Exit, Failure, OrExit, Outcome},
    home::{read_federation, read_file, write_file},
    processes::ChildArgs,
};

/// Set up or run one provider. Each operator does this on a machine of its own.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic --dir /srv/mosaic provider init --listen 0.0.0.0:7443 --url https://a.example:7443 \\
         --operator \"Example Co-op\" --jurisdiction PT
  mosaic --dir /srv/mosaic provider sign federation.json
  mosaic --dir /srv/mosaic provider run --federation federation.json
  mosaic --dir /srv/mosaic provider migrate --to dynamodb://eu-west-1/mosaic")]
pub(crate) struct ProviderArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make keys and a certificate, and the public file that goes to the others
    Init(InitArgs),
    /// Sign a federation file, after reading it
    Sign {
        /// The federation file; the signature is added in place
        file: PathBuf,
    },
    /// Serve until Ctrl-C
    Run(RunArgs),
    /// Move the store to another engine, while the provider does not run
    Migrate(MigrateArgs),
    /// Print what was published over many people as lines for InfluxDB
    Counts(CountsArgs),
}

/// Asks the federation's providers for all that is published, checks both signatures of each day, and prints one line for
/// each class and part of the day of which something is said, in InfluxDB's line protocol: the same lines every time, so that
/// a line that was written before is written again and counts once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic --dir /srv/mosaic provider counts
  mosaic --dir /srv/mosaic provider counts > counts.lp")]
struct CountsArgs {
    /// The federation file (default: the one that the provider serves)
    #[arg(long)]
    federation: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct InitArgs {
    /// Its number in the federation, 1 to 5; every provider has another one
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    number: u8,
    /// Address to listen on; port 0 lets the system choose one
    #[arg(long)]
    listen: SocketAddr,
    /// How others reach it: https://HOST:PORT (default: the address to listen on)
    #[arg(long)]
    url: Option<String>,
    /// Who operates it
    #[arg(long, default_value = "unnamed operator")]
    operator: String,
    /// Under which law, as an ISO 3166 code; XX, nobody's, is for practice only
    #[arg(long, default_value = "XX")]
    jurisdiction: String,
    /// Loopback address for Prometheus metrics, which are for nobody but the operator (default: none)
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
    /// Where to keep the store: log, or dynamodb://REGION/TABLE with ?endpoint=URL for another server of that API
    #[arg(long, default_value_t = StoreAddress::Log)]
    store: StoreAddress,
    /// Where its fronts keep what is spent: redis://HOST:PORT,HOST:PORT, nodes of one Redis Cluster on this machine, or
    /// rediss:// with TLS; evaluations are the fronts' alone then (default: no fronts)
    #[arg(long, value_name = "ADDRESS")]
    spent: Option<SpentAddress>,
}

/// The former place stays as it is, and nothing uses it any more. Interrupted, the same command goes on. The periods'
/// keys stay in the folder. Credentials come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or
/// from the profile AWS_PROFILE of AWS_SHARED_CREDENTIALS_FILE.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic --dir /srv/mosaic provider migrate --to dynamodb://eu-west-1/mosaic
  mosaic --dir /srv/mosaic provider migrate --to 'dynamodb://x/mosaic?endpoint=http://127.0.0.1:8000'
  mosaic --dir /srv/mosaic provider migrate --to log")]
struct MigrateArgs {
    /// The new place: log, or dynamodb://REGION/TABLE with ?endpoint=URL for another server of that API
    #[arg(long)]
    to: StoreAddress,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The federation file, signed by everybody; needed once
    #[arg(long)]
    federation: Option<PathBuf>,
    #[command(flatten)]
    price: PriceArgs,
    /// Take the federation file in the place of another one that is installed
    #[arg(long, requires = "federation")]
    replace: bool,
    #[command(flatten)]
    front: FrontArgs,
    #[command(flatten)]
    child: ChildArgs,
}

/// A front answers agents beside the one process that writes, which runs without these. Any number of them share the
/// provider's folder, its table and its spent set, and keep nothing.
#[derive(Debug, Args)]
#[command(next_help_heading = "Front")]
struct FrontArgs {
    /// Serve as a front at this address; port 0 lets the system choose one
    #[arg(long, value_name = "ADDRESS")]
    front: Option<SocketAddr>,
    /// Where the process that writes answers, as https://HOST:PORT (default: the address in provider.toml)
    #[arg(long, value_name = "URL", requires = "front")]
    writer: Option<String>,
    /// Loopback address for this front's metrics (default: none)
    #[arg(long, value_name = "ADDRESS", requires = "front")]
    front_metrics: Option<SocketAddr>,
}

/// What tokens cost here. Agents pay no more than 256 MiB and 65,536 attempts a purchase.
#[derive(Debug, Args)]
#[command(next_help_heading = "Price of tokens")]
struct PriceArgs {
    /// Argon2id attempts that a unit of tokens over a day costs while demand is low; a device buys two (default: 16, in
    /// practice 2)
    #[arg(long, value_name = "ATTEMPTS", value_parser = clap::value_parser!(u32).range(1..=4096))]
    token_work: Option<u32>,
    /// The most that this rises to while more is bought than the declared agents need (default: 1024)
    #[arg(long, value_name = "ATTEMPTS", value_parser = clap::value_parser!(u32).range(1..=4096))]
    token_most_work: Option<u32>,
    /// Memory of one attempt, in KiB (default: 65536, in practice 64)
    #[arg(long, value_name = "KIB", value_parser = clap::value_parser!(u32).range(8..=262_144))]
    token_memory: Option<u32>,
}

impl PriceArgs {
    fn policy(&self, federation: &Federation) -> Policy {
        let policy = Policy::of(federation.descriptor());
        let work = self.token_work.unwrap_or(policy.price.work);
        let price = Price {
            work,
            most_work: self.token_most_work.unwrap_or(policy.price.most_work).max(work),
            memory_kib: self.token_memory.unwrap_or(policy.price.memory_kib),
            ..policy.price
        };
        Policy { price, ..policy }
    }
}

impl ProviderArgs {
    /// Sets up, signs or runs.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let dir = context.home()?.path().to_owned();
        match self.action {
            Action::Init(args) => init(&dir, args, context),
            Action::Sign { file } => sign(&dir, &file, context),
            Action::Run(args) => run(&dir, args, context).await,
            Action::Migrate(args) => migrate(&dir, &args.to, context),
            Action::Counts(args) => counts(&dir, args, context).await,
        }
    }
}

/// Makes a provider's folder. The port is bound for a moment, to learn whether it is free or which one the system gives.
pub(crate) fn settle(dir: &Path, number: u8, listen: SocketAddr, args: Named<'_>) -> Outcome<ProviderFolder> {
    let listener = bind(listen).or_exit(Exit::Local, "cannot listen there")?;
    let listen = listener.local_addr().or_exit(Exit::Local, "cannot listen there")?;
    let config = ProviderConfig {
        number: ProviderId::new(number).or_exit(Exit::Usage, "no such number")?,
        listen,
        url: args.url.unwrap_or_else(|| format!("https://{listen}")),
        operator: args.operator.to_owned(),
        jurisdiction: args.jurisdiction.to_owned(),
        metrics_listen: args.metrics,
        store: args.store,
        spent: args.spent,
    };
    let mut rng = os_rng().or_exit(Exit::Local, "the system gives no randomness")?;
    ProviderFolder::create(dir, config, &mut rng).or_exit(Exit::Local, "cannot make a provider")
}

/// How a provider is called and found.
pub(crate) struct Named<'a> {
    /// `https://HOST:PORT`, or the address it listens on.
    pub(crate) url: Option<String>,
    /// Who runs it.
    pub(crate) operator: &'a str,
    /// Under which law.
    pub(crate) jurisdiction: &'a str,
    /// Where it shows its metrics.
    pub(crate) metrics: Option<SocketAddr>,
    /// Where it keeps its store.
    pub(crate) store: StoreAddress,
    /// Where its fronts keep what is spent, if it has any.
    pub(crate) spent: Option<SpentAddress>,
}

fn init(dir: &Path, args: InitArgs, context: &Context) -> Outcome {
    let (operator, jurisdiction) = (args.operator.as_str(), args.jurisdiction.as_str());
    let (metrics, store, spent) = (args.metrics, args.store, args.spent);
    let named = Named { url: args.url, operator, jurisdiction, metrics, store, spent };
    let folder = settle(dir, args.number, args.listen, named)?;
    let public = dir.join("public.json");
    let entry = folder.entry();
    write_file(&public, &serde_json::to_vec_pretty(&entry).unwrap_or_default())?;
    context.out.result(&json!({ "public": public, "url": entry.url, "number": entry.id }), |page| {
        page.line(format!("Provider {} will answer at {}.", entry.id, entry.url));
        page.line(format!("Give {} to whoever runs `mosaic federation create`.", public.display()));
        page.line("Everything else in the folder is secret.");
    });
    Ok(())
}

fn sign(dir: &Path, file: &Path, context: &Context) -> Outcome {
    let folder = open(dir)?;
    let doing = format!("cannot use {}", file.display());
    let mut document = SignedDocument::parse(&read_file(file)?).or_exit(Exit::Usage, &doing)?;
    let descriptor: FederationDescriptor = serde_json::from_str(&document.body).or_exit(Exit::Usage, &doing)?;
    descriptor.check().or_exit(Exit::Usage, "the federation is not acceptable")?;
    let me = folder.entry();
    if descriptor.provider(me.id) != Some(&me) {
        return Err(Failure::usage("the federation does not name this provider as it is; compare public.json"));
    }
    folder.sign(&mut document);
    write_file(file, document.to_json().as_bytes())?;
    let signed: Vec<u8> = document.signatures.keys().map(|id| id.get()).collect();
    context.out.result(&json!({ "provider": me.id, "signed_by": signed }), |page| {
        page.line(format!("Signed as provider {}; signatures so far: {signed:?}.", me.id));
    });
    Ok(())
}

fn migrate(dir: &Path, to: &StoreAddress, context: &Context) -> Outcome {
    let mut folder = open(dir)?;
    let from = folder.config.store.clone();
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed_precise} {bar:30} {pos} of {len} entries") {
        bar.set_style(style);
    }
    let moved = folder.move_store(to, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let content = moved.or_exit(Exit::Local, "cannot move the store; it is where it was")?;
    let digest = hex::encode(content.digest);
    let told = json!({ "from": from, "to": to, "entries": content.entries, "digest": digest });
    context.out.result(&told, |page| {
        page.line(format!(
            "Moved {} entries from {from} to {to}; both hold the same ({}…).",
            content.entries,
            &digest[..16]
        ));
        page.line(format!(
            "The next start uses {to}. What is in {from} is unused: remove it once the provider serves."
        ));
    });
    Ok(())
}

/// Every provider is asked, since one that was away may lack days.
async fn counts(dir: &Path, args: CountsArgs, context: &Context) -> Outcome {
    let federation = match &args.federation {
        Some(path) => read_federation(path)?,
        None => open(dir)?.federation().or_exit(Exit::Local, "no federation here; name the file with --federation")?,
    };
    let descriptor = federation.descriptor();
    let client = ProviderClient::for_federation(descriptor, Patience::default())
        .or_exit(Exit::Local, "no TLS client can be set up")?;
    let ids: Vec<ProviderId> = descriptor.ids().collect();
    let (mut days, mut answered) = (BTreeMap::new(), 0);
    for provider in &ids {
        let to = Address { provider: *provider, via: None };
        let Ok(Reply::Statements(bytes)) = client.call(&to, &Call::Statements).await else { continue };
        answered += 1;
        for statement in SignedStatement::decode_all(&bytes) {
            let Ok(published) = statement.verify_turn(&ids, |id| federation.signing_key(id)) else { continue };
            if published.counted().tile == descriptor.tile.id {
                days.entry(published.counted().day).or_insert(published);
            }
        }
    }
    if answered == 0 {
        return Err(Failure::new(Exit::Unreachable, "no provider of the federation answers"));
    }
    let vocabulary = Vocabulary::builtin();
    let text: String = days.values().map(|published| lines(published, |class| vocabulary.class_name(class))).collect();
    context.out.result(&json!({ "days": days.len(), "lines": text.lines().collect::<Vec<_>>() }), |page| {
        text.lines().for_each(|line| page.line(line));
    });
    Ok(())
}

fn open(dir: &Path) -> Outcome<ProviderFolder> {
    ProviderFolder::open(dir).or_exit(Exit::Local, "no provider here; try `mosaic provider init`")
}

/// A federation that does not name this provider must not take the place of one that does, and none takes
/// the place of another unless that is meant.
fn install(folder: &ProviderFolder, federation: &Federation, replace: bool) -> Outcome {
    let done = if replace { folder.replace(federation) } else { folder.install(federation) };
    let doing = match &done {
        Err(FolderError::OtherFederation { .. }) => "cannot take this federation; --replace takes it all the same",
        _ => "cannot take this federation",
    };
    done.or_exit(Exit::Local, doing)
}

async fn run(dir: &Path, args: RunArgs, context: &Context) -> Outcome {
    let folder = open(dir)?;
    if let Some(file) = &args.federation {
        install(&folder, &read_federation(file)?, args.replace)?;
    }
    let federation = folder.federation().or_exit(Exit::Local, "cannot start; name the file with --federation")?;
    let clock = clock_for(args.child.practice_clock, &federation)?;
    if let Some(listen) = args.front.front {
        if args.child.practice_recording.is_some() {
            return Err(Failure::usage("a front records nothing; the process that writes does"));
        }
        let place = FrontPlace { listen, metrics: args.front.front_metrics, writer: args.front.writer };
        let policy = args.price.policy(&federation);
        return run_front(Front::start(folder, clock, policy, &place).await, args.child, context).await;
    }
    let (number, url) = (folder.config.number, folder.config.url.clone());
    let banner = federation.descriptor().banner();
    let recording = Recording { requests: args.child.practice_recording.clone(), from: args.child.practice_address };
    let policy = args.price.policy(&federation);
    let provider = Provider::start_recorded(folder, clock, policy, &recording)
        .or_exit(Exit::Local, "cannot start the provider")?;
    let metrics = provider.metrics_address().map(|address| format!("http://{address}/metrics"));
    let told = json!({
        "provider": number, "url": url, "address": provider.address(), "metrics": metrics, "banner": banner,
    });
    context.out.result(&told, |page| {
        if let Some(banner) = banner {
            page.warn(format!("PRACTICE: {banner}"));
        }
        page.line(format!("Provider {number} answers at {url}. Ctrl-C stops it."));
        if let Some(metrics) = &metrics {
            page.line(format!("What its operator sees: {metrics}"));
        }
    });
    let child = args.child;
    provider.serve(async move { child.stopped().await }).await.or_exit(Exit::Local, "the provider stopped")
}

async fn run_front(started: Result<Front, RunError>, child: ChildArgs, context: &Context) -> Outcome {
    let front = started.or_exit(Exit::Local, "cannot start the front")?;
    let address = front.address();
    let metrics = front.metrics_address().map(|address| format!("http://{address}/metrics"));
    context.out.result(&json!({ "front": address, "metrics": metrics }), |page| {
        if let Some(address) = address {
            page.line(format!("A front answers at {address}. Ctrl-C stops it."));
        }
        if let Some(metrics) = &metrics {
            page.line(format!("What its operator sees: {metrics}"));
        }
    });
    front.serve(async move { child.stopped().await }).await.or_exit(Exit::Local, "the front stopped")
}
