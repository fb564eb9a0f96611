//! Keys as people read them, whatever is in them.

use super::*;

fn counted(key: &[u8], count: u64, error: u64) -> Counted {
    Counted {
        key: key.into(),
        count,
        error,
    }
}

#[test]
fn shares_and_rates_follow_the_sample() {
    let busiest = BusiestKeys {
        samples: 1000,
        keys: vec![counted(b"user:1", 500, 0), counted(b"user:2", 20, 4)],
        prefixes: vec![counted(b"user:", 900, 0)],
    };
    let view = KeysView::of(&busiest, 2_000.0);
    assert_eq!(view.keys.len(), 2);
    let first = &view.keys[0];
    assert_eq!(
        (
            first.key.as_str(),
            first.share.as_str(),
            first.percent,
            first.rate.as_str()
        ),
        ("user:1", "50.0 %", 50, "1k/s")
    );
    assert_eq!(view.prefixes[0].rate, "1.80k/s");
    assert!(view.note.contains("1000 of your last requests"));
}

#[test]
fn what_may_be_nothing_but_error_is_not_shown() {
    let busiest = BusiestKeys {
        samples: 1000,
        keys: vec![
            counted(b"a", 10, 8),
            counted(b"b", 1, 0),
            counted(b"c", 10, 5),
        ],
        prefixes: Vec::new(),
    };
    let keys = KeysView::of(&busiest, 1.0).keys;
    assert_eq!(
        keys.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(),
        ["c"]
    );
    let few = BusiestKeys {
        samples: SAMPLES_MIN - 1,
        ..busiest
    };
    let view = KeysView::of(&few, 1.0);
    assert!(view.keys.is_empty() && view.note.contains("wait a moment"));
}

#[test]
fn a_key_is_text_of_bounded_length() {
    assert_eq!(readable("größe:1".as_bytes()), "größe:1");
    assert_eq!(readable(b"a\xffb\0"), "a\\xffb\\x00");
    assert_eq!(readable("a\u{9b}b".as_bytes()), "a\\xc2\\x9bb");
    let long = "ü".repeat(250);
    assert_eq!(
        readable(long.as_bytes()),
        format!("{}…", "ü".repeat(LEN_MAX))
    );
    assert_eq!(readable(b"<script>"), "<script>", "the page escapes it");
}
