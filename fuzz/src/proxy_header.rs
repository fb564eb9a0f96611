//! What is asserted of PROXY protocol headers: no panic, and that pieces do not matter.

use gateway::proxy_header::{PROXY_HEADER_LEN_MAX, ProxyHeader, parse};

/// What a balancer, or somebody in its place, sends first.
pub fn proxy_header(data: &[u8]) {
    let whole = parse(data);
    // Reading only what is said to be missing comes to the same end, and reads nothing behind it.
    let mut len = 0;
    let step = loop {
        match parse(&data[..len]) {
            Ok(ProxyHeader::Incomplete { missing_len }) if len + missing_len <= data.len() => {
                assert!(missing_len > 0);
                len += missing_len;
            }
            step => break step,
        }
    };
    match step {
        Ok(ProxyHeader::Complete {
            len: header_len, ..
        }) => {
            assert_eq!(header_len, len);
            assert!(len <= PROXY_HEADER_LEN_MAX);
            assert_eq!(step, whole);
        }
        Ok(ProxyHeader::Incomplete { missing_len }) => {
            assert!(len + missing_len <= PROXY_HEADER_LEN_MAX);
            // What is there beyond `len` may show already that it becomes no header.
            assert!(!matches!(whole, Ok(ProxyHeader::Complete { .. })));
        }
        Err(_) => assert_eq!(step, whole),
    }
}
