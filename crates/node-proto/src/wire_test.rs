//! Tests of the header.

use super::{HEADER_LEN, Header, frame, split};

#[test]
fn a_frame_is_split_off_as_soon_as_it_is_whole() {
    let header = Header {
        kind: 7,
        code: 6,
        a: 5,
        b: 4,
        id: 3,
    };
    let mut bytes = Vec::new();
    frame(&mut bytes, header, |out| out.extend_from_slice(b"content"));
    bytes.extend_from_slice(b"next");
    for len in 0..HEADER_LEN + 7 {
        assert_eq!(split(&bytes[..len]), Ok(None));
    }
    let whole = Some((header, &b"content"[..], HEADER_LEN + 7));
    assert_eq!(split(&bytes), Ok(whole));
}
