//! Networks are read, written and asked.

use super::*;

fn network(text: &str) -> IpNetwork {
    text.parse().unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn text_reads_back_as_the_same_network() {
    for text in [
        "10.0.0.0/8",
        "192.0.2.7/32",
        "0.0.0.0/0",
        "2001:db8::/32",
        "::/0",
        "::1/128",
    ] {
        assert_eq!(network(text).to_string(), text);
    }
    assert_eq!(network("192.0.2.7").to_string(), "192.0.2.7/32");
    assert_eq!(network("::1").to_string(), "::1/128");
}

#[test]
fn a_network_ends_where_its_prefix_does() {
    let ten = network("10.0.0.0/8");
    assert!(ten.contains(address("10.255.255.255")) && ten.contains(address("10.0.0.0")));
    assert!(!ten.contains(address("11.0.0.0")) && !ten.contains(address("9.255.255.255")));
    let odd = network("192.0.2.128/25");
    assert!(odd.contains(address("192.0.2.128")) && !odd.contains(address("192.0.2.127")));
    let six = network("2001:db8:0:8000::/49");
    assert!(six.contains(address("2001:db8:0:ffff::1")));
    assert!(!six.contains(address("2001:db8:0:7fff::1")));
}

#[test]
fn families_are_kept_apart_but_a_mapped_address_is_an_ipv4_one() {
    assert!(!network("::/0").contains(address("192.0.2.1")));
    assert!(!network("0.0.0.0/0").contains(address("2001:db8::1")));
    assert!(network("192.0.2.0/24").contains(address("::ffff:192.0.2.9")));
}

#[test]
fn what_is_no_network_is_told_so() {
    for text in [
        "",
        "/",
        "10.0.0.0/",
        "10.0.0.0/33",
        "::/129",
        "10.0.0/8",
        "ten/8",
        "::/-1",
        "1.2.3.4/8/8",
    ] {
        let error = text.parse::<IpNetwork>().unwrap_err();
        assert!(error.contains("10.0.0.0/8"), "{text}: {error}");
    }
    let error = "10.1.0.0/8".parse::<IpNetwork>().unwrap_err();
    assert!(error.contains("10.0.0.0/8"), "{error}");
    assert_eq!(IpNetwork::of(address("10.1.2.3"), 33), None);
    let eight = IpNetwork::of(address("10.1.2.3"), 8);
    assert_eq!(eight, Some(network("10.0.0.0/8")));
}
