use super::*;
use mosaic_geo::city::synthetic_city;
use std::sync::Arc;

#[test]
#[ignore = "by hand"]
fn probe() {
    let places = Arc::new(synthetic_city(1));
    let plan = RunPlan { size: RunSize::quick(), seed: 1, places: String::new(), traces: None };
    let rng = ChaCha20Rng::seed_from_u64(plan.seed);
    let progress = Progress::SILENT;
    let mut bench =
        Bench { places: &places, plan: &plan, progress: &progress, rng, rows: Vec::new(), series: Vec::new() };
    #[expect(clippy::disallowed_methods, reason = "by hand")]
    let started = std::time::Instant::now();
    let which = std::env::var("PROBE").unwrap();
    for part in which.split(',') {
        match part {
            "lived" => {
                let r = lived::record(&places, &plan).unwrap();
                lived::attack(&mut bench, r).unwrap()
            }
            "dictionary" => dictionary::attack(&mut bench).unwrap(),
            "byzantine" => {
                let r = byzantine::record(&places, &plan).unwrap();
                byzantine::attack(&mut bench, r)
            }
            "friends" => {
                let r = friends::record(&places, &plan).unwrap();
                friends::attack(&mut bench, &r)
            }
            "opened" => {
                let naive = elements::attack(&mut bench).unwrap();
                discovery::attack(&mut bench, naive).unwrap()
            }
            "evening" => {
                let naive = elements::attack(&mut bench).unwrap();
                slots::attack(&mut bench, naive).unwrap()
            }
            "chain" => movement::attack(&mut bench).unwrap(),
            _ => {}
        }
        println!("{part} {:?}", started.elapsed());
    }
    let report = Report::of(1, bench.rows);
    println!("{report}");
}
