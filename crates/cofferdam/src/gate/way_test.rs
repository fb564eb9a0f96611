//! Tests of what counts as a way that can be used.

use super::*;

#[test]
fn a_way_with_hardly_an_answer_cannot_be_used_and_who_is_busy_says_nothing() {
    let seen = |answered: usize, unanswered: u32, down_per_s: u64| {
        let result = PairResult {
            round_trips_ns: vec![1; answered],
            unanswered,
            up_per_s: 1,
            down_per_s,
            ..PairResult::default()
        };
        of_examined("mc1", "mc2", Ok(Examined::Pair(result))).map(drop)
    };
    assert_eq!(seen(3, 2, 1), Ok(()));
    for unusable in [seen(2, 2, 1), seen(3, 0, 0)] {
        assert!(matches!(unusable, Err(Unseen::CannotUse(_))));
    }
    let failed = |why: &str| {
        let failed = Examined::Failed(why.to_owned());
        of_examined("mc1", "mc2", Ok(failed)).unwrap_err()
    };
    let refused = "mc1 cannot use mc2 at 127.0.0.1:1: Connection refused";
    assert_eq!(failed(refused), Unseen::CannotUse(refused.to_owned()));
    let busy = "mc1 is still trying out its own machine, as it was asked 12.5 s ago";
    assert_eq!(failed(busy), Unseen::Untried(busy.to_owned()));
}
