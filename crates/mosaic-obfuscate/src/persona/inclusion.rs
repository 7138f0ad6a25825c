//! Subset selection (Ye and Barg 2018; Wang et al. 2016; PRIVACY 1.3, theorem 3): in maximum mode a round carries what
//! the person wants with probability one half only, and something else in its place otherwise.

use mosaic_types::{ClassId, Mode, Timestamp};
use rand::RngExt;

use super::{Cast, PersonaId, Round, cast::UNIFORM_SHARE};

/// Whether everybody's seat in a round is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inclusion {
    /// Nobody's: the person's wish and the companions' are shown.
    Always,
    /// Everybody's, once a day for each class and cell: who loses stays out, and an understudy speaks instead.
    Drawn {
        /// Days since the Unix epoch.
        day: u32,
        /// The mode, which says how probable it is to be shown.
        mode: Mode,
    },
}

impl Inclusion {
    /// How a broadcast of that moment is included.
    pub fn of(mode: Mode, at: Timestamp) -> Self {
        if mode.profile().inclusion >= 1.0 {
            return Self::Always;
        }
        Self::Drawn { day: u32::try_from(at.as_secs() / 86_400).unwrap_or(u32::MAX), mode }
    }

    /// The probability that a wish is shown.
    pub fn probability(self) -> f64 {
        match self {
            Self::Always => 1.0,
            Self::Drawn { mode, .. } => mode.profile().inclusion,
        }
    }
}

/// One of the ten places in a round of the person's company.
///
/// Each is held by somebody and by their understudy, so that who follows a device for weeks sees twenty identities
/// come and go alike, and not two that take turns among eight that stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat(u8);

impl Seat {
    /// How many there are.
    pub(super) const COUNT: usize = Cast::COMPANIONS + 1;
    const PERSON: Self = Self(0);

    /// All but the person's.
    pub(super) fn companions() -> impl Iterator<Item = Self> {
        (1..).take(Cast::COMPANIONS).map(Self)
    }

    /// Who holds it; `None` for the person.
    fn holder(self) -> Option<PersonaId> {
        Some(PersonaId { company: 0, member: self.0.checked_sub(1)? })
    }

    /// Who speaks there when its holder stays out.
    fn understudy(self) -> PersonaId {
        PersonaId { company: 0, member: self.0.saturating_add(9) }
    }
}

impl Cast {
    /// Whether the person's wish is shown in a round. The same for every round of that class and cell that begins on
    /// that day, however often it is asked for: asking again draws nothing.
    pub fn includes_the_person(&self, round: &Round) -> bool {
        self.holds(Seat::PERSON, round)
    }

    /// Who speaks in a round in which the person's wish is not shown.
    pub fn understudy_of_the_person(&self) -> PersonaId {
        Seat::PERSON.understudy()
    }

    /// The `ε` of the draw: that a round carries a class and cell, or does not, multiplies the odds that any adversary
    /// gives them by at most `e^ε`, whatever it knew before. Infinite where nothing is drawn.
    ///
    /// With the wish `x` shown with probability `p`, and an understudy's in its place otherwise, a set that holds `x` is
    /// at most `1 + p / ((1 - p) q)` times as probable under `x` as under any other wish, where `q` is the least
    /// probability of the understudy's saying `x`: at least `UNIFORM_SHARE` spread evenly over all classes and cells.
    /// Where decoys are uniform and exchangeable the bound is `ln(p (V - K) / ((1 - p) K))` (PRIVACY 1.3); ours follow
    /// people's habits instead, which costs about `ln(K / UNIFORM_SHARE)`.
    pub fn epsilon(&self, inclusion: Inclusion) -> f64 {
        let p = inclusion.probability();
        if p >= 1.0 {
            return f64::INFINITY;
        }
        let keys = self.cells().len() as f64 * f64::from(ClassId::COUNT);
        (1.0 + p / (1.0 - p) * keys / UNIFORM_SHARE).ln()
    }

    /// Who speaks on a companion's seat.
    pub(super) fn speaker(&self, seat: Seat, round: &Round) -> PersonaId {
        seat.holder().filter(|_| self.holds(seat, round)).unwrap_or_else(|| seat.understudy())
    }

    /// Whether who holds a seat speaks: drawn for each seat, theme and day.
    fn holds(&self, seat: Seat, round: &Round) -> bool {
        match round.inclusion {
            Inclusion::Always => true,
            Inclusion::Drawn { day, .. } => self
                .rng(&[b"inclusion", &[seat.0], &round.theme(), &day.to_be_bytes()])
                .random_bool(round.inclusion.probability()),
        }
    }
}
