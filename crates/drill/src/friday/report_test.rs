//! Tests of the report for people.

use super::super::outcome::Peer;
use super::super::timeline::{Seen, Span};
use super::*;
use crate::load::Timing;

fn timeline() -> Timeline {
    let mut timeline = Timeline::default();
    for (number, (took_us, errors)) in (0..).zip([(40, 0), (300, 0), (2_000_000, 0), (40, 3)]) {
        let mut latency = Timing::fine();
        latency.record(took_us * 1_000);
        timeline.see(Seen {
            span: Span::new(number * 100_000_000, (number + 1) * 100_000_000),
            latency,
            lag: Timing::fine(),
            requests: 1,
            errors,
            connect_failures: 0,
            reconnects: 0,
        });
    }
    timeline.phase(Phase::Steady, Span::new(0, 150_000_000));
    timeline.phase(Phase::Hold, Span::new(150_000_000, 500_000_000));
    timeline
}

fn report() -> Report {
    Report {
        outcome: Outcome {
            drill: "friday",
            protections: "on",
            server: "cofferdam 1".into(),
            figures: Figures::default(),
            peers: vec![Peer {
                name: "memcached 1.6".into(),
                figures: Figures::default(),
                verdict: Verdict::Fail,
                reasons: vec!["victims' p99 rose".into()],
            }],
            seed: 1,
            notes: vec!["nutcracker is not installed and was left out".into()],
            verdict: Verdict::Fail,
            reasons: vec!["not back to normal after the end of the spike".into()],
        },
        timelines: vec![("a<b".into(), timeline())],
    }
}

#[test]
fn the_report_has_verdict_reasons_figures_peers_and_notes() {
    let text = report().to_markdown(Some("p.svg"));
    for part in [
        "# Drill `friday`: fail",
        "- not back to normal",
        "| this server | memcached |",
        "| back to normal after, ms | 1000 | never | never |",
        "memcached 1.6: fail\n\n- victims' p99 rose",
        "- nutcracker is not installed",
        "![victims' latency over time](p.svg)",
    ] {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
    assert!(!report().to_markdown(None).contains(".svg"));
}

#[test]
fn bars_grow_with_latency_and_errors_are_crossed() {
    let text = sparkline(&timeline());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "steady  ▁");
    assert_eq!(lines[1], "hold    ▃█x");
}

#[test]
fn long_phases_are_put_together() {
    let point = |p99_ms| Point {
        at_s: 0.0,
        p50_ms: 0.0,
        p99_ms,
        errors: 0,
        has_latency: true,
    };
    let points: Vec<Point> = (0..250)
        .map(|it| point(if it == 130 { 0.3 } else { 0.01 }))
        .collect();
    let bars = bars(&points);
    assert!(bars.chars().count() <= LINE_LEN_MAX);
    assert_eq!(bars.chars().filter(|bar| *bar != '▁').count(), 1);
}

#[test]
fn the_plot_is_one_picture_with_every_panel() {
    let mut report = report();
    report.timelines.push(("peer".into(), timeline()));
    let svg = report.to_svg();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert_eq!(svg.matches("stroke-width=\"1.3\"").count(), 4);
    assert!(svg.contains("a&lt;b: victims"));
    assert!(svg.contains("<title>3 errors</title>"));
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}
