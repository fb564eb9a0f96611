//! The picture in a terminal, and the keys.

use super::*;
use crate::wire::{AffairView, RowView, TileView};

fn board() -> BoardView {
    BoardView {
        as_of: "08:47:50".into(),
        verdict: "The service is well; tenant acme is held to its limits.".into(),
        severity: "limited".into(),
        affairs: vec![AffairView {
            time: "08:47:02".into(),
            state: "began".into(),
            sentence: "Tenant acme waits.".into(),
            ..AffairView::default()
        }],
        tiles: vec![TileView {
            label: "Requests a second".into(),
            value: "4.24k".into(),
            note: "3k reads".into(),
            minute: vec![None, Some(1.0), Some(8.0)],
        }],
        tenants: (0..100)
            .map(|n| RowView {
                tenant: format!("tenant-{n}"),
                throttled: "26.4 % of the time".into(),
                requests: "941".into(),
                ..RowView::default()
            })
            .collect(),
        events: Vec::new(),
    }
}

#[test]
fn a_picture_says_it_all_without_a_terminal() {
    let text = plain(&board()).unwrap();
    assert!(
        text.starts_with("◆ The service is well; tenant acme"),
        "{text}"
    );
    for words in [
        "as of 08:47:50",
        "Tenant acme waits.",
        "4.24k 3k reads",
        "█",
        "tenant-0",
    ] {
        assert!(text.contains(words), "{words} in\n{text}");
    }
    assert!(text.contains("26.4 % "), "{text}");
    assert!(!text.contains("tenant-99"));
}

#[test]
fn any_size_of_terminal_will_do() {
    for (width, height) in [(1, 1), (20, 5), (80, 24), (300, 100)] {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let mut screen = Screen::default();
        for first in [0, 99, 1000] {
            screen.first = first;
            terminal
                .draw(|frame| draw(frame, &board(), &screen))
                .unwrap();
        }
    }
}

/// What the terminal shows at this size.
fn shown(board: &BoardView, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let screen = Screen::default();
    terminal.draw(|frame| draw(frame, board, &screen)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn in_a_small_terminal_what_matters_most_is_whole() {
    let tile = |label: &str, note: &str| TileView {
        label: label.into(),
        value: "25.2 ms".into(),
        note: note.into(),
        minute: vec![Some(1.0); 60],
    };
    let row = |tenant: &str| RowView {
        tenant: tenant.into(),
        refused: "498/s".into(),
        throttled: "26.5 % of the time".into(),
        hits: "16.9 %".into(),
        memory: "257 KiB of 16 MiB".into(),
        ..RowView::default()
    };
    let mut board = BoardView {
        tiles: vec![tile("Waited, 99th percentile", "half within 98 µs"); 6],
        tenants: vec![row("globex"), row("a-tenant-with-a-rather-long-name")],
        ..board()
    };
    board.affairs[0].sentence =
        "Requests of tenant acme waited longer than 200 ms for its own limits: 32 reads \
                                 were answered as misses."
            .into();
    let small = shown(&board, 80, 24);
    assert_eq!(
        small.matches("Waited, 99th percentile").count(),
        6,
        "{small}"
    );
    assert!(
        small.contains("257 KiB") && !small.contains("16 MiB"),
        "{small}"
    );
    assert!(small.contains("a-tenant-with-a-rath…"), "{small}");
    assert!(small.contains("200 ms for its own…"), "{small}");
    assert!(
        small.contains("26.5 %") && small.contains("16.9 %"),
        "{small}"
    );
    let large = shown(&board, 160, 40);
    assert!(
        large.contains("a-tenant-with-a-rather-long-name"),
        "{large}"
    );
    assert!(large.contains("257 KiB of 16 MiB"), "{large}");
    assert!(large.contains("as misses."), "{large}");
}

#[test]
fn silence_of_the_daemon_is_not_shown_as_health() {
    let screen = Screen {
        failure: Some("nobody answers".into()),
        ..Screen::default()
    };
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal
        .draw(|frame| draw(frame, &board(), &screen))
        .unwrap();
    let text = terminal.backend().to_string();
    assert!(text.contains("no news since 08:47:50"), "{text}");
    assert!(!text.contains("is well"), "{text}");
}

#[test]
fn keys_scroll_within_the_tenants_and_quit() {
    let mut screen = Screen::default();
    let press = |screen: &mut Screen, code| take(KeyEvent::from(code), screen, 3);
    for _ in 0..5 {
        assert!(press(&mut screen, KeyCode::Down));
    }
    assert_eq!(screen.first, 2);
    assert!(press(&mut screen, KeyCode::Up));
    assert_eq!(screen.first, 1);
    assert!(!press(&mut screen, KeyCode::Char('q')));
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert!(!take(interrupt, &mut screen, 3));
}
