//! Tests that it does not matter in which pieces bytes come.

use base::rng::Rng;

use super::Inbox;
use crate::testing::{Draw, bytes_of, read_in_pieces, told};
use crate::{FRAME_LEN_MAX, Malformed, Message};

/// A stream with messages of every kind, none of them long.
fn stream(seed: u64) -> (Vec<u8>, Vec<String>) {
    let mut rng = Rng::new(seed);
    let (mut bytes, mut all) = (Vec::new(), Vec::new());
    while all.len() < 40 {
        let mut draw = Draw::new(&mut rng);
        draw.value.truncate(200);
        let message = draw.message();
        message.encode(&mut bytes);
        all.push(told(&message));
    }
    (bytes, all)
}

#[test]
fn a_stream_may_be_split_at_every_byte() {
    let (bytes, all) = stream(1);
    for split in 0..=bytes.len() {
        let (mut inbox, mut read) = (Inbox::default(), Vec::new());
        for part in [&bytes[..split], &bytes[split..]] {
            inbox
                .take(part, |message| read.push(told(&message)))
                .unwrap();
        }
        assert_eq!(read, all, "split at {split}");
        assert!(!inbox.is_mid_message());
    }
}

#[test]
fn a_stream_may_come_in_pieces_of_any_length() {
    for seed in 2..20 {
        let (bytes, all) = stream(seed);
        for piece_len in [1, 2, 3, 15, 16, 17, 1000, usize::MAX] {
            assert_eq!(read_in_pieces(&bytes, piece_len), Ok(all.clone()));
        }
    }
}

#[test]
fn the_longest_frame_comes_through_byte_by_byte() {
    let mut rng = Rng::new(7);
    let mut draw = Draw::new(&mut rng);
    draw.value = vec![7; 65_536];
    let bytes = std::iter::repeat_with(|| bytes_of(&draw.message()))
        .find(|bytes| bytes.len() > 65_536)
        .unwrap();
    assert!(bytes.len() <= FRAME_LEN_MAX);
    assert_eq!(read_in_pieces(&bytes, 1).map(|all| all.len()), Ok(1));
}

#[test]
fn a_length_that_no_frame_has_is_refused_by_its_first_bytes() {
    for len in [0u32, 15, FRAME_LEN_MAX as u32 + 1, u32::MAX] {
        let mut inbox = Inbox::default();
        let refused = inbox.take(&len.to_le_bytes(), |_| panic!("there is no message"));
        assert_eq!(refused, Err(Malformed::FrameLen(len)));
    }
}

#[test]
fn what_comes_before_nonsense_is_given_out() {
    let mut bytes = bytes_of(&Message::Ping {
        token: 5,
        announced: None,
    });
    bytes.extend([16, 0, 0, 0, 99]);
    bytes.extend([0; 11]);
    let (mut inbox, mut count) = (Inbox::default(), 0);
    assert_eq!(inbox.take(&bytes, |_| count += 1), Err(Malformed::Kind(99)));
    assert_eq!(count, 1);
}
