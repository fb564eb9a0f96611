//! Days and minutes add up, and time in which nobody looked is in neither.

use super::*;

const NOON: Timestamp = Timestamp::from_secs(20_000 * DAY_S + DAY_S / 2);

/// So many seconds at a level, accounted for once a second.
fn pass(history: &mut History, from: Timestamp, seconds: u64, level: Level) -> Timestamp {
    let mut now = from;
    history.account(now, level);
    for _ in 0..seconds {
        now = now + Duration::from_secs(1);
        history.account(now, level);
    }
    now
}

#[test]
fn time_is_added_up_by_level() {
    let mut history = History::default();
    let now = pass(&mut history, NOON, 60, Level::Operational);
    let now = pass(&mut history, now, 30, Level::Major);
    let now = pass(&mut history, now, 10, Level::NoData);
    let day = history.day(20_000).unwrap();
    assert_eq!((day.operational_ms, day.major_ms), (60_000, 30_000));
    assert_eq!(day.known(), Duration::from_secs(90));
    assert_eq!(uptime_ppm([day]), Some(666_666));
    assert_eq!(history.shown(now).count() as u64, DAYS_SHOWN);
    assert_eq!(history.shown(now).next_back(), Some((20_000, *day)));
}

#[test]
fn midnight_divides_a_step() {
    let mut history = History::default();
    let midnight = Timestamp::from_secs(20_001 * DAY_S);
    history.account(midnight - Duration::from_millis(400), Level::Operational);
    let changed = history.account(midnight + Duration::from_millis(600), Level::Operational);
    assert_eq!(changed.len(), 2);
    assert_eq!(history.day(20_000).unwrap().operational_ms, 400);
    assert_eq!(history.day(20_001).unwrap().operational_ms, 600);
}

#[test]
fn a_suspended_machine_has_no_data() {
    let mut history = History::default();
    history.account(NOON, Level::Operational);
    assert!(
        history
            .account(NOON + Duration::from_secs(3_600), Level::Operational)
            .is_empty()
    );
    assert_eq!(history.day(20_000), None);
}

#[test]
fn old_days_go() {
    let mut history = History::default();
    for day in 0..500 {
        let at = Timestamp::from_secs((20_000 + day) * DAY_S + 5);
        pass(&mut history, at, 1, Level::Operational);
    }
    assert_eq!(history.days.len() as u64, DAYS_KEPT + 1);
}

#[test]
fn uptime_is_never_rounded_up_and_partial_outages_count_less() {
    let day = Day {
        operational_ms: 86_400_000 - 10,
        major_ms: 10,
        ..Day::default()
    };
    assert_eq!(percent(uptime_ppm([&day]).unwrap()), "99.999 %");
    assert_eq!(percent(1_000_000), "100 %");
    let partial = Day {
        operational_ms: 50,
        partial_ms: 50,
        ..Day::default()
    };
    assert_eq!(uptime_ppm([&partial]), Some(850_000));
    assert_eq!(uptime_ppm([&Day::default()]), None);
    let maintenance = Day {
        maintenance_ms: 1_000,
        ..Day::default()
    };
    assert_eq!(uptime_ppm([&maintenance]), None);
}

#[test]
fn a_day_is_shown_as_the_worst_that_lasted_and_grey_where_it_is_not_known() {
    let whole = Day {
        operational_ms: 86_400_000,
        ..Day::default()
    };
    assert_eq!(whole.level(true), Level::Operational);
    assert_eq!(
        Day {
            major_ms: 20_000,
            ..whole
        }
        .level(true),
        Level::Partial
    );
    assert_eq!(
        Day {
            major_ms: 1_800_000,
            ..whole
        }
        .level(true),
        Level::Major
    );
    assert_eq!(
        Day {
            degraded_ms: 61_000,
            ..whole
        }
        .level(true),
        Level::Degraded
    );
    assert_eq!(Day::default().level(true), Level::NoData);
    assert_eq!(Day::default().level(false), Level::NoData);
    let an_hour = Day {
        operational_ms: 3_600_000,
        ..Day::default()
    };
    assert_eq!(an_hour.level(true), Level::NoData);
    assert_eq!(an_hour.level(false), Level::Operational);
}

#[test]
fn a_minute_has_its_median_and_its_failures() {
    let mut history = History::default();
    let start = Timestamp::from_secs(60_000);
    assert_eq!(
        history.probed(start, Some(Duration::from_micros(300))),
        None
    );
    history.probed(start, Some(Duration::from_micros(100)));
    history.probed(start, Some(Duration::from_micros(200)));
    history.probed(start, None);
    let closed = history
        .probed(start + Duration::from_secs(60), None)
        .unwrap();
    assert_eq!((closed.answered, closed.failed), (3, 1));
    assert_eq!((closed.median_us, closed.longest_us), (200, 300));
    assert_eq!(history.minutes().count(), 1);
}
