//! A deterministic world in virtual time: providers, agents, links and faults from one seed.
