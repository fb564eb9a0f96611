//! The table of volumes. What they hold is elsewhere: this is which there are, and their terms.

use base::TenantId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::StateError;

const COLUMNS: &str = "id, tenant, name, size_bytes, journal_bytes, shared, iops, \
     bytes_per_second, created";

/// A volume as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeRecord {
    /// Its number, never given again.
    pub id: u64,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its name, unique among the tenant's.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// The length of its journal.
    pub journal_bytes: u64,
    /// Whether several clients may use it at once.
    pub shared: bool,
    /// What it may take.
    pub limits: VolumeLimits,
    /// When it was made, in Unix seconds.
    pub created_unix_s: i64,
}

/// What a volume may take of the service; nothing set is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VolumeLimits {
    /// Operations a second.
    pub iops: Option<u64>,
    /// Bytes a second, read and written.
    pub bytes_per_second: Option<u64>,
}

/// A volume to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVolume {
    /// Whose it is to be.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// The length of its journal.
    pub journal_bytes: u64,
    /// Whether several clients may use it at once.
    pub shared: bool,
}

pub(super) fn all(connection: &Connection) -> Result<Vec<VolumeRecord>, StateError> {
    let sql = format!("SELECT {COLUMNS} FROM volume ORDER BY tenant, name");
    let mut query = connection.prepare_cached(&sql)?;
    let rows = query.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn add(connection: &Connection, new: &NewVolume) -> Result<VolumeRecord, StateError> {
    let sql = format!(
        "INSERT INTO volume (tenant, name, size_bytes, journal_bytes, shared) \
         VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (tenant, name) DO NOTHING RETURNING {COLUMNS}"
    );
    let values = params![
        new.tenant.0,
        new.name,
        signed(new.size_bytes),
        signed(new.journal_bytes),
        new.shared,
    ];
    let added = connection.query_row(&sql, values, from_row).optional()?;
    added.ok_or_else(|| StateError::NameTaken(new.name.clone()))
}

pub(super) fn remove(connection: &Connection, id: u64) -> Result<(), StateError> {
    let sql = "DELETE FROM volume WHERE id = ?1";
    changed_one(connection.execute(sql, [signed(id)])?)
}

pub(super) fn set_limits(
    connection: &Connection,
    id: u64,
    limits: &VolumeLimits,
) -> Result<(), StateError> {
    let sql = "UPDATE volume SET iops = ?2, bytes_per_second = ?3 WHERE id = ?1";
    let values = params![
        signed(id),
        limits.iops.map(signed),
        limits.bytes_per_second.map(signed),
    ];
    changed_one(connection.execute(sql, values)?)
}

pub(super) fn set_size(
    connection: &Connection,
    id: u64,
    size_bytes: u64,
) -> Result<(), StateError> {
    let sql = "UPDATE volume SET size_bytes = ?2 WHERE id = ?1";
    changed_one(connection.execute(sql, params![signed(id), signed(size_bytes)])?)
}

fn changed_one(rows: usize) -> Result<(), StateError> {
    match rows {
        0 => Err(StateError::Gone),
        _ => Ok(()),
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<VolumeRecord> {
    let number =
        |column: usize| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.unsigned_abs());
    let bound = |column: usize| {
        let found: Option<i64> = row.get(column)?;
        Ok::<_, rusqlite::Error>(found.map(i64::unsigned_abs))
    };
    Ok(VolumeRecord {
        id: number(0)?,
        tenant: TenantId(row.get(1)?),
        name: row.get(2)?,
        size_bytes: number(3)?,
        journal_bytes: number(4)?,
        shared: row.get(5)?,
        limits: VolumeLimits {
            iops: bound(6)?,
            bytes_per_second: bound(7)?,
        },
        created_unix_s: row.get(8)?,
    })
}

/// SQLite's integers are signed; no disk holds 8 EiB.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "volume_test.rs"]
mod tests;
