//! Actions are on record, the newest first, over restarts too.

use super::*;

fn entry(detail: &str) -> Entry {
    Entry {
        at: rfc3339(Timestamp::from_secs(1_800_000_000)),
        who: "operator".into(),
        from: "127.0.0.1".into(),
        action: "limit".into(),
        tenant: Some("acme".into()),
        node: None,
        detail: detail.into(),
        outcome: "done".into(),
    }
}

#[test]
fn entries_are_kept_and_the_newest_comes_first() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Audit::open(dir.path()).last(5).unwrap().is_empty());
    Audit::open(dir.path()).write(&entry("one"));
    let audit = Audit::open(dir.path());
    audit.write(&entry("two\nlines \"quoted\""));
    let last = audit.last(5).unwrap();
    let details: Vec<&str> = last.iter().map(|e| e.detail.as_str()).collect();
    assert_eq!(details, ["two\nlines \"quoted\"", "one"]);
    assert_eq!(audit.last(1).unwrap().len(), 1);
    assert_eq!(last[0].at, "2027-01-15T08:00:00Z");
}
