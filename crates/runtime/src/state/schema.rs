//! The tables, and the steps from each version of them to the next.

use std::path::Path;

use rusqlite::Connection;

use super::StateError;

/// Marks a SQLite file as ours ("Cofd").
pub(super) const APPLICATION_ID: i32 = 0x436f_6664;

/// Each step leads from the version of its position to the next; a release only ever adds one.
///
/// `AUTOINCREMENT` is what keeps numbers from being given twice. Tenant 1 is `default`, which has
/// no row, so counting begins behind it.
pub(super) const STEPS: &[&str] = &[TENANTS_AND_CREDENTIALS, TRAFFIC, VOLUMES, PAIRS, HOT_KEYS];

const TENANTS_AND_CREDENTIALS: &str = "
    CREATE TABLE tenant (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        quota_bytes INTEGER NOT NULL,
        item_size_max INTEGER NOT NULL,
        created INTEGER NOT NULL DEFAULT (unixepoch())
    ) STRICT;
    CREATE TABLE credential (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        tenant INTEGER NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
        username TEXT NOT NULL,
        salt BLOB NOT NULL CHECK (length(salt) = 16),
        password_sha256 BLOB NOT NULL CHECK (length(password_sha256) = 32),
        rights TEXT NOT NULL,
        is_primary INTEGER NOT NULL,
        created INTEGER NOT NULL DEFAULT (unixepoch()),
        revoked INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX credential_live_username ON credential (username) WHERE revoked IS NULL;
    CREATE INDEX credential_tenant ON credential (tenant);
    CREATE TABLE remark (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO sqlite_sequence (name, seq) VALUES ('tenant', 1);
";

/// No reference to `tenant`, where `default` has no row; what is not limited is null.
const TRAFFIC: &str = "
    CREATE TABLE traffic (
        tenant INTEGER PRIMARY KEY,
        ops_per_second INTEGER CHECK (ops_per_second > 0),
        bytes_in_per_second INTEGER CHECK (bytes_in_per_second > 0),
        bytes_out_per_second INTEGER CHECK (bytes_out_per_second > 0),
        burst_ms INTEGER CHECK (burst_ms > 0),
        weight INTEGER CHECK (weight BETWEEN 1 AND 10000),
        connections INTEGER CHECK (connections > 0),
        connects_per_second INTEGER CHECK (connects_per_second > 0),
        inflight_bytes INTEGER CHECK (inflight_bytes > 0),
        max_delay_ms INTEGER CHECK (max_delay_ms >= 0)
    ) STRICT;
";

/// No reference to `tenant` here either.
const VOLUMES: &str = "
    CREATE TABLE volume (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        tenant INTEGER NOT NULL,
        name TEXT NOT NULL,
        size_bytes INTEGER NOT NULL CHECK (size_bytes > 0),
        journal_bytes INTEGER NOT NULL CHECK (journal_bytes > 0),
        shared INTEGER NOT NULL,
        iops INTEGER CHECK (iops > 0),
        bytes_per_second INTEGER CHECK (bytes_per_second > 0),
        created INTEGER NOT NULL DEFAULT (unixepoch()),
        UNIQUE (tenant, name)
    ) STRICT;
";

/// What a fleet's processes agree on, where it is on one machine.
const PAIRS: &str = "
    CREATE TABLE pair (
        key TEXT PRIMARY KEY,
        value BLOB NOT NULL,
        revision INTEGER NOT NULL,
        lease INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE pair_lease (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        ttl_s INTEGER NOT NULL,
        ends_ns INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE pair_revision (revision INTEGER NOT NULL) STRICT;
    INSERT INTO pair_revision VALUES (0);
";

const HOT_KEYS: &str = "
    ALTER TABLE traffic ADD COLUMN hot_keys_ms INTEGER CHECK (hot_keys_ms BETWEEN 1 AND 1000);
";

/// Takes `connection` through the steps that it has not taken yet, each whole or not at all.
pub(super) fn migrate(
    connection: &mut Connection,
    path: &Path,
    steps: &[&str],
) -> Result<(), StateError> {
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    check_owner(connection, path, found)?;
    let known = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    if found > known {
        let path = path.to_owned();
        return Err(StateError::Newer { path, found, known });
    }
    for (version, step) in (1u32..).zip(steps).skip(found as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// A database that somebody else made is left alone; an empty one is ours to fill.
fn check_owner(connection: &Connection, path: &Path, version: u32) -> Result<(), StateError> {
    let owner: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if owner == APPLICATION_ID || (owner == 0 && version == 0 && tables == 0) {
        return Ok(());
    }
    Err(StateError::unsound(
        path,
        "it is the database of another program",
    ))
}

#[cfg(test)]
#[path = "schema_test.rs"]
mod tests;
