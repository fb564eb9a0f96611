//! Pictures are small, and say what they show.

use super::*;
use crate::sample::{NOW, board, probe, site};

#[test]
fn a_run_of_days_is_one_line() {
    use Level::{Major, NoData, Operational};
    let mut days = vec![NoData; 10];
    days.extend([Operational; 70]);
    days.push(Major);
    days.extend([Operational; 9]);
    assert_eq!(
        bars(&days),
        "<path class=\"nod\" d=\"M0 5h10\"/><path class=\"ok\" d=\"M10 5h70M81 5h9\"/>\
         <path class=\"maj\" d=\"M80 5h1\"/>"
    );
    assert_eq!(bars(&[]), "");
}

#[test]
fn the_graph_has_a_round_top_and_says_the_latest() {
    for (highest, top) in [
        (0, 1_000),
        (1_000, 1_000),
        (1_001, 2_000),
        (4_100, 5_000),
        (5_001, 10_000),
        (130_000, 200_000),
    ] {
        assert_eq!(nice_top(highest), top, "{highest}");
    }
    assert!(nice_top(u32::MAX) >= 4_000_000_000);
    let (board, site) = (board(3), site());
    let graph = graph(&View::of(&board, &site, NOW));
    assert_eq!(graph.top, "50 ms");
    assert!(
        graph.summary.starts_with("New connections: "),
        "{}",
        graph.summary
    );
    assert!(graph.svg.len() < 10_000, "{}", graph.svg.len());
}

#[test]
fn lines_have_gaps_where_nothing_was_answered() {
    let known = |us| Bucket {
        slowest_us: us,
        answered: 1,
        failed: 0,
    };
    let buckets = [known(0), known(500), Bucket::default(), known(1_000)];
    assert_eq!(line(&buckets, 1_000), "M0 100h.5L1 50M3 0h.5");
}

#[test]
fn the_badge_says_the_state() {
    let (mut board, site) = (board(1), site());
    assert!(badge(&View::of(&board, &site, NOW)).contains("status: no data"));
    probe(&mut board, NOW, true);
    assert!(badge(&View::of(&board, &site, NOW)).contains("status: operational"));
}

#[test]
fn latencies_are_written_for_people() {
    let texts = [latency(850), latency(12_300), latency(2_150_000)];
    assert_eq!(texts, ["0.8 ms", "12 ms", "2.1 s"]);
}
