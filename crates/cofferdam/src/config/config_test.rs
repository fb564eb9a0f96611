//! Files, flags and what they may not say.

use super::*;

fn error(text: &str) -> String {
    match Config::parse(text) {
        Err(e) => e,
        Ok(config) => config.check().unwrap_err(),
    }
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(Config::parse("").unwrap(), Config::default());
}

#[test]
fn mistakes_are_told_with_their_line() {
    let cases = [
        ("\nmemroy = \"1GiB\"", ":2: ", "memroy"),
        ("[listen]\n\nmemcache_aut = \"x\"", ":3: ", "memcache_aut"),
        ("[nonsense]\na = 1", ":1: ", "nonsense"),
        ("memory = \"1GB\"", ":1: ", "KiB, MiB or GiB"),
        (
            "threads = 1\n[limits]\nauth_timeout = 5",
            ":3: ",
            "500ms or 5s",
        ),
        ("threads = -1", ":1: ", "threads"),
        ("log_format = \"xml\"", ":1: ", "text"),
        ("threads = 1\nthreads = 2", ":2: ", "duplicate"),
        ("threads =", ":1: ", ""),
    ];
    for (text, line, word) in cases {
        let error = error(text);
        assert!(error.starts_with(line), "{text:?}: {error}");
        assert!(
            error.contains(word) || word == "threads",
            "{text:?}: {error}"
        );
        assert!(!error.contains('\n'), "{text:?}: {error}");
    }
}

#[test]
fn an_open_listener_stays_on_loopback() {
    for addr in ["0.0.0.0:11211", "192.0.2.1:11211", "[::]:11211"] {
        let error = error(&format!("[listen]\nmemcache = {addr:?}"));
        assert!(
            error.contains(addr) && error.contains("127.0.0.1:11211"),
            "{error}"
        );
    }
    for addr in ["127.0.0.1:0", "127.8.8.8:1", "[::1]:11211", "off"] {
        let config = Config::parse(&format!("[listen]\nmemcache = {addr:?}")).unwrap();
        assert_eq!(config.check(), Ok(()), "{addr}");
    }
}

#[test]
fn values_out_of_bounds_are_refused_by_name() {
    let cases = [
        ("item_size = 100", "item_size"),
        ("item_size = \"2GiB\"", "item_size"),
        ("memory = \"1MiB\"", "memory"),
        ("threads = 0", "threads"),
        ("[limits]\nmax_connections = 0", "limits.max_connections"),
        ("[listen]\nadvertise = [\"cache\"]", "listen.advertise"),
    ];
    for (text, name) in cases {
        assert!(error(text).starts_with(name), "{text:?}: {}", error(text));
    }
}

#[test]
fn flags_go_before_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cofferdam.toml");
    fs::write(&file, "memory = \"2GiB\"\nthreads = 3\n").unwrap();
    let flags = Overrides {
        memory: Some(Auto::Is("64MiB".parse().unwrap())),
        ..Overrides::default()
    };
    let config = Config::load(Some(&file), &flags).unwrap();
    assert_eq!(config.memory_bytes(), 64 << 20);
    assert_eq!(config.threads, Auto::Is(3));
}

#[test]
fn a_bad_file_is_named_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cofferdam.toml");
    fs::write(&file, "\n\nfoo = 1\n").unwrap();
    let error = Config::load(Some(&file), &Overrides::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("cofferdam.toml:3: "), "{error}");
    let missing = dir.path().join("missing.toml");
    let error = Config::load(Some(&missing), &Overrides::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("missing.toml") && error.contains("--config"),
        "{error}"
    );
}

#[test]
fn differences_are_named_and_only_live_ones_taken() {
    let old = Config::default();
    let new = Config::parse(
        "memory = \"2GiB\"\nthreads = 3\n[listen]\nadvertise = [\"a:1\"]\nmemcache = \"off\"",
    )
    .unwrap();
    let differences = old.differences(&new);
    let expected = [
        ("memory", Change::Live),
        ("threads", Change::Restart),
        ("listen.memcache", Change::Restart),
        ("listen.advertise", Change::Live),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, c)| (name.to_string(), *c))
        .collect();
    assert_eq!(differences, expected);
    let mut merged = old.clone();
    merged.take_live_keys(&new);
    assert_eq!(merged.memory, new.memory);
    assert_eq!(merged.listen.advertise, new.listen.advertise);
    assert_eq!(
        (merged.threads, merged.listen.memcache),
        (old.threads, old.listen.memcache)
    );
}

#[test]
fn no_two_listeners_have_one_address() {
    let cases = [
        (
            "memcache_auth = \"127.0.0.1:11211\"",
            "memcache_auth",
            "listen.memcache ",
        ),
        (
            "memcache_auth = \"0.0.0.0:11211\"",
            "memcache_auth",
            "listen.memcache ",
        ),
        (
            "admin = \"127.0.0.1:11212\"",
            "admin",
            "listen.memcache_auth ",
        ),
    ];
    for (line, second, first) in cases {
        let error = error(&format!("[listen]\n{line}"));
        assert!(
            error.starts_with(&format!("listen.{second} is ")),
            "{error}"
        );
        assert!(error.contains(first) && error.contains("port"), "{error}");
    }
    for line in [
        "memcache = \"127.0.0.1:0\"\nmemcache_auth = \"127.0.0.1:0\"",
        "memcache = \"off\"\nmemcache_auth = \"127.0.0.1:11211\"",
        "memcache_auth = \"127.0.0.2:11211\"",
        "memcache_auth = \"[::1]:11211\"",
    ] {
        let config = Config::parse(&format!("[listen]\n{line}")).unwrap();
        assert_eq!(config.check(), Ok(()), "{line}");
    }
}

#[test]
fn memory_holds_the_least_cache() {
    let error = error("memory = \"64KiB\"\nitem_size = \"1KiB\"");
    assert!(error.contains("at least 256KiB"), "{error}");
    let config = Config::parse("memory = \"256KiB\"\nitem_size = \"1KiB\"").unwrap();
    assert_eq!(config.check(), Ok(()));
}
