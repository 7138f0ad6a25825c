//! The contract as the requirements state it: every bound from both sides, and the document that says so.

mod bounds;
mod document;
