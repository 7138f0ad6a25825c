//! `vectors/wire-rows.json`: OPRF inputs, rows and keys of both lanes.

use mosaic_crypto::oprf::OprfOutput;
use mosaic_types::{ClassId, Epoch, Period, TopicId, Window};
use serde_json::{Value, json};

use super::{pattern, records::sample_event, reports::sample_table, settle};
use crate::{
    Direction, OprfInput, RendezvousState, event_hash,
    rows::{discovery_key, discovery_row, topic_key, wave_key, wave_row},
};

const CELL: u64 = 0x0883_9c6d_1bff_ffff;

#[test]
fn rows_and_keys() {
    let content = json!({
        "object": "rows",
        "specification": "docs/spec/rows.md",
        "oprf_inputs": inputs(),
        "discovery": discovery(),
        "rendezvous": rendezvous(),
        "waves": waves(),
        "groups": groups(),
        "hashes": {
            "event": { "event": "the event vector", "hash": hex::encode(event_hash(&super::passed(sample_event()).try_into().unwrap())) },
            "table": { "table": "the table vector", "hash": hex::encode(sample_table().hash()) },
        },
    });
    settle("wire-rows.json", &content);
}

fn inputs() -> Vec<Value> {
    let table = sample_table();
    let class = ClassId::new(11).unwrap();
    let row = |resolution, groups, group| {
        let input = table.row_input(resolution, CELL, Window(244_956), class).unwrap();
        let expected =
            OprfInput::Row { period: Period(122_478), resolution, cell: CELL, window: Window(244_956), groups, group };
        assert_eq!(input, expected);
        json!({
            "kind": "row", "period": 122_478, "resolution": resolution, "cell": format!("{CELL:016x}"), "window": 244_956,
            "groups": groups, "group": group, "bytes": hex::encode(input.encode()),
        })
    };
    let topic = table.topic_input(class, TopicId(301));
    let topic =
        json!({ "kind": "topic", "period": 122_478, "class": 11, "topic": 301, "bytes": hex::encode(topic.encode()) });
    assert_eq!(table.row_input(9, CELL, Window(244_956), class), None);
    vec![row(8, 1, 0), row(7, 4, 3), row(6, 16, 11), topic]
}

fn discovery() -> Value {
    let output = OprfOutput::from_bytes(pattern(0x5A));
    let rows = [16_384, 1_000, 1].map(|rows| {
        let chain = [0, 1, 2, 3].map(|chain| discovery_row(&output, chain, rows));
        json!({ "rows": rows, "chain": chain })
    });
    json!({
        "oprf_output": hex::encode(output.as_bytes()), "rows": rows, "key": hex::encode(*discovery_key(&output)),
        "topic_key": hex::encode(topic_key(&output)),
    })
}

fn rendezvous() -> Value {
    let root = pattern(0x5B);
    let now = RendezvousState::new(root);
    let next = now.ratchet();
    let state = |state: &RendezvousState| {
        let at = |direction: Direction, counter: u16, chain: u8| {
            json!({
                "direction": direction.number(), "counter": counter, "chain": chain, "rows": 131_072,
                "row": state.row(direction, counter, chain, 131_072), "key": hex::encode(*state.key(direction, counter)),
            })
        };
        [at(Direction::FromInitiator, 0, 0), at(Direction::FromResponder, 0, 0), at(Direction::FromInitiator, 258, 3)]
    };
    json!({ "root": hex::encode(root), "epochs": [state(&now), state(&next)] })
}

fn waves() -> Value {
    let card = pattern(0x5C);
    let at = |epoch, j, chain| {
        json!({
            "epoch": epoch, "j": j, "chain": chain, "rows": 131_072, "row": wave_row(&card, Epoch(epoch), j, chain, 131_072),
            "key": hex::encode(wave_key(&card, Epoch(epoch), j)),
        })
    };
    json!({ "card": hex::encode(card), "rows": [at(979_824, 0, 0), at(979_824, 63, 1), at(979_825, 0, 0)] })
}

fn groups() -> Value {
    let root = pattern(0x63);
    let now = RendezvousState::new(root);
    let next = now.ratchet();
    let state = |state: &RendezvousState| {
        let rows = state.group_rows();
        [(0, 0, 0), (63, 0, 0), (0, 7, 0), (0, 0, 3)].map(|(slot, counter, chain)| {
            json!({
                "slot": slot, "counter": counter, "chain": chain, "rows": 131_072,
                "row": rows.row(slot, counter, chain, 131_072), "key": hex::encode(*rows.key(slot, counter)),
            })
        })
    };
    json!({ "state": hex::encode(root), "epochs": [state(&now), state(&next)] })
}

#[test]
fn directions_counters_chains_and_epochs_lead_elsewhere() {
    let state = RendezvousState::new(pattern(1));
    let rows = u32::MAX;
    let all = [
        state.row(Direction::FromInitiator, 0, 0, rows),
        state.row(Direction::FromResponder, 0, 0, rows),
        state.row(Direction::FromInitiator, 1, 0, rows),
        state.row(Direction::FromInitiator, 0, 1, rows),
        state.ratchet().row(Direction::FromInitiator, 0, 0, rows),
    ];
    let different: std::collections::BTreeSet<_> = all.into_iter().collect();
    assert_eq!(different.len(), all.len());
    assert_eq!(state.row(Direction::FromInitiator, 0, 0, 0), 0);
    assert_eq!(Direction::FromInitiator.reversed(), Direction::FromResponder);
}
