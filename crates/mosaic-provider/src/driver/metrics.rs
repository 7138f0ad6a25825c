use std::fmt::Write as _;

use mosaic_wire::ProblemCode;

use crate::{Counters, Gauges};

/// The counts in the Prometheus text format. Every series is there from the start, at zero: a rate over one that
/// appears with its first count would miss that count. Nothing in it names a row, a table, a token or an address;
/// the only label is the kind of a refusal.
pub(super) fn render(counters: &Counters, gauges: &Gauges) -> String {
    let totals = [
        ("deposits_acknowledged", "Events stored here and at one peer.", counters.deposits_acknowledged),
        ("records_accepted", "Records taken.", counters.records_accepted),
        ("records_full", "Records that met a full row.", counters.records_full),
        ("evaluations", "Evaluation batches answered.", counters.evaluations),
        ("tokens_issued", "Points evaluated for tokens.", counters.tokens_issued),
        ("tokens_spent", "Tokens spent here or with a deposit that was copied here.", counters.tokens_spent),
        ("head_reads", "Requests for heads answered.", counters.head_reads),
        ("blocks_read", "Generations handed out.", counters.blocks_read),
        ("blind_reads", "Tables scanned for a reader's keys.", counters.blind_reads),
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
        ("statements", "Statements of two aggregators handed out.", gauges.statements as u64),
        ("statement_reports", "Reports of the newest statement, in whole hundreds.", gauges.statement_reports),
        ("token_work", "Attempts that a unit of tokens over a day costs.", gauges.token_work),
        ("clock_seconds", "The provider's clock, in Unix seconds.", gauges.clock_seconds),
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
    for code in ProblemCode::ALL {
        let count = counters.refused.get(code).copied().unwrap_or_default();
        let _infallible = writeln!(text, "mosaic_provider_refused_total{{kind=\"{}\"}} {count}", code.slug());
    }
    text
}

fn put(text: &mut String, name: &str, help: &str, kind: &str, value: u64) {
    let _infallible = writeln!(text, "# HELP mosaic_provider_{name} {help}");
    let _infallible = writeln!(text, "# TYPE mosaic_provider_{name} {kind}");
    let _infallible = writeln!(text, "mosaic_provider_{name} {value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each series has one line, and each name its help and type before the first of them.
    #[test]
    fn every_series_is_there_before_anything_happened() {
        let mut counters = Counters::default();
        counters.refuse(ProblemCode::Quota);
        let text = render(&counters, &Gauges { clock_seconds: 1_780_675_200, ..Gauges::default() });
        for code in ProblemCode::ALL {
            let count = u64::from(*code == ProblemCode::Quota);
            let line = format!("mosaic_provider_refused_total{{kind=\"{}\"}} {count}\n", code.slug());
            assert_eq!(text.matches(&line).count(), 1, "{line}{text}");
        }
        assert!(text.contains("\nmosaic_provider_clock_seconds 1780675200\n"), "{text}");
        let mut described = "";
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                described = help.split(' ').next().unwrap();
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!((name, kind == "counter"), (described, name.ends_with("_total")), "{line}");
            } else {
                assert_eq!(line.split(['{', ' ']).next(), Some(described), "{line}");
            }
        }
        assert_eq!(text.matches("# HELP ").count(), text.matches("# TYPE ").count());
    }
}
