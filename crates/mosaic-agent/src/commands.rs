//! What a person asks for, in the types of the local API. No command waits for the network.

mod anonymity;
mod associate;
mod broadcast;
mod counts;
mod evidence;
mod group;
mod map;
mod news;
mod preview;
mod proximity;
mod quota;
mod settings;
mod status;
mod warnings;
mod wave;

pub(crate) use preview::preview;
pub(crate) use quota::Quotas;

pub use associate::{AssociateError, Beginning, CountedTry, LookupError};
pub use broadcast::{BroadcastError, UpdateError};
pub use group::GroupCommandError;
pub use proximity::ProximityError;
pub use settings::{ImportError, ImportMode};
pub use wave::WaveRefusal;

use mosaic_obfuscate::Vocabulary;
use mosaic_types::{ClassId, TopicId};

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}

fn class_name(class: ClassId) -> String {
    Vocabulary::builtin().class_name(class).to_owned()
}

fn topic_names(topics: &[TopicId]) -> Vec<String> {
    let vocabulary = Vocabulary::builtin();
    topics.iter().filter_map(|topic| vocabulary.topic_name(*topic)).map(str::to_owned).collect()
}
