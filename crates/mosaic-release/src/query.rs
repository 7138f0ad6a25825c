use mosaic_crypto::oprf::{self, Blind, OprfError};
use mosaic_wire::{EvaluateFields, OPRF_BATCH, OprfInput, TableDescriptor};
use rand::CryptoRng;
use thiserror::Error;

use crate::ReleasedEvaluation;

/// A query on its way: what leaves, and what unblinds the answer.
pub struct Evaluating {
    /// What to encode and send; the same query goes to both evaluators.
    pub query: ReleasedEvaluation,
    /// The inputs in the order of their points; points beyond them blind random input.
    pub inputs: Vec<OprfInput>,
    /// What [`oprf::finalize_all`] needs, one for each of the sixteen points.
    pub blinds: Vec<Blind>,
}

/// Why no query was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// More inputs than one batch holds.
    #[error("a query takes at most {OPRF_BATCH} inputs")]
    TooMany,
    /// An input belongs to another table.
    #[error("an input belongs to another table")]
    WrongTable,
    /// An input could not be blinded.
    #[error("an input could not be blinded")]
    Blind(#[source] OprfError),
}

/// Blinds up to sixteen inputs of `table` and fills the batch with blinded random ones.
pub(crate) fn evaluate(
    table: &TableDescriptor,
    inputs: &[OprfInput],
    rng: &mut impl CryptoRng,
) -> Result<Evaluating, QueryError> {
    if inputs.len() > OPRF_BATCH {
        return Err(QueryError::TooMany);
    }
    if inputs.iter().any(|input| input.period() != table.period) {
        return Err(QueryError::WrongTable);
    }
    let mut points = [[0; 32]; OPRF_BATCH];
    let mut blinds = Vec::with_capacity(OPRF_BATCH);
    for (at, point) in points.iter_mut().enumerate() {
        let (blind, blinded) = oprf::blind(&bytes(inputs.get(at), rng), rng).map_err(QueryError::Blind)?;
        *point = blinded;
        blinds.push(blind);
    }
    let query = ReleasedEvaluation(EvaluateFields { tile: table.tile, period: table.period, points });
    Ok(Evaluating { query, inputs: inputs.to_vec(), blinds })
}

fn bytes(input: Option<&OprfInput>, rng: &mut impl CryptoRng) -> Vec<u8> {
    let mut filler = [0; 32];
    rng.fill_bytes(&mut filler);
    input.map_or_else(|| filler.to_vec(), OprfInput::encode)
}
