//! Requests by golden bytes, and the error of each wrong one.

use super::*;
use crate::testing::export;

fn raw(kind: u16, flags: u16, offset: u64, len: u32) -> Raw {
    Raw {
        flags,
        kind,
        cookie: 7,
        offset,
        len,
    }
}

fn errno(raw: Raw) -> Option<Errno> {
    raw.command(&export("data"), true)
        .err()
        .map(|wrong| wrong.0)
}

#[test]
fn a_request_is_28_bytes() {
    let command = Command::Read {
        offset: 0x1122,
        len: 4096,
        whole: true,
    };
    let mut bytes = Vec::new();
    Request { cookie: 9, command }.put(&mut bytes);
    let golden = b"\x25\x60\x95\x13\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09\
        \x00\x00\x00\x00\x00\x00\x11\x22\x00\x00\x10\x00";
    assert_eq!(bytes, golden);
    for cut in 0..28 {
        assert_eq!(Raw::parse(&bytes[..cut]), Ok(None));
    }
    assert!(Raw::parse(b"\x25\x61").is_err());
}

#[test]
fn past_the_end_is_einval_for_reads_and_enospc_for_writes() {
    use command_kind as kind;
    let end = 1 << 20;
    for (kind, expected) in [
        (kind::READ, Errno::Inval),
        (kind::TRIM, Errno::Inval),
        (kind::CACHE, Errno::Inval),
        (kind::BLOCK_STATUS, Errno::Inval),
        (kind::WRITE, Errno::NoSpc),
        (kind::WRITE_ZEROES, Errno::NoSpc),
    ] {
        assert_eq!(errno(raw(kind, 0, end - 1, 1)), None);
        assert_eq!(errno(raw(kind, 0, end - 1, 2)), Some(expected));
        assert_eq!(errno(raw(kind, 0, u64::MAX, 512)), Some(expected));
    }
}

#[test]
fn flags_belong_to_commands() {
    use {command_flag as flag, command_kind as kind};
    for (kind, flags) in [
        (kind::READ, flag::NO_HOLE),
        (kind::WRITE, flag::DF),
        (kind::TRIM, flag::FAST_ZERO),
        (kind::WRITE, flag::FAST_ZERO),
        (kind::BLOCK_STATUS, flag::DF),
        (kind::CACHE, flag::REQ_ONE),
        (kind::READ, 1 << 15),
    ] {
        assert_eq!(errno(raw(kind, flags, 0, 512)), Some(Errno::Inval));
    }
    let all = flag::FUA | flag::NO_HOLE | flag::FAST_ZERO;
    assert_eq!(errno(raw(kind::WRITE_ZEROES, all, 0, 512)), None);
}

#[test]
fn what_else_is_wrong() {
    use command_kind as kind;
    assert_eq!(errno(raw(99, 0, 0, 0)), Some(Errno::Inval));
    assert_eq!(errno(raw(kind::FLUSH, 0, 0, 1)), Some(Errno::Inval));
    assert_eq!(errno(raw(kind::BLOCK_STATUS, 0, 0, 0)), Some(Errno::Inval));
    assert_eq!(
        errno(raw(kind::READ, 0, 0, PAYLOAD_LEN_MAX + 1)),
        Some(Errno::Inval)
    );
    assert_eq!(errno(raw(kind::WRITE, 0, 0, u32::MAX)), Some(Errno::Inval));
    let status = raw(kind::BLOCK_STATUS, 0, 0, 512);
    let without = status.command(&export("data"), false);
    assert_eq!(without.expect_err("no context").0, Errno::Inval);
    let mut frozen = export("data");
    frozen.read_only = true;
    for kind in [kind::WRITE, kind::TRIM, kind::WRITE_ZEROES] {
        let refused = raw(kind, 0, 0, 512).command(&frozen, true);
        assert_eq!(refused.expect_err("read only").0, Errno::Perm);
    }
    let mut coarse = export("data");
    coarse.block_len_min = 512;
    let odd = raw(kind::READ, 0, 100, 512).command(&coarse, true);
    assert_eq!(odd.expect_err("odd").0, Errno::Inval);
}
