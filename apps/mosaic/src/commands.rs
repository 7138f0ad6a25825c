//! One file per subcommand: arguments, help with examples, and what it does.

pub(crate) mod agent;
pub(crate) mod aggregates;
pub(crate) mod associate;
pub(crate) mod broadcast;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod corpus;
pub(crate) mod debug;
pub(crate) mod demo;
pub(crate) mod evidence;
pub(crate) mod export;
pub(crate) mod federation;
pub(crate) mod import;
pub(crate) mod join;
pub(crate) mod lab;
pub(crate) mod man;
pub(crate) mod open;
pub(crate) mod open_door;
pub(crate) mod people;
pub(crate) mod places;
pub(crate) mod provider;
pub(crate) mod query;
pub(crate) mod receipts;
pub(crate) mod status;
pub(crate) mod traces;
pub(crate) mod up;
pub(crate) mod wave;

use std::path::PathBuf;

use clap::Subcommand;

use crate::{exit::Outcome, home::Home, local::Local, out::Out};

/// What every command gets: where it works and how it talks.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// How results are told.
    pub(crate) out: Out,
    /// `--dir`, if given.
    pub(crate) dir: Option<PathBuf>,
}

impl Context {
    /// The installation.
    pub(crate) fn home(&self) -> Outcome<Home> {
        Home::at(self.dir.clone())
    }

    /// The installation's running agent.
    pub(crate) fn agent(&self) -> Outcome<Local> {
        Local::of(&self.home()?)
    }
}

/// Everything `mosaic` does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a practice federation of three providers and an agent; nothing to configure
    Up(up::UpArgs),
    /// Watch an evening: people meet, then the providers' disks are searched for anything readable
    Demo(demo::DemoArgs),
    /// Run the agent of this installation
    Agent(agent::AgentArgs),
    /// Set up or run a provider
    Provider(provider::ProviderArgs),
    /// Make or look at a federation of independent providers
    Federation(federation::FederationArgs),
    /// Join a federation by its link
    Join(join::JoinArgs),
    /// Open the app in a browser of this machine
    Open(open::OpenArgs),
    /// Say what you want, near a place; it leaves mixed with nine decoys
    Broadcast(broadcast::BroadcastArgs),
    /// Book two hours with an event a minute, visible as such
    OpenDoor(open_door::OpenDoorArgs),
    /// Ask who is near with the same wish
    Query(query::QueryArgs),
    /// Wave at the cards found; people who accept get your contact
    Wave(wave::WaveArgs),
    /// See who waved and who accepted; accept, decline, keep, forget
    People(people::PeopleArgs),
    /// Meet somebody who was given, or gave you, a 32-character token
    Associate(associate::AssociateArgs),
    /// Show mode, providers, ledger and warnings
    Status(status::StatusArgs),
    /// List the events that left and what an attacker would state of each
    Receipts(receipts::ReceiptsArgs),
    /// Show what was counted over many people on the last days
    Aggregates(aggregates::AggregatesArgs),
    /// List, save or check what proves that a provider broke its word
    Evidence(evidence::EvidenceArgs),
    /// Show or change settings
    Config(config::ConfigArgs),
    /// Write settings and kept people to a sealed file
    Export(export::ExportArgs),
    /// Read an export, or only check it
    Import(import::ImportArgs),
    /// Look under the hood
    Debug(debug::DebugArgs),
    /// Build or show an index of public places
    Places(places::PlacesArgs),
    /// Convert recorded movement
    Traces(traces::TracesArgs),
    /// Grow or show a file of public lines for decoys, written by a remote language model
    Corpus(corpus::CorpusArgs),
    /// Attack the real release code and print what was found
    Lab(lab::LabArgs),
    /// Print shell completions
    Completions(completions::CompletionsArgs),
    /// Print the manual page
    Man(man::ManArgs),
}

impl Command {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Up(args) => args.run(context).await,
            Self::Demo(args) => args.run(context).await,
            Self::Agent(args) => args.run(context).await,
            Self::Provider(args) => args.run(context).await,
            Self::Federation(args) => args.run(context),
            Self::Join(args) => args.run(context).await,
            Self::Open(args) => args.run(context).await,
            Self::Broadcast(args) => args.run(context).await,
            Self::OpenDoor(args) => args.run(context).await,
            Self::Query(args) => args.run(context).await,
            Self::Wave(args) => args.run(context).await,
            Self::People(args) => args.run(context).await,
            Self::Associate(args) => args.run(context).await,
            Self::Status(args) => args.run(context).await,
            Self::Receipts(args) => args.run(context).await,
            Self::Aggregates(args) => args.run(context).await,
            Self::Evidence(args) => args.run(context).await,
            Self::Config(args) => args.run(context).await,
            Self::Export(args) => args.run(context).await,
            Self::Import(args) => args.run(context).await,
            Self::Debug(args) => args.run(context).await,
            Self::Places(args) => args.run(context),
            Self::Traces(args) => args.run(context),
            Self::Corpus(args) => args.run(context).await,
            Self::Lab(args) => args.run(context).await,
            Self::Completions(args) => args.run(context),
            Self::Man(args) => args.run(context),
        }
    }
}
