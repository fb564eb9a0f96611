//! Questions about the past, and what becomes of strange ones.

use super::*;

const NOW: u64 = 1_800_000_000;

fn history(dir: &std::path::Path) -> History {
    let history = History::open(dir, NOW - 10).unwrap();
    for second in NOW - 9..=NOW {
        let value = if second == NOW - 5 { f32::NAN } else { 2.0 };
        history.record(second, &[("a", value)]).unwrap();
    }
    history
}

#[test]
fn without_names_it_tells_what_there_is() {
    let dir = tempfile::tempdir().unwrap();
    let view = HistoryQuery::default()
        .answer(&history(dir.path()), NOW)
        .unwrap();
    assert_eq!(view.names, ["a"]);
    assert!(view.figures.is_empty());
}

#[test]
fn what_is_not_known_is_null() {
    let dir = tempfile::tempdir().unwrap();
    let query = HistoryQuery {
        names: Some("a,b".into()),
        from: Some(NOW - 9),
        ..HistoryQuery::default()
    };
    let view = query.answer(&history(dir.path()), NOW).unwrap();
    let json = serde_json::to_value(&view).unwrap();
    assert_eq!(json["figures"]["a"]["mean"][3], 2.0);
    assert!(json["figures"]["a"]["mean"][4].is_null());
    assert!(json["figures"]["b"]["peak"][9].is_null());
    assert_eq!(json["step_s"], 1);
}

#[test]
fn too_many_names_are_refused_and_too_many_points_are_fewer() {
    let names = vec!["x"; NAMES_MAX + 1].join(",");
    let query = HistoryQuery {
        names: Some(names),
        ..HistoryQuery::default()
    };
    assert!(query.check().unwrap_err().contains("at most 64"));
    let dir = tempfile::tempdir().unwrap();
    let query = HistoryQuery {
        names: Some("a".into()),
        from: Some(0),
        points: Some(usize::MAX),
        ..HistoryQuery::default()
    };
    let view = query.answer(&history(dir.path()), NOW).unwrap();
    assert!(view.figures["a"].mean.len() <= POINTS_MAX + 2);
}
