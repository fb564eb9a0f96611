//! Tests of the folder of a run.

use super::*;

#[test]
fn a_home_goes_with_its_owner_and_takes_orphans_along() {
    let scratch = tempfile::tempdir().unwrap();
    // No process has this number: it is above what the kernel gives.
    let orphan = scratch.path().join(format!("{PREFIX}4194999"));
    fs::create_dir_all(orphan.join("in")).unwrap();
    let stranger = scratch.path().join("cofferdam-drill-notes");
    fs::create_dir(&stranger).unwrap();
    let home = Home::new(scratch.path()).unwrap();
    let room = home.room("server").unwrap();
    assert!(!orphan.exists());
    assert!(room.is_dir());
    assert!(Home::new(scratch.path()).is_err(), "one run at a time");
    let path = room.parent().unwrap().to_owned();
    drop(home);
    assert!(!path.exists());
    assert!(stranger.exists());
}
