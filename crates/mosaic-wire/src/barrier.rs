//! The release barrier.

/// Something that was allowed to leave the device.
///
/// Implemented in `mosaic-release` and nowhere else: a value of an implementing type is the evidence
/// that the noise floor was met and the ledger charged. CI searches the whole workspace for
/// `Releasable for` and accepts it only in `crates/mosaic-release` and in this module's unit
/// tests, through which the vectors are made.
pub trait Releasable {
    /// The message that leaves: [`crate::EventFields`], [`crate::EvaluateFields`], [`crate::ReportFields`],
    /// [`crate::ContactCard`] or [`crate::Announcement`]; the bound cannot be named or implemented outside this crate.
    type Object: sealed::Object;

    /// Lends the message.
    fn object(&self) -> &Self::Object;
}

/// The bytes of a released message: the only way to encode one.
pub fn encode<R: Releasable>(released: &R) -> Vec<u8> {
    sealed::Object::bytes(released.object())
}

pub(crate) mod sealed {
    /// A message that has bytes only behind the barrier.
    pub trait Object {
        /// The message as it travels.
        fn bytes(&self) -> Vec<u8>;
    }
}

#[cfg(test)]
pub(crate) mod tests;
