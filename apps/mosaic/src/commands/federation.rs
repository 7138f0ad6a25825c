use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use mosaic_federation::{
    Federation, FederationDescriptor, Independence, JoinLink, ProviderEntry, SignedDocument, Tile,
};
use mosaic_transport::SystemClock;
use mosaic_types::{Clock as _, TileId};
use serde_json::{Value, json};

use crate::{
    commands::Context,
    exit::{Exit, Failure, OrExit, Outcome},
    home::{read_federation, read_file, write_file},
    units::{At, Metres},
};

/// Make or look at a federation. It takes at least three operators who do not answer to each other; each signs the
/// same file on a machine of their own.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic federation create --name Porto --center 41.15,-8.62 --radius 20km \\
         --provider a.json --provider b.json --provider c.json --output federation.json
  mosaic provider sign federation.json            # each operator, then
  mosaic federation collect --file a/federation.json --file b/federation.json --output federation.json
  mosaic federation show --file federation.json
  mosaic federation link --file federation.json --qr")]
pub(crate) struct FederationArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write the federation file from the providers' public files, for everybody to sign
    Create(CreateArgs),
    /// Put signatures together that were made on copies of one file
    Collect {
        /// A signed copy
        #[arg(long = "file", required = true)]
        files: Vec<PathBuf>,
        /// Where the result goes
        #[arg(long)]
        output: PathBuf,
    },
    /// Show who is in it and who has signed
    Show {
        /// The federation file (default: the one this installation is pinned to)
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// Print the link by which agents join
    Link {
        /// The federation file (default: the one this installation is pinned to)
        #[arg(long)]
        file: Option<PathBuf>,
        /// Which provider the link names
        #[arg(long, default_value_t = 1)]
        provider: u8,
        /// Draw it as a QR code as well
        #[arg(long)]
        qr: bool,
    },
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// A provider's public file, at least three
    #[arg(long = "provider", value_name = "FILE", required = true)]
    providers: Vec<PathBuf>,
    /// Name for people
    #[arg(long)]
    name: String,
    /// Centre of the area: LAT,LON
    #[arg(long, allow_hyphen_values = true, value_name = "LAT,LON")]
    center: At,
    /// Radius of the area
    #[arg(long, default_value = "20km", value_name = "DISTANCE")]
    radius: Metres,
    /// Active agents the tables are sized for
    #[arg(long, default_value_t = 1_000)]
    agents: u32,
    /// All operators are one person: a practice federation, with its banner for ever
    #[arg(long)]
    practice: bool,
    /// Where the file goes
    #[arg(long, default_value = "federation.json")]
    output: PathBuf,
}

impl FederationArgs {
    /// Does it.
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self.action {
            Action::Create(args) => create(args, context),
            Action::Collect { files, output } => collect(&files, &output, context),
            Action::Show { file } => show(file, context),
            Action::Link { file, provider, qr } => link(file, provider, qr, context),
        }
    }
}

fn create(args: CreateArgs, context: &Context) -> Outcome {
    let mut providers = Vec::new();
    for path in &args.providers {
        let doing = format!("{} is no provider's public file", path.display());
        let entry: ProviderEntry = serde_json::from_slice(&read_file(path)?).or_exit(Exit::Usage, doing)?;
        if providers.iter().any(|other: &ProviderEntry| other.id == entry.id) {
            return Err(Failure::usage(format!(
                "two providers have the number {}; see `provider init --number`",
                entry.id
            )));
        }
        providers.push(entry);
    }
    let independence = if args.practice { Independence::Practice } else { Independence::Checked };
    let At(center) = args.center;
    let tile =
        Tile { id: TileId(1), name: args.name.clone(), lat: center.lat, lng: center.lon, radius_m: args.radius.0 };
    let now = SystemClock.now();
    let descriptor = FederationDescriptor::new(args.name, independence, now, args.agents, tile, providers);
    let document = SignedDocument::draft(&descriptor).or_exit(Exit::Usage, "this is no federation")?;
    write_file(&args.output, document.to_json().as_bytes())?;
    let told = json!({ "file": args.output, "digest": hex::encode(document.digest()), "signed_by": [] });
    context.out.result(&told, |page| {
        page.line(format!("{} is written and not signed yet.", args.output.display()));
        page.line("Each operator reads it and runs `mosaic provider sign` on it.");
    });
    Ok(())
}

fn collect(files: &[PathBuf], output: &Path, context: &Context) -> Outcome {
    let mut whole: Option<SignedDocument> = None;
    for path in files {
        let doing = format!("cannot use {}", path.display());
        let copy = SignedDocument::parse(&read_file(path)?).or_exit(Exit::Usage, doing)?;
        match &mut whole {
            None => whole = Some(copy),
            Some(whole) if whole.body == copy.body => whole.signatures.extend(copy.signatures),
            Some(_) => return Err(Failure::usage(format!("{} is another text than the first", path.display()))),
        }
    }
    let whole = whole.ok_or_else(|| Failure::usage("name the signed copies"))?;
    write_file(output, whole.to_json().as_bytes())?;
    let signed: Vec<u8> = whole.signatures.keys().map(|id| id.get()).collect();
    let verdict = whole.verify();
    context.out.result(&json!({ "signed_by": signed, "complete": verdict.is_ok() }), |page| match &verdict {
        Ok(_) => page.line("Complete: every provider has signed."),
        Err(finding) => page.line(format!("Not complete: {finding}.")),
    });
    Ok(())
}

fn show(file: Option<PathBuf>, context: &Context) -> Outcome {
    let path = named(file, context)?;
    let doing = format!("cannot use {}", path.display());
    let document = SignedDocument::parse(&read_file(&path)?).or_exit(Exit::Usage, &doing)?;
    let descriptor: FederationDescriptor = serde_json::from_str(&document.body).or_exit(Exit::Usage, &doing)?;
    let digest = hex::encode(document.digest());
    let verdict = document.clone().verify();
    let told = json!({
        "descriptor": serde_json::from_str::<Value>(&document.body).unwrap_or_default(),
        "digest": digest,
        "signed_by": document.signatures.keys().collect::<Vec<_>>(),
        "complete": verdict.is_ok(),
    });
    context.out.result(&told, |page| {
        if let Some(banner) = descriptor.banner() {
            page.warn(format!("PRACTICE: {banner}"));
        }
        page.head(&descriptor.name);
        page.pair("pin", &digest);
        page.pair(
            "area",
            format!("{} m around {:.4},{:.4}", descriptor.tile.radius_m, descriptor.tile.lat, descriptor.tile.lng),
        );
        for entry in &descriptor.providers {
            let signed = if document.signatures.contains_key(&entry.id) { "signed" } else { "NOT signed" };
            let who = format!("{} ({}) at {}, {signed}", entry.operator, entry.jurisdiction, entry.url);
            page.pair(&format!("provider {}", entry.id), who);
        }
        match &verdict {
            Ok(_) => page.line("All signatures verify."),
            Err(finding) => page.warn(format!("Not acceptable: {finding}.")),
        }
    });
    Ok(())
}

fn link(file: Option<PathBuf>, provider: u8, qr: bool, context: &Context) -> Outcome {
    let federation = read_federation(&named(file, context)?)?;
    let link = link_to(&federation, provider)?.to_string();
    context.out.result(&json!({ "link": link }), |page| {
        page.line(&link);
        if qr {
            page.qr(&link);
        }
    });
    Ok(())
}

/// The link to a federation by way of one of its providers.
pub(crate) fn link_to(federation: &Federation, provider: u8) -> Outcome<JoinLink> {
    let none = || Failure::usage(format!("the federation has no provider {provider}"));
    let entry = federation.descriptor().providers.iter().find(|entry| entry.id.get() == provider).ok_or_else(none)?;
    let authority = entry.url.strip_prefix("https://").and_then(|authority| authority.rsplit_once(':'));
    let (host, port) = authority.ok_or_else(none)?;
    let port = port.parse().map_err(|_| none())?;
    JoinLink::new(host, port, entry.tls_pin, federation.digest()).or_exit(Exit::Usage, "that address fits in no link")
}

fn named(file: Option<PathBuf>, context: &Context) -> Outcome<PathBuf> {
    let path = match file {
        Some(path) => path,
        None => context.home()?.federation_file(),
    };
    if fs::exists(&path).unwrap_or(false) {
        Ok(path)
    } else {
        Err(Failure::new(Exit::Local, format!("there is no federation file at {}", path.display())))
    }
}
