//! Buffers come back, as long as they are asked for.

use super::*;

#[test]
fn a_long_buffer_has_its_length_whatever_it_was_before() {
    for len in [LONG_LEN, 2 * LONG_LEN, LONG_LEN + 7, 5, 0] {
        let buffer = long_buffer(len);
        assert_eq!(buffer.len(), len);
        drop(Lent::from(buffer));
    }
}

#[test]
fn no_more_are_kept_than_are_worth_it() {
    for _ in 0..40 {
        give_back(vec![1; 1 << 20]);
    }
    give_back(Vec::with_capacity(LONGEST_LEN + 1));
    give_back(vec![1; 10]);
    let kept = kept();
    assert!(kept.iter().map(Vec::capacity).sum::<usize>() <= KEPT_LEN_MAX);
    let all_fit = |buffer: &Vec<u8>| (LONG_LEN..=LONGEST_LEN).contains(&buffer.capacity());
    assert!(kept.iter().all(all_fit));
}
