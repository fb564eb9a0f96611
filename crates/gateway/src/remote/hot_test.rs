//! Tests of when an answer may be given again.

use std::sync::Arc;
use std::time::Duration;

use base::fleet::{Epoch, Slot};
use base::kv::{Expiry, Item, Recache, Stats, Value};
use base::rng::Rng;
use base::{TenantId, Timestamp};

use super::super::hot_board::{HotBoard, HotTerms};
use super::{HotKeys, Look, OVERHEAD, REVIEW_EVERY, SAMPLE_EVERY, Ticket};

const START: Timestamp = Timestamp::from_secs(1_000_000);
const TENANT: TenantId = TenantId(3);
const AGE: Duration = Duration::from_millis(500);
const EPOCH: Epoch = Epoch(7);
const MS: Duration = Duration::from_millis(1);

fn slot() -> Slot {
    Slot::of_hash(1 << 60)
}

fn terms(room_bytes: u64) -> HotTerms {
    HotTerms {
        age_max: AGE,
        room_bytes,
    }
}

fn hot(board: &HotBoard, loops: usize) -> HotKeys {
    let shared = board.tenant(TENANT);
    HotKeys::new(START, TENANT, terms(1 << 20), loops, shared)
}

fn item(value: &[u8]) -> Item<'_> {
    Item {
        value: Value::Inline(value),
        flags: 5,
        cas: 9,
        expiry: Expiry::NEVER,
        idle_s: 3,
        fetched: false,
        stale: false,
        recache: Recache::No,
    }
}

/// Has a key be busy, so that it is kept from `now` on.
fn make_busy(hot: &mut HotKeys, now: Timestamp, key: &[u8]) {
    for _ in 0..SAMPLE_EVERY * 40 {
        hot.look(now, key, slot(), EPOCH, true);
    }
    hot.review(now + REVIEW_EVERY);
}

fn ask(hot: &mut HotKeys, now: Timestamp, key: &[u8]) -> Result<Vec<u8>, Option<Ticket>> {
    match hot.look(now, key, slot(), EPOCH, true) {
        Look::Ask(ticket) => Err(ticket),
        Look::Held(item) => match item.value {
            Value::Inline(value) => Ok(value.to_vec()),
            Value::Pinned(_) => panic!("nothing is pinned"),
        },
    }
}

fn ticket(hot: &mut HotKeys, now: Timestamp, key: &[u8]) -> Ticket {
    ask(hot, now, key).unwrap_err().expect("a ticket")
}

/// A board with one loop that has `b"v"` under `b"k"`, asked for at the time returned.
fn one_held() -> (HotBoard, HotKeys, Timestamp) {
    let board = HotBoard::default();
    let mut hot = hot(&board, 1);
    make_busy(&mut hot, START, b"k");
    let now = START + Duration::from_secs(1);
    let ticket = ticket(&mut hot, now, b"k");
    hot.fill(ticket, now, Some(&item(b"v")));
    (board, hot, now)
}

#[test]
fn an_answer_is_given_again_until_it_is_too_old_and_not_longer() {
    let (_, mut hot, then) = one_held();
    assert_eq!(ask(&mut hot, then + AGE / 2, b"k"), Ok(b"v".to_vec()));
    // One of those who ask late gets the next, the others need not wait for it.
    let ageing = then + AGE - MS;
    let next = ticket(&mut hot, ageing, b"k");
    assert_eq!(ask(&mut hot, ageing, b"k"), Ok(b"v".to_vec()));
    // Its age counts from when it was asked for, however late the answer comes.
    assert_eq!(ask(&mut hot, then + AGE, b"k"), Err(None));
    hot.fill(next, ageing, Some(&item(b"w")));
    assert_eq!(ask(&mut hot, then + AGE, b"k"), Ok(b"w".to_vec()));
    assert!(ask(&mut hot, ageing + AGE, b"k").is_err());
}

#[test]
fn what_is_asked_for_seldom_is_not_kept() {
    let board = HotBoard::default();
    let mut hot = hot(&board, 1);
    let mut now = START;
    for number in 0..4000u32 {
        now = now + MS;
        let key = format!("key{}", number % 1000);
        assert_eq!(ask(&mut hot, now, key.as_bytes()), Err(None));
        hot.review(now);
    }
}

#[test]
fn a_key_that_was_busy_is_let_go_of() {
    let (board, mut hot, then) = one_held();
    let mut now = then;
    while hot.held_bytes > 0 {
        now = now + REVIEW_EVERY;
        hot.review(now);
        assert!(now.since(then) < AGE + 2 * REVIEW_EVERY);
    }
    for _ in 0..40 {
        now = now + REVIEW_EVERY;
        hot.review(now);
    }
    assert_eq!(ask(&mut hot, now, b"k"), Err(None));
    let mut stats = Stats::default();
    board.complete(TENANT, &mut stats);
    assert_eq!(stats.hot_bytes, 0);
}

#[test]
fn a_change_ends_what_is_kept_and_what_is_on_its_way() {
    let (_, mut hot, then) = one_held();
    hot.change(slot());
    let on_its_way = ticket(&mut hot, then, b"k");
    hot.change(slot());
    hot.fill(on_its_way, then, Some(&item(b"old")));
    let after = ticket(&mut hot, then, b"k");
    hot.fill(after, then, Some(&item(b"new")));
    assert_eq!(ask(&mut hot, then, b"k"), Ok(b"new".to_vec()));
}

#[test]
fn another_epoch_ends_what_is_kept() {
    let (_, mut hot, then) = one_held();
    let later = Epoch(EPOCH.0 + 1);
    let look = hot.look(then, b"k", slot(), later, true);
    assert!(matches!(look, Look::Ask(_)), "{look:?}");
}

#[test]
fn what_was_asked_for_before_a_flush_is_gone_and_so_is_what_comes_in_its_wake() {
    let (_, mut hot, then) = one_held();
    hot.empty(then + MS);
    assert!(ask(&mut hot, then, b"k").is_err());
    let ticket = ticket(&mut hot, then + AGE, b"k");
    hot.fill(ticket, then + AGE, Some(&item(b"new")));
    assert_eq!(ask(&mut hot, then + AGE, b"k"), Ok(b"new".to_vec()));
}

#[test]
fn only_what_nobody_is_to_refill_is_kept() {
    let unfit: [fn(&mut Item<'_>); 4] = [
        |item| item.stale = true,
        |item| item.recache = Recache::Won,
        |item| item.recache = Recache::Lost,
        |item| {
            item.value = Value::Pinned(base::kv::Pin {
                token: 1,
                len: 70_000,
            })
        },
    ];
    for spoil in unfit {
        let (_, mut hot, then) = one_held();
        let next = ticket(&mut hot, then + AGE / 4 * 3, b"k");
        let mut item = item(b"w");
        spoil(&mut item);
        hot.fill(next, then + AGE / 4 * 3, Some(&item));
        // Not even what was there before: the node has something else now.
        assert!(ask(&mut hot, then + AGE / 4 * 3, b"k").is_err());
    }
}

#[test]
fn a_miss_ends_what_is_kept() {
    let (_, mut hot, then) = one_held();
    let next = ticket(&mut hot, then + AGE / 4 * 3, b"k");
    hot.fill(next, then + AGE / 4 * 3, None);
    assert!(ask(&mut hot, then + AGE / 4 * 3, b"k").is_err());
}

#[test]
fn an_item_is_not_given_beyond_its_end() {
    let board = HotBoard::default();
    let mut hot = hot(&board, 1);
    make_busy(&mut hot, START, b"k");
    let now = START + Duration::from_millis(1_800);
    let ticket = ticket(&mut hot, now, b"k");
    let ending = Item {
        expiry: Expiry::at_unix_secs((START + Duration::from_secs(2)).unix_secs()),
        ..item(b"v")
    };
    hot.fill(ticket, now, Some(&ending));
    assert_eq!(ask(&mut hot, now + 100 * MS, b"k"), Ok(b"v".to_vec()));
    assert!(ask(&mut hot, now + 200 * MS, b"k").is_err());
}

#[test]
fn nothing_is_kept_before_every_loop_counts_its_changes() {
    let board = HotBoard::default();
    let mut first = hot(&board, 2);
    make_busy(&mut first, START, b"k");
    assert_eq!(ask(&mut first, START, b"k"), Err(None));
    let second = hot(&board, 2);
    let ticket = ticket(&mut first, START, b"k");
    first.fill(ticket, START, Some(&item(b"v")));
    assert_eq!(ask(&mut first, START, b"k"), Ok(b"v".to_vec()));
    second.change(slot());
    assert!(ask(&mut first, START, b"k").is_err());
    drop(second);
    assert_eq!(ask(&mut first, START, b"k"), Err(None));
    // What a loop changed while it did not count is unknown.
    let _again = hot(&board, 2);
    assert!(ask(&mut first, START, b"k").is_err());
}

#[test]
fn room_is_bounded_and_told() {
    let board = HotBoard::default();
    let shared = board.tenant(TENANT);
    let room = 4096u64;
    let mut rng = Rng::new(7);
    {
        let mut hot = HotKeys::new(START, TENANT, terms(room), 1, Arc::clone(&shared));
        let keys: Vec<Vec<u8>> = (0..40).map(|n| format!("key{n}").into_bytes()).collect();
        for _ in 0..SAMPLE_EVERY * 40 {
            for key in &keys {
                hot.look(START, key, slot(), EPOCH, true);
            }
        }
        hot.review(START + REVIEW_EVERY);
        let mut most = 0;
        for round in 0..2000 {
            let now = START + REVIEW_EVERY + MS * round;
            let key = &keys[rng.below(40) as usize];
            if let Err(Some(ticket)) = ask(&mut hot, now, key) {
                let value = vec![1; rng.below(900) as usize];
                hot.fill(ticket, now, Some(&item(&value)));
            }
            let held = hot.kept.iter();
            let held = held.filter_map(|(key, kept)| Some((key, kept.held.as_ref()?)));
            let sum: usize = held
                .map(|(key, it)| key.len() + it.value.len() + OVERHEAD)
                .sum();
            assert_eq!(sum, hot.held_bytes);
            let mut stats = Stats::default();
            board.complete(TENANT, &mut stats);
            assert_eq!(stats.hot_bytes, sum as u64);
            assert!(stats.hot_bytes <= room);
            most = most.max(stats.hot_bytes);
        }
        assert!(most > room / 2, "{most}");
    }
    let mut stats = Stats::default();
    board.complete(TENANT, &mut stats);
    assert_eq!(stats.hot_bytes, 0);
}

#[test]
fn hits_are_counted_as_the_tenants() {
    let (board, mut hot, then) = one_held();
    for _ in 0..5 {
        assert!(ask(&mut hot, then, b"k").is_ok());
    }
    let told = |board: &HotBoard| {
        let mut stats = Stats {
            cmd_get: 10,
            get_hits: 2,
            ..Stats::default()
        };
        board.complete(TENANT, &mut stats);
        (stats.cmd_get, stats.get_hits, stats.hot_hits)
    };
    assert_eq!(told(&board), (15, 7, 5));
    board.reset(TENANT);
    assert_eq!(told(&board), (10, 2, 0));
}

#[test]
fn what_is_set_aside_is_a_small_part_and_shared_by_gateways() {
    assert_eq!(HotTerms::set_aside(64 << 20), 1 << 20);
    assert_eq!(HotTerms::set_aside(1 << 40), 16 << 20);
    let terms = HotTerms::new(Duration::from_secs(5), 64 << 20, 2);
    assert_eq!(terms.room_bytes, 512 << 10);
    assert_eq!(terms.age_max, Duration::from_secs(1));
}
