//! Sealed local state: one AEAD-sealed file around an in-memory SQLite image; locks, rotates, forgets on time.
