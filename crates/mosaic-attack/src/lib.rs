//! Pure estimators of every adversary: they serve the lab and the agent's anonymity meter.
