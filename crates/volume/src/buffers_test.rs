//! Buffers come back, as long as they are asked for.

use super::*;

#[test]
fn a_long_buffer_has_its_length_whatever_it_was_before() {
    for len in [LONG_LEN, 2 * LONG_LEN, LONG_LEN + 7, 5, 0, LONGEST_LEN + 1] {
        let buffer = long_buffer(len);
        assert_eq!(buffer.len(), len);
        give_back(buffer);
        assert_eq!(Buffer::new(len).len(), len);
    }
}

#[test]
fn no_more_are_kept_than_are_worth_it() {
    for _ in 0..80 {
        give_back(vec![1; 1 << 20]);
    }
    give_back(Vec::with_capacity(LONGEST_LEN + 1));
    give_back(vec![1; 10]);
    let kept = kept();
    let held: usize = kept.iter().map(Vec::capacity).sum();
    assert!((1..=KEPT_LEN_MAX).contains(&held));
    let all_fit = |buffer: &Vec<u8>| (LONG_LEN..=LONGEST_LEN).contains(&buffer.capacity());
    assert!(kept.iter().all(all_fit));
}

#[test]
fn what_is_appended_is_there_and_whole_blocks_of_it() {
    let text: Vec<u8> = (0..LONG_LEN).map(|at| (at % 251) as u8).collect();
    let mut buffer = Buffer::with_room(LONG_LEN);
    for part in text.chunks(1000) {
        buffer.extend_from_slice(part);
    }
    assert!(*buffer == text[..]);
    buffer.truncate(LONG_LEN - 10);
    buffer.fill_block();
    let blocks = buffer.blocks().expect("there is room");
    assert_eq!(blocks.len(), LONG_LEN);
    assert!(blocks[..LONG_LEN - 10] == text[..LONG_LEN - 10]);
    assert!(blocks[LONG_LEN - 10..] == [0; 10]);
    // More than there was room for.
    for _ in 0..100 {
        buffer.extend_from_slice(&text);
    }
    assert_eq!(buffer.len(), LONG_LEN - 10 + 100 * LONG_LEN);
    assert!(buffer.ends_with(&text));
    assert!(Vec::from(buffer).ends_with(&text));
}

#[test]
fn a_vector_is_one_as_it_is() {
    let buffer = Buffer::from(vec![7; 5000]);
    assert!(*buffer == [7; 5000]);
    assert!(buffer.blocks().is_none(), "it ends within a block");
    assert!(Vec::from(buffer) == [7; 5000]);
}
