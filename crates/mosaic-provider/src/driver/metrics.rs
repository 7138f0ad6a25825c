use std::fmt::Write as _;

use crate::{Counters, Gauges};

/// The counts in the Prometheus text format. Nothing in it names a row, a table, a token or an address;
/// the only label is the kind of a refusal.
pub(super) fn render(counters: &Counters, gauges: &Gauges) -> String {
    let totals = [
        ("deposits_acknowledged", "Events stored here and at one peer.", counters.deposits_acknowledged),
        ("records_accepted", "Records taken.", counters.records_accepted),
        ("records_full", "Records that met a full row.", counters.records_full),
        ("evaluations", "Evaluation batches answered.", counters.evaluations),
        ("head_reads", "Requests for heads answered.", counters.head_reads),
        ("blocks_read", "Generations handed out.", counters.blocks_read),
        ("generations_sealed", "Generations sealed here.", counters.generations_sealed),
        ("generations_replicated", "Generations of other origins stored.", counters.generations_replicated),
        ("tables_retired", "Tables destroyed on schedule.", counters.tables_retired),
        ("evidence", "Evidence found against other providers.", counters.evidence),
    ];
    let standing = [
        ("peers_up", "Peers whose last answer came.", gauges.peers_up as u64),
        ("tables", "Tables served.", gauges.tables as u64),
        ("deposits_waiting", "Deposits waiting for a flush or a replica.", gauges.waiting as u64),
        ("disk_bytes", "Bytes of the store.", gauges.disk_bytes),
        ("ready", "1 when the present table is served.", u64::from(gauges.ready)),
    ];
    let mut text = String::new();
    for (name, help, value) in totals {
        put(&mut text, &format!("{name}_total"), help, "counter", value);
    }
    for (name, help, value) in standing {
        put(&mut text, name, help, "gauge", value);
    }
    let _infallible = writeln!(text, "# HELP mosaic_provider_refused_total Refusals by kind.");
    let _infallible = writeln!(text, "# TYPE mosaic_provider_refused_total counter");
    for (code, count) in &counters.refused {
        let _infallible = writeln!(text, "mosaic_provider_refused_total{{kind=\"{}\"}} {count}", code.slug());
    }
    text
}

fn put(text: &mut String, name: &str, help: &str, kind: &str, value: u64) {
    let _infallible = writeln!(text, "# HELP mosaic_provider_{name} {help}");
    let _infallible = writeln!(text, "# TYPE mosaic_provider_{name} {kind}");
    let _infallible = writeln!(text, "mosaic_provider_{name} {value}");
}
