//! Tests that keys are watched only while somebody looks, and found by how often they are asked for.

use super::*;

const COUNT: usize = 10;

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn ask(watch: &KeyWatch, now: Timestamp, dice: &Counter, key: &str, times: usize) {
    (0..times).for_each(|_| watch.note(now, dice, key.as_bytes()));
}

fn told(counted: &[Counted]) -> Vec<&str> {
    let keys = counted.iter();
    keys.map(|one| std::str::from_utf8(&one.key).unwrap())
        .collect()
}

#[test]
fn nothing_is_sampled_until_somebody_looks() {
    let (watch, dice) = (KeyWatch::default(), Counter::default());
    ask(&watch, at(1), &dice, "user:1", 100_000);
    assert_eq!(dice.get(), 0);
    assert_eq!(watch.look(at(1), COUNT), BusiestKeys::default());
    ask(&watch, at(2), &dice, "user:1", 100_000);
    assert!(watch.look(at(2), COUNT).samples > 0);
}

#[test]
fn a_sample_has_the_shares_of_the_whole() {
    let (watch, dice) = (KeyWatch::default(), Counter::default());
    watch.look(at(1), COUNT);
    for round in 0..10_000 {
        ask(&watch, at(2), &dice, "hot", 10);
        ask(&watch, at(2), &dice, "warm", 5);
        ask(&watch, at(2), &dice, &format!("cold:{round}"), 5);
    }
    let seen = watch.look(at(3), COUNT);
    let expected = 200_000.0 / SAMPLE_EVERY as f64;
    assert!(
        (seen.samples as f64 / expected - 1.0).abs() < 0.1,
        "{seen:?}"
    );
    assert_eq!(told(&seen.keys)[..2], ["hot", "warm"]);
    let share = seen.keys[0].count as f64 / seen.samples as f64;
    assert!((share - 0.5).abs() < 0.05, "{share}");
    assert_eq!(told(&seen.prefixes), ["cold:"]);
}

#[test]
fn a_minute_after_the_last_look_it_ends_and_begins_anew() {
    let (watch, dice) = (KeyWatch::default(), Counter::default());
    watch.look(at(1), COUNT);
    ask(&watch, at(2), &dice, "old", 10_000);
    ask(&watch, at(62), &dice, "late", 10_000);
    let rolled = dice.get();
    ask(&watch, at(63), &dice, "later", 10);
    assert_eq!(dice.get(), rolled, "it costs a look at a number");
    assert_eq!(watch.look(at(64), COUNT).samples, 0);
}

#[test]
fn the_past_counts_half_every_half_minute() {
    let (watch, dice) = (KeyWatch::default(), Counter::default());
    watch.look(at(1), COUNT);
    ask(&watch, at(2), &dice, "k", 10_000);
    let before = watch.look(at(3), COUNT).samples;
    assert_eq!(watch.look(at(31), COUNT).samples, before / 2);
    assert_eq!(watch.look(at(32), COUNT).samples, before / 2);
}

#[test]
fn keys_begin_with_their_first_words() {
    let of = |key: &'static str| {
        let all = prefixes(key.as_bytes());
        all.map(|one| std::str::from_utf8(one).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("user:1:name:x"), ["user:", "user:1:"]);
    assert_eq!(of("a/b"), ["a/"]);
    assert_eq!(of("plain"), [""; 0]);
    assert_eq!(of("ends:"), [""; 0]);
    assert_eq!(of(""), [""; 0]);
    assert_eq!(of("::"), [":"]);
}
