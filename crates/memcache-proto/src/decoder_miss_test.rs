//! Lists of keys that are let find nothing.

use super::{Decoder, KeyBuf, Limits, MissedKeys, Step};
use crate::testing::NOW;

const LIMITS: Limits = Limits {
    item_size_max: 1 << 20,
};

/// The keys of all lists, and the answers, with the input in pieces of `piece` bytes.
fn miss(input: &[u8], piece: usize) -> (usize, Vec<u8>) {
    let (mut decoder, mut kept) = (Decoder::new(), Vec::new());
    let (mut keys_total, mut out) = (0, Vec::new());
    for bytes in input.chunks(piece) {
        kept.extend_from_slice(bytes);
        loop {
            let mut key_buf = KeyBuf::new();
            let step = match decoder.miss_keys(&kept) {
                Some(MissedKeys { keys, step }) => {
                    keys_total += keys;
                    step
                }
                None => decoder.decode(NOW, &kept, &LIMITS, &mut key_buf),
            };
            let consumed = match step {
                Step::Incomplete => break,
                Step::Skip { consumed } => consumed,
                Step::Request { consumed, request } => {
                    request.reply.answer(&mut out);
                    consumed
                }
                other => panic!("{other:?}"),
            };
            kept.drain(..consumed);
        }
    }
    assert!(!decoder.is_mid_request() && kept.is_empty());
    (keys_total, out)
}

#[test]
fn a_list_is_answered_with_its_end_in_whichever_pieces_it_comes() {
    let input = b"get a\r\nmn\r\ngets a bb ccc\nversion\r\nget a b c d\r\n";
    let (keys, whole) = miss(input, input.len());
    assert_eq!(keys, 8);
    let text = String::from_utf8(whole.clone()).unwrap();
    assert_eq!(text.matches("END\r\n").count(), 3);
    assert!(
        text.starts_with("END\r\n") && text.ends_with("END\r\n"),
        "{text}"
    );
    for piece in 5..input.len() {
        // A command's name must be here whole to be known for a list; one that is not is decoded.
        let (_, out) = miss(input, piece);
        assert_eq!(out.len(), whole.len(), "pieces of {piece}");
    }
}

#[test]
fn the_rest_of_a_list_of_which_a_key_was_served_is_missed() {
    let mut decoder = Decoder::new();
    let mut key_buf = KeyBuf::new();
    let input = b"get a b c\r\n";
    let Step::Request { consumed, .. } = decoder.decode(NOW, input, &LIMITS, &mut key_buf) else {
        panic!("the first key is here");
    };
    assert!(!decoder.is_at_list_end(&input[consumed..]));
    assert!(decoder.is_at_list_end(b"\r\n") && decoder.is_at_list_end(b"\nget b"));
    let missed = decoder.miss_keys(&input[consumed..]).unwrap();
    assert_eq!(missed.keys, 2);
    assert!(!decoder.is_at_list_end(b"\r\n"));
    assert!(!decoder.is_mid_request());
}

#[test]
fn what_is_no_plain_list_is_left_to_be_decoded() {
    for input in [
        &b"gat 0 a\r\n"[..],
        b"getx a\r\n",
        b"get\r\n",
        b"set a 0 0 1\r\nx\r\n",
        b"",
        &[0x80; 24],
    ] {
        assert!(Decoder::new().miss_keys(input).is_none(), "{input:?}");
    }
    let mut decoder = Decoder::new();
    let mut key_buf = KeyBuf::new();
    let input = b"gat -1 a b\r\n";
    let Step::Request { consumed, .. } = decoder.decode(NOW, input, &LIMITS, &mut key_buf) else {
        panic!("the first key is here");
    };
    assert!(decoder.miss_keys(&input[consumed..]).is_none());
}
