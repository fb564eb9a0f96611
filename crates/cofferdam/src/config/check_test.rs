//! Bounds of limits, and listeners that exclude each other.

use super::*;

fn error(text: &str) -> String {
    Config::parse(text).unwrap().check().unwrap_err()
}

fn is_good(text: &str) {
    assert_eq!(Config::parse(text).unwrap().check(), Ok(()), "{text}");
}

#[test]
fn limits_out_of_bounds_are_refused_with_the_remedy() {
    let cases = [
        ("max_unauthenticated = 0", "at least 1"),
        ("max_unauthenticated_per_source = 0", "\"auto\""),
        ("max_connects_per_second_per_source = 0", "\"off\""),
        ("door_memory = 1000", "64KiB"),
        ("send_buffer = 1", "4KiB to 1GiB"),
        ("inflight_bytes = \"1KiB\"", "1MiB to 1TiB"),
        ("send_buffer = \"2GiB\"", "4KiB to 1GiB"),
        ("auth_timeout = \"0s\"", "1ms"),
        ("stalled_writer_timeout = \"0s\"", "1ms"),
        ("idle_timeout = \"0s\"", "1ms"),
        ("user_timeout = \"2days\"", "\"off\""),
    ];
    for (line, remedy) in cases {
        let error = error(&format!("[limits]\n{line}"));
        let key = line.split(' ').next().unwrap();
        assert!(error.starts_with(&format!("limits.{key} is ")), "{error}");
        assert!(error.contains(remedy), "{error}");
    }
    is_good("[limits]\nsend_buffer = \"auto\"\nuser_timeout = \"off\"\ndoor_memory = \"64KiB\"");
}

#[test]
fn a_judge_has_limits_that_make_sense() {
    assert!(error("[judge]\nratio = 1.0").contains("1.5 to 100"));
    assert!(error("[judge]\nslow_share = 0.0").contains("0.01 to 0.9"));
    assert!(error("[judge]\nexcess = \"0s\"").contains("500us"));
    is_good("[judge]\nmode = \"naive\"\nratio = 2.0\nexcess = \"2ms\"");
}

#[test]
fn balancers_are_networks() {
    is_good("[listen]\nproxy_protocol_from = [\"10.0.0.0/8\", \"2001:db8::1\"]");
    let wrong = Config::parse("[listen]\nproxy_protocol_from = [\"10.1.0.0/8\"]").unwrap_err();
    assert!(wrong.contains("10.0.0.0/8"), "{wrong}");
}

#[test]
fn all_listeners_are_told_by_key() {
    let text = "[listen]\nmemcache = \"off\"\nmemcache_tls = \"127.0.0.1:1\"";
    let keys: Vec<_> = Config::parse(text)
        .unwrap()
        .tcp_listeners()
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(
        keys,
        [
            "memcache_auth",
            "memcache_tls",
            "nbd",
            "admin",
            "status",
            "tenant_console"
        ]
    );
}
