//! What the start makes of limits and of listeners that cannot be had.

use super::*;

#[test]
fn no_more_connections_than_descriptors_leave_room_for() {
    let cases = [
        (100, Some(1024), 100),
        (5000, Some(1024), 960),
        (960, Some(1024), 960),
        (5000, Some(10), 1),
        (5000, Some(u64::MAX), 5000),
        (5000, None, 5000),
    ];
    for (asked, descriptors, fit) in cases {
        assert_eq!(connections_that_fit(asked, descriptors), fit, "{asked}");
    }
}

#[test]
fn a_listener_that_cannot_be_had_is_named_with_its_flag() {
    let text = "[listen]\nmemcache_auth = \"127.0.0.1:4711\"\nunix = \"/a b\"";
    let config = plane_config(&Config::parse(text).unwrap(), None);
    let said = |text: &str| with_listener_s_key(&Failure::new(text), &config).to_string();
    for (address, key, flag) in [
        ("127.0.0.1:11211", "listen.memcache ", "--memcache)"),
        (
            "127.0.0.1:4711",
            "listen.memcache_auth ",
            "--memcache-auth)",
        ),
        ("/a b", "listen.unix ", "--unix)"),
    ] {
        let said = said(&format!("cannot listen on {address}: in use"));
        assert!(said.contains(key) && said.contains(flag), "{said}");
    }
    assert_eq!(said("something else"), "something else");
}
