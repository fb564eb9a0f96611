//! Replies by golden bytes.

use super::*;

const SIMPLE: Replies = Replies::new(false);
const STRUCTURED: Replies = Replies::new(true);

fn written(put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out);
    out
}

#[test]
fn simple_replies() {
    let ok = b"\x67\x44\x66\x98\0\0\0\0\0\0\0\0\0\0\0\x05";
    assert_eq!(written(|out| SIMPLE.done(5, out)), ok);
    assert_eq!(written(|out| SIMPLE.data_header(5, 0, 9, true, out)), ok);
    let error = written(|out| SIMPLE.error(5, Errno::NoSpc, "full", out));
    assert_eq!(error, b"\x67\x44\x66\x98\0\0\0\x1c\0\0\0\0\0\0\0\x05");
    assert_eq!(written(|out| SIMPLE.hole(5, 0, 3, true, out))[16..], [0; 3]);
}

#[test]
fn structured_replies() {
    let done = written(|out| STRUCTURED.done(5, out));
    assert_eq!(
        done,
        b"\x66\x8e\x33\xef\0\x01\0\0\0\0\0\0\0\0\0\x05\0\0\0\0"
    );
    let error = written(|out| STRUCTURED.error_at(5, Errno::Io, "bad", 4096, out));
    let golden = b"\x66\x8e\x33\xef\0\x01\x80\x02\0\0\0\0\0\0\0\x05\0\0\0\x11\
        \0\0\0\x05\0\x03bad\0\0\0\0\0\0\x10\0";
    assert_eq!(error, golden);
    let error = written(|out| STRUCTURED.error(5, Errno::Shutdown, "", out));
    assert_eq!(error[16..], *b"\0\0\0\x06\0\0\0\x6c\0\0");
    let data = written(|out| STRUCTURED.data_header(5, 512, 1024, false, out));
    let golden = b"\x66\x8e\x33\xef\0\0\0\x01\0\0\0\0\0\0\0\x05\0\0\x04\x08\0\0\0\0\0\0\x02\0";
    assert_eq!(data, golden);
    let hole = written(|out| STRUCTURED.hole(5, 512, 1024, true, out));
    assert_eq!(hole[4..8], *b"\0\x01\0\x02");
    assert_eq!(hole[16..], *b"\0\0\0\x0c\0\0\0\0\0\0\x02\0\0\0\x04\0");
}

#[test]
fn neighbours_that_are_alike_are_told_as_one() {
    let extent = |len, zero| Extent {
        len,
        hole: zero,
        zero,
    };
    let extents = [
        extent(0, false),
        extent(512, true),
        extent(512, true),
        extent(u32::MAX, true),
        extent(1, false),
    ];
    let status = written(|out| STRUCTURED.block_status(5, &extents, out));
    assert_eq!(status[16..24], *b"\0\0\0\x1c\0\0\0\x01");
    assert_eq!(status[24..32], *b"\0\0\x04\0\0\0\0\x03");
    assert_eq!(status[32..40], *b"\xff\xff\xff\xff\0\0\0\x03");
    assert_eq!(status[40..], *b"\0\0\0\x01\0\0\0\0");
}

#[test]
fn error_numbers_are_linux_s() {
    let codes: Vec<u32> = Errno::ALL.iter().map(|errno| errno.code()).collect();
    assert_eq!(codes, [1, 5, 12, 22, 28, 75, 95, 108]);
    assert_eq!(Errno::from_code(28), Errno::NoSpc);
    assert_eq!(Errno::from_code(12345), Errno::Inval);
}
