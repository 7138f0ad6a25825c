//! What `snow` asks for: randomness and X25519 are ours, hash and cipher its own.

use std::sync::{Arc, Mutex, PoisonError};

use rand::CryptoRng;
use snow::Error;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use zeroize::Zeroizing;

use crate::agreement::{AgreementPublic, AgreementSecret};

/// Hands the caller's bytes for one ephemeral key to `snow`, which wants to own its generator.
#[derive(Clone, Default)]
pub(super) struct EphemeralSource(Arc<Mutex<Option<Zeroizing<[u8; 32]>>>>);

impl EphemeralSource {
    /// Draws the bytes of the next ephemeral key.
    pub(super) fn refill(&self, rng: &mut (impl CryptoRng + ?Sized)) {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut_slice());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
    }
}

impl Random for EphemeralSource {
    /// Gives the drawn bytes once; a second request fails rather than repeat a key.
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Error> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or(Error::Rng)?;
        if dest.len() != bytes.len() {
            return Err(Error::Rng);
        }
        dest.copy_from_slice(bytes.as_slice());
        Ok(())
    }
}

/// Our resolver.
pub(super) struct OurResolver(EphemeralSource);

impl OurResolver {
    pub(super) const fn new(ephemeral: EphemeralSource) -> Self {
        Self(ephemeral)
    }
}

impl CryptoResolver for OurResolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(self.0.clone()))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        match choice {
            DHChoice::Curve25519 => Some(Box::<X25519>::default()),
            _ => None,
        }
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}

/// A key pair in the shape `snow` wants.
#[derive(Default)]
struct X25519 {
    secret: Zeroizing<[u8; 32]>,
    public: [u8; 32],
}

impl X25519 {
    fn install(&mut self, secret: Zeroizing<[u8; 32]>) {
        self.public = AgreementSecret::from_bytes(*secret).public().to_bytes();
        self.secret = secret;
    }
}

impl Dh for X25519 {
    fn name(&self) -> &'static str {
        "25519"
    }

    fn pub_len(&self) -> usize {
        32
    }

    fn priv_len(&self) -> usize {
        32
    }

    /// The builder has checked the length; a wrong one leaves the pair as it was.
    fn set(&mut self, privkey: &[u8]) {
        if let Ok(secret) = <[u8; 32]>::try_from(privkey) {
            self.install(Zeroizing::new(secret));
        }
    }

    fn generate(&mut self, rng: &mut dyn Random) -> Result<(), Error> {
        let mut secret = Zeroizing::new([0; 32]);
        rng.try_fill_bytes(secret.as_mut_slice())?;
        self.install(secret);
        Ok(())
    }

    fn pubkey(&self) -> &[u8] {
        &self.public
    }

    fn privkey(&self) -> &[u8] {
        self.secret.as_slice()
    }

    fn dh(&self, pubkey: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let public = pubkey.first_chunk::<32>().ok_or(Error::Dh)?;
        let shared =
            AgreementSecret::from_bytes(*self.secret).agree(&AgreementPublic(*public)).map_err(|_| Error::Dh)?;
        out.get_mut(..32).ok_or(Error::Dh)?.copy_from_slice(shared.as_bytes());
        Ok(())
    }
}
