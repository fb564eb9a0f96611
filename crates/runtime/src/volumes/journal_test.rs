//! A journal's file: whole from the beginning, and one owner at a time.

use super::*;

const LEN: u64 = (1 << 20) + 8192;

#[test]
fn a_new_journal_is_zeroes_of_its_whole_length() {
    let dir = tempfile::tempdir().unwrap();
    let path = JournalFile::path(&dir.path().join("journals"), VolumeId(3));
    let journal = JournalFile::create(&path, LEN).unwrap();
    assert_eq!(journal.len(), LEN);
    assert!(journal.read(0, LEN).unwrap().iter().all(|byte| *byte == 0));
    journal.write(LEN - 3, b"end").unwrap();
    journal.sync().unwrap();
    assert_eq!(journal.write(LEN - 2, b"end"), Err(IoError::Failed));
    assert_eq!(journal.read(LEN - 3, 3).map(Vec::from), Ok(b"end".to_vec()));
    drop(journal);
    let journal = JournalFile::open(&path).unwrap();
    assert_eq!(journal.read(LEN - 3, 9).map(Vec::from), Ok(b"end".to_vec()));
}

#[test]
fn a_second_owner_is_told_to_wait() {
    let dir = tempfile::tempdir().unwrap();
    let path = JournalFile::path(dir.path(), VolumeId(3));
    let journal = JournalFile::create(&path, LEN).unwrap();
    let second = JournalFile::open(&path).unwrap_err();
    assert_eq!(second.kind(), io::ErrorKind::WouldBlock);
    let again = JournalFile::create(&path, LEN).unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    drop(journal);
    assert!(JournalFile::open(&path).is_ok());
}
