//! Replies read back as they were written, cut anywhere.

use super::*;
use crate::Replies;

/// What one stream of replies brings, with data copied.
fn read(reader: &mut ReplyReader, input: &[u8], piece_len: usize) -> Vec<String> {
    let mut seen = Vec::new();
    let (mut used, mut end) = (0, 0);
    loop {
        let (taken, event) = reader.advance(&input[used..end]);
        used += taken;
        match event {
            ReplyEvent::More if end == input.len() => return seen,
            ReplyEvent::More => end = (end + piece_len).min(input.len()),
            ReplyEvent::Broken(why) => {
                seen.push(format!("broken: {why}"));
                return seen;
            }
            event => seen.push(format!("{event:?}")),
        }
    }
}

fn stream(replies: Replies) -> Vec<u8> {
    let mut out = Vec::new();
    replies.done(1, &mut out);
    replies.data_header(2, 4096, 5, true, &mut out);
    out.extend_from_slice(b"hello");
    replies.error(3, Errno::NoSpc, "full", &mut out);
    if replies.is_structured() {
        replies.data_header(4, 0, 2, false, &mut out);
        out.extend_from_slice(b"ab");
        replies.hole(4, 2, 510, false, &mut out);
        replies.error_at(4, Errno::Io, "bad", 512, &mut out);
        let extents = [Extent::from_wire(512, 3), Extent::from_wire(512, 0)];
        replies.block_status(5, &extents, &mut out);
    }
    out
}

#[test]
fn simple_replies() {
    let expected = [
        "Done(1)",
        "Data(2, None, [104, 101, 108, 108, 111])",
        "Done(2)",
        "Error(3, NoSpc, \"\")",
        "Done(3)",
    ];
    let bytes = stream(Replies::new(false));
    for piece_len in 1..bytes.len() {
        let mut reader = ReplyReader::new();
        reader.expect_read(2, 5);
        assert_eq!(read(&mut reader, &bytes, piece_len), expected);
    }
}

#[test]
fn structured_replies() {
    let expected = [
        "Done(1)",
        "Data(2, Some(4096), [104, 101, 108, 108, 111])",
        "Done(2)",
        "Error(3, NoSpc, \"full\")",
        "Done(3)",
        "Data(4, Some(0), [97, 98])",
        "Hole(4, 2, 510)",
        "Error(4, Io, \"bad\")",
        "Done(4)",
        "Status(5, [Extent { len: 512, hole: true, zero: true }, \
         Extent { len: 512, hole: false, zero: false }])",
        "Done(5)",
    ];
    let bytes = stream(Replies::new(true));
    for piece_len in 1..bytes.len() {
        assert_eq!(read(&mut ReplyReader::new(), &bytes, piece_len), expected);
    }
}

#[test]
fn a_lost_stream_is_told() {
    let broken = |bytes: &[u8]| read(&mut ReplyReader::new(), bytes, 1000).pop();
    assert!(broken(b"HTTP/1.1 400").is_some_and(|last| last.starts_with("broken")));
    let long = b"\x66\x8e\x33\xef\0\x01\0\x01\0\0\0\0\0\0\0\x05\xff\xff\xff\xff";
    assert!(broken(long).is_some_and(|last| last.starts_with("broken")));
    let odd = b"\x66\x8e\x33\xef\0\x01\0\x02\0\0\0\0\0\0\0\x05\0\0\0\x02\0\0";
    assert!(broken(odd).is_some_and(|last| last.starts_with("broken")));
}
