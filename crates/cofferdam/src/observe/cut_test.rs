//! Whoever lost items is named, with how many.

use base::Timestamp;

use super::MemoryCut;

#[test]
fn it_says_whose_and_how_much() {
    let cut = MemoryCut {
        tenant: "acme".into(),
        from_bytes: 64 << 20,
        to_bytes: 16 << 20,
        items: 40_000,
        dropped: 29_500,
    };
    let now = Timestamp::from_secs(7);
    let signal = cut.signal(now);
    assert_eq!(signal.onset, now);
    assert_eq!(signal.tenant.as_deref(), Some("acme"));
    for words in ["64MiB to 16MiB", "29500 of its 40000 items"] {
        assert!(signal.sentence.contains(words), "{}", signal.sentence);
    }
    assert!(signal.advice.unwrap().contains("stat --tenant acme"));
}
