//! Schema steps: taken once, in order, whole, and only on databases of ours.

use super::*;

fn version(connection: &Connection) -> u32 {
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

fn migrate_memory(connection: &mut Connection, steps: &[&str]) -> Result<(), StateError> {
    migrate(connection, Path::new("state.db"), steps)
}

#[test]
fn an_empty_database_takes_every_step_and_a_full_one_none() {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate_memory(&mut connection, STEPS).unwrap();
    assert_eq!(version(&connection) as usize, STEPS.len());
    migrate_memory(&mut connection, STEPS).unwrap();
    assert_eq!(version(&connection) as usize, STEPS.len());
}

#[test]
fn an_older_database_takes_only_the_steps_that_it_lacks() {
    let mut connection = Connection::open_in_memory().unwrap();
    let first = "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (7);";
    migrate_memory(&mut connection, &[first]).unwrap();
    let second = "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 8;";
    migrate_memory(&mut connection, &[first, second]).unwrap();
    let row: (u32, u32) = connection
        .query_row("SELECT x, y FROM a", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!((version(&connection), row), (2, (7, 8)));
}

#[test]
fn what_the_first_release_kept_is_there_after_all_steps() {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate_memory(&mut connection, &STEPS[..1]).unwrap();
    connection
        .execute_batch(
            "INSERT INTO tenant (name, quota_bytes, item_size_max) VALUES ('acme', 7, 8);
             INSERT INTO credential (tenant, username, salt, password_sha256, rights, is_primary)
             VALUES (2, 'acme', zeroblob(16), zeroblob(32), 'read', 1);",
        )
        .unwrap();
    migrate_memory(&mut connection, STEPS).unwrap();
    assert_eq!(version(&connection) as usize, STEPS.len());
    let row: (u32, String, u32, u32) = connection
        .query_row(
            "SELECT t.id, c.username, quota_bytes, (SELECT count(*) FROM traffic)
             FROM tenant t JOIN credential c ON c.tenant = t.id",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();
    assert_eq!(row, (2, "acme".to_owned(), 7, 0));
}

#[test]
fn a_limit_of_nothing_is_no_limit_that_could_be_kept() {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate_memory(&mut connection, STEPS).unwrap();
    for (column, value) in [("ops_per_second", 0), ("weight", 10001), ("burst_ms", 0)] {
        let sql = format!("INSERT INTO traffic (tenant, {column}) VALUES (1, {value})");
        assert!(connection.execute(&sql, []).is_err(), "{column}");
    }
    let sql = "INSERT INTO traffic (tenant, max_delay_ms) VALUES (1, 0)";
    assert_eq!(connection.execute(sql, []), Ok(1));
}

#[test]
fn a_step_that_fails_leaves_the_version_before_it() {
    let mut connection = Connection::open_in_memory().unwrap();
    let steps = [
        "CREATE TABLE a (x INTEGER);",
        "CREATE TABLE b (x INTEGER); nonsense;",
    ];
    assert!(migrate_memory(&mut connection, &steps).is_err());
    assert_eq!(version(&connection), 1);
    let tables: u32 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(tables, 1);
}

#[test]
fn a_later_release_s_database_is_left_alone() {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate_memory(&mut connection, STEPS).unwrap();
    connection
        .pragma_update(None, "user_version", 1000)
        .unwrap();
    let error = migrate_memory(&mut connection, STEPS).unwrap_err();
    assert!(matches!(error, StateError::Newer { found: 1000, .. }));
    assert!(error.to_string().contains("1000"));
}

#[test]
fn another_program_s_database_is_left_alone() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch("CREATE TABLE songs (title TEXT)")
        .unwrap();
    let error = migrate_memory(&mut connection, STEPS).unwrap_err();
    assert!(matches!(error, StateError::Unsound { .. }));
}
