//! How an operator's orders may be given, and with what they are refused.

use base::Timestamp;
use fleet::membership::{Event, Standing};

use super::*;

#[test]
fn only_an_ejection_is_forced_and_a_reason_is_a_line() {
    let manner = |force, reason: &str| Manner {
        force,
        reason: Some(reason.to_owned()),
    };
    let eject = Act::Eject { force: true };
    assert_eq!(manner(true, "a new disk").is_wrong_for(eject), None);
    assert!(manner(true, "").is_wrong_for(Act::Drain).is_some());
    for wrong in ["two\nlines", "\u{1b}[2J", &"x".repeat(201)] {
        let said = manner(false, wrong).is_wrong_for(Act::Readmit).unwrap();
        assert!(said.contains("one line"), "{said}");
    }
}

#[test]
fn what_is_not_done_is_said_with_a_status_of_its_own() {
    let status = |error: ChangeError| ApiError::from(error).0.as_u16();
    let gateway = Refused::NoNode {
        name: "gateway1".to_owned(),
        kind: "gateway",
    };
    let last = Refused::Last {
        name: "node1".to_owned(),
        done: "drained",
        others: String::new(),
    };
    let now = Timestamp::from_secs(1);
    let impossible = Standing::founder(now)
        .after(Event::Readmit, now)
        .unwrap_err();
    assert_eq!(status(ChangeError::Unknown("node9".to_owned())), 404);
    assert_eq!(status(gateway.into()), 422);
    assert_eq!(status(ChangeError::Strange("witness".to_owned())), 422);
    assert_eq!(status(last.into()), 409);
    assert_eq!(status(impossible.into()), 409);
    let away = runtime::store::StoreError::Unavailable("it is away".to_owned());
    assert_eq!(status(away.into()), 503);
}
