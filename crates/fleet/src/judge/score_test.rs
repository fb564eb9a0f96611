//! How fast a score rises and falls, and its ends.

use super::*;

const ROUND: Duration = Duration::from_millis(250);

fn rounds_to(level: Score) -> u32 {
    let mut score = Score::CLEAR;
    (1..)
        .find(|_| {
            score = score.raised(ROUND);
            score >= level
        })
        .unwrap()
}

#[test]
fn it_takes_seconds_to_be_sure() {
    assert_eq!(rounds_to(Score::SUSPECT), 5);
    assert_eq!(rounds_to(Score::CERTAIN), 10);
}

#[test]
fn one_window_never_suffices() {
    let hour = Duration::from_secs(3600);
    assert!(Score::CLEAR.raised(hour) < Score::SUSPECT);
    assert!(Score::CLEAR.raised_by_share(hour) < Score::SUSPECT);
    let twice = Score::CLEAR.raised(hour).raised(hour);
    assert!(twice > Score::SUSPECT && twice < Score::CERTAIN);
}

#[test]
fn a_pause_is_forgotten_in_seconds_and_a_certainty_takes_long() {
    let paused = Score::CLEAR.raised(ROUND).raised(ROUND);
    assert_eq!(paused.lowered(Duration::from_secs(1)), Score::CLEAR);
    let after = Score::CERTAIN.lowered(Duration::from_secs(40));
    assert!(after > Score::SUSPECT && after < Score::CERTAIN);
}

#[test]
fn it_stays_between_its_ends() {
    let mut score = Score::CLEAR;
    for _ in 0..100 {
        score = score.raised(ROUND);
    }
    assert_eq!(score, Score::CERTAIN);
    assert_eq!(score.lowered(Duration::MAX), Score::CLEAR);
    assert_eq!(Score::CLEAR.or(Score::SUSPECT), Score::SUSPECT);
    assert_eq!(Score::SUSPECT.or(Score::CLEAR), Score::SUSPECT);
}
