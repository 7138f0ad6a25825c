//! The public decoy corpus: the one command that talks to a remote language model, and it is told nothing of a
//! person.

mod remote;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use mosaic_obfuscate::{
    Vocabulary,
    corpus::{Corpus, CorpusDate, CorpusOrder, ModelName, ModelRequest, RegionName, Service},
};
use mosaic_transport::SystemClock;
use mosaic_types::{Clock as _, TopicId};
use serde_json::json;

use crate::{
    commands::Context,
    exit::{Exit, Failure, OrExit, Outcome},
    home::{read_file, write_file},
};
use remote::{Base, Remote};

/// Grow or show a file of public lines by region and topic, written by a remote language model. Nothing does so
/// unless you type it. The service learns the region, the topic, the number of lines, your address and whose key it
/// is, and that you use MOSAIC; it is sent no other words. `--dry-run` prints all that would be sent.
#[derive(Debug, Args)]
#[command(after_help = "\
The key is read from ANTHROPIC_API_KEY, DEEPSEEK_API_KEY or GEMINI_API_KEY and from nowhere else.

Examples:
  mosaic corpus regions                         regions that can be named
  mosaic corpus topics --class music            topics that can be named
  mosaic corpus grow --model anthropic --region Portugal --topic coffee --count 40 --out portugal.tsv --dry-run
  mosaic corpus grow --model gemini --region Europe --topic \"jam session\" --count 20 --out europe.tsv
  mosaic corpus show europe.tsv")]
pub(crate) struct CorpusArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Ask a remote model for lines and add them to a file
    Grow(GrowArgs),
    /// Show what a file holds
    Show {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// List the regions that can be named
    Regions,
    /// List the topics that can be named
    Topics {
        /// Of one class only
        #[arg(long)]
        class: Option<String>,
    },
}

#[derive(Debug, Args)]
struct GrowArgs {
    /// The service: anthropic, deepseek or gemini
    #[arg(long, value_name = "SERVICE", value_parser = service)]
    model: Service,
    /// The service's name for one of its models, if not the usual one
    #[arg(long, value_name = "NAME", value_parser = model_name)]
    model_name: Option<ModelName>,
    /// A continent, a state or a large city; a wide one says less about you
    #[arg(long, value_name = "NAME", value_parser = region)]
    region: RegionName,
    /// A topic of the vocabulary, by its name
    #[arg(long, value_name = "NAME", value_parser = topic)]
    topic: TopicId,
    /// How many lines to ask for; those that do not fit are dropped
    #[arg(
        long,
        value_name = "N",
        default_value_t = 40,
        value_parser = clap::value_parser!(u8).range(1..=i64::from(CorpusOrder::MOST))
    )]
    count: u8,
    /// Where the lines go; a file of the same region and model grows
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where the service answers, if elsewhere: https, or http on this machine
    #[arg(long, value_name = "URL", value_parser = Base::parse)]
    base_url: Option<Base>,
    /// Print the request and send nothing
    #[arg(long)]
    dry_run: bool,
}

impl CorpusArgs {
    /// Grows or shows.
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        match self.action {
            Action::Grow(args) => args.run(context).await,
            Action::Show { file } => show(&file, context),
            Action::Regions => regions(context),
            Action::Topics { class } => topics(class.as_deref(), context),
        }
    }
}

impl GrowArgs {
    async fn run(self, context: &Context) -> Outcome {
        let model = self.model.model();
        let name = self.model_name.clone().unwrap_or_else(|| model.usual_model());
        let order = CorpusOrder::new(self.region, self.topic, self.count).or_exit(Exit::Usage, "no such order")?;
        let base = match self.base_url {
            Some(base) => base,
            None => Base::parse(model.base_url()).map_err(Failure::usage)?,
        };
        let request = model.request(&order, &name);
        if self.dry_run {
            return dry_run(&base, &request, model.key_variable(), context);
        }
        let today = today()?;
        // before anything is sent: an answer that has no place to go would be paid for and lost
        let fresh = || Corpus::new(self.region, self.model, name.clone(), today.clone());
        let mut corpus = if self.out.exists() { read(&self.out)? } else { fresh() };
        if (corpus.region(), corpus.service(), corpus.model()) != (self.region, self.model, &name) {
            return Err(Failure::usage(format!("{} is of another region or model", self.out.display())));
        }
        let key = std::env::var(model.key_variable()).ok().filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| Failure::usage(format!("set {} to your key", model.key_variable())))?;
        let (status, body) = Remote::new(base, Service::MOST_REPLY)?.send(request, key).await?;
        let lines = model.lines(status, &body).or_exit(Exit::Refused, format!("{} gave no lines", model.name()))?;
        let added = corpus.grow(&order, &lines, today);
        write_file(&self.out, corpus.write().as_bytes())?;
        let total: usize = corpus.lines().map(|(_, lines)| lines.len()).sum();
        let told = json!({ "file": self.out, "clean": lines.len(), "added": added, "lines": total });
        context.out.result(&told, |page| {
            page.line(format!(
                "{added} new lines; {} holds {total}. Read them before you use them.",
                self.out.display()
            ));
        });
        Ok(())
    }
}

fn dry_run(base: &Base, request: &ModelRequest, variable: &str, context: &Context) -> Outcome {
    let url = base.with(&request.path);
    let told = json!({
        "sent": false, "method": "POST", "url": url, "key_header": request.key_header, "key_variable": variable,
        "headers": request.headers.iter().copied().collect::<std::collections::BTreeMap<_, _>>(), "body": request.body,
    });
    context.out.result(&told, |page| {
        page.head("would be sent, and is not");
        page.line(format!("POST {url}"));
        page.line("content-type: application/json");
        request.headers.iter().for_each(|(name, value)| page.line(format!("{name}: {value}")));
        page.line(format!("{}: {}${variable}", request.key_header, request.key_prefix));
        page.line(format!("\n{}", request.body));
    });
    Ok(())
}

fn show(file: &Path, context: &Context) -> Outcome {
    let corpus = read(file)?;
    let vocabulary = Vocabulary::builtin();
    let name = |topic: TopicId| vocabulary.topic_name(topic).unwrap_or_default();
    let topics: Vec<_> =
        corpus.lines().map(|(id, lines)| json!({ "number": id.0, "topic": name(id), "lines": lines })).collect();
    let told = json!({
        "region": corpus.region().as_str(), "service": corpus.service().model().name(),
        "model": corpus.model().as_str(), "date": corpus.date().as_str(), "topics": topics,
    });
    context.out.result(&told, |page| {
        page.pair("region", corpus.region());
        page.pair("model", format!("{} ({})", corpus.model().as_str(), corpus.service().model().name()));
        page.pair("last grown", corpus.date().as_str());
        for (id, lines) in corpus.lines() {
            page.head(name(id));
            lines.iter().for_each(|line| page.line(format!("  {line}")));
        }
    });
    Ok(())
}

fn regions(context: &Context) -> Outcome {
    let regions: Vec<&str> = RegionName::all().map(RegionName::as_str).collect();
    context.out.result(&json!({ "regions": regions }), |page| regions.iter().for_each(|name| page.line(name)));
    Ok(())
}

fn topics(class: Option<&str>, context: &Context) -> Outcome {
    let vocabulary = Vocabulary::builtin();
    let known = |class: &str| {
        let names: Vec<&str> = vocabulary.classes().iter().map(|class| class.name.as_str()).collect();
        vocabulary.class_named(class).ok_or_else(|| Failure::usage(format!("classes are: {}", names.join(", "))))
    };
    let class = class.map(known).transpose()?;
    let topics = vocabulary.topics().iter().filter(|topic| class.is_none_or(|class| topic.class == class));
    let names: Vec<&str> = topics.map(|topic| topic.name.as_str()).collect();
    context.out.result(&json!({ "topics": names }), |page| names.iter().for_each(|name| page.line(name)));
    Ok(())
}

fn read(file: &Path) -> Outcome<Corpus> {
    Corpus::parse(&read_file(file)?).or_exit(Exit::Usage, format!("cannot use {}", file.display()))
}

fn today() -> Outcome<CorpusDate> {
    let seconds = i64::try_from(SystemClock.now().as_secs()).unwrap_or_default();
    let day = jiff::Timestamp::from_second(seconds).or_exit(Exit::Local, "the clock of this machine is wrong")?;
    let day = CorpusDate::new(&day.strftime("%Y-%m-%d").to_string());
    day.ok_or_else(|| Failure::new(Exit::Local, "the clock of this machine is wrong"))
}

fn service(name: &str) -> Result<Service, &'static str> {
    Service::named(name).ok_or("services are anthropic, deepseek and gemini")
}

fn model_name(name: &str) -> Result<ModelName, &'static str> {
    ModelName::new(name).ok_or("a model's name is 1 to 64 letters, digits, -, . and _")
}

fn region(name: &str) -> Result<RegionName, &'static str> {
    RegionName::named(name).map_err(|_| "that region is not in the list; see mosaic corpus regions")
}

fn topic(name: &str) -> Result<TopicId, &'static str> {
    let named = Vocabulary::builtin().topics().iter().find(|topic| topic.name.eq_ignore_ascii_case(name.trim()));
    named.map(|topic| topic.id).ok_or("that topic is not in the vocabulary; see mosaic corpus topics")
}
