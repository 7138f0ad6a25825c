//! Two or more devices around one table of rows, in the order and with the losses a test wants.

mod codes;
mod decoys;
mod hostile;
mod journey;
mod limits;
mod orders;
mod shares;

use std::time::Duration;

use mosaic_crypto::{
    agreement::AgreementSecret,
    record::{self, RecordNonce},
};
use mosaic_geo::{Cell, Resolution};
use mosaic_types::{ClassId, LatLng, Timestamp, Token};
use rand::{Rng, RngExt as _, SeedableRng};
use rand_chacha::ChaCha20Rng;
use zeroize::Zeroizing;

use super::*;
use crate::Card;

const ROWS: u32 = 1 << 17;
/// The first instant of a window, and so of an epoch.
const START: Timestamp = Timestamp::from_secs(244_956 * 7_200);

fn minutes(minutes: u64) -> Timestamp {
    START.after(Duration::from_secs(minutes * 60))
}

/// What providers hold: records at rows. `sealed` gives no hint which of them is what.
#[derive(Default)]
struct Table {
    records: Vec<(u32, [u8; 192])>,
}

struct Device {
    associations: Associations,
    rng: ChaCha20Rng,
}

impl Device {
    fn new(seed: u64) -> Self {
        Self { associations: Associations::new(), rng: ChaCha20Rng::seed_from_u64(seed) }
    }

    /// Publishes one card and gives what a stranger reads of it.
    fn publishes(&mut self, origin: CardOrigin, now: Timestamp) -> Card {
        self.publishes_all(&[origin], now).remove(0)
    }

    /// Publishes these cards and no others.
    fn publishes_all(&mut self, origins: &[CardOrigin], now: Timestamp) -> Vec<Card> {
        let own = |origin: &CardOrigin| {
            let secret = AgreementSecret::random(&mut self.rng);
            OwnCard { public: secret.public().to_bytes(), secret, origin: *origin, window: now.window() }
        };
        let own: Vec<_> = origins.iter().map(own).collect();
        let cards = own.iter().map(|card| Self::card(card.public, now)).collect();
        self.associations.set_own_cards(own);
        cards
    }

    fn card(public: [u8; 32], now: Timestamp) -> Card {
        let window = now.window();
        let cell = Cell::at(LatLng::new(41.15, -8.61).unwrap(), Resolution::R8);
        Card {
            public,
            class: ClassId::new(3).unwrap(),
            cell,
            resolution: Resolution::R8,
            window,
            ttl: 48,
            topics: Vec::new(),
            text: None,
            part: None,
            first_seen: now,
        }
    }

    fn waves(&mut self, now: Timestamp, card: &Card) -> AssociationId {
        self.associations.wave(now, card, &mut self.rng).unwrap()
    }

    fn accepts(&mut self, now: Timestamp, id: AssociationId, contact: &str) {
        self.associations.accept_with(now, id, || contact_bytes(contact)).unwrap();
    }

    /// Sends what is due; everything is stored and reported so.
    fn sends(&mut self, now: Timestamp, table: &mut Table) -> usize {
        let frames = self.frames(now);
        self.associations.left(&frames.iter().map(|frame| frame.id).collect::<Vec<_>>());
        for frame in &frames {
            let sealed = self.seals(frame);
            table.records.push((frame.rows[0], sealed));
        }
        frames.len()
    }

    fn frames(&mut self, now: Timestamp) -> Vec<OutgoingFrame> {
        self.associations.outgoing(now, ROWS, 10, &mut self.rng)
    }

    fn seals(&mut self, frame: &OutgoingFrame) -> [u8; 192] {
        record::seal_record(&frame.key, RecordNonce::draw(&mut self.rng), &frame.plain)
    }

    /// Reads the whole table, as if for the first time.
    fn reads(&mut self, now: Timestamp, table: &Table) -> Vec<AssociationEvent> {
        let mut events = Vec::new();
        let wanted = self.associations.wanted(now, ROWS);
        let found: Vec<_> = table.records.iter().filter(|(row, _)| wanted.contains(*row)).copied().collect();
        for (row, sealed) in found {
            events.extend(self.associations.receive(now, row, &sealed, &mut self.rng));
        }
        events
    }

    fn state(&self, id: AssociationId) -> AssociationState {
        self.associations.get(id).unwrap().state
    }

    fn contact(&self, id: AssociationId) -> Option<String> {
        self.associations.get(id)?.contact.map(|contact| contact.expose(str::to_owned))
    }

    fn only(&self) -> AssociationId {
        assert_eq!(self.associations.list().len(), 1);
        self.associations.list()[0].id
    }
}

/// A contact card's bytes. Only `mosaic-release` makes them in the product; its place in the ranks
/// keeps it out of these tests.
fn contact_bytes(text: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; 304]);
    bytes[0] = 1;
    bytes[2..4].copy_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
    bytes[4..4 + text.len()].copy_from_slice(text.as_bytes());
    bytes
}

/// Two people who share a token; the second has joined it and sent.
fn joined(table: &mut Table) -> (Device, Device, AssociationId, Token) {
    let (mut alice, mut bob) = (Device::new(1), Device::new(2));
    let (id, token) = alice.associations.create_token(minutes(0), &mut alice.rng).unwrap();
    assert_eq!(bob.associations.join_token(minutes(1), &token, &mut bob.rng), Ok(id));
    assert_eq!(bob.sends(minutes(2), table), 1);
    (alice, bob, id, token)
}
