//! The truth of a run, in one file that only its owner reads.

use std::path::Path;

use serde_json::{Value, json};

use super::{Lines, SYBILS, Watch};
use crate::{
    demo::{Plan, Record, Released, Stage},
    exit::{Exit, OrExit, Outcome},
    home::read_file,
};

/// Where an agent of the run leaves its part of the truth.
pub(crate) fn of_agent(stage: &Path, number: usize) -> std::path::PathBuf {
    stage.join("agents").join(number.to_string()).join("truth.jsonl")
}

/// Puts together what people said and what their agents did; says how many events were released.
pub(super) fn write(plan: &Plan, records: &[Record], stage: &Stage, watch: &Watch, path: &Path) -> Outcome<usize> {
    let lines = Lines::create(path)?;
    let mut events = 0;
    for (person, record) in records.iter().enumerate() {
        lines.put(&json!({ "kind": "person", "person": person, "client": watch.device(person) }))?;
        for said in &record.said {
            let released = match said.released {
                Released::Fine(_) => "fine",
                Released::Zone(_) => "zone",
                Released::Withheld => "withheld",
            };
            lines.put(&json!({
                "kind": "wish", "person": person, "at_ms": said.at.as_millis(), "lat": said.place.lat(),
                "lon": said.place.lng(), "words": said.words, "class": said.class, "released": released,
                "cards": said.cards,
            }))?;
        }
        for met in record.contacts.values() {
            let gave = |other: &crate::demo::Person| other.contact == met.contact || other.token_contact == met.contact;
            let giver = plan.people.iter().position(gave);
            lines.put(&json!({ "kind": "contact", "person": person, "giver": giver, "at_ms": met.at.as_millis() }))?;
        }
        if let Some(token) = &record.token {
            let partner = plan.people.get(person).and_then(|person| person.partner);
            lines.put(&json!({
                "kind": "token", "person": person, "partner": partner, "connected": token.connected,
            }))?;
        }
        events += write_events(&lines, stage, person, "person", person)?;
    }
    for sybil in 0..SYBILS {
        let number = records.len() + sybil;
        lines.put(&json!({ "kind": "sybil", "sybil": sybil, "client": watch.device(number) }))?;
        events += write_events(&lines, stage, number, "sybil", sybil)?;
    }
    lines.flush()?;
    Ok(events)
}

/// What an agent released, under whose number it goes.
fn write_events(lines: &Lines, stage: &Stage, agent: usize, whose: &str, number: usize) -> Outcome<usize> {
    let truth = read_file(&of_agent(stage.path(), agent))?;
    let mut events = 0;
    for line in truth.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let mut event: Value = serde_json::from_slice(line).or_exit(Exit::Local, "an agent's truth is damaged")?;
        event["kind"] = "event".into();
        event[whose] = number.into();
        lines.put(&event)?;
        events += 1;
    }
    Ok(events)
}

/// Wishes that agents withheld.
pub(super) fn withheld(records: &[Record]) -> usize {
    records.iter().flat_map(|record| &record.said).filter(|said| said.withheld()).count()
}
