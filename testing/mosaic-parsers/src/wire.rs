//! Wire objects: whatever is accepted encodes to exactly the same bytes again.

use std::collections::BTreeMap;

use mosaic_types::Window;
use mosaic_wire::{
    Bin, Bundle, Carrier, CellReply, CellRequest, ContactCard, EvaluateFields, EventFields, Frame, GatheredText,
    GenerationBlock, GenerationsQuery, GenerationsReply, GroupFrame, Head, HeadsQuery, HeadsReply, Problem, Receipt,
    ReportFields, SignedTable, SignedTerms, SignedTime, StackQuery, StackReply, TextField, TextRef, TokensQuery,
    TokensReply, TopicLayer, WireToken,
};

use crate::Target;

/// A target whose object has a public encoder.
macro_rules! exact {
    ($name:literal, $object:ty) => {
        Target {
            name: $name,
            run: |bytes| {
                if let Ok(object) = <$object>::decode(bytes) {
                    assert!(object.encode().as_slice() == bytes, "accepted, but written differently");
                }
            },
        }
    };
}

pub(crate) const TARGETS: &[Target] = &[
    exact!("wire_bundle", Bundle),
    exact!("wire_topic_layer", TopicLayer),
    exact!("wire_frame", Frame),
    exact!("wire_group_frame", GroupFrame),
    exact!("wire_receipt", Receipt),
    exact!("wire_head", Head),
    exact!("wire_time", SignedTime),
    exact!("wire_table", SignedTable),
    exact!("wire_generation", GenerationBlock),
    exact!("wire_heads_query", HeadsQuery),
    exact!("wire_heads_reply", HeadsReply),
    exact!("wire_generations_query", GenerationsQuery),
    exact!("wire_generations_reply", GenerationsReply),
    exact!("wire_stack_query", StackQuery),
    exact!("wire_stack_reply", StackReply),
    exact!("wire_token", WireToken),
    exact!("wire_terms", SignedTerms),
    exact!("wire_tokens_query", TokensQuery),
    exact!("wire_tokens_reply", TokensReply),
    exact!("wire_cell_request", CellRequest),
    exact!("wire_cell_reply", CellReply),
    Target { name: "wire_bin", run: bin },
    Target { name: "wire_gathered_text", run: gathered_text },
    Target { name: "wire_event", run: event },
    Target { name: "wire_evaluate", run: evaluate },
    Target { name: "wire_report", run: report },
    Target { name: "wire_contact_card", run: contact_card },
    Target { name: "wire_problem", run: problem },
];

/// A bin is as long as its table's fullest, so its length is not its own to say.
fn bin(bytes: &[u8]) {
    if let Ok(bin) = Bin::decode(bytes) {
        assert!(bin.encode(bytes.len()) == bytes, "accepted, but written differently");
    }
}

/// Parts of one text as strangers send them: a byte for the window, then a topic layer, again and again.
fn gathered_text(bytes: &[u8]) {
    let mut texts: BTreeMap<TextRef, GatheredText> = BTreeMap::new();
    for found in bytes.chunks_exact(1 + TopicLayer::SIZE) {
        let Some((window, layer)) = found.split_first() else { continue };
        let Ok(TopicLayer { text: TextField::Part(part), .. }) = TopicLayer::decode(layer) else { continue };
        let of = part.text();
        let gathered = texts.entry(of).or_default();
        let before = gathered.text().cloned();
        gathered.add(Carrier::of(Window((*window).into()), 8), &part);
        assert!(before.is_none() || gathered.text() == before.as_ref(), "words that were read changed");
        assert!(gathered.text().is_none_or(|text| text.parts_needed() == of.needed()), "read from too few parts");
    }
}

// The next three have no encoder on this side of the release barrier; the wire's own tests compare theirs.

fn event(bytes: &[u8]) {
    if let Ok(event) = EventFields::decode(bytes) {
        assert!(event.has_distinct_rows(), "accepted with a row twice");
        assert!(bytes.ends_with(event.slots.as_flattened()), "the slots moved");
    }
}

fn evaluate(bytes: &[u8]) {
    if let Ok(query) = EvaluateFields::decode(bytes) {
        assert!(bytes.ends_with(query.points.as_flattened()), "the points moved");
    }
}

fn report(bytes: &[u8]) {
    if let Ok(share) = ReportFields::decode(bytes) {
        assert!(bytes.ends_with(&share.input_share), "the share moved");
    }
}

fn contact_card(bytes: &[u8]) {
    if let Ok(card) = ContactCard::decode(bytes) {
        card.text.expose(|text| assert!(bytes[4..].starts_with(text.as_bytes()), "the text moved"));
    }
}

fn problem(bytes: &[u8]) {
    if let Ok(problem) = Problem::from_json(bytes) {
        assert_eq!(Problem::from_json(problem.to_json().as_bytes()), Ok(problem));
    }
}
