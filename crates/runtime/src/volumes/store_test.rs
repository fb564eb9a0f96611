//! Objects come back as they were stored, and what is not whole is not there.

use volume::{ObjectKind, ObjectName, SegmentId, VolumeId};

use super::*;

fn name(number: u64) -> ObjectName {
    ObjectName::segment(VolumeId(7), SegmentId { number, epoch: 1 })
}

#[test]
fn an_object_is_read_by_ranges_and_deleted_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = ObjectStore::new(&dir.path().join("store"));
    assert_eq!(store.list(VolumeId(7)), Ok(Vec::new()));
    store.put(name(1), &b"hello".to_vec().into()).unwrap();
    assert_eq!(store.get(name(1), 1, 3).map(Vec::from), Ok(b"ell".to_vec()));
    assert_eq!(store.get(name(1), 3, 9).map(Vec::from), Ok(b"lo".to_vec()));
    assert_eq!(
        store.get(name(1), 0, u64::MAX).map(Vec::from),
        Ok(b"hello".to_vec())
    );
    assert_eq!(store.list(VolumeId(7)), Ok(vec![(name(1), 5)]));
    store.delete(name(1)).unwrap();
    store.delete(name(1)).unwrap();
    assert_eq!(store.get(name(1), 0, 1), Err(IoError::NotFound));
}

#[test]
fn what_is_stored_over_is_read_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = ObjectStore::new(dir.path());
    store.put(name(1), &b"old".to_vec().into()).unwrap();
    assert_eq!(store.get(name(1), 0, 3).map(Vec::from), Ok(b"old".to_vec()));
    store.put(name(1), &b"new".to_vec().into()).unwrap();
    assert_eq!(store.get(name(1), 0, 3).map(Vec::from), Ok(b"new".to_vec()));
}

#[test]
fn half_an_object_is_not_listed() {
    let dir = tempfile::tempdir().unwrap();
    let store = ObjectStore::new(dir.path());
    store.put(name(1), &b"whole".to_vec().into()).unwrap();
    let mut half = store.path(name(2)).into_os_string();
    half.push(PARTIAL);
    std::fs::write(&half, b"hal").unwrap();
    assert_eq!(store.list(VolumeId(7)), Ok(vec![(name(1), 5)]));
    assert!(!Path::new(&half).exists());
}

#[test]
fn a_volume_goes_whole_and_leaves_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = ObjectStore::new(dir.path());
    let other = ObjectName {
        volume: VolumeId(8),
        kind: ObjectKind::Root,
        ..name(1)
    };
    store.put(name(1), &b"one".to_vec().into()).unwrap();
    store.put(other, &b"other".to_vec().into()).unwrap();
    assert!(store.get(name(1), 0, 1).is_ok());
    store.delete_all(VolumeId(7)).unwrap();
    assert_eq!(store.get(name(1), 0, 1), Err(IoError::NotFound));
    assert_eq!(store.list(VolumeId(8)), Ok(vec![(other, 5)]));
}

#[test]
fn a_long_object_is_stored_whole_over_a_longer_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = ObjectStore::new(dir.path());
    let bytes = |seed: u8, len: usize| {
        (0..len)
            .map(|at| seed ^ (at % 251) as u8)
            .collect::<Vec<u8>>()
    };
    let long = bytes(1, (1 << 20) + 77);
    store.put(name(1), &long.clone().into()).unwrap();
    assert!(store.get(name(1), 0, u64::MAX).map(Vec::from) == Ok(long.clone()));
    store.delete(name(1)).unwrap();
    let other = bytes(9, (512 << 10) + 16);
    store.put(name(2), &other.clone().into()).unwrap();
    assert_eq!(
        store.list(VolumeId(7)),
        Ok(vec![(name(2), other.len() as u64)])
    );
    assert!(store.get(name(2), 0, u64::MAX).map(Vec::from) == Ok(other.clone()));
    assert!(store.get(name(2), 5000, 9000).map(Vec::from) == Ok(other[5000..14_000].to_vec()));
    match store.get_now(name(2), 4096, 4096) {
        ReadNow::Later => {}
        ReadNow::Done(read) => assert!(read.map(Vec::from) == Ok(other[4096..8192].to_vec())),
    }
}

#[test]
fn an_object_of_which_many_reads_waited_is_brought_into_memory() {
    let dir = tempfile::tempdir().unwrap();
    let store = ObjectStore::new(dir.path());
    store.put(name(1), &vec![5; 2 << 20].into()).unwrap();
    let opened = store.opened(name(1)).unwrap();
    let now = Timestamp::from_secs(5);
    for _ in 1..WANTED_COUNT {
        store.note_miss(now, name(1), &opened);
        assert_eq!(opened.brought_at(), None);
    }
    store.note_miss(now, name(1), &opened);
    assert_eq!(opened.brought_at(), Some(now));
    // While it is on its way nothing is counted.
    for _ in 0..2 * WANTED_COUNT {
        store.note_miss(now, name(1), &opened);
    }
    let later = Timestamp::from_secs(6);
    for _ in 1..WANTED_COUNT {
        store.note_miss(later, name(1), &opened);
        assert_eq!(opened.brought_at(), Some(now));
    }
    store.note_miss(later, name(1), &opened);
    assert_eq!(opened.brought_at(), Some(later));
}

#[test]
fn a_deleted_segment_is_written_over_and_nothing_of_it_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let store = ObjectStore::new(dir.path());
    store.put(name(1), &b"a long one".to_vec().into()).unwrap();
    store.delete(name(1)).unwrap();
    assert_eq!(store.get(name(1), 0, 1), Err(IoError::NotFound));
    store.put(name(2), &b"short".to_vec().into()).unwrap();
    assert_eq!(
        store.get(name(2), 0, u64::MAX).map(Vec::from),
        Ok(b"short".to_vec())
    );
    assert!(store.spares.take(name(1)).is_none());
    store.delete(name(2)).unwrap();
    store
        .put(name(3), &b"a longer one again".to_vec().into())
        .unwrap();
    let whole = Ok(b"a longer one again".to_vec());
    assert_eq!(store.get(name(3), 0, u64::MAX).map(Vec::from), whole);
    assert_eq!(store.list(VolumeId(7)), Ok(vec![(name(3), 18)]));
}

#[test]
fn spare_files_go_when_the_volume_is_attached_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = ObjectStore::new(dir.path());
    store.put(name(1), &b"one".to_vec().into()).unwrap();
    store.put(name(2), &b"two".to_vec().into()).unwrap();
    store.delete(name(1)).unwrap();
    // As another process does, which knows of no spares.
    let again = ObjectStore::new(dir.path());
    assert_eq!(again.list(VolumeId(7)), Ok(vec![(name(2), 3)]));
    let folder = again.path(name(2));
    let files = std::fs::read_dir(folder.parent().unwrap().parent().unwrap());
    let spare = |entry: &io::Result<fs::DirEntry>| entry.as_ref().unwrap().path().is_file();
    assert_eq!(files.unwrap().filter(spare).count(), 0);
}
