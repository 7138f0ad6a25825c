use argon2::{Algorithm, Argon2, Params, Version};
use mosaic_crypto::{
    digest,
    kdf::{Label, derive},
};
use rand::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

/// Bytes of a header.
pub(crate) const HEADER: usize = 64;

const MAGIC: &[u8; 8] = b"MOSAICVT";
const VERSION: u8 = 1;
const DIGESTED: usize = 56;

/// What one guess of the password costs (Argon2id, RFC 9106). Stored in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl KdfCost {
    /// 64 MiB, three passes, one lane (S-43).
    pub const STANDARD: Self = Self { memory_kib: 64 * 1_024, passes: 3, lanes: 1 };

    /// Next to nothing: a stolen file is guessed at once. For practice federations and tests, which create
    /// dozens of vaults; a header that carries it stays weak until the password is changed.
    pub const fn dangerously_cheap() -> Self {
        Self { memory_kib: 64, passes: 1, lanes: 1 }
    }

    /// Whether this is less than [`Self::STANDARD`].
    pub const fn is_weak(self) -> bool {
        self.memory_kib < Self::STANDARD.memory_kib || self.passes < Self::STANDARD.passes
    }

    /// A header from elsewhere may not make us fill the memory or wait for ever.
    const fn is_sane(self) -> bool {
        let memory = self.memory_kib >= 8 && self.memory_kib <= 1_024 * 1_024;
        memory && self.passes >= 1 && self.passes <= 16 && self.lanes >= 1 && self.lanes <= 4
    }
}

/// Public first bytes of a vault file.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) cost: KdfCost,
    salt: [u8; 32],
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadHeader {
    /// They do not begin like a vault.
    #[error("this is no vault")]
    NotAVault,
    /// Written by a newer version of this program.
    #[error("this vault was written by a newer version")]
    NewerVersion,
    /// Cut short, altered, or with a cost that no vault has.
    #[error("the vault's header is damaged")]
    Damaged,
}

/// Reads the public first bytes of a vault file: what a guess of its password costs.
///
/// # Errors
/// [`BadHeader`].
pub fn read_header(bytes: &[u8]) -> Result<KdfCost, BadHeader> {
    let header = bytes.first_chunk::<HEADER>().ok_or(BadHeader::NotAVault)?;
    Header::decode(header).map(|header| header.cost)
}

impl Header {
    /// A header with a fresh salt.
    pub(crate) fn fresh(cost: KdfCost, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut salt = [0; 32];
        rng.fill_bytes(&mut salt);
        Self { cost, salt }
    }

    pub(crate) fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8] = VERSION;
        bytes[12..16].copy_from_slice(&self.cost.memory_kib.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.cost.passes.to_be_bytes());
        bytes[20..24].copy_from_slice(&self.cost.lanes.to_be_bytes());
        bytes[24..DIGESTED].copy_from_slice(&self.salt);
        let check = digest(&[&bytes[..DIGESTED]]);
        bytes[DIGESTED..].copy_from_slice(&check[..HEADER - DIGESTED]);
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; HEADER]) -> Result<Self, BadHeader> {
        if &bytes[..8] != MAGIC {
            return Err(BadHeader::NotAVault);
        }
        if digest(&[&bytes[..DIGESTED]])[..HEADER - DIGESTED] != bytes[DIGESTED..] {
            return Err(BadHeader::Damaged);
        }
        if bytes[8] != VERSION {
            return Err(BadHeader::NewerVersion);
        }
        let number = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let cost = KdfCost { memory_kib: number(12), passes: number(16), lanes: number(20) };
        let mut salt = [0; 32];
        salt.copy_from_slice(&bytes[24..DIGESTED]);
        if cost.is_sane() { Ok(Self { cost, salt }) } else { Err(BadHeader::Damaged) }
    }

    /// The key for `password`; `None` when the machine lacks the memory.
    pub(crate) fn key(&self, password: &str) -> Option<Zeroizing<[u8; 32]>> {
        let params = Params::new(self.cost.memory_kib, self.cost.passes, self.cost.lanes, Some(32)).ok()?;
        let mut stretched = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), &self.salt, &mut *stretched)
            .ok()?;
        Some(Zeroizing::new(derive(&*stretched, Label::VaultKey, &[])))
    }
}
