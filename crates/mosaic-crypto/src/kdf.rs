//! Labelled derivation: HKDF-SHA256 (RFC 5869) with every label of the project in one list.

use hkdf::Hkdf;
use sha2::{Digest as _, Sha256};

/// Declares the labels once, with their bytes and the list that the tests walk.
macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What a derived key is for. Two labels never share a key: the texts are unique and none is a
        /// prefix of another (tested).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Label { $($(#[$doc])* $name,)* }

        impl Label {
            /// Every label.
            pub const ALL: &'static [Label] = &[$(Label::$name,)*];

            /// The label's text as it enters HKDF after `mosaic/1/`.
            pub const fn text(self) -> &'static str {
                match self { $(Label::$name => $text,)* }
            }
        }
    };
}

labels! {
    /// Row of a discovery record, from the OPRF output of its input.
    DiscoveryRow = "discovery row";
    /// Outer key of a discovery record, from the same output.
    DiscoveryKey = "discovery key";
    /// Key of the second layer, from the OPRF output of a topic.
    TopicKey = "topic key";
    /// One step of the one-way ratchet of a rendezvous state.
    RendezvousRatchet = "rendezvous ratchet";
    /// Row of a rendezvous frame.
    RendezvousRow = "rendezvous row";
    /// Key of a rendezvous frame.
    RendezvousKey = "rendezvous key";
    /// Row of a group frame.
    GroupRow = "group row";
    /// Key of a group frame.
    GroupKey = "group key";
    /// One of the 64 rows where a card listens for waves.
    WaveRow = "wave row";
    /// Key of the record at such a row.
    WaveKey = "wave key";
    /// Rendezvous root of two people who share a 32-character token.
    TokenRoot = "token root";
    /// Pre-shared key of the token handshake.
    TokenPsk = "token psk";
    /// Where two people who share a code meet: from the nameplate, which is no secret.
    Nameplate = "nameplate";
    /// Where the first message to the maker of a code is answered.
    CodeAnswer = "code answer";
    /// Rendezvous root of two people who share a code, from their session key.
    CodeRoot = "code root";
    /// Pre-shared key of their handshake, from the same.
    CodePsk = "code psk";
    /// Seed of one persona from the device seed.
    PersonaSeed = "persona seed";
    /// Ephemeral secret of one bundle, real or persona.
    BundleSecret = "bundle secret";
    /// Bytes of the blur's noise.
    BlurNoise = "blur noise";
    /// Offset of the device's anchor grid.
    AnchorOffset = "anchor offset";
    /// Keyed permutation of an event's slots.
    SlotOrder = "slot order";
    /// Encryption key of a vault.
    VaultKey = "vault key";
    /// HPKE `info` of a sealed cell.
    CellRequest = "cell request";
    /// Exported secret that seals the reply of a cell.
    CellResponse = "cell response";
    /// Envelope of one share in a dealing.
    DealingShare = "dealing share";
    /// Challenge of the dealer's proof of knowledge.
    DealingProof = "dealing proof";
    /// Deterministic nonce of the proof inside a complaint.
    ComplaintNonce = "complaint nonce";
    /// Challenge of that proof.
    ComplaintProof = "complaint proof";
    /// Sub-seeds of the device seed.
    DeviceSeed = "device seed";
    /// Committing tag of an inner layer.
    RecordCommit = "record commitment";
    /// Encryption key of a sealed file.
    FileKey = "file key";
    /// Commitment to that key.
    FileCommit = "file commitment";
    /// Prologue of the wave handshake.
    WaveHandshake = "noise wave";
    /// Prologue of the token handshake.
    TokenHandshake = "noise token";
    /// Key under which a provider stores its share of a table key.
    ShareStore = "share store";
    /// Seeds of a provider's token key and of its puzzles.
    Tokens = "tokens";
    /// Key under which two aggregators check the reports of a day.
    AggregateCheck = "aggregate check";
}

/// Derives `N` bytes (at most 8,160) from `root`: HKDF-SHA256 without salt, `info` = `mosaic/1/` ‖ label ‖
/// every context part behind its length in two big-endian bytes. A part of 65,535 bytes or more enters
/// as `0xffff` and its SHA-256, so the encoding stays injective.
///
/// `root` must hold at least 128 bits of entropy, unless nothing derived from it is to be secret; a password never
/// does.
pub fn derive<const N: usize>(root: &[u8], label: Label, context: &[&[u8]]) -> [u8; N] {
    Root::new(root).derive(label, context)
}

/// A root from which much is derived: the extraction of RFC 5869 (four fifths of the price of a short
/// derivation) is done once.
pub struct Root(Hkdf<Sha256>);

impl Root {
    /// Extracts; what `root` must be is said at [`derive()`].
    pub fn new(root: &[u8]) -> Self {
        Self(Hkdf::new(None, root))
    }

    /// The same bytes as [`derive()`] from the same root.
    pub fn derive<const N: usize>(&self, label: Label, context: &[&[u8]]) -> [u8; N] {
        const { assert!(N <= 255 * 32, "HKDF-SHA256 yields at most 8,160 bytes") }
        let mut out = [0; N];
        if self.0.expand(&info(label, context), &mut out).is_err() {
            unreachable!("the length is bounded at compile time");
        }
        out
    }
}

/// The `info` string of [`derive()`].
fn info(label: Label, context: &[&[u8]]) -> Vec<u8> {
    let mut info = Vec::with_capacity(64);
    info.extend_from_slice(b"mosaic/1/");
    info.extend_from_slice(label.text().as_bytes());
    for part in context {
        match u16::try_from(part.len()) {
            Ok(length) if length < u16::MAX => {
                info.extend_from_slice(&length.to_be_bytes());
                info.extend_from_slice(part);
            }
            _ => {
                info.extend_from_slice(&u16::MAX.to_be_bytes());
                info.extend_from_slice(&Sha256::digest(part));
            }
        }
    }
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_is_a_prefix_of_another() {
        for a in Label::ALL {
            for b in Label::ALL {
                assert!(a == b || !b.text().starts_with(a.text()), "{a:?} begins {b:?}");
            }
            assert!(a.text().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b' '), "{a:?}");
        }
    }

    #[test]
    fn derivation_is_hkdf_of_the_documented_info() {
        let mut expected = [0; 42];
        let info = b"mosaic/1/wave row\x00\x02ab\x00\x00";
        Hkdf::<Sha256>::new(None, b"root").expand(info, &mut expected).unwrap();
        assert_eq!(derive::<42>(b"root", Label::WaveRow, &[b"ab", b""]), expected);
    }

    #[test]
    fn context_borders_and_labels_separate() {
        let key = |label, context: &[&[u8]]| derive::<32>(b"root", label, context);
        assert_ne!(key(Label::WaveRow, &[b"ab", b"c"]), key(Label::WaveRow, &[b"a", b"bc"]));
        assert_ne!(key(Label::WaveRow, &[]), key(Label::WaveKey, &[]));
        let long = vec![7; 70_000];
        assert_ne!(key(Label::WaveRow, &[&long]), key(Label::WaveRow, &[&long[1..]]));
    }
}
