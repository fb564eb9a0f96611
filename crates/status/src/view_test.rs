//! What is shown, in words, for each state of the whole.

use super::*;
use crate::sample::{NOW, board, probe, site};

#[test]
fn before_any_probe_all_is_grey_and_says_so() {
    let (board, site) = (board(2), site());
    let view = View::of(&board, &site, NOW);
    assert_eq!(
        (view.headline(), view.indicator()),
        ("No current data", "minor")
    );
    assert_eq!(view.groups.len(), 2);
    assert!(view.groups.iter().all(|group| group.components.len() == 2));
}

#[test]
fn well_and_out_have_their_words() {
    let site = site();
    for (is_well, headline, indicator) in [
        (true, "All systems operational", "none"),
        (false, "Major outage", "critical"),
    ] {
        let mut board = board(2);
        probe(&mut board, NOW, is_well);
        let view = View::of(&board, &site, NOW);
        assert_eq!((view.headline(), view.indicator()), (headline, indicator));
    }
}

#[test]
fn only_what_is_published_is_there() {
    let (mut board, site) = (board(1), site());
    assert_eq!(View::of(&board, &site, NOW).incidents.len(), 31);
    board.discard(NOW, 31).unwrap();
    let view = View::of(&board, &site, NOW);
    assert_eq!(view.incidents.len(), 30);
    assert_eq!(view.open_incidents().count(), 0);
}
