use mosaic_types::Timestamp;
use rusqlite::{Connection, MAIN_DB, OptionalExtension as _, params};
use zeroize::Zeroizing;

const SCHEMA: &str = "
    PRAGMA user_version = 1;
    CREATE TABLE items (
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        body BLOB NOT NULL,
        expires INTEGER,
        PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID;";

/// One stored thing.
pub struct Item {
    /// Its name within its kind.
    pub id: String,
    /// Its content; erased on drop.
    pub body: Zeroizing<Vec<u8>>,
    /// When it is to be deleted, if ever.
    pub expires: Option<Timestamp>,
}

/// The database, in memory only.
pub(crate) struct Image(Connection);

impl Image {
    pub(crate) fn empty() -> rusqlite::Result<Self> {
        let fresh = Connection::open_in_memory()?;
        fresh.execute_batch(SCHEMA)?;
        let image = fresh.serialize(MAIN_DB)?;
        Self::from_bytes(&image)
    }

    /// A connection made by deserializing lends its image without a copy later on (`to_bytes`).
    pub(crate) fn from_bytes(bytes: &[u8]) -> rusqlite::Result<Self> {
        let mut connection = Connection::open_in_memory()?;
        connection.deserialize_read_exact(MAIN_DB, bytes, bytes.len(), false)?;
        connection
            .execute_batch("PRAGMA secure_delete = ON; PRAGMA journal_mode = MEMORY; PRAGMA temp_store = MEMORY;")?;
        connection.query_row("SELECT count(*) FROM items WHERE kind = ''", [], |_| Ok(()))?;
        Ok(Self(connection))
    }

    pub(crate) fn to_bytes(&self) -> rusqlite::Result<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(self.0.serialize(MAIN_DB)?.to_vec()))
    }

    pub(crate) fn put(&self, kind: &str, id: &str, body: &[u8], expires: Option<Timestamp>) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO items (kind, id, body, expires) VALUES (?1, ?2, ?3, ?4)";
        self.0.prepare_cached(sql)?.execute(params![kind, id, body, expires.map(millis)]).map(drop)
    }

    pub(crate) fn get(&self, kind: &str, id: &str) -> rusqlite::Result<Option<Zeroizing<Vec<u8>>>> {
        let sql = "SELECT body FROM items WHERE kind = ?1 AND id = ?2";
        self.0.prepare_cached(sql)?.query_row([kind, id], |row| row.get(0).map(Zeroizing::new)).optional()
    }

    pub(crate) fn list(&self, kind: &str) -> rusqlite::Result<Vec<Item>> {
        let mut query = self.0.prepare_cached("SELECT id, body, expires FROM items WHERE kind = ?1 ORDER BY id")?;
        let rows = query.query_map([kind], |row| {
            let expires: Option<i64> = row.get(2)?;
            Ok(Item {
                id: row.get(0)?,
                body: row.get(1).map(Zeroizing::new)?,
                expires: expires.map(|at| Timestamp::from_millis(at.unsigned_abs())),
            })
        })?;
        rows.collect()
    }

    pub(crate) fn delete(&self, kind: &str, id: &str) -> rusqlite::Result<usize> {
        self.0.prepare_cached("DELETE FROM items WHERE kind = ?1 AND id = ?2")?.execute([kind, id])
    }

    pub(crate) fn expire(&self, now: Timestamp) -> rusqlite::Result<usize> {
        self.0.prepare_cached("DELETE FROM items WHERE expires <= ?1")?.execute([millis(now)])
    }
}

/// Overwrites what it can: with `secure_delete`, deleted content is zeroed in place.
impl Drop for Image {
    fn drop(&mut self) {
        let _unwritable_memory_stays = self.0.execute_batch("DELETE FROM items");
    }
}

fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}
