//! What an observer finds out about where it stands.

use super::*;
use crate::Clock;

#[test]
fn the_wall_clock_agrees_with_ours() {
    let ours = Duration::from_nanos(Clock::new().now().as_nanos());
    assert!(wall_clock().abs_diff(ours) < Duration::from_secs(60));
}

#[test]
fn a_disk_has_room() {
    let (free, all) = free_space(Path::new("/")).unwrap();
    assert!(free <= all && all > 0);
    assert!(free_space(Path::new("/nowhere/at/all")).is_err());
}
