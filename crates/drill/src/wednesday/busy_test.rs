//! Tests of who stands out.

use super::*;

const MS: u64 = 1_000_000;

#[test]
fn a_node_is_busy_that_does_several_times_what_any_other_does() {
    let busy = |used: [u64; 3]| busiest(vec![("a", used[0]), ("b", used[1]), ("c", used[2])]);
    assert_eq!(busy([2 * MS, 30 * MS, 3 * MS]), Some("b"));
    assert_eq!(busy([11 * MS, 30 * MS, 3 * MS]), None);
    assert_eq!(busy([MS, 4 * MS, 0]), None);
    assert_eq!(busiest(Vec::new()), None);
}
