//! What is read in sequence is asked for once, ahead; what is not, never.

use super::*;

#[test]
fn a_sequence_is_asked_for_ahead_and_only_once() {
    let mut ahead = Ahead::default();
    let (mut asked, mut from) = (0, None);
    for turn in 0..64 {
        let end = (turn + 1) << 20;
        if let Some((offset, len)) = ahead.note(turn << 20, 1 << 20) {
            assert!(
                offset >= end && offset + len == end + AHEAD_LEN,
                "turn {turn}"
            );
            assert!(from.is_none_or(|from| from == offset), "a gap at {offset}");
            from = Some(offset + len);
            asked += len;
        }
    }
    assert!((62 << 20..=68 << 20).contains(&asked), "{asked}");
}

#[test]
fn reads_here_and_there_bring_nothing() {
    let mut ahead = Ahead::default();
    let mut rng = base::rng::Rng::new(1);
    for _ in 0..1000 {
        let offset = rng.below(1 << 28) << 12;
        assert_eq!(ahead.note(offset, 4096), None);
    }
}

#[test]
fn a_sequence_may_come_a_little_out_of_order_and_end() {
    let mut ahead = Ahead::default();
    let order = [0, 2, 1, 3, 5, 4, 6, 7];
    let asked = order.map(|turn| ahead.note(turn * 65_536, 65_536));
    assert!(asked.iter().any(Option::is_some), "{asked:?}");
    assert_eq!(ahead.note(1 << 40, 65_536), None);
    assert_eq!(ahead.note(u64::MAX, u64::MAX), None);
}
