//! The SQL behind the state: one connection, one transaction per change.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base::{CredentialId, Rights, TenantId, TrafficLimits};
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, Transaction, params};

use super::schema::{self, STEPS};
use super::{CredentialRecord, NewCredential, NewTenant, StateError, TenantRecord, traffic};

const TENANT_COLUMNS: &str = "id, name, quota_bytes, item_size_max, created";
const CREDENTIAL_COLUMNS: &str =
    "id, tenant, username, salt, password_sha256, rights, is_primary, created";

/// An open database.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens or creates the database at `path` and brings it up to date; on a disk that is full or
    /// can only be read, as far as it is there and up to date.
    pub(super) fn open(path: &Path) -> Result<Self, StateError> {
        match create_private(path) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::ReadOnlyFilesystem => {
                return Self::open_read_only(path).map_err(|e| e.at(path));
            }
            Err(e) => return Err(StateError::io("open", path, e)),
        }
        match Self::open_to_write(path, "NORMAL").map_err(|e| e.at(path)) {
            // The index of the log in memory, instead of in a file of its own.
            Err(StateError::Full { .. }) => {
                Self::open_to_write(path, "EXCLUSIVE").map_err(|e| e.at(path))
            }
            done => done,
        }
    }

    fn open_to_write(path: &Path, locking: &str) -> Result<Self, StateError> {
        let mut connection = Connection::open(path)?;
        connection.pragma_update(None, "locking_mode", locking)?;
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(|e| unsound_or_sqlite(path, e))?;
        // A change that has been answered survives a power cut.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        schema::migrate(&mut connection, path, STEPS)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
        })
    }

    /// Nobody can change the file, so that no log and no lock beside it is needed.
    fn open_read_only(path: &Path) -> Result<Self, StateError> {
        let log = path.with_extension("db-wal");
        if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            return Err(StateError::UntakenLog { path: log });
        }
        let mut uri = reqwest::Url::from_file_path(path)
            .map_err(|()| StateError::unsound(path, "its folder is no absolute path"))?;
        uri.set_query(Some("immutable=1"));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let mut connection = Connection::open_with_flags(uri.as_str(), flags)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        schema::migrate(&mut connection, path, STEPS)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
        })
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// A change of several steps: all of them once it is committed, else none.
    pub(super) fn transaction(&mut self) -> Result<Transaction<'_>, StateError> {
        Ok(self.connection.transaction()?)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn tenants(&self) -> Result<Vec<TenantRecord>, StateError> {
        let sql = format!("SELECT {TENANT_COLUMNS} FROM tenant ORDER BY name");
        let mut query = self.connection.prepare_cached(&sql)?;
        let tenants = query.query_map([], tenant_from_row)?;
        let mut tenants: Vec<TenantRecord> = tenants.collect::<Result<_, _>>()?;
        let limits = traffic::read(&self.connection)?;
        for tenant in &mut tenants {
            tenant.traffic = limits.get(&tenant.id).copied().unwrap_or_default();
        }
        Ok(tenants)
    }

    pub(super) fn credentials(&self) -> Result<Vec<CredentialRecord>, StateError> {
        let sql = format!(
            "SELECT {CREDENTIAL_COLUMNS} FROM credential WHERE revoked IS NULL ORDER BY id"
        );
        let mut query = self.connection.prepare_cached(&sql)?;
        let credentials = query.query_map([], credential_from_row)?;
        Ok(credentials.collect::<Result<_, _>>()?)
    }

    pub(super) fn usernames(&self) -> Result<Vec<String>, StateError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT username FROM credential")?;
        let names = query.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    pub(super) fn add_tenant(
        &mut self,
        tenant: &NewTenant,
        credential: &NewCredential,
    ) -> Result<(TenantRecord, CredentialRecord), StateError> {
        let transaction = self.connection.transaction()?;
        let sql = format!(
            "INSERT INTO tenant (name, quota_bytes, item_size_max) VALUES (?1, ?2, ?3) \
             RETURNING {TENANT_COLUMNS}"
        );
        let values = params![tenant.name, quota(tenant.quota_bytes), tenant.item_size_max];
        let tenant = transaction
            .query_row(&sql, values, tenant_from_row)
            .map_err(|e| name_taken_or_sqlite(&tenant.name, e))?;
        let credential = insert_credential(&transaction, tenant.id, credential)?;
        transaction.commit()?;
        Ok((tenant, credential))
    }

    pub(super) fn set_limits(
        &mut self,
        id: TenantId,
        quota_bytes: u64,
        item_size_max: u32,
        traffic: &TrafficLimits,
    ) -> Result<(), StateError> {
        let transaction = self.connection.transaction()?;
        let sql = "UPDATE tenant SET quota_bytes = ?2, item_size_max = ?3 WHERE id = ?1";
        let values = params![id.0, quota(quota_bytes), item_size_max];
        changed_one(transaction.execute(sql, values)?)?;
        traffic::write(&transaction, id, traffic)?;
        Ok(transaction.commit()?)
    }

    pub(super) fn remove_tenant(&mut self, id: TenantId) -> Result<(), StateError> {
        let transaction = self.connection.transaction()?;
        let sql = "DELETE FROM tenant WHERE id = ?1";
        changed_one(transaction.execute(sql, [id.0])?)?;
        traffic::remove(&transaction, id)?;
        Ok(transaction.commit()?)
    }

    pub(super) fn add_credential(
        &mut self,
        tenant: TenantId,
        credential: &NewCredential,
    ) -> Result<CredentialRecord, StateError> {
        let transaction = self.connection.transaction()?;
        if credential.primary {
            let sql = "UPDATE credential SET is_primary = 0 WHERE tenant = ?1";
            transaction.execute(sql, [tenant.0])?;
        }
        let credential = insert_credential(&transaction, tenant, credential)?;
        transaction.commit()?;
        Ok(credential)
    }

    pub(super) fn promote(&mut self, id: CredentialId) -> Result<(), StateError> {
        let transaction = self.connection.transaction()?;
        let sql = "UPDATE credential SET is_primary = 0 WHERE is_primary = 1 \
                   AND tenant = (SELECT tenant FROM credential WHERE id = ?1)";
        transaction.execute(sql, [id.0])?;
        let sql = "UPDATE credential SET is_primary = 1 WHERE id = ?1 AND revoked IS NULL";
        changed_one(transaction.execute(sql, [id.0])?)?;
        Ok(transaction.commit()?)
    }

    pub(super) fn revoke(&mut self, id: CredentialId) -> Result<(), StateError> {
        let sql = "UPDATE credential SET revoked = unixepoch(), is_primary = 0 \
                   WHERE id = ?1 AND revoked IS NULL";
        changed_one(self.connection.execute(sql, [id.0])?)
    }

    pub(super) fn remark(&self, key: &str) -> Result<Option<String>, StateError> {
        let sql = "SELECT value FROM remark WHERE key = ?1";
        let value = self.connection.query_row(sql, [key], |row| row.get(0));
        Ok(value.optional()?)
    }

    pub(super) fn set_remark(&mut self, key: &str, value: &str) -> Result<(), StateError> {
        let sql = "INSERT INTO remark (key, value) VALUES (?1, ?2) \
                   ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        self.connection.execute(sql, [key, value])?;
        Ok(())
    }
}

/// SQLite would leave the mode of a new file, and of the logs beside it, to the umask.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    options.open(path).map(drop)
}

/// "Not a database" and "malformed" are about the file and not about what was asked.
pub(super) fn unsound_or_sqlite(path: &Path, error: rusqlite::Error) -> StateError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            StateError::unsound(path, error)
        }
        _ => StateError::Sqlite(error),
    }
}

fn insert_credential(
    connection: &Connection,
    tenant: TenantId,
    credential: &NewCredential,
) -> Result<CredentialRecord, StateError> {
    let sql = format!(
        "INSERT INTO credential (tenant, username, salt, password_sha256, rights, is_primary) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING {CREDENTIAL_COLUMNS}"
    );
    let values = params![
        tenant.0,
        credential.username,
        credential.salt,
        credential.password_sha256,
        credential.rights.to_string(),
        credential.primary,
    ];
    connection
        .query_row(&sql, values, credential_from_row)
        .map_err(|e| name_taken_or_sqlite(&credential.username, e))
}

fn name_taken_or_sqlite(name: &str, error: rusqlite::Error) -> StateError {
    match error.sqlite_error() {
        Some(e) if e.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE => {
            StateError::NameTaken(name.to_owned())
        }
        Some(e) if e.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
            StateError::Gone
        }
        _ => StateError::Sqlite(error),
    }
}

fn changed_one(rows: usize) -> Result<(), StateError> {
    if rows == 1 {
        Ok(())
    } else {
        Err(StateError::Gone)
    }
}

/// SQLite's integers are signed; no machine has 8 EiB to sell.
fn quota(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn tenant_from_row(row: &Row<'_>) -> rusqlite::Result<TenantRecord> {
    Ok(TenantRecord {
        id: TenantId(row.get(0)?),
        name: row.get(1)?,
        quota_bytes: row.get::<_, i64>(2)?.unsigned_abs(),
        item_size_max: row.get(3)?,
        // What is limited is not in this table.
        traffic: TrafficLimits::default(),
        created_unix_s: row.get(4)?,
    })
}

fn credential_from_row(row: &Row<'_>) -> rusqlite::Result<CredentialRecord> {
    let rights: String = row.get(5)?;
    Ok(CredentialRecord {
        id: CredentialId(row.get(0)?),
        tenant: TenantId(row.get(1)?),
        username: row.get(2)?,
        salt: row.get(3)?,
        password_sha256: row.get(4)?,
        rights: Rights::from_str(&rights)
            .map_err(|e| rusqlite::Error::FromSqlConversionFailure(5, Type::Text, e.into()))?,
        primary: row.get(6)?,
        created_unix_s: row.get(7)?,
    })
}
