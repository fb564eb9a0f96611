//! Counts add up; ages and the latest eviction do not.

use super::Stats;

fn part(evicted_at_unix_s: u64, evicted_idle_s: u64, age_s: u64) -> Stats {
    Stats {
        curr_items: 2,
        evictions: 3,
        evicted_at_unix_s,
        evicted_idle_s,
        small_age_s: age_s,
        main_age_s: 10 * age_s,
        ..Stats::default()
    }
}

#[test]
fn counts_add_up_and_the_oldest_and_latest_stay() {
    let parts = [part(100, 7, 5), part(300, 1, 9), part(200, 50, 2)];
    let mut sum = Stats::default();
    for part in &parts {
        sum.absorb(part);
    }
    assert_eq!((sum.curr_items, sum.evictions), (6, 9));
    assert_eq!((sum.small_age_s, sum.main_age_s), (9, 90));
    assert_eq!((sum.evicted_at_unix_s, sum.evicted_idle_s), (300, 1));
}
