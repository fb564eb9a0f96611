//! Where the second copy is written down.

use super::*;

#[test]
fn a_note_is_kept_changed_and_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let volume = VolumeId(3);
    assert_eq!(noted(dir.path(), volume).unwrap(), None);
    for place in ["/mnt/other", "/mnt/a third one"] {
        note(dir.path(), volume, Some(Path::new(place))).unwrap();
        assert_eq!(
            noted(dir.path(), volume).unwrap().unwrap(),
            Path::new(place)
        );
    }
    note(dir.path(), volume, None).unwrap();
    note(dir.path(), volume, None).unwrap();
    assert_eq!(noted(dir.path(), volume).unwrap(), None);
}
