//! What an observer finds out about where it stands.

use super::*;
use crate::Clock;

#[test]
fn the_wall_clock_agrees_with_ours() {
    let ours = Duration::from_nanos(Clock::new().now().as_nanos());
    assert!(wall_clock().abs_diff(ours) < Duration::from_secs(60));
}

#[test]
fn only_the_calling_thread_gives_way() {
    let niceness = || rustix::process::getpriority_process(Some(gettid())).unwrap();
    let before = niceness();
    let thread = std::thread::spawn(move || {
        give_way().unwrap();
        niceness()
    });
    assert_eq!(thread.join().unwrap(), NICENESS.max(before));
    assert_eq!(niceness(), before);
}

#[test]
fn a_disk_has_room() {
    let (free, all) = free_space(Path::new("/")).unwrap();
    assert!(free <= all && all > 0);
    assert!(free_space(Path::new("/nowhere/at/all")).is_err());
}
