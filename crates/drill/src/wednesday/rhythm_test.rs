//! Whose time is whose.

use super::*;

const MS: u64 = 1_000_000;

/// In milliseconds: how long a request took that was sent and answered then, and the sender's lag.
fn ask(rhythm: &mut Rhythm, sent_ms: u64, answered_ms: u64) -> (u64, u64) {
    let sent = rhythm.send(sent_ms * MS);
    let took_ns = rhythm.end(sent, answered_ms * MS);
    (took_ns / MS, sent.lag_ns / MS)
}

fn ask_more(rhythm: &mut Rhythm, sent_ms: u64, answered_ms: u64) -> (u64, u64) {
    let sent = rhythm.send_more(sent_ms * MS);
    let took_ns = rhythm.end(sent, answered_ms * MS);
    (took_ns / MS, sent.lag_ns / MS)
}

#[test]
fn a_client_that_wakes_late_blames_nobody() {
    let mut rhythm = Rhythm::new(100 * MS);
    assert_eq!(ask(&mut rhythm, 112, 115), (3, 12));
    assert!(rhythm.turn(115 * MS).is_empty());
    assert_eq!(rhythm.due_ns(), 120 * MS);
    assert_eq!(ask(&mut rhythm, 120, 121), (1, 0));
}

#[test]
fn who_waits_behind_slow_answers_is_served_late() {
    let mut rhythm = Rhythm::new(100 * MS);
    assert_eq!(ask(&mut rhythm, 100, 102), (2, 0));
    // Two keys are stored again, and each takes long.
    assert_eq!(ask_more(&mut rhythm, 102, 152), (50, 0));
    assert_eq!(ask_more(&mut rhythm, 152, 202), (50, 0));
    assert!(rhythm.turn(202 * MS).is_empty());
    // Due at 120, sent at 205, of which 3 are the client's own.
    assert_eq!(ask(&mut rhythm, 205, 207), (84, 3));
}

#[test]
fn patience_begins_when_a_request_was_to_be_sent() {
    let mut rhythm = Rhythm::new(100 * MS);
    ask(&mut rhythm, 100, 280);
    rhythm.turn(280 * MS);
    let late = rhythm.send(284 * MS);
    assert_eq!(late.until_ns(), (120 + 4 + 500) * MS);
    let mut punctual = Rhythm::new(100 * MS);
    assert_eq!(punctual.send(100 * MS).until_ns(), 600 * MS);
}

#[test]
fn what_was_never_sent_counts_once_it_has_waited_as_long_as_anybody_does() {
    let mut rhythm = Rhythm::new(100 * MS);
    ask(&mut rhythm, 100, 590);
    // 470 ms at most: skipped, and nobody gave up.
    assert!(rhythm.turn(590 * MS).is_empty());
    assert_eq!(rhythm.due_ns(), 590 * MS);
    ask(&mut rhythm, 590, 700);
    ask_more(&mut rhythm, 700, 1150);
    // Due at 610, 630 and 650, and waited until 1150 behind answers.
    assert_eq!(rhythm.turn(1150 * MS), [610 * MS, 630 * MS, 650 * MS]);
    assert_eq!(rhythm.due_ns(), 1150 * MS);
}

#[test]
fn a_client_that_stood_still_gave_up_nothing() {
    let mut rhythm = Rhythm::new(100 * MS);
    assert_eq!(ask(&mut rhythm, 3100, 3101), (1, 3000));
    assert!(rhythm.turn(3101 * MS).is_empty());
    assert_eq!(rhythm.due_ns(), 3101 * MS);
}
