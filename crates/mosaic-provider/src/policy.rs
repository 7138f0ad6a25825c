use std::time::Duration;

use mosaic_aggregate::Batch;
use mosaic_federation::{FederationDescriptor, Independence};

/// What an operator may choose. Everything else is the federation's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many periods ahead table keys are generated: 6 is a day.
    pub lead_periods: u32,
    /// Length of one attempt at a ceremony, after which the next coordinator may propose.
    pub attempt: Duration,
    /// Time between two comparisons of heads with a peer.
    pub sync: Duration,
    /// How long a peer that failed is asked last.
    pub avoid: Duration,
    /// Evaluation batches an hour, everybody together.
    pub evaluations_per_hour: u32,
    /// Whether evaluations are for fronts alone, which share what is known to be spent.
    pub fronts: bool,
    /// What tokens cost.
    pub price: Price,
    /// From how many reports on, and with how much noise, a day is published.
    pub counting: mosaic_aggregate::Policy,
    /// Reports about one day that are taken, everybody together.
    pub reports_a_day: u32,
}

/// What a provider asks for tokens: an Argon2id puzzle whose work follows demand between two bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// Memory of one attempt, in KiB: 8 to 262,144.
    pub memory_kib: u32,
    /// Passes over it: 1 to 4.
    pub passes: u8,
    /// Leading zero bits of the stamp, 0 to 24: what an attempt that is none costs its sender.
    pub stamp_bits: u8,
    /// Attempts expected for one unit over 24 hours while demand is low.
    pub work: u32,
    /// The most that is ever asked for.
    pub most_work: u32,
    /// Units over an hour that may be sold in ten minutes before the work doubles.
    pub capacity: u32,
}

impl Price {
    /// The full price: 64 MiB, one pass, sixteen attempts on average for a unit over a day, at each provider. Two units are
    /// what one device needs, so it makes 96 attempts a day at three providers.
    pub const fn standard(agents: u32) -> Self {
        let capacity = Self::capacity_for(agents);
        Self { memory_kib: 1 << 16, passes: 1, stamp_bits: 18, work: 16, most_work: 1 << 10, capacity }
    }

    /// Next to nothing, for federations that protect nobody.
    pub const fn practice(agents: u32) -> Self {
        let capacity = Self::capacity_for(agents);
        Self { memory_kib: 64, passes: 1, stamp_bits: 4, work: 2, most_work: 1 << 10, capacity }
    }

    /// Every declared agent may buy two units for a day within ten minutes, as they would after an outage of all
    /// providers, and the price stays.
    const fn capacity_for(agents: u32) -> u32 {
        agents.saturating_mul(2 * 24)
    }
}

impl Policy {
    /// For a federation: practice costs next to nothing.
    pub const fn of(descriptor: &FederationDescriptor) -> Self {
        let policy = Self::for_agents(descriptor.declared_agents);
        match descriptor.independence {
            Independence::Practice => Self { price: Price::practice(descriptor.declared_agents), ..policy },
            Independence::Checked => policy,
        }
    }

    /// Four for each declared agent, each of which gives one; a report that waits has two kilobytes.
    const fn reports_for(agents: u32) -> u32 {
        let (reports, most) = (agents.saturating_mul(4), Batch::MOST as u32);
        match reports {
            0..4_096 => 4_096,
            _ if reports > most => most,
            _ => reports,
        }
    }

    /// Rations for `agents` declared agents, with a wide margin: a ration that honest agents meet would
    /// show who is busy. Tokens at the full price.
    pub const fn for_agents(agents: u32) -> Self {
        let agents = if agents < 50 { 50 } else { agents };
        Self {
            lead_periods: 6,
            attempt: Duration::from_secs(30),
            sync: Duration::from_mins(1),
            avoid: Duration::from_secs(30),
            evaluations_per_hour: agents.saturating_mul(4_000),
            fronts: false,
            price: Price::standard(agents),
            counting: mosaic_aggregate::Policy::STANDARD,
            reports_a_day: Self::reports_for(agents),
        }
    }
}
