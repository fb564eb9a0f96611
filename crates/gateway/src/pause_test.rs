//! How a session is served, by its wait and its tenant's limits.

use std::time::Duration;

use admission::{Contention, Cost, Usage};
use base::{TenantId, Timestamp, TrafficLimits};

use super::State::{HasInput, MidValue, NeedsInput, Owes};
use super::{Mode, Pace, PaceConfig, Pause, State};
use crate::Figures;
use crate::testing::NOW;

const CONFIG: PaceConfig = PaceConfig {
    loops: 2,
    turn_requests_max: 64,
    turn_output_len_max: 64 * 1024,
    inflight_bytes_max: 10_000,
};
const MS: Duration = Duration::from_millis(1);
const LATE: Timestamp = Timestamp::from_secs(999_999);

fn mode(pace: &mut Pace, since: Timestamp, state: State, open: u32) -> Result<Mode, Timestamp> {
    mode_beside(pace, 0, since, state, open)
}

/// The same while another loop has so many bytes on their way.
fn mode_beside(
    pace: &mut Pace,
    other_bytes: u64,
    since: Timestamp,
    state: State,
    open: u32,
) -> Result<Mode, Timestamp> {
    let figures = Figures::new(2).tenant(TenantId(1));
    figures.of_loop(0).inflight_bytes.set(pace.inflight_bytes);
    figures.of_loop(1).inflight_bytes.set(other_bytes);
    pace.mode(NOW, since, state, open, &figures)
}

/// A tenant that has shared its loop with another for so long.
fn beside_another(limits: &TrafficLimits, time: Duration) -> Pace {
    let (mut contention, mut other) = (Contention::default(), Usage::default());
    let mut pace = Pace::new(limits, CONFIG);
    let mut now = NOW - time;
    while now <= NOW {
        contention.charge(now, &mut other, 30 * MS);
        contention.charge(now, &mut pace.usage, 30 * MS);
        now = now + 60 * MS;
    }
    pace
}

#[test]
fn beside_others_only_what_is_late_is_refused_and_what_is_owed_is_written() {
    let mut pace = beside_another(&TrafficLimits::default(), 600 * MS);
    assert_eq!(mode(&mut pace, NOW, NeedsInput, 100_000), Ok(Mode::Serve));
    let nearly = NOW - 199 * MS;
    assert_eq!(mode(&mut pace, nearly, NeedsInput, 0), Ok(Mode::Serve));
    let just = NOW - 200 * MS;
    assert_eq!(mode(&mut pace, just, NeedsInput, 0), Ok(Mode::Relieve));
    assert_eq!(mode(&mut pace, LATE, HasInput, 0), Ok(Mode::Relieve));
    assert_eq!(mode(&mut pace, LATE, Owes, 0), Ok(Mode::Serve));
    assert_eq!(mode(&mut pace, LATE, MidValue, 0), Ok(Mode::Serve));
}

#[test]
fn alone_nobody_is_refused_however_long_he_waits_for_himself() {
    let mut pace = Pace::new(&TrafficLimits::default(), CONFIG);
    let mut contention = Contention::default();
    (0..20u32).for_each(|i| contention.charge(NOW + i * MS, &mut pace.usage, MS));
    for state in [NeedsInput, HasInput, MidValue, Owes] {
        assert_eq!(mode(&mut pace, LATE, state, 0), Ok(Mode::Serve));
    }
}

#[test]
fn what_waited_before_others_came_waits_from_then_on() {
    let mut pace = beside_another(&TrafficLimits::default(), 150 * MS);
    assert!(pace.usage.contended_since().is_some());
    assert_eq!(mode(&mut pace, LATE, NeedsInput, 0), Ok(Mode::Serve));
}

#[test]
fn what_waited_through_a_pause_is_refused_though_nobody_else_is_there() {
    let mut pace = Pace::new(&TrafficLimits::default(), CONFIG);
    let since = NOW - 300 * MS;
    let pause = Pause {
        since,
        until: NOW - 100 * MS,
    };
    pace.pause = Some(pause);
    assert_eq!(pace.take_pause(NOW - 100 * MS), Some(pause));
    assert_eq!(mode(&mut pace, since, NeedsInput, 0), Ok(Mode::Refuse));
    assert_eq!(mode(&mut pace, since, MidValue, 0), Ok(Mode::Serve));
    let inside = NOW - 199 * MS;
    assert_eq!(mode(&mut pace, inside, NeedsInput, 0), Ok(Mode::Serve));
}

#[test]
fn no_delay_at_all_does_not_refuse_what_has_only_just_come() {
    let limits = TrafficLimits {
        max_delay: Duration::ZERO,
        ..TrafficLimits::default()
    };
    let mut pace = beside_another(&limits, 600 * MS);
    let just_now = NOW - MS;
    assert_eq!(mode(&mut pace, just_now, NeedsInput, 0), Ok(Mode::Serve));
    assert_eq!(mode(&mut pace, LATE, NeedsInput, 0), Ok(Mode::Relieve));
}

#[test]
fn over_a_rate_only_what_is_late_or_owed_has_a_turn() {
    let limits = TrafficLimits {
        ops_per_second: Some(10),
        burst: Duration::ZERO,
        ..TrafficLimits::default()
    };
    let mut pace = Pace::new(&limits, CONFIG);
    let figures = Figures::new(1).tenant(TenantId(1));
    pace.charge(Cost {
        ops: 5,
        ..Cost::default()
    });
    assert_eq!(
        pace.mode(NOW, NOW, NeedsInput, 0, &figures),
        Ok(Mode::Serve)
    );
    pace.charge(Cost {
        ops: 1,
        ..Cost::default()
    });
    let again_at = pace.mode(NOW, NOW, NeedsInput, 0, &figures).unwrap_err();
    assert_eq!(again_at, NOW + Duration::from_millis(600));
    assert_eq!(
        pace.mode(NOW, LATE, NeedsInput, 0, &figures),
        Ok(Mode::Refuse)
    );
    assert_eq!(pace.mode(NOW, NOW, Owes, 0, &figures), Ok(Mode::Flush));
    assert_eq!(
        pace.mode(again_at, again_at, NeedsInput, 0, &figures),
        Ok(Mode::Serve)
    );
}

#[test]
fn a_low_rate_has_few_turns_under_way() {
    let limits = TrafficLimits {
        ops_per_second: Some(100),
        ..TrafficLimits::default()
    };
    let mut pace = Pace::new(&limits, CONFIG);
    assert_eq!(pace.turn_requests_max, 1);
    assert_eq!(mode(&mut pace, NOW, NeedsInput, 0), Ok(Mode::Serve));
    assert_eq!(mode(&mut pace, NOW, NeedsInput, 1), Err(Timestamp::MAX));
}

#[test]
fn with_too_many_bytes_on_their_way_only_what_makes_them_fewer_goes_on() {
    let mut pace = Pace::new(&TrafficLimits::default(), CONFIG);
    pace.note_inflight(0, 10_000);
    assert_eq!(mode(&mut pace, NOW, NeedsInput, 0), Ok(Mode::Serve));
    pace.note_inflight(0, 1);
    assert_eq!(mode(&mut pace, NOW, NeedsInput, 0), Err(Timestamp::MAX));
    assert_eq!(mode(&mut pace, NOW, HasInput, 0), Ok(Mode::Serve));
    assert_eq!(mode(&mut pace, NOW, MidValue, 0), Ok(Mode::Serve));
    assert_eq!(mode(&mut pace, NOW, Owes, 0), Ok(Mode::Flush));
    assert_eq!(mode(&mut pace, LATE, NeedsInput, 0), Ok(Mode::Refuse));
    pace.note_inflight(10_001, 0);
    assert_eq!(mode(&mut pace, NOW, NeedsInput, 0), Ok(Mode::Serve));
}

#[test]
fn what_one_loop_does_not_use_of_its_part_another_may() {
    let mut pace = Pace::new(&TrafficLimits::default(), CONFIG);
    pace.note_inflight(0, 5000);
    let beside = |pace: &mut Pace, bytes| mode_beside(pace, bytes, NOW, NeedsInput, 0);
    // Its own half nobody takes from it.
    assert_eq!(beside(&mut pace, 1_000_000), Ok(Mode::Serve));
    pace.note_inflight(5000, 9000);
    assert_eq!(beside(&mut pace, 1000), Ok(Mode::Serve));
    assert_eq!(beside(&mut pace, 1001), Err(Timestamp::MAX));
    pace.note_inflight(9000, 5000);
    assert_eq!(beside(&mut pace, 1_000_000), Ok(Mode::Serve));
}

#[test]
fn however_many_bytes_are_on_their_way_nobody_waits_longer_than_the_longest_delay() {
    let mut pace = Pace::new(&TrafficLimits::default(), CONFIG);
    pace.note_inflight(0, 1_000_000);
    assert_eq!(mode(&mut pace, NOW, HasInput, 0), Ok(Mode::Serve));
    assert_eq!(mode(&mut pace, NOW, NeedsInput, 0), Err(Timestamp::MAX));
    assert_eq!(mode(&mut pace, LATE, NeedsInput, 0), Ok(Mode::Refuse));
    assert_eq!(mode(&mut pace, LATE, HasInput, 0), Ok(Mode::Serve));
    pace.pause = Some(Pause {
        since: LATE,
        until: Timestamp::MAX,
    });
    assert_eq!(mode(&mut pace, LATE, HasInput, 0), Ok(Mode::Refuse));
    assert_eq!(mode(&mut pace, LATE, MidValue, 0), Ok(Mode::Serve));
    assert_eq!(mode(&mut pace, LATE, Owes, 0), Ok(Mode::Flush));
}
