use clap::{Args, Subcommand};
use jiff::Timestamp;
use mosaic_api::{Operation, Position, ProximityBody, ProximityReply};
use mosaic_federation::{Gathering, GatheringPlace};
use mosaic_types::LatLng;
use serde_json::json;

use super::federation::link_to;
use crate::{
    commands::Context,
    exit::{Exit, Failure, OrExit as _, Outcome},
    home::read_federation,
    out::{Page, program, quoted},
    units::At,
};

/// A poster: when and where people who look for one topic find each other. All of it is public.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mosaic gathering create --topic \"chess\" --place -45.0012,0.0034 --name \"old mill\" --from 2026-12-01T18:00:00Z --to 2026-12-01T21:00:00Z
  mosaic gathering create --topic \"chess\" --place -45.0012,0.0034 --from 2026-12-01T18:00:00Z --to 2026-12-01T21:00:00Z --qr
  mosaic gathering join \"mosaic:gathering?topic=chess...\" --json")]
pub(crate) struct GatheringArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print the text of a gathering in this installation's federation
    Create {
        /// What it is about: 1 to 60 bytes
        #[arg(long)]
        topic: String,
        /// A place, up to four times: LAT,LON, public to about ten metres
        #[arg(long = "place", required = true, allow_hyphen_values = true, value_name = "LAT,LON")]
        places: Vec<At>,
        /// What people call the places, in the same order
        #[arg(long = "name", value_name = "NAME")]
        names: Vec<String>,
        /// When it begins, such as 2026-12-01T18:00:00Z
        #[arg(long)]
        from: Timestamp,
        /// When it ends, within a week
        #[arg(long)]
        to: Timestamp,
        /// Draw it as a QR code as well
        #[arg(long)]
        qr: bool,
    },
    /// Look for others at a gathering: the agent reads around its places
    Join {
        /// The text of its QR code
        gathering: String,
    },
}

impl GatheringArgs {
    /// Makes or joins.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        match self.action {
            Action::Create { topic, places, names, from, to, qr } => {
                create(&topic, (places, names), (from, to), qr, context)
            }
            Action::Join { gathering } => join(&gathering, context).await,
        }
    }
}

fn create(
    topic: &str,
    (places, names): (Vec<At>, Vec<String>),
    (from, to): (Timestamp, Timestamp),
    qr: bool,
    context: &Context,
) -> Outcome {
    if names.len() > places.len() {
        return Err(Failure::usage("there are more --name than --place"));
    }
    let nowhere = "that is no place on earth";
    let mut names = names.into_iter();
    let places = places.into_iter().map(|At(place)| {
        let at = LatLng::new(place.lat, place.lon).or_exit(Exit::Usage, nowhere)?;
        Ok(GatheringPlace { at, name: names.next().unwrap_or_default() })
    });
    let places = places.collect::<Outcome<Vec<_>>>()?;
    let second = |at: Timestamp| u64::try_from(at.as_second()).or_exit(Exit::Usage, "that was before 1970");
    let link = link_to(&read_federation(&context.home()?.federation_file())?, 1)?;
    let made =
        Gathering::new(topic, (second(from)?, second(to)?), places, link).or_exit(Exit::Usage, "no gathering")?;
    let text = made.to_string();
    context.out.result(&json!({ "gathering": text }), |page| {
        page.line(&text);
        if qr {
            page.qr(&text);
        }
    });
    Ok(())
}

async fn join(text: &str, context: &Context) -> Outcome {
    let gathering: Gathering = text.parse().or_exit(Exit::Usage, "cannot read the gathering")?;
    let file = context.home()?.federation_file();
    if !file.exists() {
        let link = quoted(&gathering.link().to_string());
        return Err(Failure::new(Exit::Local, format!("join its federation first: {} join {link}", program())));
    }
    if read_federation(&file)?.digest() != *gathering.link().digest() {
        return Err(Failure::usage("the gathering is in another federation than this installation (see --dir)"));
    }
    let agent = context.agent()?;
    let mut cards = 0;
    for place in gathering.places() {
        let body = ProximityBody {
            location: Position { lat: place.at.lat(), lon: place.at.lng() },
            radius: None,
            window: None,
            context: Some(gathering.topic().to_owned()),
            limit: None,
            threshold: None,
        };
        let found: ProximityReply = agent.send(Operation::Proximity, &body).await?;
        cards += found.cards.len();
    }
    let (from, to) = gathering.hours();
    let places = gathering.places().iter();
    let places: Vec<_> =
        places.map(|place| json!({ "lat": place.at.lat(), "lon": place.at.lng(), "name": place.name })).collect();
    let told = json!({ "topic": gathering.topic(), "from": from, "to": to, "places": places, "cards": cards });
    context.out.result(&told, |page| told_to_people(&gathering, cards, page));
    Ok(())
}

fn told_to_people(gathering: &Gathering, cards: usize, page: &mut Page) {
    let (from, to) = gathering.hours();
    let at = |second: u64| i64::try_from(second).ok().and_then(|second| Timestamp::from_second(second).ok());
    page.head(gathering.topic());
    for (name, second) in [("from", from), ("to", to)] {
        page.pair(name, at(second).map_or_else(|| second.to_string(), |at| at.to_string()));
    }
    for place in gathering.places() {
        page.pair("at", format!("{:.4},{:.4} {}", place.at.lat(), place.at.lng(), place.name));
    }
    page.line(format!("{cards} cards so far; the agent reads on around its places. To be found there yourself:"));
    if let Some(place) = gathering.places().first() {
        let topic = quoted(gathering.topic());
        page.line(format!(
            "  {} broadcast --context {topic} --at {:.4},{:.4}",
            program(),
            place.at.lat(),
            place.at.lng()
        ));
    }
}
