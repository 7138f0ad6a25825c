use mosaic_crypto::digest;
use mosaic_types::Timestamp;
use mosaic_wire::{Call, CellRequest};

/// Everything one provider ever received from agents and from its peers: the view of adversary P1.
#[derive(Default)]
pub struct Learned {
    bytes: Vec<u8>,
    events: Vec<(Timestamp, Box<[u8; 2048]>)>,
    reads: Vec<(Timestamp, Call)>,
    relayed: u64,
}

impl Learned {
    /// A request that was opened here.
    pub(crate) fn request(&mut self, now: Timestamp, call: &Call) {
        if let Call::Cell(CellRequest::Deposit { event, .. }) = call {
            self.events.push((now, Box::new(*event)));
        }
        if matches!(call, Call::Stack(_) | Call::Generations(_)) {
            self.reads.push((now, call.clone()));
        }
        match call {
            Call::Cell(request) => self.bytes.extend(request.encode()),
            Call::Heads(query) => self.bytes.extend(query.encode()),
            Call::Generations(query) => self.bytes.extend(query.encode()),
            Call::Stack(query) => self.bytes.extend(query.encode()),
            Call::Terms => {}
            Call::Tokens(query) => self.bytes.extend(query.encode()),
            Call::Table(period) => self.bytes.extend(period.0.to_be_bytes()),
            Call::Federation | Call::Time | Call::Statements => {}
        }
    }

    /// A sealed request that passed on its way to another provider: its size is all there is.
    pub(crate) const fn relay(&mut self) {
        self.relayed += 1;
    }

    /// A message from a peer, or its reply.
    pub(crate) fn peer(&mut self, body: &[u8]) {
        self.bytes.extend(body);
    }

    /// All bytes, in the order in which they came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The events agents deposited here, with the time of arrival.
    pub fn events(&self) -> impl Iterator<Item = (Timestamp, &[u8; 2048])> {
        self.events.iter().map(|(at, event)| (*at, &**event))
    }

    /// The downloads and blind reads agents asked of it, with the time of arrival.
    pub fn reads(&self) -> &[(Timestamp, Call)] {
        &self.reads
    }

    /// How many sealed requests it relayed.
    pub const fn relayed(&self) -> u64 {
        self.relayed
    }

    /// A digest of all of it: equal for two runs from one seed.
    pub fn digest(&self) -> [u8; 32] {
        let times: Vec<u8> = self.events.iter().flat_map(|(at, _)| at.as_millis().to_be_bytes()).collect();
        digest(&[&self.bytes, &times, &self.relayed.to_be_bytes()])
    }
}
