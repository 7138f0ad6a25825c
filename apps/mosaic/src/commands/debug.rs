use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Subcommand};
use mosaic_api::{Operation, StatusReply};
use mosaic_federation::ProviderEntry;
use mosaic_geo::movement::{Travel, validate_csv};
use mosaic_transport::{Patience, Pin, ProviderClient, SystemClock};
use mosaic_types::Clock as _;
use mosaic_wire::{Address, Call, Reply};
use reqwest::{Client, tls::TlsInfo};
use serde_json::json;

use crate::{
    commands::{Context, traces::read_text},
    exit::{Exit, Failure, OrExit, Outcome},
};

/// Look under the hood.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic debug show-noise-ratio
  mosaic debug test-connection --provider 2
  mosaic debug validate-trajectory --file traces.csv --travel cycle")]
pub(crate) struct DebugArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The noise ratio the engine uses now, per lane
    ShowNoiseRatio,
    /// Reach one provider, check its certificate and signature, and take the time
    TestConnection {
        /// Its number, or its operator's name
        #[arg(long)]
        provider: String,
    },
    /// Check recorded movement for what nobody can have walked
    ValidateTrajectory {
        /// `user,time,lat,lon`
        #[arg(long)]
        file: PathBuf,
        /// How the people travelled: walk, run, cycle, transit or drive
        #[arg(long, default_value = "walk")]
        travel: String,
    },
}

/// How long to wait for a provider's certificate.
const REACH: Duration = Duration::from_secs(10);

impl DebugArgs {
    /// Looks.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        match self.action {
            Action::ShowNoiseRatio => show_noise(context).await,
            Action::TestConnection { provider } => test_connection(&provider, context).await,
            Action::ValidateTrajectory { file, travel } => validate(&file, &travel, context),
        }
    }
}

async fn show_noise(context: &Context) -> Outcome {
    let status: StatusReply = context.agent()?.get(Operation::Status).await?;
    let noise = status.noise;
    context.out.result(&noise, |page| {
        page.pair("asked for", format!("{:.2}", noise.requested));
        page.pair("in force, strangers", format!("{:.2}", noise.effective.discovery));
        page.pair("in force, contacts", format!("{:.2}", noise.effective.rendezvous));
    });
    Ok(())
}

async fn test_connection(name: &str, context: &Context) -> Outcome {
    let federation = context.home()?.federation()?;
    let is_it = |entry: &&ProviderEntry| entry.id.to_string() == name || entry.operator.eq_ignore_ascii_case(name);
    let entry = federation.descriptor().providers.iter().find(is_it);
    let entry = entry.ok_or_else(|| Failure::usage("the federation has no provider of that number or operator"))?;
    let client = ProviderClient::for_federation(federation.descriptor(), Patience::default())
        .or_exit(Exit::Local, "cannot set up TLS 1.3")?;
    let shown = certificate_of(entry).await?;
    if shown != Pin::from_bytes(entry.tls_pin) {
        let failure = Failure::new(
            Exit::Refused,
            format!("whoever answers for provider {} shows another certificate than the federation's", entry.id),
        );
        let told = json!({ "provider": entry.id, "url": entry.url, "pin": "differs" });
        return context.out.failed(failure, &told, |page| page.pair("certificate", "is NOT the federation's"));
    }
    let to = Address { provider: entry.id, via: None };
    let asked = SystemClock.now();
    let reply = client.call(&to, &Call::Time).await;
    let answered = SystemClock.now();
    let doing = format!("provider {} does not answer as the federation's", entry.id);
    let Reply::Time(time) = reply.or_exit(Exit::Unreachable, &doing)? else {
        return Err(Failure::new(Exit::Refused, doing));
    };
    let key = federation.signing_key(entry.id).ok_or_else(|| Failure::new(Exit::Refused, &doing))?;
    time.verify(&key).or_exit(Exit::Refused, "the signature is not the provider's")?;
    let took = answered.since(asked).as_millis();
    let ahead = i128::from(time.time.as_millis()) - i128::from(answered.as_millis());
    let told = json!({
        "provider": entry.id, "url": entry.url, "pin": "matches", "signature": "verifies",
        "round_trip_ms": u64::try_from(took).unwrap_or(u64::MAX),
        "clock_ahead_ms": i64::try_from(ahead).unwrap_or(i64::MAX),
    });
    context.out.result(&told, |page| {
        page.head(format!("provider {} ({}) answers", entry.id, entry.operator));
        page.pair("certificate", "matches the pin");
        page.pair("signature", "verifies");
        page.pair("round trip, TLS included", format!("{took} ms"));
        page.pair("its clock is ahead by", format!("{ahead} ms"));
    });
    Ok(())
}

/// The certificate a provider shows to anybody; nothing is believed of what it says.
async fn certificate_of(entry: &ProviderEntry) -> Outcome<Pin> {
    let anybody = Client::builder().no_proxy().tls_info(true).tls_danger_accept_invalid_certs(true);
    let anybody =
        anybody.connect_timeout(REACH).timeout(REACH).build().or_exit(Exit::Local, "cannot set up TLS 1.3")?;
    let away = format!("provider {} cannot be reached", entry.id);
    let reply = anybody.get(format!("{}/v1/time", entry.url)).send().await;
    let reply = reply.map_err(reqwest::Error::without_url).or_exit(Exit::Unreachable, &away)?;
    let certificate = reply.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
    certificate.map(Pin::of).ok_or_else(|| Failure::new(Exit::Unreachable, &away))
}

fn validate(file: &Path, travel: &str, context: &Context) -> Outcome {
    let text = read_text(file)?;
    let findings = validate_csv(&text, Travel::from_word(travel))
        .or_exit(Exit::Usage, format!("cannot use {}", file.display()))?;
    let lines: Vec<_> = findings
        .iter()
        .map(|finding| json!({ "line": finding.line, "user": finding.user, "reason": finding.reason.to_string() }))
        .collect();
    let told = json!({ "findings": lines });
    if findings.is_empty() {
        context.out.result(&told, |page| page.line("Everybody could have travelled like that."));
        return Ok(());
    }
    let failure = Failure::usage(format!("{} lines of {} cannot be", findings.len(), file.display()));
    context.out.failed(failure, &told, |page| {
        for finding in &findings {
            page.line(format!("line {}, {}: {}", finding.line, finding.user, finding.reason));
        }
    })
}
