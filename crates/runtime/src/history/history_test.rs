//! The files over restarts, cut-off writes and clocks that go back.

use std::fs::OpenOptions;

use super::*;

/// A whole hour.
const HOUR: u64 = 1_800_000_000;

fn means(history: &History, name: &str, from_s: u64, to_s: u64) -> Vec<f32> {
    let query = Query {
        names: vec![name.to_owned()],
        from_s,
        to_s,
        points_max: 100_000,
    };
    let mut answer = history.query(&query, to_s).unwrap();
    answer.lines.remove(0).means
}

fn record(history: &History, seconds: std::ops::Range<u64>, value: f32) {
    for second in seconds {
        history.record(HOUR + second, &[("a", value)]).unwrap();
    }
}

#[test]
fn the_files_have_their_whole_length_at_once_and_never_more() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), HOUR).unwrap();
    let len = || -> u64 {
        let files = std::fs::read_dir(dir.path()).unwrap();
        files
            .map(|file| file.unwrap().metadata().unwrap().len())
            .sum()
    };
    let before = len();
    let names: Vec<String> = (0..SERIES_MAX + 5).map(|n| format!("s{n}")).collect();
    let figures: Vec<(&str, f32)> = names.iter().map(|name| (name.as_str(), 1.0)).collect();
    assert_eq!(history.record(HOUR, &figures).unwrap(), 5);
    record(&history, 1..200, 1.0);
    assert!(before < len() && len() <= History::len_max());
}

#[test]
fn a_restart_goes_on_where_the_last_process_ended() {
    let dir = tempfile::tempdir().unwrap();
    record(&History::open(dir.path(), HOUR).unwrap(), 0..5, 1.0);
    let history = History::open(dir.path(), HOUR + 8).unwrap();
    record(&history, 8..10, 3.0);
    let line = means(&history, "a", HOUR, HOUR + 9);
    assert_eq!(line[..5], [1.0; 5]);
    assert!(line[5..8].iter().all(|value| value.is_nan()));
    assert_eq!(line[8..], [3.0; 2]);
}

#[test]
fn a_minute_that_two_processes_saw_is_one() {
    let dir = tempfile::tempdir().unwrap();
    record(&History::open(dir.path(), HOUR).unwrap(), 0..30, 1.0);
    let history = History::open(dir.path(), HOUR + 30).unwrap();
    record(&history, 30..61, 3.0);
    let slot = history.ring(Resolution::Minute).get(HOUR, 1).unwrap();
    assert_eq!(slot.unwrap().means, [2.0]);
}

#[test]
fn a_minute_is_closed_though_its_end_was_slept_through() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), HOUR).unwrap();
    record(&history, 0..58, 1.0);
    record(&history, 63..64, 1.0);
    let slot = history.ring(Resolution::Minute).get(HOUR, 1).unwrap();
    assert_eq!(slot.map(|slot| slot.seconds), Some(58));
}

#[test]
fn what_a_process_left_undone_is_made_up_for() {
    let dir = tempfile::tempdir().unwrap();
    record(&History::open(dir.path(), HOUR).unwrap(), 0..90, 2.0);
    // The second minute was never closed.
    let history = History::open(dir.path(), HOUR + 1800).unwrap();
    let slot = history.ring(Resolution::Minute).get(HOUR + 60, 1).unwrap();
    assert_eq!(slot.map(|slot| slot.seconds), Some(30));
    drop(history);
    let history = History::open(dir.path(), HOUR + 3600).unwrap();
    let slot = history
        .ring(Resolution::Hour)
        .get(HOUR, 1)
        .unwrap()
        .unwrap();
    assert_eq!((slot.seconds, slot.means), (90, vec![2.0]));
}

#[test]
fn a_write_that_was_cut_off_is_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), HOUR).unwrap();
    record(&history, 0..3, 1.0);
    let file = OpenOptions::new()
        .write(true)
        .open(dir.path().join("seconds"))
        .unwrap();
    let offset = Resolution::Second.offset(HOUR + 1) + 21;
    file.write_all_at(&[0xff; 3], offset).unwrap();
    let line = means(&history, "a", HOUR, HOUR + 2);
    assert!(line[0] == 1.0 && line[1].is_nan() && line[2] == 1.0);
}

#[test]
fn what_a_wrong_clock_wrote_ahead_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), HOUR).unwrap();
    record(&history, 0..3, 1.0);
    record(&history, 600..700, 9.0);
    drop(history);
    let history = History::open(dir.path(), HOUR + 3).unwrap();
    record(&history, 3..5, 2.0);
    // The time that the wrong clock told comes, and nobody writes.
    let line = means(&history, "a", HOUR, HOUR + 700);
    assert_eq!(line[..5], [1.0, 1.0, 1.0, 2.0, 2.0]);
    assert!(line[5..].iter().all(|value| value.is_nan()));
    assert!(!history.ring(Resolution::Minute).has(HOUR + 600).unwrap());
}

#[test]
fn an_hour_later_the_seconds_are_others() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), HOUR).unwrap();
    record(&history, 0..61, 1.0);
    record(&history, 3600..3605, 2.0);
    let seconds = history.ring(Resolution::Second);
    assert!(seconds.get(HOUR, 1).unwrap().is_none());
    assert_eq!(seconds.get(HOUR + 3600, 1).unwrap().unwrap().means, [2.0]);
    let minutes = history.ring(Resolution::Minute);
    assert_eq!(minutes.get(HOUR, 1).unwrap().unwrap().means, [1.0]);
}

#[test]
fn a_file_of_another_layout_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    for junk in [&b""[..], b"short", &[7; 100_000]] {
        std::fs::write(dir.path().join("seconds"), junk).unwrap();
        let history = History::open(dir.path(), HOUR).unwrap();
        record(&history, 0..2, 1.0);
        assert_eq!(means(&history, "a", HOUR, HOUR + 1), [1.0, 1.0]);
    }
}

#[test]
fn a_reader_sees_what_a_writer_writes_and_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join(HISTORY_DIR);
    let missing = History::open_to_read(&place).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    assert!(!place.exists());
    record(&History::open(&place, HOUR).unwrap(), 0..3, 4.0);
    let reader = History::open_to_read(&place).unwrap();
    assert_eq!(reader.series(), ["a"]);
    assert_eq!(means(&reader, "a", HOUR, HOUR + 2), [4.0; 3]);
}

#[test]
fn figures_of_a_name_that_is_gone_are_not_the_new_one_s() {
    let dir = tempfile::tempdir().unwrap();
    let history = History::open(dir.path(), HOUR).unwrap();
    let names: Vec<String> = (0..SERIES_MAX).map(|n| format!("s{n}")).collect();
    let figures: Vec<(&str, f32)> = names.iter().map(|name| (name.as_str(), 1.0)).collect();
    history.record(HOUR, &figures).unwrap();
    history.record(HOUR + 1, &[("new", 5.0)]).unwrap();
    let line = means(&history, "new", HOUR, HOUR + 1);
    assert!(line[0].is_nan() && line[1] == 5.0);
    assert!(
        means(&history, "s0", HOUR, HOUR + 1)
            .iter()
            .all(|v| v.is_nan())
    );
}
