//! Tests of the header.

use proptest::prelude::{any, proptest};

use super::{HEADER_LEN, Header, Lens, Status, push_response};

proptest! {
    #[test]
    fn any_bytes_are_a_header(bytes in any::<[u8; HEADER_LEN]>()) {
        let header = Header::of(&bytes).expect("24 bytes");
        assert_eq!(header.opcode, bytes[1]);
        let head_len = u64::from(header.key_len) + u64::from(header.extras_len);
        match header.value_len() {
            Some(len) => assert_eq!(u64::from(len) + head_len, u64::from(header.body_len)),
            None => assert!(head_len > u64::from(header.body_len)),
        }
        assert_eq!(header.head_len() as u64, head_len + 24);
    }
}

#[test]
fn less_is_no_header() {
    assert_eq!(Header::of(&[0; HEADER_LEN - 1]), None);
}

#[test]
fn a_response_says_its_lengths() {
    let mut out = Vec::new();
    let lens = Lens {
        extras: 4,
        key: 3,
        value: 5,
    };
    push_response(0x0c, 0xdead_beef, Status::KeyExists, lens, 7, &mut out);
    assert_eq!(
        out,
        [
            0x81, 0x0c, 0, 3, 4, 0, 0, 2, 0, 0, 0, 12, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 0, 0, 0, 0,
            7
        ]
    );
}
