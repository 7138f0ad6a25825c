use std::{fmt, sync::Arc, time::Duration};

use mosaic_attack::{FloorAction, History, MeterModel, PublicTown, SeenBundle, contrast, effective_hypotheses};
use mosaic_geo::PlaceIndex;
use mosaic_obfuscate::{PersonaId, Vocabulary};
use mosaic_types::{AnonymityFloor, ClassId, Mode, Timestamp};
use mosaic_wire::TableDescriptor;

use crate::{BroadcastId, Preview, ReleaseError, Releaser, ShownBundle, SlotTruth};

/// The person and the nine companions.
const IDENTITIES: usize = 10;
/// After so many exchanges rounds stay, however conspicuous a persona in them: only a person may still stand out.
const MOST_EVEN_EXCHANGES: usize = 24;

/// The anonymity meter of one device: its own history as strangers may remember it, and the attacker of
/// `mosaic-attack` who looks at it (PRIVACY 12, X-39).
pub struct Meter {
    model: Option<&'static MeterModel>,
    town: PublicTown,
    history: History,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter([hidden])")
    }
}

/// What holds for the event that is measured.
#[derive(Clone, Copy, Debug)]
pub struct Measuring<'a> {
    /// When it leaves.
    pub at: Timestamp,
    /// Its resolution: 6, 7 or 8.
    pub resolution: u8,
    /// Its table.
    pub table: &'a TableDescriptor,
    /// The mode of the device: whose law the model was calibrated on, and what happens below the floor.
    pub mode: Mode,
    /// The floor in force.
    pub floor: AnonymityFloor,
}

/// A broadcast of the person and what the attacker thinks of its round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suspected {
    /// Whose bundle.
    pub broadcast: BroadcastId,
    /// The probability, in 0..=1, that the attacker gives to its bundle; where it gave way, to the likeliest of the
    /// ten.
    pub probability: f64,
}

/// What the meter found in one event. It tells what is true: it stays on the device and has no encoding.
pub struct Reading {
    /// The event's bundles as strangers see them, in no order that strangers see; for [`Meter::absorb`].
    pub bundles: Vec<SeenBundle>,
    /// The person's bundle, if one leaves.
    pub own: Option<Suspected>,
    /// The person's broadcasts whose rounds gave way to others.
    pub held_back: Vec<Suspected>,
    /// Effective hypotheses `2^H` of the attacker's posterior, in 1..=10.
    pub hypotheses: f64,
    /// What the attacker gives to each identity, the person first, whoever speaks on its seat: sums to 1 in a round of
    /// the person's.
    pub shares: [f64; IDENTITIES],
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reading([hidden])")
    }
}

impl Meter {
    /// How long the attacker of the model remembers: what a table's life of 48 h puts before everybody's eyes.
    pub const MEMORY: Duration = Duration::from_hours(48);

    /// A meter without any history, over these public places.
    pub fn new(places: Arc<PlaceIndex>) -> Self {
        Self { model: MeterModel::builtin(), town: town(places), history: History::of_the_last(Self::MEMORY) }
    }

    /// Whether there is a model: without one nothing is measured and nothing gives way.
    pub const fn works(&self) -> bool {
        self.model.is_some()
    }

    /// Takes in an event that left: from now on strangers may remember it.
    pub fn absorb(&mut self, at: Timestamp, bundles: &[SeenBundle]) {
        self.history.absorb(at, bundles);
    }

    /// What the attacker makes of several events of which it was given whose bundles belong together: the
    /// probability of each identity, the person first. `None` without events or model.
    pub fn joint(&self, mode: Mode, shares: &[[f64; IDENTITIES]]) -> Option<Vec<f64>> {
        let model = self.model.filter(|_| !shares.is_empty())?;
        Some(model.joint(mode, shares))
    }

    /// Looks at the event that is to leave, and lets what falls below the floor give way as the mode asks for.
    ///
    /// # Errors
    /// [`ReleaseError`] as for [`Releaser::preview`].
    pub fn measure(&self, releaser: &mut Releaser, event: &Measuring<'_>) -> Result<Reading, ReleaseError> {
        let action = FloorAction::from(event.mode);
        let mut held_back = Vec::new();
        let judge = |preview: &Preview| {
            let posterior = self.posterior(event, &preview.bundles)?;
            let earlier: Vec<bool> = preview.bundles.iter().map(|bundle| bundle.earlier).collect();
            let own = own(preview, &posterior);
            let at = if preview.exchanges < MOST_EVEN_EXCHANGES {
                action.gives_way(event.floor, &posterior, &earlier)
            } else {
                // the others count as too unlikely to be in question
                let alone: Vec<f64> = (0..posterior.len())
                    .map(|at| if own.is_some_and(|(own, _)| own == at) { posterior[at] } else { 0.0 })
                    .collect();
                action.gives_way(event.floor, &alone, &earlier)
            };
            if let (Some(at), Some((_, own))) = (at, own) {
                held_back.push(Suspected { probability: posterior.get(at).copied().unwrap_or_default(), ..own });
            }
            at
        };
        let preview = releaser.preview(event.at, event.resolution, event.table, judge)?;
        Ok(self.reading(event, &preview, held_back))
    }

    fn reading(&self, event: &Measuring<'_>, preview: &Preview, held_back: Vec<Suspected>) -> Reading {
        let posterior = self.posterior(event, &preview.bundles).unwrap_or_default();
        let mut shares = [0.0; IDENTITIES];
        preview.truth.expose(|truth| {
            for (share, truth) in posterior.iter().zip(truth) {
                if let Some(sum) = identity(*truth).and_then(|identity| shares.get_mut(identity)) {
                    *sum += share;
                }
            }
        });
        Reading {
            bundles: preview.bundles.iter().map(seen).collect(),
            own: own(preview, &posterior).map(|(_, suspected)| suspected),
            held_back,
            hypotheses: effective_hypotheses(&posterior),
            shares,
        }
    }

    fn posterior(&self, event: &Measuring<'_>, bundles: &[ShownBundle]) -> Option<Vec<f64>> {
        let seen: Vec<SeenBundle> = bundles.iter().map(seen).collect();
        let rows = contrast(&self.history.rows(event.at, &seen, &self.town));
        self.model.map(|model| model.posterior(event.mode, &rows))
    }
}

/// What a device knows of its town: these places, and the vocabulary's classes.
pub fn town(places: Arc<PlaceIndex>) -> PublicTown {
    let mut priors = [0.0; ClassId::COUNT as usize];
    for class in Vocabulary::builtin().classes() {
        if let Some(prior) = priors.get_mut(usize::from(class.id.get())) {
            *prior = class.prior;
        }
    }
    PublicTown::new(places, priors)
}

const fn seen(bundle: &ShownBundle) -> SeenBundle {
    SeenBundle { class: bundle.class, cell: bundle.cell, ttl: bundle.ttl }
}

/// The person, then the companions, each with who speaks instead; members of quiet companies are never in question.
fn identity(truth: SlotTruth) -> Option<usize> {
    match truth {
        SlotTruth::Persona(PersonaId { company: 0, member }) => Some((usize::from(member) + 1) % IDENTITIES),
        SlotTruth::Persona(_) => None,
        SlotTruth::Broadcast(_) | SlotTruth::Frame(_) | SlotTruth::Uniform => Some(0),
    }
}

/// The person's bundle of an event, where it stands and how suspect it is.
fn own(preview: &Preview, posterior: &[f64]) -> Option<(usize, Suspected)> {
    let found = preview.truth.expose(|truth| {
        let mut own = truth.iter().enumerate().filter_map(|(at, truth)| match truth {
            SlotTruth::Broadcast(id) => Some((at, *id)),
            _ => None,
        });
        own.next()
    });
    let (at, broadcast) = found?;
    Some((at, Suspected { broadcast, probability: *posterior.get(at)? }))
}
