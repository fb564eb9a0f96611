//! What is sent, as etcd's gateway takes it, and what is made of its answers.

use super::*;

#[test]
fn a_prefix_ends_before_the_next_key() {
    assert_eq!(end_of("/a/"), b"/a0");
    assert_eq!(end_of(""), [0]);
    assert_eq!(end_of("a\u{7f}"), b"a\x80");
}

#[test]
fn a_change_compares_then_writes() {
    let change = Change::default()
        .only_if("a", Revision(3))
        .put("a", "1")
        .put_leased("b", "", LeaseId(u64::MAX >> 1))
        .delete("c");
    let sent = txn(&change);
    let compare = &sent["compare"][0];
    assert_eq!(
        (&compare["key"], &compare["mod_revision"]),
        (&json!("YQ=="), &json!("3"))
    );
    assert_eq!(
        (&compare["target"], &compare["result"]),
        (&json!("MOD"), &json!("EQUAL"))
    );
    let success = sent["success"].as_array().unwrap();
    assert_eq!(success[0]["request_put"]["value"], "MQ==");
    assert_eq!(success[0]["request_put"]["lease"], "0");
    assert_eq!(success[1]["request_put"]["lease"], "9223372036854775807");
    assert_eq!(success[2]["request_delete_range"]["key"], "Yw==");
}

#[test]
fn what_is_left_out_is_zero() {
    let reply: RangeReply = serde_json::from_str(r#"{"header":{"revision":"7"}}"#).unwrap();
    let snapshot = reply.into_snapshot().unwrap();
    assert_eq!(
        (snapshot.revision, snapshot.entries.len()),
        (Revision(7), 0)
    );
    let reply: TxnReply = serde_json::from_str(r#"{"header":{"revision":"8"}}"#).unwrap();
    assert!(!reply.succeeded);
    let reply: LeaseReply = serde_json::from_str(r#"{"ID":"12"}"#).unwrap();
    assert_eq!((reply.id, reply.ttl_s), (12, 0));
}

#[test]
fn entries_come_sorted_and_decoded() {
    let text = r#"{"header":{},"kvs":[{"key":"Yg==","mod_revision":"2","value":"AP8="},
        {"key":"YQ==","mod_revision":3}]}"#;
    let reply: RangeReply = serde_json::from_str(text).unwrap();
    let snapshot = reply.into_snapshot().unwrap();
    assert_eq!(snapshot.get("a").unwrap().revision, Revision(3));
    assert_eq!(snapshot.get("b").unwrap().value, [0, 0xff]);
    assert_eq!(snapshot.get("c"), None);
    for bad in [
        r#""key":"?""#,
        r#""key":"/w==""#,
        r#""key":"YQ==","value":"=""#,
    ] {
        let text = format!(r#"{{"header":{{}},"kvs":[{{{bad},"mod_revision":"1"}}]}}"#);
        let reply: RangeReply = serde_json::from_str(&text).unwrap();
        assert!(
            matches!(reply.into_snapshot(), Err(StoreError::Nonsense(_))),
            "{bad}"
        );
    }
}

#[test]
fn what_may_pass_is_told_from_a_refusal() {
    let fault = |code| Fault {
        error: "why".to_owned(),
        code,
    };
    for code in [1, 2, 4, 8, 14] {
        assert!(matches!(
            fault(code).into_error(),
            StoreError::Unavailable(_)
        ));
    }
    for code in [3, 5, 7, 11, 16] {
        assert!(matches!(fault(code).into_error(), StoreError::Refused(_)));
    }
}
