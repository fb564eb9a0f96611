//! Tests of what all loops together say.

use base::Timestamp;

use super::*;

#[test]
fn a_ring_is_known_when_the_last_loop_knows_it() {
    let board = RemoteBoard::new(2);
    assert_eq!(board.announced(), None);
    board.note_ring(0, Epoch(7));
    assert_eq!(board.announced(), None);
    board.note_ring(1, Epoch::ZERO);
    assert_eq!(board.announced(), Some(Epoch::ZERO));
    board.note_ring(1, Epoch(9));
    assert_eq!(board.announced(), Some(Epoch(7)));
    board.note_behind(1, true);
    assert!(board.is_behind());
    board.note_behind(1, false);
    assert!(!board.is_behind());
}

#[test]
fn figures_add_up_and_the_last_report_of_each_counts() {
    let board = RemoteBoard::new(2);
    let figures = RemoteFigures {
        sent: 3,
        in_doubt: 1,
        ..RemoteFigures::default()
    };
    board.note_figures(0, &figures);
    board.note_figures(1, &figures);
    assert_eq!((board.figures().sent, board.figures().in_doubt), (6, 2));
    for second in [1, 2] {
        let report = Report {
            node: MemberId(4),
            announced: Some(Epoch(1)),
            asked_at: Timestamp::from_secs(second),
        };
        board.note_report(0, report);
    }
    let reports = board.reports();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].asked_at, Timestamp::from_secs(2));
}
