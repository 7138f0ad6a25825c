//! The reproducible step that makes `data/vocabulary.tsv`.
