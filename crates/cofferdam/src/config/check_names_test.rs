//! What is no path and no name is refused by its key.

use super::*;

#[test]
fn empty_paths_and_what_is_no_name_are_refused() {
    let cases = [
        ("data_dir = \"\"", "data_dir"),
        ("[listen]\nunix = \"\"", "listen.unix"),
        ("[listen]\nnbd_unix = \"\"", "listen.nbd_unix"),
        ("[admin]\nhosts = [\"good\", \"a b\"]", "admin.hosts"),
        ("[tenant_console]\nhosts = [\"\"]", "tenant_console.hosts"),
        ("[status]\nhosts = [\"a:1\"]", "status.hosts"),
        (
            "[fleet]\nname = \"<script>alert(1)</script>\"",
            "fleet.name",
        ),
        ("[fleet]\nname = \"node 1\"", "fleet.name"),
        (
            "[fleet]\nnodes = [{ member = 1, name = \"a/b\", addr = \"127.0.0.1:1\" }]",
            "fleet.nodes",
        ),
    ];
    for (text, key) in cases {
        let error = Config::parse(text).unwrap().check().unwrap_err();
        assert!(error.starts_with(&format!("{key} ")), "{error}");
    }
    let long = format!("[fleet]\nname = \"{}\"", "n".repeat(64));
    let error = Config::parse(&long).unwrap().check().unwrap_err();
    assert!(error.ends_with("63 at most"), "{error}");
    let good = "data_dir = \"d\"\n[admin]\nhosts = [\"console.example.org\", \"box_1\"]";
    assert_eq!(Config::parse(good).unwrap().check(), Ok(()));
}
