//! Tests of `gate`.

use super::*;

#[test]
fn all_meet_and_get_the_same_time() {
    let gate = Gate::new(3);
    let times: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| gate.wait().unwrap()))
            .collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert!(times[0] > 0);
    assert_eq!(times, [times[0]; 3]);
}

#[test]
fn who_gives_up_frees_those_who_wait_and_those_who_come() {
    let gate = Gate::new(2);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| gate.wait());
        drop(AbandonOnDrop(&gate));
        assert_eq!(waiting.join().unwrap(), Err(Abandoned));
    });
    assert!(gate.is_abandoned());
    assert_eq!(gate.wait(), Err(Abandoned));
}
