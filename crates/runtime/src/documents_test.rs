//! Texts are kept over an end, all of an edit or nothing, and in bounded room.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn put(kind: &'static str, key: &str, text: &str) -> Edit {
    Edit::Put(kind, key.into(), text.into())
}

#[test]
fn what_was_put_is_there_after_an_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("status.db");
    let mut documents = Documents::open(&path, 8 << 20).unwrap();
    let edits = [
        put("a", "2", "two"),
        put("a", "1", "one"),
        put("b", "1", "other"),
    ];
    documents.edit(&edits).unwrap();
    documents
        .edit(&[put("a", "1", "uno"), Edit::Remove("b", "1".into())])
        .unwrap();
    drop(documents);
    let documents = Documents::open(&path, 8 << 20).unwrap();
    let texts: Vec<String> = documents
        .all("a")
        .unwrap()
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    assert_eq!(texts, ["uno", "two"]);
    assert!(documents.all("b").unwrap().is_empty());
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_is_old_goes_by_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let mut documents = Documents::open(&dir.path().join("d"), 8 << 20).unwrap();
    let days: Vec<Edit> = (0..10)
        .map(|day| put("day", &format!("{day:04}|x"), ""))
        .collect();
    documents.edit(&days).unwrap();
    documents
        .edit(&[Edit::RemoveBefore("day", "0007".into())])
        .unwrap();
    assert_eq!(documents.all("day").unwrap().len(), 3);
}

#[test]
fn two_cannot_have_it_and_a_foreign_file_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("d");
    let first = Documents::open(&path, 8 << 20).unwrap();
    let second = Documents::open(&path, 8 << 20).unwrap_err();
    assert!(second.to_string().contains("another process"), "{second}");
    drop(first);
    let foreign = dir.path().join("foreign");
    std::fs::write(&foreign, "not a database, but a letter to somebody else").unwrap();
    assert!(Documents::open(&foreign, 8 << 20).is_err());
}

#[test]
fn it_never_grows_above_its_bound_and_stays_usable() {
    let dir = tempfile::tempdir().unwrap();
    let mut documents = Documents::open(&dir.path().join("d"), 1 << 20).unwrap();
    documents.edit(&[put("a", "kept", "before")]).unwrap();
    let big = "x".repeat(100_000);
    let full = (0..40).find_map(|n| documents.edit(&[put("big", &format!("{n}"), &big)]).err());
    assert!(full.is_some());
    assert_eq!(documents.all("a").unwrap().len(), 1);
    documents
        .edit(&[Edit::RemoveBefore("big", "z".into())])
        .unwrap();
    documents.edit(&[put("a", "kept", "after")]).unwrap();
}
