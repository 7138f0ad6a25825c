use mosaic_crypto::{
    agreement::AgreementSecret,
    kdf::{Label, derive},
    signing::SigningKey,
};
use mosaic_federation::Issuer;
use mosaic_types::{Period, ProviderId};
use mosaic_wire::SignedTime;
use rand::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

/// One provider's long-lived secrets. No `Clone`, no `Debug`; erased on drop.
pub struct ProviderKeys {
    /// Its number.
    pub me: ProviderId,
    /// Signs everything.
    pub signing: SigningKey,
    /// Opens cells.
    pub cell: AgreementSecret,
    /// Opens shares of table keys.
    pub ceremony: AgreementSecret,
    /// Root of the token key, of the puzzles and of the store's sealing.
    pub root: Zeroizing<[u8; 32]>,
}

impl ProviderKeys {
    /// Bytes of [`Self::to_bytes`].
    pub const SIZE: usize = 128;

    /// Draws fresh keys for provider `me`.
    pub fn generate(me: ProviderId, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut root = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *root);
        let (cell, ceremony) = (AgreementSecret::random(rng), AgreementSecret::random(rng));
        Self { me, signing: SigningKey::generate(rng), cell, ceremony, root }
    }

    /// The keys for a file that only the operator reads: four secrets of 32 B.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(Self::SIZE));
        bytes.extend_from_slice(&*self.signing.to_bytes());
        bytes.extend_from_slice(&*self.cell.to_bytes());
        bytes.extend_from_slice(&*self.ceremony.to_bytes());
        bytes.extend_from_slice(&*self.root);
        bytes
    }

    /// Reads [`Self::to_bytes`] of provider `me`; `None` for another length.
    pub fn from_bytes(me: ProviderId, bytes: &[u8]) -> Option<Self> {
        let (secrets, []) = bytes.as_chunks::<32>() else { return None };
        let [signing, cell, ceremony, root] = secrets else { return None };
        Some(Self {
            me,
            signing: SigningKey::from_bytes(signing),
            cell: AgreementSecret::from_bytes(*cell),
            ceremony: AgreementSecret::from_bytes(*ceremony),
            root: Zeroizing::new(*root),
        })
    }

    /// Under what a period's ceremony is sealed: from the period's own key, which is destroyed with the
    /// table, and the root, so that neither file alone opens anything.
    pub(crate) fn share_key(&self, period: Period, own: &[u8; 32]) -> Zeroizing<[u8; 32]> {
        let mut both = [*self.root, *own].concat();
        let key = Zeroizing::new(derive(&both, Label::ShareStore, &[&period.0.to_be_bytes()]));
        both.zeroize();
        key
    }

    /// The public half of the key that its tokens are issued under.
    pub fn token_key(&self) -> [u8; 32] {
        // a derivation fails for no seed that will ever be drawn
        Issuer::key(&self.token_seed()).map(|key| *key.public()).unwrap_or_default()
    }

    pub(crate) fn token_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(derive(&*self.root, Label::Tokens, &[b"key"]))
    }

    /// What the puzzles of a day are bound to. Public on that day, and nobody's to guess before.
    pub(crate) fn puzzle_seed(&self, day: u64) -> [u8; 32] {
        derive(&*self.root, Label::Tokens, &[b"puzzle", &day.to_be_bytes()])
    }

    pub(crate) fn time(&self, now: mosaic_types::Timestamp) -> SignedTime {
        SignedTime::sign(self.me, now, &self.signing)
    }
}
