//! Tests of which requests are copied, and how many.

use super::*;

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

fn copies(nodes: u32, part_ppm: u32) -> Copies {
    let mut copies = Copies::new(7);
    copies.learn(Arc::new(Copying {
        nodes: (1..=nodes).map(MemberId).collect(),
        part_ppm,
    }));
    copies
}

/// How many are copied of so many requests, one in each `every`, for each of four nodes; `each` copies
/// for one.
fn copied(copies: &mut Copies, requests: u32, every: Duration, each: u32) -> [u32; 4] {
    let mut counts = [0; 4];
    for number in 0..requests {
        let now = T0 + every * number;
        if let Some(node) = copies.choose(now) {
            for _ in 0..each {
                copies.made(now);
                counts[node.0 as usize - 1] += 1;
            }
        }
    }
    counts
}

#[test]
fn with_nobody_to_be_let_in_nothing_is_copied() {
    let mut copies = Copies::new(7);
    assert!(!copies.is_on());
    copies.learn(Arc::new(Copying::default()));
    assert!(!copies.is_on());
}

#[test]
fn as_many_as_asked_for_are_copied_and_no_more() {
    let millisecond = Duration::from_millis(1);
    let [one, ..] = copied(&mut copies(1, 20_000), 100_000, millisecond, 1);
    assert!((1_600..=2_000).contains(&one), "{one}");
    // One that takes two copies takes the place of another.
    let [one, ..] = copied(&mut copies(1, 20_000), 100_000, millisecond, 2);
    assert!((1_400..=2_002).contains(&one), "{one}");
    let both = copied(&mut copies(2, 20_000), 100_000, millisecond, 1);
    assert!((1_400..=2_300).contains(&both[0]), "{both:?}");
    assert!(both[0].abs_diff(both[1]) <= 1, "{both:?}");
    assert!(both[0] + both[1] <= 4_000, "{both:?}");
}

#[test]
fn however_much_is_asked_copies_are_no_more_than_five_hundred_a_second() {
    let [one, ..] = copied(
        &mut copies(1, 50_000),
        1_000_000,
        Duration::from_micros(4),
        1,
    );
    // Four seconds, and what is saved up.
    assert!((1_900..=2_020).contains(&one), "{one}");
}

#[test]
fn a_pause_saves_nothing_up() {
    let mut copies = copies(1, 1_000_000);
    let calm = copied(&mut copies, 100, Duration::from_secs(1), 1);
    assert_eq!(calm[0], 100);
    let later = T0 + Duration::from_secs(1000);
    let burst = (0..1000).filter(|_| {
        let is_copied = copies.choose(later).is_some();
        if is_copied {
            copies.made(later);
        }
        is_copied
    });
    assert!(burst.count() <= 12);
}
