//! Stages tell how long they took, and which stands still.

use super::*;

fn at(millis: u64) -> Timestamp {
    Timestamp::ZERO + Duration::from_millis(millis)
}

fn figures(stages: &Stages, stage: Stage, now: Timestamp) -> StageFigures {
    let all = stages.figures(now);
    *all.iter().find(|figures| figures.stage == stage).unwrap()
}

#[test]
fn each_stage_has_a_word_and_a_place() {
    for (index, stage) in Stage::ALL.into_iter().enumerate() {
        assert_eq!(stage as usize, index);
    }
    let mut words: Vec<&str> = Stage::ALL.iter().map(|stage| stage.code()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Stage::ALL.len());
}

#[test]
fn a_stage_stands_still_while_nothing_of_it_ends() {
    let stages = Stages::default();
    stages.enter(Stage::Put, at(10));
    stages.enter(Stage::Put, at(20));
    let put = figures(&stages, Stage::Put, at(110));
    assert_eq!((put.under_way, put.still), (2, Duration::from_millis(100)));
    stages.leave(Stage::Put, at(10), at(120));
    let put = figures(&stages, Stage::Put, at(150));
    assert_eq!((put.under_way, put.still), (1, Duration::from_millis(30)));
    stages.leave(Stage::Put, at(20), at(160));
    let put = figures(&stages, Stage::Put, at(900));
    assert_eq!((put.count, put.time), (2, Duration::from_millis(250)));
    assert_eq!(put.counts, [0, 0, 0, 0, 0, 2, 0, 0]);
    assert_eq!((put.under_way, put.still), (0, Duration::ZERO));
    assert_eq!(figures(&stages, Stage::Get, at(900)).count, 0);
}
