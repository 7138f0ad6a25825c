use mosaic_crypto::{oprf::OprfOutput, record};
use mosaic_geo::{Cell, Resolution};
use mosaic_types::{ClassId, Timestamp, TopicId, Window};
use mosaic_wire::{Bundle, Carrier, OprfInput, TextField, TextPart, TopicLayer, rows};

use crate::CardId;

/// One opened bundle of the discovery lane. Real and decoy look alike: a persona's card is built,
/// sealed and answered exactly like a person's.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    /// The ephemeral public key a wave is addressed to.
    pub public: [u8; 32],
    /// Class of the public vocabulary.
    pub class: ClassId,
    /// The blurred cell the publisher named.
    pub cell: Cell,
    /// Resolution of that cell.
    pub resolution: Resolution,
    /// The two-hour window it was sealed for.
    pub window: Window,
    /// Hours it stays meaningful, counted from the start of the window.
    pub ttl: u8,
    /// Topics, when the reader could name one of them; empty otherwise.
    pub topics: Vec<TopicId>,
    /// Its words, when the inner layer opened and held them, or once enough parts of them were found.
    pub text: Option<String>,
    /// The part of longer words that this bundle holds, when the inner layer opened.
    pub part: Option<TextPart>,
    /// When this reader saw it first.
    pub first_seen: Timestamp,
}

impl Card {
    /// Opens a record read at the row of `input`: outer layer with the row's output, inner layer with
    /// whichever topic key fits.
    ///
    /// `None` for what does not open and for what opens but lies: a bundle must name the window, the
    /// class group and the very cell of the row it was found in.
    pub fn open(
        now: Timestamp,
        input: &OprfInput,
        output: &OprfOutput,
        topic_keys: &[(TopicId, [u8; 32])],
        sealed: &[u8; 192],
    ) -> Option<Self> {
        let plain = record::open_record(&rows::discovery_key(output), sealed)?;
        let bundle = Bundle::decode(plain.as_slice()).ok()?;
        let cell = honest_cell(input, &bundle)?;
        let nonce: &[u8; 24] = sealed.first_chunk()?;
        let inner = topic_keys.iter().find_map(|(_, key)| open_topics(key, nonce, &bundle));
        let topics = inner.as_ref().map(named).unwrap_or_default();
        let (text, part) = inner.map_or((None, None), |layer| words(layer.text));
        Some(Self {
            public: bundle.public,
            class: bundle.class,
            cell,
            resolution: cell.resolution(),
            window: bundle.window,
            ttl: bundle.ttl.hours(),
            topics,
            text,
            part,
            first_seen: now,
        })
    }

    /// The id this card is shown under.
    pub fn id(&self) -> CardId {
        CardId::of(&self.public)
    }

    /// Which part of longer words it can hold.
    pub fn carrier(&self) -> Carrier {
        Carrier::of(self.window, self.resolution.number())
    }

    /// First instant at which the card means nothing any more: its time to live is over. Readers
    /// enforce it (DESIGN section 6), and no card is kept longer than a day.
    pub fn ends(&self) -> Timestamp {
        let hours = u64::from(self.ttl).clamp(1, 24);
        self.window.start().after(std::time::Duration::from_secs(hours * 3_600))
    }

    /// Until when its publisher reads the mailbox of this card: two windows after its own.
    pub fn answers_until(&self) -> Timestamp {
        self.window.next().next().end()
    }
}

fn honest_cell(input: &OprfInput, bundle: &Bundle) -> Option<Cell> {
    let OprfInput::Row { cell, window, groups, group, .. } = input else { return None };
    let same_class = bundle.class.get() % (*groups).max(1) == *group;
    if bundle.cell != *cell || bundle.window != *window || !same_class {
        return None;
    }
    Cell::from_raw(bundle.cell).ok()
}

fn open_topics(key: &[u8; 32], nonce: &[u8; 24], bundle: &Bundle) -> Option<TopicLayer> {
    let plain = record::open_inner(key, nonce, &bundle.topics_sealed)?;
    TopicLayer::decode(plain.as_slice()).ok()
}

fn named(layer: &TopicLayer) -> Vec<TopicId> {
    layer.topics.iter().copied().filter(|topic| *topic != TopicId::NONE).collect()
}

fn words(field: TextField) -> (Option<String>, Option<TextPart>) {
    match field {
        TextField::Whole(text) => (Some(text.as_str().to_owned()).filter(|text| !text.is_empty()), None),
        TextField::Part(part) => (None, Some(part)),
    }
}

#[cfg(test)]
mod tests {
    use mosaic_crypto::{oprf::OprfOutput, record::RecordNonce};
    use mosaic_types::{LatLng, TtlHours};
    use mosaic_wire::{CardText, Part};

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(122_478 * 4 * 3_600 + 2_400);
    const TOPIC_KEY: [u8; 32] = [9; 32];

    fn output(seed: u8) -> OprfOutput {
        OprfOutput::from_bytes([seed; 64])
    }

    fn cell() -> Cell {
        Cell::at(LatLng::new(41.1579, -8.6291).unwrap(), Resolution::R8)
    }

    fn input() -> OprfInput {
        let window = NOW.window();
        OprfInput::Row { period: NOW.period(), resolution: 8, cell: cell().raw(), window, groups: 4, group: 1 }
    }

    fn sealed(change: impl FnOnce(&mut Bundle)) -> [u8; 192] {
        saying("flat white?", change)
    }

    fn saying(text: &str, change: impl FnOnce(&mut Bundle)) -> [u8; 192] {
        let nonce = RecordNonce::fixed_for_vectors([4; 24]);
        let text = CardText::clipped(text).carried(Carrier::of(NOW.window(), 8));
        let mut layer = TopicLayer { topics: [TopicId::NONE; 8], text };
        layer.topics[0] = TopicId(7);
        let (topics_sealed, nonce) = record::seal_inner(&TOPIC_KEY, nonce, &layer.encode());
        let mut bundle = Bundle {
            coded: Part::WHOLE,
            class: ClassId::new(5).unwrap(),
            cell: cell().raw(),
            window: NOW.window(),
            ttl: TtlHours::default(),
            public: [3; 32],
            link: [0; 16],
            topics_sealed,
        };
        change(&mut bundle);
        record::seal_record(&rows::discovery_key(&output(1)), nonce, &bundle.encode())
    }

    #[test]
    fn who_names_the_topic_reads_the_text_and_others_read_the_class() {
        let record = sealed(|_| {});
        let keys = [(TopicId(6), [8; 32]), (TopicId(7), TOPIC_KEY)];
        let named = Card::open(NOW, &input(), &output(1), &keys, &record).unwrap();
        assert_eq!((named.topics, named.text.as_deref()), (vec![TopicId(7)], Some("flat white?")));
        let unnamed = Card::open(NOW, &input(), &output(1), &keys[..1], &record).unwrap();
        assert_eq!((unnamed.topics.len(), unnamed.text, unnamed.class.get()), (0, None, 5));
    }

    #[test]
    fn longer_words_are_read_as_the_part_that_their_bundle_carries() {
        let long = "a flat white and a game of go, the table by the door";
        let open = |keys: &[_]| Card::open(NOW, &input(), &output(1), keys, &saying(long, |_| {})).unwrap();
        let card = open(&[(TopicId(7), TOPIC_KEY)]);
        let TextField::Part(part) = CardText::clipped(long).carried(card.carrier()) else { panic!("whole") };
        assert_eq!((card.text, card.part, card.topics), (None, Some(part), vec![TopicId(7)]));
        assert_eq!(open(&[]).part, None);
    }

    #[test]
    fn what_does_not_open_or_lies_is_dropped() {
        let open = |record| Card::open(NOW, &input(), &output(1), &[], &record);
        assert!(open(sealed(|_| {})).is_some() && open([0; 192]).is_none());
        assert!(Card::open(NOW, &input(), &output(2), &[], &sealed(|_| {})).is_none(), "another row's key");
        assert!(open(sealed(|bundle| bundle.window = bundle.window.next())).is_none(), "another window");
        assert!(open(sealed(|bundle| bundle.class = ClassId::new(6).unwrap())).is_none(), "another class group");
        assert!(open(sealed(|bundle| bundle.cell ^= 1 << 20)).is_none(), "another cell");
    }
}
