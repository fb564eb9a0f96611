//! Keys and values under revisions, with leases: the tables behind the embedded store of a fleet.

use base::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::StateError;
use crate::store::{Change, Detail, Entry, LeaseId, Revision, Snapshot, Write};

/// What a change came to.
#[derive(Debug)]
pub(crate) enum Changed {
    /// Made, and these keys were written or removed.
    Made(Revision, Vec<String>),
    /// A comparison failed.
    Lost,
    /// It names a lease that has ended.
    NoLease,
}

pub(super) fn range(
    connection: &Connection,
    prefix: &str,
    detail: Detail,
) -> Result<Snapshot, StateError> {
    let value = match detail {
        Detail::Keys => "x''",
        Detail::Values => "value",
    };
    let sql = format!(
        "SELECT key, {value}, revision FROM pair \
         WHERE key >= ?1 AND substr(key, 1, length(?1)) = ?1 ORDER BY key"
    );
    let mut query = connection.prepare_cached(&sql)?;
    let entries = query.query_map([prefix], entry_from_row)?;
    Ok(Snapshot {
        revision: revision(connection)?,
        entries: entries.collect::<Result<_, _>>()?,
    })
}

pub(super) fn change(
    transaction: &Transaction<'_>,
    change: &Change,
) -> Result<Changed, StateError> {
    for (key, expected) in &change.compares {
        if revision_of(transaction, key)? != *expected {
            return Ok(Changed::Lost);
        }
    }
    let mut touched = Vec::new();
    let next = Revision(revision(transaction)?.0 + 1);
    for write in &change.writes {
        match write {
            Write::Put { key, value, lease } => {
                if let Some(lease) = lease
                    && !is_alive(transaction, *lease)?
                {
                    return Ok(Changed::NoLease);
                }
                let sql = "INSERT OR REPLACE INTO pair (key, value, revision, lease) \
                           VALUES (?1, ?2, ?3, ?4)";
                let lease = lease.map(|lease| signed(lease.0));
                transaction.execute(sql, params![key, value, signed(next.0), lease])?;
                touched.push(key.clone());
            }
            Write::Delete { key } => {
                if transaction.execute("DELETE FROM pair WHERE key = ?1", [key])? > 0 {
                    touched.push(key.clone());
                }
            }
        }
    }
    let made = finish(transaction, &touched)?;
    Ok(Changed::Made(made, touched))
}

pub(super) fn grant(
    transaction: &Transaction<'_>,
    ttl_s: u32,
    now: Timestamp,
) -> Result<LeaseId, StateError> {
    let sql = "INSERT INTO pair_lease (ttl_s, ends_ns) VALUES (?1, ?2)";
    transaction.execute(sql, params![ttl_s, ends(now, ttl_s)])?;
    Ok(LeaseId(transaction.last_insert_rowid().unsigned_abs()))
}

pub(super) fn keep_alive(
    transaction: &Transaction<'_>,
    lease: LeaseId,
    now: Timestamp,
) -> Result<bool, StateError> {
    let sql = "UPDATE pair_lease SET ends_ns = ?2 + ttl_s * 1000000000 WHERE id = ?1";
    let kept = transaction.execute(sql, params![signed(lease.0), signed(now.as_nanos())])?;
    Ok(kept > 0)
}

/// Ends a lease; the keys that went with it.
pub(super) fn revoke(
    transaction: &Transaction<'_>,
    lease: LeaseId,
) -> Result<(Revision, Vec<String>), StateError> {
    let sql = "DELETE FROM pair_lease WHERE id = ?1";
    transaction.execute(sql, [signed(lease.0)])?;
    let mut query = transaction.prepare("DELETE FROM pair WHERE lease = ?1 RETURNING key")?;
    let keys = query.query_map([signed(lease.0)], |row| row.get(0))?;
    let touched: Vec<String> = keys.collect::<Result<_, _>>()?;
    Ok((finish(transaction, &touched)?, touched))
}

/// The leases whose time has come.
pub(super) fn ended(connection: &Connection, now: Timestamp) -> Result<Vec<LeaseId>, StateError> {
    let mut query = connection.prepare_cached("SELECT id FROM pair_lease WHERE ends_ns <= ?1")?;
    let ids = query.query_map([signed(now.as_nanos())], |row| row.get::<_, i64>(0))?;
    let ids = ids.map(|id| id.map(|id| LeaseId(id.unsigned_abs())));
    Ok(ids.collect::<Result<_, _>>()?)
}

/// When the next lease ends, if there is one.
pub(super) fn next_end(connection: &Connection) -> Result<Option<Timestamp>, StateError> {
    let sql = "SELECT min(ends_ns) FROM pair_lease";
    let next: Option<i64> = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(next.map(|ns| Timestamp::from_nanos(ns.unsigned_abs())))
}

pub(super) fn revision(connection: &Connection) -> Result<Revision, StateError> {
    let sql = "SELECT revision FROM pair_revision";
    let revision: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(Revision(revision.unsigned_abs()))
}

/// The store's revision after a change of these keys; one of nothing is none.
fn finish(transaction: &Transaction<'_>, touched: &[String]) -> Result<Revision, StateError> {
    if !touched.is_empty() {
        transaction.execute("UPDATE pair_revision SET revision = revision + 1", [])?;
    }
    revision(transaction)
}

fn revision_of(connection: &Connection, key: &str) -> Result<Revision, StateError> {
    let sql = "SELECT revision FROM pair WHERE key = ?1";
    let found = connection.query_row(sql, [key], |row| row.get::<_, i64>(0));
    Ok(Revision(found.optional()?.unwrap_or(0).unsigned_abs()))
}

fn is_alive(connection: &Connection, lease: LeaseId) -> Result<bool, StateError> {
    let sql = "SELECT 1 FROM pair_lease WHERE id = ?1";
    let found = connection.query_row(sql, [signed(lease.0)], |_| Ok(()));
    Ok(found.optional()?.is_some())
}

fn entry_from_row(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        key: row.get(0)?,
        value: row.get(1)?,
        revision: Revision(row.get::<_, i64>(2)?.unsigned_abs()),
    })
}

fn ends(now: Timestamp, ttl_s: u32) -> i64 {
    let nanos = u64::from(ttl_s).saturating_mul(1_000_000_000);
    signed(now.as_nanos().saturating_add(nanos))
}

/// SQLite's integers are signed; no count here comes near their end.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
