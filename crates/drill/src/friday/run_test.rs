//! Tests of what is refused before anything is started.

use super::*;

fn settings() -> Settings {
    Settings {
        program: "/nonexistent".into(),
        scratch: "/nonexistent".into(),
        connections: None,
        storm: None,
        protections: true,
        seed: 1,
        quick: false,
        same_source: false,
        against: None,
    }
}

/// Why these settings cannot be run.
fn refusal(change: impl FnOnce(&mut Settings)) -> String {
    let mut settings = settings();
    change(&mut settings);
    let never = AtomicBool::new(false);
    run(&settings, &never, &mut |_| {}).unwrap_err().to_string()
}

#[test]
fn only_loopback_is_drilled() {
    let away = refusal(|it| it.against = Some(([192, 0, 2, 1], 11211).into()));
    assert!(
        away.contains("192.0.2.1:11211") && away.contains("loopback"),
        "{away}"
    );
}

#[test]
fn protections_are_off_only_in_a_server_of_the_drill_s_own() {
    let refused = refusal(|it| {
        it.against = Some(([127, 0, 0, 1], 11211).into());
        it.protections = false;
    });
    assert!(refused.contains("--against"), "{refused}");
}

#[test]
fn a_limit_that_is_too_low_is_named() {
    let limit = machine::raise_descriptors().unwrap();
    if let Some(connections) = u32::try_from(limit).ok().filter(|it| *it < u32::MAX / 2) {
        let refused = refusal(|it| it.connections = Some(connections));
        assert!(
            refused.contains("ulimit -Hn") && refused.contains(&limit.to_string()),
            "{refused}"
        );
    }
    assert!(refusal(|it| it.connections = Some(0)).contains("--connections 0"));
}

#[test]
fn a_peer_may_fail_in_the_drill_and_the_server_under_test_may_not() {
    let failed = || Err(DrillError::CannotRun("it has gone".into()));
    let subject = Subject::existing(([127, 0, 0, 1], 1).into());
    let mut cast = Cast::new(subject, settings().pace());
    assert!(cast.survived(failed()).is_err());
    cast.subject.is_peer = true;
    assert!(cast.survived(failed()).unwrap().is_some());
    assert!(cast.survived(Ok(())).unwrap().is_none());
    assert!(cast.survived(Err(DrillError::Interrupted)).is_err());
}
