//! The public decoy corpus: lines by region and topic that a remote language model wrote and personas may say.
//!
//! A model never sees anything of a person (L4-10 to L4-12; the source design sent it the person's context, which
//! PRIVACY 0.4 calls its largest leak). That is a matter of types, not of care: a model is asked with a
//! [`CorpusOrder`], and an order holds a [`RegionName`] out of a public list, a topic number of the public
//! vocabulary and a count. There is no field that could hold a draft, and none of the three can be made from text
//! that is not in a public list. A request is a function of the order and the model's name alone. It still tells
//! the model's operator which region and topic somebody asked about, when, and from which address: whoever grows a
//! corpus should ask for more topics than he likes, and for a wide region.
//!
//! Nothing here opens a socket: [`CorpusModel::request`] describes a request, [`CorpusModel::lines`] reads a reply,
//! and a driver carries them. Nothing calls that driver but a command that somebody types.

mod anthropic;
mod clean;
mod deepseek;
mod file;
mod gemini;
mod model;
mod region;

use mosaic_types::TopicId;
use thiserror::Error;

use crate::{Topic, Vocabulary};

pub use clean::clean_lines;
pub use file::{Corpus, CorpusDate, CorpusError};
pub use model::{CorpusModel, ModelName, ModelRequest, ReplyError, Service};
pub use region::{RegionName, UnknownRegion};

/// What a model is asked for: so many lines about a topic, as people of a region write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CorpusOrder {
    region: RegionName,
    topic: TopicId,
    name: &'static str,
    count: u8,
}

/// An order that cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidOrder {
    /// The topic's number is not in the vocabulary.
    #[error("there is no topic {}", .0.0)]
    UnknownTopic(TopicId),
    /// Beyond [`CorpusOrder::MOST`], or none.
    #[error("ask for 1 to {} lines", CorpusOrder::MOST)]
    Count,
}

impl CorpusOrder {
    /// Most lines of one order.
    pub const MOST: u8 = 100;

    /// An order of `count` lines, 1 to [`Self::MOST`].
    ///
    /// # Errors
    /// [`InvalidOrder`] for a topic that the vocabulary does not have, or a count beyond the bounds.
    pub fn new(region: RegionName, topic: TopicId, count: u8) -> Result<Self, InvalidOrder> {
        let known: Option<&'static Topic> = Vocabulary::builtin().topic(topic);
        let name = known.ok_or(InvalidOrder::UnknownTopic(topic))?.name.as_str();
        let fits = (1..=Self::MOST).contains(&count);
        fits.then_some(Self { region, topic, name, count }).ok_or(InvalidOrder::Count)
    }

    /// What the model is told, word for word.
    pub fn prompt(&self) -> String {
        let Self { region, name, count, .. } = self;
        format!(
            "Write {count} short messages in which different people in {} look for company or help on the topic \
             \"{name}\". Each is at most 41 characters and ten words, as typed on a phone: vary length, tone, case \
             and spelling. Use the language people write there, in Latin letters. No names of people, no addresses, \
             no links, no numbers to call. One message a line and nothing else.",
            region.as_str()
        )
    }
}
