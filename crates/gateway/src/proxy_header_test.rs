//! Headers as balancers send them, in whole and in pieces, and what is refused.

use super::{NoProxyHeader, PROXY_HEADER_LEN_MAX, ProxyHeader, parse};
use crate::Peer;

fn header(version_command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    bytes.extend([version_command, family]);
    bytes.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
    bytes.extend(rest);
    bytes
}

fn over_ipv4() -> Vec<u8> {
    header(
        0x21,
        0x11,
        &[192, 0, 2, 7, 10, 0, 0, 1, 0x30, 0x39, 0x2b, 0xcb],
    )
}

fn over_ipv6(more: &[u8]) -> Vec<u8> {
    let mut rest = vec![0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    rest.extend([0; 16]);
    rest.extend([0x30, 0x39, 0x2b, 0xcb]);
    rest.extend(more);
    header(0x21, 0x21, &rest)
}

fn peer(text: &str) -> Option<Peer> {
    let address: std::net::SocketAddr = text.parse().unwrap();
    Some(Peer::from(address))
}

fn complete(bytes: &[u8], len: usize, client: Option<Peer>) {
    assert_eq!(parse(bytes), Ok(ProxyHeader::Complete { len, client }));
}

#[test]
fn names_the_client() {
    let bytes = over_ipv4();
    complete(&bytes, bytes.len(), peer("192.0.2.7:12345"));
    let bytes = over_ipv6(&[]);
    complete(&bytes, bytes.len(), peer("[2001:db8::9]:12345"));
}

#[test]
fn an_ipv4_client_of_an_ipv6_balancer_is_one_source() {
    let mut rest = vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7];
    rest.extend([0; 16]);
    rest.extend([0, 80, 0, 81]);
    let bytes = header(0x21, 0x21, &rest);
    complete(&bytes, bytes.len(), peer("192.0.2.7:80"));
}

#[test]
fn what_follows_belongs_to_the_client() {
    let mut bytes = over_ipv4();
    let len = bytes.len();
    bytes.extend(b"get key\r\n");
    complete(&bytes, len, peer("192.0.2.7:12345"));
}

#[test]
fn additions_behind_the_addresses_are_skipped() {
    // Authority, and a type that nobody knows.
    let more = [2, 0, 3, b'a', b'.', b'b', 0xe9, 0, 1, 0xff];
    let bytes = over_ipv6(&more);
    complete(&bytes, bytes.len(), peer("[2001:db8::9]:12345"));
}

#[test]
fn names_nobody_for_local_for_unspecified_and_for_other_families() {
    for bytes in [
        header(0x20, 0x00, &[]),
        header(0x20, 0x11, &[1, 2, 3]),
        header(0x21, 0x00, &[]),
        header(0x21, 0x00, &[9; 40]),
        header(0x21, 0x31, &[b'/'; 216]),
        header(0x21, 0x12, &[9; 12]),
    ] {
        complete(&bytes, bytes.len(), None);
    }
}

#[test]
fn every_beginning_says_what_is_missing_and_never_more_than_that() {
    for bytes in [over_ipv4(), over_ipv6(&[4, 0, 1, 0]), header(0x20, 0, &[])] {
        for len in 0..bytes.len() {
            let Ok(ProxyHeader::Incomplete { missing_len }) = parse(&bytes[..len]) else {
                panic!("{len} bytes of {bytes:?}");
            };
            assert!(missing_len > 0 && len + missing_len <= bytes.len());
        }
    }
}

#[test]
fn other_bytes_are_refused_at_the_first_that_differs() {
    assert_eq!(parse(b"get key\r\n"), Err(NoProxyHeader::Signature));
    assert_eq!(parse(b"\r\n\r\nx"), Err(NoProxyHeader::Signature));
    assert_eq!(parse(b"\x80\x20"), Err(NoProxyHeader::Signature));
    assert_eq!(
        parse(b"PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n"),
        Err(NoProxyHeader::Version1)
    );
}

#[test]
fn unknown_versions_and_commands_are_refused() {
    for version_command in [0x11, 0x31, 0x22, 0x2f, 0x01] {
        let bytes = header(version_command, 0x11, &[0; 12]);
        assert_eq!(parse(&bytes), Err(NoProxyHeader::Version));
    }
}

#[test]
fn lengths_that_cannot_be_are_refused_before_the_rest_has_come() {
    let short = header(0x21, 0x11, &[0; 11]);
    assert_eq!(parse(&short), Err(NoProxyHeader::Length));
    let short = header(0x21, 0x21, &[0; 35]);
    assert_eq!(parse(&short[..16]), Err(NoProxyHeader::Length));
    let long = header(0x21, 0x11, &vec![0; PROXY_HEADER_LEN_MAX - 15]);
    assert_eq!(parse(&long[..16]), Err(NoProxyHeader::Length));
    let longest = header(0x21, 0x00, &vec![0; PROXY_HEADER_LEN_MAX - 16]);
    complete(&longest, PROXY_HEADER_LEN_MAX, None);
}
