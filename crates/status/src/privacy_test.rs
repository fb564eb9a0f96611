//! What is found in a text, and what passes.

use super::*;

const NAMES: [&str; 2] = ["acme", "shop-7"];

#[test]
fn names_hosts_and_addresses_are_found() {
    for (text, found) in [
        ("Requests of acme fail.", "acme"),
        ("Only (Shop-7) is slow", "Shop-7"),
        ("we restart 10.0.0.7 now", "10.0.0.7"),
        ("at 10.0.0.7:11211.", "10.0.0.7:11211"),
        ("in 10.1.0.0/16", "10.1.0.0/16"),
        ("on [2001:db8::1]:80", "[2001:db8::1]:80"),
        ("on fe80::1", "fe80::1"),
        ("cache-3.internal is down", "cache-3.internal"),
        ("see node1.example.com:8311", "node1.example.com:8311"),
    ] {
        assert_eq!(first_secret(text, NAMES), Some(found), "{text}");
    }
}

#[test]
fn ordinary_sentences_pass() {
    for text in [
        "",
        "It is over. It lasted 2 min 5 s, from 22 Nov 2026, 08:04:05 UTC.",
        "99.98 % of requests were answered (up from 98.1 %).",
        "Version 1.6.45 is rolled out, e.g. in one zone at a time.",
        "Cache: New connections: 3 of the last 20 checks failed.",
        "Acmes and shops are not meant.",
    ] {
        assert_eq!(first_secret(text, NAMES), None, "{text}");
    }
}
