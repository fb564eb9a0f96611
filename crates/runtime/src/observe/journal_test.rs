//! Journals that fill up, that were cut off, and that are not there.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn in_folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    (folder, path)
}

#[test]
fn lines_come_back_in_their_order_after_a_restart() {
    let (_folder, path) = in_folder();
    assert!(read_journal(&path).unwrap().is_empty());
    Journal::new(&path, 1000).append("one").unwrap();
    Journal::new(&path, 1000).append("two").unwrap();
    assert_eq!(read_journal(&path).unwrap(), ["one", "two"]);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_older_half_goes_when_it_is_full() {
    let (_folder, path) = in_folder();
    let mut journal = Journal::new(&path, 100);
    let lines: Vec<String> = (0..1000).map(|n| format!("line {n:04}")).collect();
    for line in &lines {
        journal.append(line).unwrap();
        assert!(fs::metadata(&path).unwrap().len() <= 100);
    }
    let kept = read_journal(&path).unwrap();
    assert!(kept.len() >= 10 && kept.len() <= 20, "{}", kept.len());
    assert_eq!(kept, lines[1000 - kept.len()..]);
}

#[test]
fn a_line_longer_than_a_file_has_one_for_itself() {
    let (_folder, path) = in_folder();
    let mut journal = Journal::new(&path, 10);
    let long = "x".repeat(50);
    for line in ["a", &long, "b"] {
        journal.append(line).unwrap();
    }
    assert_eq!(read_journal(&path).unwrap(), [&long, "b"]);
}

#[test]
fn a_line_cut_off_spoils_only_itself() {
    let (_folder, path) = in_folder();
    fs::write(&path, "whole\ncut of").unwrap();
    Journal::new(&path, 1000).append("next").unwrap();
    assert_eq!(read_journal(&path).unwrap(), ["whole", "cut of", "next"]);
}

#[test]
fn what_is_not_text_is_read_all_the_same() {
    let (_folder, path) = in_folder();
    fs::write(&path, b"\xff\xfe\nnext\n").unwrap();
    assert_eq!(read_journal(&path).unwrap()[1], "next");
}

#[test]
fn a_folder_that_is_gone_is_a_failure_and_then_works_again() {
    let (folder, path) = in_folder();
    let missing = folder.path().join("missing");
    let mut journal = Journal::new(&missing.join("events.jsonl"), 1000);
    assert!(journal.append("lost").is_err());
    fs::create_dir(&missing).unwrap();
    journal.append("kept").unwrap();
    assert_eq!(
        read_journal(&missing.join("events.jsonl")).unwrap(),
        ["kept"]
    );
    assert!(read_journal(&path).unwrap().is_empty());
}
