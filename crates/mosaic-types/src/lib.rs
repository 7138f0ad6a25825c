//! The vocabulary every other crate speaks: identifiers, bounded units, time and sensitive wrappers.
//!
//! Each unit checks its range once, at construction, and cannot hold anything else afterwards
//! (L5-12 to L5-16, X-29 to X-34). Whatever came from the person, their place, their words, is
//! wrapped in [`Sensitive`], which has no encoding and prints as `[hidden]`.

mod anonymity;
mod bounds;
mod code;
mod group;
mod ids;
mod mode;
mod position;
mod reporting;
mod risk;
mod sensitive;
mod shares;
mod similarity;
mod time;

pub use anonymity::{AnonymityFloor, InvalidAnonymity};
pub use bounds::{
    ContactText, ContextText, Enrichment, InvalidContact, InvalidContext, InvalidEnrichment, InvalidNoise,
    InvalidRadius, InvalidToken, InvalidTtl, InvalidWindow, NoiseRatio, Radius, SearchWindow, Token, TtlHours,
};
pub use code::{Code, InvalidCode, Nameplate};
pub use group::{AnnouncementText, GroupName, InvalidGroupText};
pub use ids::{
    ClassId, InvalidClass, InvalidProvider, Lane, ProviderId, RowTag, SegmentId, Stream, TableId, TileId, TopicId,
};
pub use mode::{Mode, ModeProfile, ParseModeError, ServiceClass};
pub use position::{InvalidPosition, LatLng};
pub use reporting::{ParseReportingError, Reporting};
pub use risk::{ParseRiskError, Risk};
pub use sensitive::Sensitive;
pub use shares::{ClassShares, InvalidShares};
pub use similarity::{InvalidThreshold, MatchThreshold, Similarity};
pub use time::{Clock, Epoch, FixedClock, Period, ScaledClock, Timestamp, Week, Window};
