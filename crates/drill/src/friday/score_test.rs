//! Tests of the table: each bound from both sides.

use super::super::outcome::{Aggressor, Course, Generator, IdleFigures, Storm, Victims};
use super::*;

const ASKED: Asked = Asked {
    connections: 16_000,
    period_s: 3.0,
    part: Part::Subject,
};

/// Just within every bound.
fn good() -> Figures {
    Figures {
        victims: Victims {
            p99_ms: Course {
                before: 0.05,
                during: 0.29,
                after: 0.05,
            },
            connect_p99_ms: 100.0,
            ..Victims::default()
        },
        storm: Storm {
            opened: 16_000,
            first_round_s: 3.1,
            close_wait_oldest_ms: 1000.0,
            ..Storm::default()
        },
        aggressor: Aggressor {
            offered_multiple: 3.0,
            served_share: 0.9,
            capacity_per_s: 1000.0,
            capacity_after_per_s: 900.0,
            ..Aggressor::default()
        },
        generator: Generator {
            lag_p99_ms: 0.2,
            steal: 0.02,
            noise_ms: 0.25,
            others_before: 0.05,
            others_during: 0.03,
            real_time: true,
        },
        recover_ms: Some(1000.0),
        idle: Some(IdleFigures {
            connections: 15_000,
            alive: 15_000,
            p99_ms: 0.25,
        }),
        ..Figures::default()
    }
}

/// The one reason that this change of a good run gives.
fn reason(change: impl FnOnce(&mut Figures)) -> String {
    let mut figures = good();
    change(&mut figures);
    let (verdict, mut reasons) = judge(&figures, ASKED);
    assert_eq!(verdict, Verdict::Fail, "{reasons:?}");
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    reasons.remove(0)
}

#[test]
fn a_run_within_every_bound_passes() {
    assert_eq!(judge(&good(), ASKED), (Verdict::Pass, Vec::new()));
    let without_idle = Figures {
        idle: None,
        ..good()
    };
    assert_eq!(judge(&without_idle, ASKED).0, Verdict::Pass);
}

#[test]
fn each_bound_fails_by_itself_and_names_its_figure() {
    assert!(reason(|it| it.victims.p99_ms.during = 0.31).contains("from 0.050 to 0.310 ms"));
    assert!(reason(|it| it.victims.p99_ms.during = f64::NAN).contains("p99"));
    assert!(reason(|it| it.victims.errors = 1).contains("1 requests"));
    assert!(reason(|it| it.victims.connect_failures = 2).contains("2 connects"));
    assert!(reason(|it| it.victims.connect_p99_ms = 100.1).contains("100.1 ms"));
    assert!(reason(|it| it.storm.close_wait_oldest_ms = 1001.0).contains("CLOSE_WAIT"));
    assert!(reason(|it| it.aggressor.served_share = 0.89).contains("0.89"));
    assert!(reason(|it| it.recover_ms = Some(1001.0)).contains("1001 ms"));
    assert!(reason(|it| it.recover_ms = None).contains("not back to normal"));
}

#[test]
fn idle_connections_may_cost_a_fifth_or_a_fifth_of_a_millisecond() {
    let slow_idle = |before: f64, p99_ms: f64| {
        let mut figures = good();
        figures.victims.p99_ms = Course {
            before,
            during: before,
            after: before,
        };
        figures.idle = Some(IdleFigures {
            connections: 1,
            alive: 1,
            p99_ms,
        });
        judge(&figures, ASKED).0
    };
    assert_eq!(slow_idle(0.05, 0.24), Verdict::Pass);
    assert_eq!(slow_idle(0.05, 0.26), Verdict::Fail);
    assert_eq!(slow_idle(2.0, 2.39), Verdict::Pass);
    assert_eq!(slow_idle(2.0, 2.41), Verdict::Fail);
}

#[test]
fn idle_connections_must_stay() {
    let closed = |it: &mut Figures| {
        it.idle = Some(IdleFigures {
            connections: 15_000,
            alive: 14_000,
            p99_ms: 0.0,
        });
    };
    assert!(reason(closed).contains("1000 were closed"));
}

#[test]
fn a_run_that_was_not_what_it_should_be_is_invalid_whatever_it_shows() {
    let flawed = |change: fn(&mut Figures)| {
        let mut figures = good();
        change(&mut figures);
        let (verdict, reasons) = judge(&figures, ASKED);
        assert_eq!(verdict, Verdict::Invalid, "{reasons:?}");
        figures.victims.errors = 5;
        assert_eq!(judge(&figures, ASKED).0, Verdict::Invalid);
        reasons.join("; ")
    };
    assert!(flawed(|it| it.generator.lag_p99_ms = 0.21).contains("lag p99 0.210 ms"));
    assert!(flawed(|it| it.generator.others_before = 0.06).contains("6.0 %"));
    assert!(flawed(|it| it.generator.noise_ms = 0.26).contains("0.260 ms before the fault"));
    assert!(flawed(|it| it.aggressor.offered_multiple = 2.9).contains("2.90 times"));
    assert!(flawed(|it| it.storm.first_round_s = 0.0).contains("slower than its script"));
    assert!(flawed(|it| it.storm.first_round_s = 3.4).contains("3.4 s"));
}

#[test]
fn a_disturbance_excuses_a_failure_and_spoils_no_pass() {
    let disturbances: [fn(&mut Figures); 3] = [
        |it| it.generator.others_during = 0.04,
        |it| it.generator.steal = 0.03,
        |it| it.aggressor.capacity_after_per_s = 899.0,
    ];
    for disturb in disturbances {
        let mut figures = good();
        disturb(&mut figures);
        assert_eq!(judge(&figures, ASKED).0, Verdict::Pass);
        figures.victims.errors = 5;
        let (verdict, reasons) = judge(&figures, ASKED);
        assert_eq!(verdict, Verdict::Invalid);
        assert!(reasons[0].contains(" %"), "{reasons:?}");
        assert!(
            reasons[1].contains("does not count that 5 requests"),
            "{reasons:?}"
        );
        let control = Asked {
            part: Part::Control,
            ..ASKED
        };
        assert_eq!(judge(&figures, control).0, Verdict::Fail);
    }
}

#[test]
fn a_control_says_whether_it_fails_by_far() {
    let control = Asked {
        part: Part::Control,
        ..ASKED
    };
    let mut figures = good();
    figures.victims.p99_ms.during = 5.0;
    let (verdict, reasons) = judge(&figures, control);
    assert_eq!(verdict, Verdict::Fail);
    assert!(
        reasons.last().unwrap().contains("by far, p99 x 100"),
        "{reasons:?}"
    );
    let (verdict, reasons) = judge(&good(), control);
    assert_eq!(verdict, Verdict::Pass);
    assert!(
        reasons.last().unwrap().contains("proves nothing"),
        "{reasons:?}"
    );
}
