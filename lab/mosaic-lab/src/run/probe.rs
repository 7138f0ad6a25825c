use std::sync::Arc;
use mosaic_geo::city::synthetic_city;
use super::*;

#[test]
#[ignore = "by hand"]
fn probe() {
    let places = Arc::new(synthetic_city(1));
    let plan = RunPlan { size: RunSize::quick(), seed: 1, places: String::new(), traces: None };
    let rng = ChaCha20Rng::seed_from_u64(plan.seed);
    let progress = Progress::SILENT;
    let mut bench = Bench { places: &places, plan: &plan, progress: &progress, rng, rows: Vec::new(), series: Vec::new() };
    #[expect(clippy::disallowed_methods, reason = "by hand")]
    let started = std::time::Instant::now();
    let which = std::env::var("PROBE").unwrap();
    for part in which.split(',') {
        match part {
            "lived" => lived::attack(&mut bench).unwrap(),
            "dictionary" => dictionary::attack(&mut bench).unwrap(),
            "byzantine" => byzantine::attack(&mut bench).unwrap(),
            "friends" => friends::attack(&mut bench).unwrap(),
            "chain" => movement::attack(&mut bench).unwrap(),
            _ => {}
        }
        println!("{part} {:?}", started.elapsed());
    }
    let report = Report::of(1, bench.rows);
    println!("{report}");
}
