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

#[test]
fn what_is_public_and_what_is_not() {
    let is = |text: &str| is_public(text.parse().unwrap());
    for public in [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.215.14",
        "172.15.255.255",
        "172.32.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "198.17.255.255",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450::1",
        "::ffff:8.8.8.8",
        "2400::1",
    ] {
        assert!(is(public), "{public}");
    }
    for other in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.1.2.3",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
        "100::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "2002:a00:1::1",
    ] {
        assert!(!is(other), "{other}");
    }
}
