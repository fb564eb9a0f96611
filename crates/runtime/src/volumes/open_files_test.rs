//! As many objects stay open as fit, those that were asked for last.

use volume::SegmentId;

use super::*;

fn name(number: u64) -> ObjectName {
    let epoch = 1;
    ObjectName::segment(VolumeId(7), SegmentId { number, epoch })
}

#[test]
fn as_many_files_stay_open_as_fit() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = OpenFiles::default();
    let count = OPEN_MAX as u64 + 10;
    let file = Arc::new(Opened::from(File::open(dir.path()).unwrap()));
    for number in 0..count {
        open.insert(name(number), &file);
    }
    assert_eq!((open.files.len(), open.order.len()), (OPEN_MAX, OPEN_MAX));
    assert!(open.get(name(0)).is_none() && open.get(name(count - 1)).is_some());
    open.forget_all(VolumeId(8));
    assert_eq!(open.files.len(), OPEN_MAX);
    open.forget_all(VolumeId(7));
    assert_eq!((open.files.len(), open.order.len()), (0, 0));
}
