use mosaic_wire::ShortText;
use rand::RngExt;
use rand_chacha::ChaCha20Rng;

/// Ways people put a wish; `*` stands for the topic.
const TEMPLATES: &[&str] = &[
    "*",
    "* anyone?",
    "anyone for *?",
    "up for *",
    "* today?",
    "* tonight?",
    "* this week",
    "looking for *",
    "* partner wanted",
    "* buddies?",
    "new here, into *",
    "* near here?",
    "* beginners welcome",
    "keen on *",
    "* :)",
    "let's do *",
    "small group for *",
    "who likes *?",
    "* after work?",
    "* at the weekend?",
    "first time *",
    "love *",
    "* and a chat",
    "casual *",
    "*, all welcome",
];

/// A short line about the topic, as people write them; at most 41 bytes.
pub(super) fn sentence(topic: &str, rng: &mut ChaCha20Rng) -> String {
    let line = TEMPLATES[rng.random_range(0..TEMPLATES.len())].replace('*', topic);
    let line = if rng.random_bool(0.3) { capitalised(&line) } else { line };
    if line.len() <= ShortText::MAX_BYTES { line } else { cut(topic).to_owned() }
}

fn capitalised(line: &str) -> String {
    let mut letters = line.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn cut(topic: &str) -> &str {
    &topic[..topic.floor_char_boundary(ShortText::MAX_BYTES)]
}
