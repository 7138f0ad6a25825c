use std::{collections::BTreeMap, fmt, str::FromStr};

use mosaic_geo::Cell;
use mosaic_obfuscate::{
    Echo, Granularity, Habits, Inclusion, Ledger, Lifetime, PersonaId, Round, RoundId, Whereabouts, blur::Anchor,
};
use mosaic_types::{ClassId, ClassShares, LatLng, Mode, NoiseRatio, Timestamp, TopicId, TtlHours, Week, Window};
use mosaic_wire::PartsNeeded;
use serde::{Deserialize, Serialize};

mod stored;

use crate::combined::Combined;
use stored::Stored;

/// Names one broadcast of this device; never leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BroadcastId(pub u64);

impl fmt::Display for BroadcastId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", self.0)
    }
}

/// A string that names no broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a broadcast is named b1, b2, …")]
pub struct InvalidBroadcastId;

impl FromStr for BroadcastId {
    type Err = InvalidBroadcastId;

    fn from_str(text: &str) -> Result<Self, InvalidBroadcastId> {
        text.strip_prefix('b').and_then(|number| number.parse().ok()).map(Self).ok_or(InvalidBroadcastId)
    }
}

/// A released broadcast: everything in it is what strangers may learn. The true place and the words
/// beyond the first 108 bytes are gone.
#[derive(Clone, Serialize, Deserialize)]
pub struct Broadcast {
    /// Its name.
    pub id: BroadcastId,
    /// Its class.
    pub class: ClassId,
    /// Its topics, best first; one to four.
    pub topics: Vec<TopicId>,
    /// The first 108 bytes of the words.
    pub text: String,
    /// The blurred cell: r8, or r6 when [`Self::granularity`] is a zone.
    pub cell: Cell,
    /// How fine the cell is.
    pub granularity: Granularity,
    /// When it began or begins to stand: when it was released, or later at high risk.
    pub created: Timestamp,
    /// Under which mode.
    pub mode: Mode,
    pub(crate) ttl_hours: u8,
    pub(crate) requested_thousandths: u16,
    pub(crate) echo: Echo,
    /// Set when it was made to end before its time to live is over; stored beside it.
    #[serde(skip)]
    pub(crate) ends_early: Option<Timestamp>,
}

impl Broadcast {
    /// How long it stands.
    pub fn ttl(&self) -> TtlHours {
        TtlHours::new(self.ttl_hours.into()).unwrap_or_default()
    }

    /// When it stands, unless it is withdrawn before.
    pub fn life(&self) -> Lifetime {
        let whole = Lifetime::whole(self.created, self.ttl());
        self.ends_early.map_or(whole, |end| whole.withdrawn(end.since(self.created)))
    }

    /// The round in which it is shown, beside a wish of each companion.
    pub(crate) fn round(&self) -> Round {
        Round {
            id: RoundId::Own(self.id.0),
            life: self.life(),
            granularity: self.granularity,
            echo: Some(self.echo),
            inclusion: self.inclusion(),
            parts: PartsNeeded::of_length(self.text.len()),
        }
    }

    /// Whether it is drawn for.
    pub fn inclusion(&self) -> Inclusion {
        Inclusion::of(self.mode, self.created)
    }

    /// First instant at which it stands no more.
    pub fn ends(&self) -> Timestamp {
        self.life().ends()
    }

    /// Whether its time is over at `at`; before, it stands or waits.
    pub fn is_over(&self, at: Timestamp) -> bool {
        self.ends() <= at
    }

    /// Whether it stands at `at`.
    pub fn stands(&self, at: Timestamp) -> bool {
        self.life().stands(at)
    }

    /// The ratio that was asked for.
    pub fn requested(&self) -> NoiseRatio {
        NoiseRatio::new(f64::from(self.requested_thousandths) / 1_000.0).unwrap_or(NoiseRatio::HIGHEST)
    }

    /// The ratio on the discovery lane (DESIGN section 4; replaces C-01).
    pub fn effective_discovery(&self) -> NoiseRatio {
        self.requested().at_least(self.mode.profile().discovery_floor)
    }

    /// The ratio on the rendezvous lane.
    pub fn effective_rendezvous(&self) -> NoiseRatio {
        self.requested().at_least(self.mode.profile().rendezvous_floor)
    }
}

impl fmt::Debug for Broadcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Broadcast({})", self.id)
    }
}

/// Everything a restart must not forget, sealed by the vault and by nothing else. The device seed is
/// not part of it.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct ReleaserState {
    pub(crate) ledger: Option<Ledger>,
    pub(crate) memo: BTreeMap<MemoKey, Blurred>,
    pub(crate) whereabouts: Whereabouts,
    pub(crate) habits: Habits,
    pub(crate) broadcasts: BTreeMap<BroadcastId, Broadcast>,
    pub(crate) last_id: u64,
    pub(crate) written: BTreeMap<Slate, Vec<Source>>,
    pub(crate) combined: Option<Combined>,
    pub(crate) liked: Option<ClassShares>,
}

impl ReleaserState {
    /// The state of a new device in a region where it is published how popular the classes are: its personas' tastes
    /// follow it for as long as the device lives (PRIVACY section 7). The default knows nothing of the region, and tastes
    /// follow the public vocabulary.
    pub fn where_popular(liked: ClassShares) -> Self {
        Self { liked: Some(liked), ..Self::default() }
    }

    /// What was popular where the device began, if that was known.
    pub const fn liked(&self) -> Option<ClassShares> {
        self.liked
    }
}

impl fmt::Debug for ReleaserState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReleaserState([hidden])")
    }
}

/// A blurred point, as it is remembered: snapping it to today's cells draws no noise.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Blurred {
    lat: f64,
    lng: f64,
}

impl From<LatLng> for Blurred {
    fn from(point: LatLng) -> Self {
        Self { lat: point.lat(), lng: point.lng() }
    }
}

impl From<Blurred> for LatLng {
    fn from(point: Blurred) -> Self {
        Self::wrapped(point.lat, point.lng)
    }
}

/// What a blurred point is remembered by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct MemoKey {
    pub(crate) week: Week,
    pub(crate) anchor: Anchor,
    pub(crate) mode: u8,
    pub(crate) zone: u8,
}

/// A (table, window, resolution): on each a bundle is written at most once. The window names the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Slate {
    pub(crate) window: Window,
    pub(crate) resolution: u8,
}

/// Where a discovery bundle comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Source {
    Broadcast(BroadcastId),
    Persona { persona: PersonaId, round: RoundId, turn: u8 },
}

impl Source {
    /// The round it is shown in.
    pub(crate) const fn round(&self) -> RoundId {
        match self {
            Self::Broadcast(id) => RoundId::Own(id.0),
            Self::Persona { round, .. } => *round,
        }
    }
}
