//! Tests of `login`.

use super::*;

fn login() -> Login {
    Login {
        username: "acme".into(),
        password: "s3cret".into(),
    }
}

#[test]
fn each_dialect_says_it_in_its_own_way() {
    assert_eq!(
        request(&login(), AuthDialect::MemcachedY),
        b"set auth 0 0 11\r\nacme s3cret\r\n"
    );
    assert_eq!(
        request(&login(), AuthDialect::KeyIsUser),
        b"set acme 0 0 6\r\ns3cret\r\n"
    );
    let sasl = request(&login(), AuthDialect::Sasl);
    assert_eq!(sasl[..2], [0x80, 0x21]);
    assert!(sasl.ends_with(b"PLAIN\0acme\0s3cret"));
    assert_eq!(sasl[11] as usize, sasl.len() - 24);
}

#[test]
fn text_verdicts_wait_for_their_line() {
    let body = AuthDialect::MemcachedY;
    assert_eq!(verdict(b"STOR", body), None);
    assert_eq!(verdict(b"STORED\r\n", body), Some(Ok(8)));
    let words = "CLIENT_ERROR authentication failure".to_string();
    assert_eq!(
        verdict(b"CLIENT_ERROR authentication failure\r\n", body),
        Some(Err(words))
    );
}

#[test]
fn binary_verdicts_wait_for_their_body() {
    let mut reply = [0u8; 24];
    reply[0] = 0x81;
    reply[1] = 0x21;
    reply[11] = 2;
    let accepted = [&reply[..], b"ok"].concat();
    assert_eq!(verdict(&reply, AuthDialect::Sasl), None);
    assert_eq!(verdict(&accepted, AuthDialect::Sasl), Some(Ok(26)));
    reply[7] = 0x20;
    let refused = [&reply[..], b"no"].concat();
    assert_eq!(verdict(&refused, AuthDialect::Sasl), Some(Err("no".into())));
}
