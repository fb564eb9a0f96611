//! What the start makes of limits.

use super::*;

#[test]
fn no_more_connections_than_descriptors_leave_room_for() {
    let cases = [
        (100, Some(1024), 100),
        (5000, Some(1024), 944),
        (944, Some(1024), 944),
        (5000, Some(10), 1),
        (5000, Some(u64::MAX), 5000),
        (5000, None, 5000),
    ];
    for (asked, descriptors, fit) in cases {
        assert_eq!(connections_that_fit(asked, descriptors), fit, "{asked}");
    }
}

fn plan(text: &str, descriptors_max: Option<u64>) -> Limits {
    plane_config(&Config::parse(text).unwrap(), descriptors_max, true).limits
}

#[test]
fn what_is_left_open_follows_from_the_number_of_connections() {
    let limits = plan("[limits]\nmax_connections = 1000", None);
    assert_eq!(
        (
            limits.unauthenticated_max,
            limits.unauthenticated_per_source_max
        ),
        (500, 125)
    );
    let small = plan("[limits]\nmax_connections = 10", None);
    assert_eq!(
        (
            small.unauthenticated_max,
            small.unauthenticated_per_source_max
        ),
        (5, 16)
    );
    let said = plan(
        "[limits]\nmax_unauthenticated = 7\nmax_unauthenticated_per_source = 3",
        Some(2000),
    );
    assert_eq!(
        (
            said.unauthenticated_max,
            said.unauthenticated_per_source_max
        ),
        (7, 3)
    );
}

#[test]
fn what_descriptors_are_left_are_kept_for_those_on_their_way_in() {
    let reserve = |text, descriptors_max| plan(text, descriptors_max).connections_reserve;
    let thousand = "[limits]\nmax_connections = 1000";
    assert_eq!(reserve(thousand, None), 500);
    assert_eq!(reserve(thousand, Some(1264)), 200);
    assert_eq!(reserve(thousand, Some(1024)), 16);
    assert_eq!(
        reserve("[limits]\nmax_unauthenticated = 70", Some(1 << 20)),
        70
    );
}

#[test]
fn what_is_off_is_left_to_the_system() {
    let limits = plan("", None);
    assert!(limits.protections && limits.idle_timeout.is_none());
    assert_eq!(limits.send_buffer_bytes, Some(256 << 10));
    assert_eq!(limits.connects_per_second_per_source_max, Some(1000));
    let off = plan(
        "[limits]\nsend_buffer = \"auto\"\nuser_timeout = \"off\"\n\
         max_connects_per_second_per_source = \"off\"",
        None,
    );
    assert_eq!((off.send_buffer_bytes, off.user_timeout), (None, None));
    assert_eq!(off.connects_per_second_per_source_max, None);
}

#[test]
fn too_few_open_files_to_serve_at_all_are_told_with_what_it_takes() {
    let limits = plan("", Some(40));
    let refused = make_room_for_connections(&limits, Some(40)).unwrap_err();
    let words = refused.to_string();
    assert!(
        words.contains("40 files") && words.contains("81"),
        "{words}"
    );
    assert!(make_room_for_connections(&plan("", Some(81)), Some(81)).is_ok());
}
