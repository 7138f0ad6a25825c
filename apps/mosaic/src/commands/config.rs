use clap::{Args, Subcommand};
use mosaic_api::{Operation, SettingsBody, SettingsView};
use serde_json::Value;

use crate::{
    commands::Context,
    exit::{Failure, Outcome},
    units::Seconds,
};

/// Show or change settings. They are kept in the vault.
#[derive(Debug, Args)]
#[command(after_help = "\
Settings:
  privacy.mode    emergency, balanced or maximum
  ttl.default     24h to 168h
  noise.default   0.30 to 0.80
  risk.level      normal or high: at high risk every broadcast begins up to half an hour late
  aggregate       on or off: once a day, whether you wished for something and what, changed on this device by chance,
                  so that the two providers who count it together gain odds of at most 55 to 1 on it [CL-46]
  matching.threshold
                  how similar a card must be to count as a match: 0.0 (every card of the class) to 1.0; 0.3 unless set
  anonymity.floor identities as likely as you in an event that somebody opens: 1 (never acts) to 10; the mode's own
                  unless set

Examples:
  mosaic config set privacy.mode maximum
  mosaic config set ttl.default 48h
  mosaic config set anonymity.floor 2
  mosaic config set risk.level high
  mosaic config set aggregate on
  mosaic config set matching.threshold 0.5
  mosaic config get ttl.default")]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Change a setting
    Set {
        /// Its name
        key: String,
        /// Its new value
        value: String,
    },
    /// Show one setting, or all
    Get {
        /// Its name
        key: Option<String>,
    },
}

const KEYS: [&str; 7] = [
    "privacy.mode",
    "ttl.default",
    "noise.default",
    "anonymity.floor",
    "risk.level",
    "aggregate",
    "matching.threshold",
];

impl ConfigArgs {
    /// Shows or changes.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        match self.action {
            Action::Set { key, value } => {
                let body = change(&key, &value)?;
                body.clone().check()?;
                let view: SettingsView = context.agent()?.send(Operation::ChangeSettings, &body).await?;
                show(&view, Some(&key), context)
            }
            Action::Get { key } => {
                if let Some(key) = &key {
                    known(key)?;
                }
                let view: SettingsView = context.agent()?.get(Operation::ReadSettings).await?;
                show(&view, key.as_deref(), context)
            }
        }
    }
}

fn known(key: &str) -> Outcome {
    if KEYS.contains(&key) { Ok(()) } else { Err(Failure::usage(format!("the settings are {}", KEYS.join(", ")))) }
}

fn change(key: &str, value: &str) -> Outcome<SettingsBody> {
    known(key)?;
    let mut body = SettingsBody::default();
    match key {
        "privacy.mode" => body.privacy_mode = Some(value.to_owned()),
        "ttl.default" => body.ttl_default = Some(hours(value)?),
        "risk.level" => body.risk_level = Some(value.parse().map_err(Failure::usage)?),
        "aggregate" => body.aggregate = Some(value.parse().map_err(Failure::usage)?),
        "anonymity.floor" => {
            let floor = value.parse().map_err(|_| Failure::usage("anonymity.floor is a number between 1 and 10"))?;
            body.anonymity_floor = Some(floor);
        }
        "matching.threshold" => {
            let least = value.parse().map_err(|_| Failure::usage("matching.threshold is a number from 0.0 to 1.0"))?;
            body.matching_threshold = Some(least);
        }
        _ => {
            let ratio = value.parse().map_err(|_| Failure::usage("noise.default is a number between 0.30 and 0.80"))?;
            body.noise_default = Some(ratio);
        }
    }
    Ok(body)
}

/// `48h`, `2d`, or a bare number of hours.
fn hours(value: &str) -> Outcome<u32> {
    if let Ok(hours) = value.parse() {
        return Ok(hours);
    }
    let span: Seconds = value.parse().map_err(Failure::usage)?;
    if span.0.is_multiple_of(3_600) { Ok(span.0 / 3_600) } else { Err(Failure::usage("name whole hours, such as 48h")) }
}

fn show(view: &SettingsView, key: Option<&str>, context: &Context) -> Outcome {
    let all = serde_json::to_value(view).unwrap_or_default();
    let shown: serde_json::Map<String, Value> = KEYS
        .iter()
        .filter(|name| key.is_none_or(|key| key == **name))
        .map(|name| ((*name).to_owned(), all.get(*name).cloned().unwrap_or(Value::Null)))
        .collect();
    context.out.result(&shown, |page| {
        for (name, value) in &shown {
            let value = match (name.as_str(), value) {
                ("ttl.default", hours) => format!("{hours}h"),
                (_, Value::Null) => "the mode's own".to_owned(),
                (_, Value::String(word)) => word.clone(),
                (_, other) => other.to_string(),
            };
            page.line(format!("{name} = {value}"));
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_requirements() {
        assert_eq!(change("ttl.default", "48h").unwrap().ttl_default, Some(48));
        assert_eq!(change("ttl.default", "72").unwrap().ttl_default, Some(72));
        assert_eq!(change("privacy.mode", "maximum").unwrap().privacy_mode.as_deref(), Some("maximum"));
        assert_eq!(change("anonymity.floor", "2.5").unwrap().anonymity_floor, Some(2.5));
        assert_eq!(change("risk.level", "high").unwrap().risk_level, Some(mosaic_types::Risk::High));
        assert_eq!(change("aggregate", "on").unwrap().aggregate, Some(mosaic_types::Reporting::On));
        assert_eq!(change("matching.threshold", "0.5").unwrap().matching_threshold, Some(0.5));
        assert!(change("matching.threshold", "most").is_err());
        assert!(change("risk.level", "extreme").is_err() && change("aggregate", "maybe").is_err());
        assert!(change("anonymity.floor", "many").is_err());
        assert!(change("ttl.default", "90m").is_err() && change("colour", "red").is_err());
    }
}
