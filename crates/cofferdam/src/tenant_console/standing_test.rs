//! What holds a tenant back is said, the worst first, and nothing where nothing does.

use super::*;
use crate::tenant_console::testing::Acme;

fn standing(acme: &Acme) -> Standing {
    Standing::of(&acme.now())
}

#[test]
fn nothing_wrong_is_said_so() {
    let acme = Acme::with(&[("reads", 500.0), ("connections", 4.0)]);
    let standing = standing(&acme);
    assert_eq!(
        (standing.severity, standing.headline),
        (Severity::Well, "All is well.")
    );
    assert!(standing.words[0].starts_with("Nothing of yours is held back"));
    let mut unknown = acme;
    unknown.recent.clear();
    assert!(Standing::of(&unknown.now()).words[0].starts_with("Nothing is known"));
}

#[test]
fn a_tenant_that_waits_is_told_how_much_and_what_it_loses() {
    let mut acme = Acme::with(&[("paused", 0.45), ("reads", 990.0)]);
    acme.limits.max_delay = std::time::Duration::from_millis(70);
    let standing = standing(&acme);
    assert_eq!(standing.headline, "You are slowed down.");
    assert!(
        standing.words[0].contains("45.0 % of the time"),
        "{standing:?}"
    );
    assert!(standing.words[0].contains("70 ms"));
}

#[test]
fn the_worst_comes_first_and_nothing_is_left_out() {
    let acme = Acme::with(&[
        ("paused", 0.45),
        ("refused", 12.0),
        ("connects_refused", 3.0),
    ]);
    let standing = standing(&acme);
    assert_eq!(standing.headline, "Some of your requests are refused.");
    assert!(standing.words[0].starts_with("12 requests a second"));
    let all = standing.words.join(" ");
    assert!(
        all.contains("3 a second waited in vain") && all.contains("45.0 %"),
        "{all}"
    );
}

#[test]
fn events_that_go_on_count_and_those_that_ended_do_not() {
    let storm = Acme::with(&[("connects", 900.0)]).event("clients_reconnecting", "began");
    assert_eq!(
        standing(&storm).headline,
        "Your clients connect more than they ask."
    );
    let over = storm.event("clients_reconnecting", "ended");
    assert_eq!(standing(&over).severity, Severity::Well);
    let failing = Acme::with(&[("logins_refused", 4.0)]).event("logins_failing", "ongoing");
    assert!(standing(&failing).words[0].starts_with("4 logins a second fail"));
}

#[test]
fn limits_are_shown_with_what_is_used_of_them() {
    let mut acme = Acme::with(&[
        ("held_bytes", 900.0),
        ("quota_bytes", 1000.0),
        ("reads", 40.0),
        ("writes", 8.0),
        ("connections", 5.0),
    ]);
    acme.limits.ops_per_second = Some(50);
    let all = limits(&acme.now());
    assert_eq!((all[0].percent, all[0].is_near()), (Some(90), true));
    assert_eq!(
        (all[1].used.as_str(), all[1].limit.as_str()),
        ("48/s", "50/s")
    );
    assert_eq!(all[1].percent, Some(96));
    assert_eq!((all[4].limit.as_str(), all[4].percent), ("no limit", None));
    acme.recent.clear();
    assert!(limits(&acme.now()).iter().all(|one| one.percent.is_none()));
}
