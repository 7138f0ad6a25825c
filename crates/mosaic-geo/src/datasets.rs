//! Public data sets beside plain movement: check-ins, receiver logs, face-to-face contacts, cell towers, packets and
//! phrases, each in the format it is published in (`docs/book/data.md`).
//!
//! Every reader takes bytes, gzipped or not, and is total: it gives everything or an [`ImportError`] that names the line
//! and never repeats it. Only pseudonyms are read, and nothing here links one to a name.

mod checkins;
mod contacts;
mod error;
mod lines;
mod nmea;
mod packets;
mod phrases;
mod quoted;
mod towers;

pub use checkins::{from_foursquare_tsmc, from_gowalla};
pub use contacts::{Contact, contacts, departments};
pub use error::{ImportError, ImportProblem};
pub use nmea::from_nmea;
pub use packets::{Packet, packets};
pub use phrases::{Phrase, PhraseFormat, phrases};
pub use towers::{Tower, towers};
