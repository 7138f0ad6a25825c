//! Whose threads computed for how long: the terms that one operation costs.

use std::{collections::BTreeMap, fmt, fs};

/// Processor time by the name of a thread, in nanoseconds; of an operation in [`Terms::since`].
pub(crate) struct Terms(BTreeMap<String, f64>);

impl Terms {
    /// What every thread has computed so far, by the scheduler's own count.
    pub(crate) fn now() -> Self {
        let mut terms = BTreeMap::new();
        for task in fs::read_dir("/proc/self/task").unwrap().map_while(Result::ok) {
            // a thread may end between the two
            let Ok(name) = fs::read_to_string(task.path().join("comm")) else { continue };
            let Ok(stat) = fs::read_to_string(task.path().join("schedstat")) else { continue };
            let computed: f64 = stat.split_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or(0.0);
            *terms.entry(name.trim().to_owned()).or_insert(0.0) += computed;
        }
        Self(terms)
    }

    /// What each kind of thread has computed since `before`, for one of `count` operations.
    pub(crate) fn since(before: &Self, count: usize) -> Self {
        let spent = |(name, now): (String, f64)| {
            let earlier = before.0.get(&name).copied().unwrap_or(0.0);
            (name, (now - earlier).max(0.0) / count.max(1) as f64)
        };
        Self(Self::now().0.into_iter().map(spent).collect())
    }

    /// Microseconds by name.
    pub(crate) fn json(&self) -> serde_json::Value {
        self.0.iter().map(|(name, nanos)| (name.clone(), serde_json::Value::from(nanos / 1e3))).collect()
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: f64 = self.0.values().sum();
        write!(f, "processor time of each: {:.0} µs", all / 1e3)?;
        let mut terms: Vec<_> = self.0.iter().filter(|(_, nanos)| **nanos >= all / 200.0).collect();
        terms.sort_by(|a, b| b.1.total_cmp(a.1));
        terms.into_iter().try_for_each(|(name, nanos)| write!(f, ", {name} {:.0}", nanos / 1e3))
    }
}
