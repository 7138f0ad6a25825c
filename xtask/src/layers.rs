//! The rank graph of ARCHITECTURE.md: lower ranks never import higher ones, siblings never each other.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use crate::tree::{self, WithDependencies};

/// Up to this rank nothing opens a socket or names an async runtime (DESIGN section 7).
const SANS_IO: u64 = 4;
const IO: [&str; 4] = ["tokio", "axum", "hyper", "reqwest"];

/// Checks every workspace crate's rank, charter and imports.
pub(crate) fn check() -> Result<()> {
    tree::verdict("the rank graph is broken", &findings(&tree::metadata(WithDependencies::No)?))
}

fn findings(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ranks: BTreeMap<&str, u64> =
        packages.iter().filter_map(|package| Some((name(package)?, rank(package)?))).collect();
    let mut found = Vec::new();
    for package in packages {
        let Some(importer) = name(package) else { continue };
        if package["metadata"]["mosaic"]["charter"].as_str().is_none_or(str::is_empty) {
            found.push(format!("{importer} has no charter in [package.metadata.mosaic]"));
        }
        let Some(&own) = ranks.get(importer) else {
            found.push(format!("{importer} has no rank in [package.metadata.mosaic]"));
            continue;
        };
        for imported in imports(package) {
            if own <= SANS_IO && IO.contains(&imported) {
                found
                    .push(format!("{importer} (rank {own}) imports {imported}: up to rank {SANS_IO} nothing does I/O"));
            }
            if let Some(&other) = ranks.get(imported)
                && other >= own
            {
                found.push(format!("{importer} (rank {own}) imports {imported} (rank {other})"));
            }
        }
    }
    found
}

fn name(package: &Value) -> Option<&str> {
    package["name"].as_str()
}

fn rank(package: &Value) -> Option<u64> {
    package["metadata"]["mosaic"]["rank"].as_u64()
}

/// What a package imports; its tests (dev-dependencies) may look sideways and up.
fn imports(package: &Value) -> impl Iterator<Item = &str> {
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    dependencies.iter().filter(|dependency| dependency["kind"] != "dev").filter_map(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_workspace_keeps_its_ranks() {
        check().unwrap();
    }

    #[test]
    fn an_upward_and_a_sideways_import_are_found() {
        let crate_of = |name: &str, rank: u64, imports: &[&str]| {
            json!({
                "name": name,
                "metadata": { "mosaic": { "rank": rank, "charter": "x" } },
                "dependencies": imports.iter().map(|name| json!({ "name": name, "kind": null })).collect::<Vec<_>>(),
            })
        };
        let metadata = json!({ "packages": [crate_of("low", 1, &["high"]), crate_of("high", 2, &["twin", "low"]), crate_of("twin", 2, &[])] });
        assert_eq!(findings(&metadata).len(), 2);
    }

    #[test]
    fn a_runtime_below_the_drivers_is_found_and_one_in_tests_is_not() {
        let crate_of = |rank: u64, kind: Value| {
            json!({ "packages": [{
                "name": "c", "metadata": { "mosaic": { "rank": rank, "charter": "x" } },
                "dependencies": [{ "name": "tokio", "kind": kind }],
            }] })
        };
        assert_eq!(findings(&crate_of(4, Value::Null)).len(), 1);
        assert!(findings(&crate_of(4, json!("dev"))).is_empty());
        assert!(findings(&crate_of(5, Value::Null)).is_empty());
    }
}
