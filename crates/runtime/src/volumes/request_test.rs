//! Requests are cut where they may be, and end once.

use super::*;

#[test]
fn parts_add_up_and_end_where_multiples_begin() {
    for (offset, len) in [
        (0, 1),
        (0, 65536),
        (1, 65536),
        (65535, 2),
        (4096, 1 << 20),
        (7, 0),
    ] {
        let (mut at, mut left, mut parts) = (offset, len, 0);
        loop {
            let part = part_len(at, left, WRITE_LEN_MAX);
            (at, left, parts) = (at + part, left - part, parts + 1);
            if left == 0 {
                break;
            }
            assert!(at.is_multiple_of(WRITE_LEN_MAX), "{offset} {len}");
        }
        assert_eq!(
            parts,
            parts_of(offset, len, WRITE_LEN_MAX),
            "{offset} {len}"
        );
    }
}

#[test]
fn a_request_ends_with_its_last_part_and_its_first_error() {
    let whole = Whole::change(0, 3);
    assert!(whole.part_ended().is_none());
    whole.fail(Errno::NoSpc, "full");
    whole.fail(Errno::Io, "broken");
    assert!(whole.part_ended().is_none());
    assert_eq!(
        whole.part_ended(),
        Some((Some((Errno::NoSpc, "full")), None))
    );
}

#[test]
fn gathered_data_comes_in_its_place() {
    let whole = Whole::read(100, 6, 2, true);
    whole.gather(103, b"def");
    assert!(whole.part_ended().is_none());
    whole.gather(100, b"abc");
    assert_eq!(whole.part_ended(), Some((None, Some(b"abcdef".to_vec()))));
    assert!(!Whole::read(0, 6, 2, false).is_gathered());
}
