//! Sealed requests: HPKE base mode (RFC 9180), X25519-HKDF-SHA256 · HKDF-SHA256 · ChaCha20Poly1305.
//!
//! A request cell is encapsulated key 32 ‖ ciphertext 4,048 ‖ tag 16; a reply cell is nonce 12 ‖
//! ciphertext 4,068 ‖ tag 16 under a secret exported from the request's context. Both are 4,096 bytes
//! whatever they carry, so a relay sees one size in both directions. A replayed request draws a new
//! reply nonce, so one response key never seals two plaintexts under one nonce.

use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, Tag};
use hpke::aead::{AeadTag, ChaCha20Poly1305 as HpkeChaCha};
use hpke::inout::InOutBuf;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _, setup_receiver, setup_sender_with_rng};
use rand::CryptoRng;
use thiserror::Error;
use zeroize::ZeroizeOnDrop;

use crate::agreement::{AgreementPublic, AgreementSecret};
use crate::kdf::Label;

/// Bytes of a cell in either direction.
pub const CELL: usize = 4096;
/// Bytes a request cell carries.
pub const REQUEST_PLAIN: usize = CELL - KEY - TAG;
/// Bytes a reply cell carries.
pub const REPLY_PLAIN: usize = CELL - NONCE - TAG;

const KEY: usize = 32;
const NONCE: usize = 12;
const TAG: usize = 16;

type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type EncappedKey = <X25519HkdfSha256 as Kem>::EncappedKey;

/// Why a cell could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealCellError {
    /// The recipient's key is of small order (L3-70).
    #[error("the recipient's key is not usable")]
    WeakRecipient,
}

/// Why a cell did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenCellError {
    /// It is for another key, or a bit changed.
    #[error("the cell is not for this key or was altered")]
    Refused,
}

/// Seals and opens the reply to one request. Erased on drop.
#[derive(ZeroizeOnDrop)]
pub struct ResponseKey([u8; KEY]);

/// Seals a request for the holder of `to`.
///
/// # Errors
/// [`SealCellError::WeakRecipient`] if `to` is of small order.
pub fn seal_cell(
    to: &AgreementPublic,
    plain: &[u8; REQUEST_PLAIN],
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<([u8; CELL], ResponseKey), SealCellError> {
    let weak = |_| SealCellError::WeakRecipient;
    let to = PublicKey::from_bytes(to.as_bytes()).map_err(weak)?;
    let (encapped, mut context) =
        setup_sender_with_rng::<HpkeChaCha, HkdfSha256, X25519HkdfSha256>(&OpModeS::Base, &to, &info(), &mut &mut *rng)
            .map_err(weak)?;
    let mut cell = [0; CELL];
    cell[..KEY].copy_from_slice(&encapped.to_bytes());
    cell[KEY..CELL - TAG].copy_from_slice(plain);
    let tag = context.seal_inout_detached(InOutBuf::from(&mut cell[KEY..CELL - TAG]), &[]).map_err(weak)?;
    cell[CELL - TAG..].copy_from_slice(&tag.to_bytes());
    let mut secret = ResponseKey([0; KEY]);
    context.export(response_info(), &mut secret.0).map_err(weak)?;
    Ok((cell, secret))
}

/// Opens a request.
///
/// # Errors
/// [`OpenCellError::Refused`] for anything not sealed to this key, whole and unchanged.
pub fn open_cell(
    mine: &AgreementSecret,
    cell: &[u8; CELL],
) -> Result<([u8; REQUEST_PLAIN], ResponseKey), OpenCellError> {
    let refused = |_| OpenCellError::Refused;
    let mine = PrivateKey::from_bytes(&*mine.to_bytes()).map_err(refused)?;
    let encapped = EncappedKey::from_bytes(&cell[..KEY]).map_err(refused)?;
    let mut context =
        setup_receiver::<HpkeChaCha, HkdfSha256, X25519HkdfSha256>(&OpModeR::Base, &mine, &encapped, &info())
            .map_err(refused)?;
    let tag = AeadTag::<HpkeChaCha>::from_bytes(&cell[CELL - TAG..]).map_err(refused)?;
    let mut plain = [0; REQUEST_PLAIN];
    plain.copy_from_slice(&cell[KEY..CELL - TAG]);
    context.open_inout_detached(InOutBuf::from(plain.as_mut_slice()), &[], &tag).map_err(refused)?;
    let mut secret = ResponseKey([0; KEY]);
    context.export(response_info(), &mut secret.0).map_err(refused)?;
    Ok((plain, secret))
}

impl ResponseKey {
    /// Seals the reply.
    pub fn seal_reply(&self, plain: &[u8; REPLY_PLAIN], rng: &mut (impl CryptoRng + ?Sized)) -> [u8; CELL] {
        let mut cell = [0; CELL];
        let mut nonce = [0; NONCE];
        rng.fill_bytes(&mut nonce);
        cell[..NONCE].copy_from_slice(&nonce);
        cell[NONCE..CELL - TAG].copy_from_slice(plain);
        let body = &mut cell[NONCE..CELL - TAG];
        match self.cipher().encrypt_inout_detached((&nonce).into(), &[], body.into()) {
            Ok(tag) => cell[CELL - TAG..].copy_from_slice(&tag),
            Err(_) => unreachable!("a cell is shorter than 256 GiB"),
        }
        cell
    }

    /// Opens the reply.
    ///
    /// # Errors
    /// [`OpenCellError::Refused`] for a reply to another request, or a changed one.
    pub fn open_reply(&self, cell: &[u8; CELL]) -> Result<[u8; REPLY_PLAIN], OpenCellError> {
        let (nonce, rest) = cell.split_first_chunk::<NONCE>().ok_or(OpenCellError::Refused)?;
        let (body, tag) = rest.split_first_chunk::<REPLY_PLAIN>().ok_or(OpenCellError::Refused)?;
        let tag = Tag::try_from(tag).map_err(|_| OpenCellError::Refused)?;
        let mut plain = *body;
        self.cipher()
            .decrypt_inout_detached(nonce.into(), &[], plain.as_mut_slice().into(), &tag)
            .map_err(|_| OpenCellError::Refused)?;
        Ok(plain)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new((&self.0).into())
    }
}

fn info() -> Vec<u8> {
    [b"mosaic/1/", Label::CellRequest.text().as_bytes()].concat()
}

/// The exporter context of the reply's secret; HPKE already binds the suite and `info`.
fn response_info() -> &'static [u8] {
    Label::CellResponse.text().as_bytes()
}
