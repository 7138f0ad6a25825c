use std::time::Duration;

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
    /// Test tokens an hour, everybody together.
    pub tokens_per_hour: u32,
}

impl Policy {
    /// Rations for `agents` declared agents, with a wide margin: a ration that honest agents meet would
    /// show who is busy.
    pub const fn for_agents(agents: u32) -> Self {
        let agents = if agents < 50 { 50 } else { agents };
        Self {
            lead_periods: 6,
            attempt: Duration::from_secs(30),
            sync: Duration::from_mins(1),
            avoid: Duration::from_secs(30),
            evaluations_per_hour: agents.saturating_mul(4_000),
            tokens_per_hour: agents.saturating_mul(8_000),
        }
    }
}
