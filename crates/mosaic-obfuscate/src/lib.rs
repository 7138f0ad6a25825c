//! Draft to blurred and decoy-mixed content within a budget: vocabulary, noise, ledger, personas.
