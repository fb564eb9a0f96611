//! What is read of a gateway's report.

use super::*;

#[test]
fn states_of_the_past_and_of_now_are_read() {
    let report = serde_json::json!({
        "nodes": [
            { "name": "node1", "state": "serving", "share": 1000, "since_unix_ms": 5, "past": [] },
            { "name": "node3", "state": "ejected", "share": 0, "since_unix_ms": 20,
              "past": [{ "at_unix_ms": 10, "state": "suspect" }] },
        ],
        "notices": [{ "kind": "cap_holds", "since_unix_ms": 7, "members": ["node3", "node5"] }],
    });
    let view = View::of(&report);
    let past = [(10, "suspect".to_owned()), (20, "ejected".to_owned())];
    assert_eq!(
        (view.nodes[1].share, &view.nodes[1].past[..]),
        (0, &past[..])
    );
    assert_eq!(view.notices[0].2, ["node3", "node5"]);
    assert!(!view.is_well());
    assert_eq!(View::of(&Value::Null), View::default());
}

#[test]
fn who_does_not_answer_tells_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let admin = Admin {
        socket: dir.path().join("nobody.sock"),
    };
    assert_eq!(admin.judging(), None);
    assert!(!admin.is_whole(6));
}
