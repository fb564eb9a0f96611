//! Deeds are remembered, but not for ever.

use super::*;

#[test]
fn the_latest_deeds_are_remembered_and_no_more() {
    let mut deeds = Vec::new();
    for second in 0..DEEDS_MAX as u64 + 5 {
        let now = Timestamp::from_secs(second);
        let deed = Deed::new(now, Event::Drain, State::Drained, By::Operator, "gateway1");
        deeds = deed.after(&deeds);
    }
    assert_eq!(deeds.len(), DEEDS_MAX);
    assert_eq!(deeds[0].at_unix_ms, 5000);
    let json = serde_json::to_string(&deeds[0].clone().because(None)).unwrap();
    assert!(
        json.contains(r#""by":"operator""#) && !json.contains("why"),
        "{json}"
    );
    let because = deeds.pop().unwrap().because(Some("a new disk".to_owned()));
    let json = serde_json::to_string(&because).unwrap();
    assert_eq!(serde_json::from_str::<Deed>(&json).unwrap(), because);
}
