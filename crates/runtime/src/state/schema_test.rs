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
