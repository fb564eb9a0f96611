//! When a certificate is renewed.

use super::is_due;

#[test]
fn it_is_renewed_when_a_third_of_its_time_is_left() {
    assert!(!is_due(1000, 1900, 1000));
    assert!(!is_due(1000, 1900, 1600));
    assert!(is_due(1000, 1900, 1601));
    // Also when it is too late: then it is said that it fails.
    assert!(is_due(1000, 1900, 3000));
}
