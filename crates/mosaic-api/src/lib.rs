//! The local HTTP contract, version 1 (L5-12 to L5-16): what a person's own programs say to their own
//! agent over loopback, and what it answers.
//!
//! Bodies are plain serde types with every unknown field refused; `check` turns one into the bounded
//! types of `mosaic-types`, or into a [`Problem`] (RFC 9457) that states the bounds and never repeats
//! what was sent. [`Operation`] lists every route once: the agent builds its router from it and
//! [`openapi`] builds the document from it, so neither can hold a route that the other lacks.
//!
//! A coordinate or token in a URL ends up in histories and logs (C-83). The GET forms exist because the
//! requirements ask for them; they refuse coordinates finer than a hundredth of a degree, and each has a
//! POST twin whose body may hold the true ones. Our own clients use only the twins.

mod anonymity;
mod app;
mod association;
mod broadcast;
mod browser;
mod counts;
mod document;
mod evidence;
mod example;
mod map;
mod operation;
mod page;
mod preview;
mod problem;
mod proximity;
mod settings;
mod socket;
mod status;
mod strict;
mod transfer;

pub use anonymity::{
    AnonymityReport, AnonymityView, AttackerView, BroadcastAnonymity, DENIABILITY, MeterAction, ReceiptStatus,
    ReceiptView, ReceiptsReply,
};
pub use app::{APP_POLICY, AppFile};
pub use association::{
    AcceptBody, AssociateBody, AssociateReply, AssociateRequest, AssociationKind, AssociationList, AssociationState,
    AssociationView, CardChoice, CardSelection, Handover, IncomingWave, LookupBody, Means, PeopleReply, Person,
    WaveBody, WaveReply, WaveRequest, WavesReply,
};
pub use broadcast::{
    BroadcastBody, BroadcastList, BroadcastReply, BroadcastRequest, BroadcastView, BroadcastWarning, EffectiveNoise,
    Granularity, IdentifierName, Identifying, InclusionView, NoiseView, Position, UpdateBody, UpdateRequest,
    ZoneReason,
};
pub use browser::{SESSION_COOKIE, SessionBody, SessionCodeReply, SessionView};
pub use counts::{AggregatesReply, AnswersView, ClassCount, PartCount, StatementView};
pub use document::openapi;
pub use evidence::{EvidenceName, EvidenceReply, EvidenceView};
pub use map::{TILE_MEDIA_TYPE, TileBody};
pub use operation::{Method, Operation};
pub use page::{IDEMPOTENCY_KEY, Listed, PageParams, PageRequest};
pub use preview::{PreviewBody, PreviewReply, PreviewRequest};
pub use problem::{Problem, ProblemKind, parse_body};
pub use proximity::{CardView, ProximityBody, ProximityParams, ProximityReply, ProximityRequest, ResultCap, Searched};
pub use settings::{SettingsBody, SettingsChange, SettingsView};
pub use socket::{
    AgentFrame, AttentionData, ClientFrame, CorrelationId, EmitName, FrameError, LARGEST_FRAME, News, SocketAsk,
    SocketEnd, SocketRequest,
};
pub use status::{
    CrowdView, FederationView, LedgerView, OpenDoorReply, PRACTICE_BANNER, PlacesPaid, ProviderView, Reach,
    StatusReply, Warning, WarningKind, ZoneCount,
};
pub use transfer::{EXPORT_FORMAT, ExportDocument, ExportedBroadcast, ImportReply};
