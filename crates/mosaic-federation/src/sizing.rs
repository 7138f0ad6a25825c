//! How many rows a table needs so that a record seldom meets a full row.

use mosaic_types::{Lane, RowTag};

/// Rows of one table and how many records each takes from one origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableShape {
    /// A power of two, at most 2^22.
    pub rows: u32,
    /// Records one origin accepts per row and table.
    pub capacity: u16,
}

/// The load a federation declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Active agents, each sending five events an hour on each lane, always.
    pub agents: u32,
    /// Origin providers.
    pub origins: u32,
}

/// The largest tolerated probability that a row is asked for more than its capacity (DESIGN section 5).
pub const OVERFLOW: f64 = 1e-3;

/// Ten records of five events an hour over four hours.
const RECORDS_PER_AGENT: f64 = 10.0 * 5.0 * 4.0;

/// Discovery rows are not met evenly: people stand in the same cells and like the same things. An
/// assumption, not a measurement; the chain of four rows (DESIGN section 5) takes what exceeds it.
const DISCOVERY_CLUMPING: f64 = 8.0;

impl Load {
    /// The smallest table, not below the standard one, whose overflow probability stays under
    /// [`OVERFLOW`] even while one origin is down and the others carry its load.
    pub fn shape(self, lane: Lane) -> TableShape {
        let (smallest, capacity) = match lane {
            Lane::Discovery => (1 << 14, 64),
            Lane::Rendezvous => (1 << 17, 10),
        };
        let mut rows = smallest;
        while rows < RowTag::MAX_ROWS && overflow(self.mean_per_row(lane, rows), capacity) > OVERFLOW {
            rows *= 2;
        }
        TableShape { rows, capacity }
    }

    /// The most agents for which both lanes' largest tables stay under [`OVERFLOW`].
    pub fn most_agents(origins: u32) -> u32 {
        let carried = |agents: u32| {
            let load = Self { agents, origins };
            [Lane::Discovery, Lane::Rendezvous].into_iter().all(|lane| {
                let shape = load.shape(lane);
                overflow(load.mean_per_row(lane, shape.rows), shape.capacity) <= OVERFLOW
            })
        };
        // overflow only grows with the load
        let (mut low, mut high) = (0, u32::MAX);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if carried(middle) { low = middle } else { high = middle - 1 }
        }
        low
    }

    /// Expected records per row and origin with one origin down.
    pub fn mean_per_row(self, lane: Lane, rows: u32) -> f64 {
        let clumping = match lane {
            Lane::Discovery => DISCOVERY_CLUMPING,
            Lane::Rendezvous => 1.0,
        };
        let live = self.origins.saturating_sub(1).max(1);
        f64::from(self.agents) * RECORDS_PER_AGENT * clumping / f64::from(live) / f64::from(rows)
    }
}

/// Probability that a Poisson variable of mean `mean` exceeds `capacity`.
pub fn overflow(mean: f64, capacity: u16) -> f64 {
    let mut term = (-mean).exp();
    let mut within = term;
    for k in 1..=capacity {
        term *= mean / f64::from(k);
        within += term;
    }
    (1.0 - within).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_agrees_with_published_values() {
        // Poisson tables: P(X > 10 | 3.05) = 3.2e-4 (PRIVACY 4.3 rounds it to 3e-4); P(X > 2 | 1) = 0.0803
        assert!((overflow(3.05, 10) - 3.2e-4).abs() < 1e-4, "{}", overflow(3.05, 10));
        assert!((overflow(1.0, 2) - 0.080_301).abs() < 1e-6);
        assert!(overflow(0.0, 1) < f64::EPSILON);
    }

    #[test]
    fn every_declared_load_stays_below_the_overflow_bound() {
        for agents in [1, 300, 2_000, 10_000, 20_000] {
            for lane in [Lane::Discovery, Lane::Rendezvous] {
                let load = Load { agents, origins: 3 };
                let shape = load.shape(lane);
                assert!(overflow(load.mean_per_row(lane, shape.rows), shape.capacity) <= OVERFLOW);
                assert!(shape.rows.is_power_of_two() && shape.rows <= RowTag::MAX_ROWS);
            }
        }
    }

    #[test]
    fn what_the_largest_tables_carry_is_known() {
        let most = Load::most_agents(3);
        assert!((10_000..10_000_000).contains(&most), "{most}");
        let fits = |agents: u32| {
            [Lane::Discovery, Lane::Rendezvous].iter().all(|lane| {
                let (load, shape) = (Load { agents, origins: 3 }, Load { agents, origins: 3 }.shape(*lane));
                overflow(load.mean_per_row(*lane, shape.rows), shape.capacity) <= OVERFLOW
            })
        };
        assert!(fits(most) && !fits(most + 1));
        assert!(Load::most_agents(5) > most, "more origins carry more");
    }

    #[test]
    fn a_small_federation_gets_the_standard_tables() {
        let load = Load { agents: 300, origins: 3 };
        assert_eq!(load.shape(Lane::Discovery), TableShape { rows: 1 << 14, capacity: 64 });
        assert_eq!(load.shape(Lane::Rendezvous), TableShape { rows: 1 << 17, capacity: 10 });
    }
}
