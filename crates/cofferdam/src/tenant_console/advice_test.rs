//! Advice where something can be done better, and no reproach where nothing can.

use super::*;
use crate::tenant_console::testing::Acme;

fn wanted(acme: &Acme) -> Vec<&'static str> {
    let all = advice(&acme.now());
    let wanted = all.iter().filter(|one| one.is_wanted);
    wanted.map(|one| one.title).collect()
}

#[test]
fn a_well_behaved_tenant_hears_no_reproach() {
    let acme = Acme::with(&[
        ("reads", 5_000.0),
        ("connects", 0.1),
        ("connections", 20.0),
        ("hits", 4_800.0),
        ("misses", 200.0),
    ]);
    assert_eq!(wanted(&acme), [""; 0]);
    let all = advice(&acme.now());
    let titles: Vec<&str> = all.iter().map(|one| one.title).collect();
    assert_eq!(titles, ["Connections are kept open", "Timeouts"]);
}

#[test]
fn a_connection_for_each_request_is_too_many() {
    let acme = Acme::with(&[
        ("reads", 100.0),
        ("connects", 100.0),
        ("connects_unused", 10.0),
    ]);
    assert_eq!(wanted(&acme), ["Keep connections open"]);
    assert!(advice(&acme.now())[0].text.contains("10.0 % ended without"));
    // Few requests on each, but also many that ask nothing.
    let unused = Acme::with(&[
        ("reads", 9_000.0),
        ("connects", 10.0),
        ("connects_unused", 5.0),
    ]);
    assert_eq!(wanted(&unused), ["Keep connections open"]);
}

#[test]
fn pools_that_are_too_large_are_told_what_would_do() {
    let acme = Acme::with(&[("reads", 100.0), ("connections", 400.0)]);
    assert_eq!(wanted(&acme), ["Smaller pools"]);
    assert!(advice(&acme.now())[0].text.contains("some 1 would do"));
    let mut full = Acme::with(&[("reads", 10_000.0), ("connections", 95.0)]);
    assert_eq!(wanted(&full), [""; 0]);
    full.limits.connections = Some(100);
    assert_eq!(wanted(&full), ["Smaller pools"]);
    assert!(
        advice(&full.now())[0]
            .text
            .contains("of the 100 that you may have")
    );
}

#[test]
fn misses_have_one_remedy_with_memory_and_another_without() {
    let common = [
        ("reads", 100.0),
        ("hits", 40.0),
        ("misses", 60.0),
        ("quota_bytes", 1e6),
    ];
    let full = [&common[..], &[("held_bytes", 0.99e6), ("evictions", 50.0)]].concat();
    let text = |figures: &[(&str, f32)]| {
        let acme = Acme::with(figures);
        assert_eq!(wanted(&acme), ["Many misses"]);
        advice(&acme.now())[0].text.clone()
    };
    assert!(text(&full).contains("memory is full"));
    assert!(text(&common).contains("although there is room"));
}

#[test]
fn timeouts_follow_the_longest_wait() {
    let mut acme = Acme::with(&[]);
    acme.limits.max_delay = std::time::Duration::from_millis(900);
    let all = advice(&acme.now());
    let timeouts = all.iter().find(|one| one.title == "Timeouts").unwrap();
    assert!(timeouts.text.contains("900 ms at most") && timeouts.text.contains("1200 ms or more"));
}
