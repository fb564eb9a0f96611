//! Ranges choose their resolution, gaps stay gaps, and no question reads without bound.

use super::*;

/// A whole hour.
const HOUR: u64 = 1_800_000_000;

fn history(dir: &std::path::Path, seconds: std::ops::Range<u64>) -> History {
    let history = History::open(dir, HOUR + seconds.start).unwrap();
    for second in seconds {
        let figures = [("a", second as f32), ("b", 1.0)];
        history.record(HOUR + second, &figures).unwrap();
    }
    history
}

fn query(name: &str, from: u64, to: u64, points_max: usize) -> Query {
    Query {
        names: vec![name.to_owned()],
        from_s: HOUR + from,
        to_s: HOUR + to,
        points_max,
    }
}

#[test]
fn seconds_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let history = history(dir.path(), 0..10);
    let answer = history.query(&query("a", 2, 5, 100), HOUR + 9).unwrap();
    assert_eq!((answer.from_s, answer.step_s), (HOUR + 2, 1));
    assert_eq!(answer.lines[0].means, [2.0, 3.0, 4.0, 5.0]);
    assert_eq!(answer.lines[0].peaks, answer.lines[0].means);
}

#[test]
fn fewer_points_are_means_and_peaks() {
    let dir = tempfile::tempdir().unwrap();
    let history = history(dir.path(), 0..12);
    let answer = history.query(&query("a", 0, 11, 3), HOUR + 11).unwrap();
    assert_eq!(answer.step_s, 4);
    assert_eq!(answer.lines[0].means, [1.5, 5.5, 9.5]);
    assert_eq!(answer.lines[0].peaks, [3.0, 7.0, 11.0]);
}

#[test]
fn an_older_range_is_told_by_the_minute_and_its_last_one_so_far() {
    let dir = tempfile::tempdir().unwrap();
    let history = history(dir.path(), 0..150);
    let asked = Query {
        from_s: HOUR - 3 * 3600,
        ..query("a", 0, 149, 1000)
    };
    let answer = history.query(&asked, HOUR + 149).unwrap();
    assert_eq!(answer.step_s, 60);
    let means = &answer.lines[0].means;
    assert!(means[..180].iter().all(|mean| mean.is_nan()));
    assert_eq!(means[180..], [29.5, 89.5, 134.5]);
}

#[test]
fn months_are_told_by_the_hour() {
    let dir = tempfile::tempdir().unwrap();
    let history = history(dir.path(), 0..61);
    let asked = Query {
        from_s: HOUR - 90 * 24 * 3600,
        ..query("b", 0, 60, 100_000)
    };
    let answer = history.query(&asked, HOUR + 60).unwrap();
    assert_eq!(answer.step_s, 3600);
    assert_eq!(answer.lines[0].means.last(), Some(&1.0));
}

#[test]
fn nobody_s_figure_is_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let history = history(dir.path(), 0..3);
    let answer = history.query(&query("c", 0, 2, 10), HOUR + 2).unwrap();
    assert_eq!(answer.lines[0].means.len(), 3);
    assert!(answer.lines[0].means.iter().all(|mean| mean.is_nan()));
}

#[test]
fn strange_ranges_have_bounded_answers() {
    let dir = tempfile::tempdir().unwrap();
    let history = history(dir.path(), 0..3);
    for (from_s, to_s, points_max) in [
        (0, u64::MAX, 0),
        (0, u64::MAX, usize::MAX),
        (u64::MAX, 0, 10),
        (u64::MAX, u64::MAX, 1),
        (HOUR + 50, HOUR + 60, 5),
    ] {
        let asked = Query {
            names: vec!["a".into()],
            from_s,
            to_s,
            points_max,
        };
        let answer = history.query(&asked, HOUR + 2).unwrap();
        assert!(answer.lines[0].means.len() <= 9602, "{from_s} {to_s}");
    }
}
