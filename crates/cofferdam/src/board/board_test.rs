//! The overview's tiles and rows, and who stands first.

use super::*;
use crate::observe::history::{Row, TENANT_FIGURES};

fn tenant(name: &str, figures: &[(&str, f32)]) -> TenantFrame {
    let value = |own: &&str| {
        figures
            .iter()
            .find(|(name, _)| name == own)
            .map_or(0.0, |f| f.1)
    };
    TenantFrame {
        name: name.into(),
        values: TENANT_FIGURES.iter().map(value).collect(),
    }
}

fn frame(time_s: u64, tenants: Vec<TenantFrame>) -> Arc<Frame> {
    let figures = [
        ("service/reads", 900.0),
        ("service/writes", 100.0),
        ("service/hits", 3.0),
    ];
    let more = [
        ("service/misses", 1.0),
        ("service/refused", 0.0),
        ("service/p99_s", 0.0005),
    ];
    let all = figures.into_iter().chain(more);
    let all = all.map(|(name, value)| (name.to_owned(), value)).collect();
    Arc::new(Frame {
        time_s,
        figures: Row::new(all, &Row::default()),
        tenants,
    })
}

fn names(board: &Board) -> Vec<&str> {
    board.tenants.iter().map(|row| row.name.as_str()).collect()
}

#[test]
fn tiles_tell_the_present_second() {
    let board = Board::new(&[frame(100, Vec::new())], &[], 10);
    let values: Vec<&str> = board.tiles.iter().map(|tile| tile.value.as_str()).collect();
    assert_eq!(values[..3], ["1k", "500 µs", "75.0 %"]);
    assert_eq!(values[3], "–");
    assert_eq!(board.as_of, "00:01:40");
}

#[test]
fn trouble_comes_first_and_each_kind_has_its_own_words() {
    let tenants = vec![
        tenant("busy", &[("reads", 9000.0)]),
        tenant("waits", &[("reads", 10.0), ("paused", 0.4)]),
        tenant("refused", &[("reads", 5.0), ("refused", 30.0)]),
        tenant("idle", &[]),
    ];
    let board = Board::new(&[frame(100, tenants)], &[], 10);
    assert_eq!(names(&board), ["refused", "waits", "busy", "idle"]);
    let (refused, waits) = (&board.tenants[0], &board.tenants[1]);
    assert_eq!(
        (refused.refused.as_str(), refused.throttled.as_str()),
        ("30/s", "")
    );
    assert_eq!(waits.throttled, "40.0 % of the time");
    assert_eq!(board.tenants[2].severity, Severity::Well);
}

#[test]
fn figures_are_means_of_some_seconds() {
    let seconds = [0.0, 100.0, 200.0].map(|reads| vec![tenant("a", &[("reads", reads)])]);
    let frames: Vec<_> = seconds.into_iter().map(|t| frame(1, t)).collect();
    assert_eq!(Board::new(&frames, &[], 10).tenants[0].requests, "100");
}

#[test]
fn a_line_ends_at_the_right_edge_and_skips_what_is_not_known() {
    let line = spark(&[1.0, f32::NAN, 2.0]);
    assert_eq!(line.split(' ').count(), 2);
    assert!(line.ends_with("120.0,2.0"), "{line}");
    assert_eq!(spark(&[]), "");
    assert!(!spark(&[0.0, 0.0]).contains("NaN"));
}

#[test]
fn before_the_first_second_there_is_a_page_all_the_same() {
    let board = Board::new(&[], &[], 10);
    assert!(board.tenants.is_empty());
    assert_eq!(board.tiles[0].value, "–");
}

#[test]
fn the_same_is_told_as_data() {
    let tenants = vec![tenant("refused", &[("refused", 30.0)])];
    let view = Board::new(&[frame(100, tenants)], &[], 10).view();
    assert_eq!(view.verdict, "All is well.");
    assert_eq!(view.tenants[0].refused, "30/s");
    assert_eq!(view.tiles[0].minute, [Some(1000.0)]);
    assert_eq!(view.tiles[3].minute, [None]);
}
